"""
Moments in the database.
"""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import sqlite

from ctxfy.adapters.storage.tables import UtcTime, metadata


DIALECT = sqlite.dialect()
ZONES = st.builds(timezone, st.timedeltas(timedelta(hours=-23), timedelta(hours=23)))
# A day off the ends: the year 1 in the east began in no year that UTC has.
MOMENTS = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=ZONES)  # noqa: DTZ001


@given(MOMENTS)
def test_a_moment_comes_back_in_utc(moment: datetime) -> None:
    """
    Whatever its zone, a moment is the same afterwards, to the microsecond.
    """
    stored = UtcTime().process_bind_param(moment, DIALECT)
    found = UtcTime().process_result_value(stored, DIALECT)
    assert found == moment
    assert found is not None
    assert found.tzinfo is UTC


@given(MOMENTS, MOMENTS)
def test_stored_moments_keep_their_order(one: datetime, other: datetime) -> None:
    """
    The database can compare and sort moments as the numbers they are.
    """
    first, second = (UtcTime().process_bind_param(each, DIALECT) for each in (one, other))
    assert first is not None
    assert second is not None
    assert (first < second, first == second) == (one < other, one == other)


def test_no_moment_stays_none() -> None:
    """
    An absent time is stored as absent.
    """
    assert UtcTime().process_bind_param(None, DIALECT) is None
    assert UtcTime().process_result_value(None, DIALECT) is None


def test_a_time_without_zone_is_refused() -> None:
    """
    A naive time could mean any moment, so it is not stored.
    """
    with pytest.raises(ValueError, match="without a zone"):
        UtcTime().process_bind_param(datetime(2026, 11, 22), DIALECT)  # noqa: DTZ001


def test_every_constraint_has_a_name() -> None:
    """
    Only what has a name can be changed by a later migration.
    """
    named = [
        constraint.name for table in metadata.sorted_tables for constraint in table.constraints
    ]
    assert named
    assert None not in named
