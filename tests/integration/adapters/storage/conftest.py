"""
A fresh database for each test.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ctxfy.adapters.storage.database import Database
from tests.integration.adapters.storage.storage_kit import open_copy


@pytest.fixture
async def database(template: Path, tmp_path: Path) -> AsyncIterator[Database]:
    """
    A migrated, empty database with little patience.
    """
    opened = open_copy(template, tmp_path, patience=0.2, busy=0.1)
    yield opened
    await opened.aclose()
