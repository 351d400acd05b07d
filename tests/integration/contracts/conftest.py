"""
What every contract suite of a store runs over.
"""

import pytest

from ctxfy.adapters.storage.database import Database


@pytest.fixture(params=["sqlite", "postgresql", "fake"])
def database(request: pytest.FixtureRequest) -> Database | None:
    """
    A migrated, empty database of each kind; None stands for the fake.
    """
    if request.param == "fake":
        return None
    found: Database = request.getfixturevalue(f"{request.param}_database")
    return found
