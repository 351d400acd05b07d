"""
Our own records take a shorter way to the same fields.
"""

import logging
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ctxfy.adapters.monitoring.log_lines import json_line
from ctxfy.adapters.monitoring.log_pipeline import LineFormatter, OurRecord
from ctxfy.adapters.monitoring.request_record import CURRENT_RECORD, RequestRecord
from ctxfy.core.models.monitoring_models import LogLevel
from ctxfy.core.use_cases.monitoring_use_cases import REQUIRED_LOG_FIELDS


NOON = datetime(2026, 11, 22, 12, tzinfo=timezone(timedelta(hours=1)))
SECRETS = ("Bearer hunter2hunter2", "alice@example.com", "4111 1111 1111 1111", "token=hunter2")

names = st.sampled_from(
    [*REQUIRED_LOG_FIELDS, "lane", "rpc_method", "denial", "render_ms", "password", "exception"]
) | st.text(max_size=8)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from([*SECRETS, *LogLevel, 2**63, "x" * 129]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=4,
)


def line_of(fields: dict[str, object], *, level: int = logging.INFO, straight: bool = True) -> str:
    """
    Write one line; the long way is that of records with an exception.
    """
    told = fields if straight else {**fields, "exc_info": None}
    formatter = LineFormatter(json_line, lambda: NOON)
    return formatter.format(OurRecord(level, " it_happened ", told))


@settings(max_examples=50)
@given(fields=st.dictionaries(names, values, max_size=6), level=st.integers(0, 60))
@example(fields=dict.fromkeys(REQUIRED_LOG_FIELDS, "token=hunter2"), level=20)
@example(fields=dict.fromkeys(REQUIRED_LOG_FIELDS, True), level=20)
@example(fields={"a\ud800": "b\ud800", "prompt": "\udfff", "bytes_in": -(2**70)}, level=20)
def test_both_ways_lead_to_the_same_line(fields: dict[str, object], level: int) -> None:
    """
    Byte for byte, whatever is told.
    """
    assert line_of(fields, level=level) == line_of(fields, level=level, straight=False)


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("name", ["prompt", "client_name", "lane", "reason", "list"])
def test_what_comes_again_is_hidden_again(name: str, secret: str) -> None:
    """
    A text that is remembered is remembered without its secret.
    """
    value: object = [secret] if name == "list" else secret
    for _ in range(2):
        line = line_of({name: value})
        assert secret not in line
        assert "[redacted]" in line


def test_a_record_without_an_id_belongs_to_the_request_being_served() -> None:
    """
    One with an id keeps it.
    """
    token = CURRENT_RECORD.set(RequestRecord("r-1"))
    lines = [line_of({}), line_of({"request_id": "r-2"})]
    CURRENT_RECORD.reset(token)
    assert ['"request_id":"r-1"' in lines[0], '"request_id":"r-2"' in lines[1]] == [True, True]


def test_a_time_is_written_in_utc() -> None:
    """
    Wherever the clock stands.
    """
    assert NOON.astimezone(UTC).hour == 11
    assert line_of({}).startswith('{"timestamp":"2026-11-22T11:00:00.000Z"')
