"""
Least levels of loggers: how they are written, which may be, and which one counts.
"""

from datetime import timedelta

import pytest

from ctxfy.core.exceptions import InvalidRequestError
from ctxfy.core.models.log_level_models import LevelChange
from ctxfy.core.models.monitoring_models import LogLevel
from ctxfy.core.use_cases.log_level_use_cases import (
    MAX_LEVELS,
    ROOT,
    check_change,
    check_levels,
    check_logger,
    describe_levels,
    levels_in_force,
    nearest,
    parse_levels,
    still_changed,
)
from tests.builders import NOON


FLOORS = {"mcp": LogLevel.WARNING}


def test_levels_are_written_with_commas_between() -> None:
    """
    Blanks and empty entries do not count.
    """
    assert parse_levels(" ctxfy.audit = debug,uvicorn=WARNING,, ") == {
        "ctxfy.audit": "debug",
        "uvicorn": "WARNING",
    }


@pytest.mark.parametrize(
    ("text", "reason"),
    [("uvicorn", "write LOGGER=LEVEL"), ("a=info,a=debug", "the logger 'a' comes twice")],
)
def test_what_is_no_list_of_levels_is_refused(text: str, reason: str) -> None:
    """
    With what to write in its place.
    """
    with pytest.raises(ValueError, match=reason):
        parse_levels(text)


def test_levels_may_be_written_small() -> None:
    """
    As in the setting of the general level.
    """
    assert check_levels({"a.b": "debug", "mcp.x": "error"}, FLOORS) == {
        "a.b": LogLevel.DEBUG,
        "mcp.x": LogLevel.ERROR,
    }


@pytest.mark.parametrize(
    ("levels", "reason"),
    [
        ({"a": "loud"}, "the level of 'a' is 'loud', which is none of DEBUG, INFO"),
        ({"a": 10}, "is '10', which is none"),
        ({"a b": "debug"}, "'a b' is no name of a logger"),
        ({"": "debug"}, "'' is no name"),
        ({ROOT: "debug"}, "'root' is what CTXFY_LOGGING__LEVEL is for"),
        ({"mcp.server": "info"}, "'mcp.server' is not written below WARNING"),
        ({f"a{n}": "info" for n in range(MAX_LEVELS + 1)}, "at most 50"),
    ],
)
def test_levels_that_cannot_be_are_refused(levels: dict[str, object], reason: str) -> None:
    """
    With the reason, and the logger it is about.
    """
    with pytest.raises(ValueError, match=reason):
        check_levels(levels, FLOORS)


@pytest.mark.parametrize(
    ("logger", "level", "field"),
    [("a b", LogLevel.INFO, "logger"), ("mcp", LogLevel.DEBUG, "level")],
)
def test_a_change_that_cannot_be_is_refused(logger: str, level: LogLevel, field: str) -> None:
    """
    It says which field is wrong.
    """
    with pytest.raises(InvalidRequestError) as caught:
        check_change(LevelChange(logger=logger, level=level), {}, FLOORS)
    assert [error.field for error in caught.value.result.errors] == [field]


def test_only_so_many_may_be_changed_at_a_time() -> None:
    """
    One more is refused; another level for one of them is not.
    """
    changes = {
        name: LevelChange(logger=name, level=LogLevel.INFO)
        for name in (f"a{number}" for number in range(MAX_LEVELS))
    }
    check_change(changes["a1"], changes, FLOORS)
    with pytest.raises(InvalidRequestError, match="take one of them back first"):
        check_change(LevelChange(logger="b", level=LogLevel.INFO), changes, FLOORS)


def test_a_name_is_looked_at_before_anything_is_taken_back() -> None:
    """
    Names as Python's modules have them are names of loggers, others are not.
    """
    check_logger("a._b-c.9")
    with pytest.raises(InvalidRequestError):
        check_logger("../etc")


def test_a_change_lies_over_the_settings_until_its_time_is_over() -> None:
    """
    At that very moment it is over; one without an end stays.
    """
    settings = {ROOT: LogLevel.INFO, "a": LogLevel.ERROR}
    brief = LevelChange(logger="a", level=LogLevel.DEBUG, until=NOON)
    lasting = LevelChange(logger="b", level=LogLevel.DEBUG)
    before = still_changed((brief, lasting), NOON - timedelta(seconds=1))
    after = still_changed((brief, lasting), NOON)
    assert levels_in_force(settings, before) == {
        ROOT: LogLevel.INFO,
        "a": LogLevel.DEBUG,
        "b": LogLevel.DEBUG,
    }
    assert levels_in_force(settings, after)["a"] is LogLevel.ERROR
    told = [(each.logger, each.changed, each.until) for each in describe_levels(settings, before)]
    assert told == [(ROOT, False, None), ("a", True, NOON), ("b", True, None)]


@pytest.mark.parametrize(
    ("name", "found"), [("a.b", 2), ("a.b.c", 2), ("a.c", 1), ("ab", None), ("", None)]
)
def test_the_nearest_name_above_counts(name: str, found: int | None) -> None:
    """
    By whole parts of the name.
    """
    assert nearest(name, {"a": 1, "a.b": 2}) == found
