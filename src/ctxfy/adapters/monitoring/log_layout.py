"""
The fields of a record, read from what was told: how each is read, and all of them in one pass.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from ctxfy.adapters.monitoring.log_exceptions import safe_text
from ctxfy.adapters.monitoring.log_lines import LARGEST_NUMBER, Fields
from ctxfy.adapters.monitoring.request_record import CURRENT_RECORD
from ctxfy.adapters.monitoring.request_trace import CURRENT_SPAN
from ctxfy.core.use_cases.monitoring_use_cases import (
    LONGEST_LABEL,
    REQUIRED_LOG_FIELDS,
    extra_name,
    redact,
    redact_again,
    redact_label,
    redact_user,
    utc_text,
)


Reader = Callable[[object], Any]

_BLANK: Mapping[str, object] = dict.fromkeys(REQUIRED_LOG_FIELDS)


def lay_out(timestamp: datetime, level: str, message: str, logger: str, told: Fields) -> Fields:
    """
    Lay out a record of ours, as `log_fields` does by way of a `LogEntry`, but in one pass.

    Every request has such a line. An exception among the fields is not understood here.
    """
    fields = {**_BLANK, "timestamp": utc_text(timestamp), "level": level}
    fields["message"] = redact_label(message.strip())
    fields["logger"] = redact_label(logger)
    for name, value in told.items():
        if type(value) is str and name in _LABELS and len(value) <= LONGEST_LABEL:
            fields[name] = redact_again(value)
        elif (read := _REDACTED.get(name)) is not None:
            fields[name] = read(value)
        else:
            fields[extra_name(name)] = redact(name, value)
    if not fields["request_id"]:
        fields["request_id"] = current_request_id()
    if not (fields["trace_id"] and fields["span_id"]) and (span := CURRENT_SPAN.get()):
        fields["trace_id"] = fields["trace_id"] or span.trace.id
        fields["span_id"] = fields["span_id"] or span.id
    return fields


def current_request_id() -> str | None:
    """
    Return the id of the request being served, None outside of one.
    """
    request = CURRENT_RECORD.get()
    return None if request is None else request.request_id


def _text(value: object) -> str | None:
    return value if value is None or type(value) is str else safe_text(value)


def _number(value: object) -> float | None:
    return value if isinstance(value, float) else _whole_number(value)


def _whole_number(value: object) -> int | None:
    # True is a number to Python, and beyond 64 bits there is none to those who read the line.
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return value if -LARGEST_NUMBER <= value <= LARGEST_NUMBER else None


def _label(value: object) -> str | None:
    return redact_label(_text(value))


def _user(value: object) -> str | None:
    return None if value is None else redact_user(safe_text(value))


READ: Mapping[str, Reader] = {
    "request_id": _text,
    "latency_ms": _number,
    "user_id": _text,
    "endpoint": _text,
    "method": _text,
    "status_code": _whole_number,
    "llm_model": _text,
    "trace_id": _text,
    "span_id": _text,
    "key_id": _text,
    "prompt": _text,
    "prompt_version": _text,
    "client_name": _text,
    "client_version": _text,
    "protocol_version": _text,
    "bytes_in": _whole_number,
    "bytes_out": _whole_number,
}
"""
The fields of a line that come with an event, and how each is read.
"""

_REDACTED: Mapping[str, Reader] = {
    **READ,
    "user_id": _user,
    "endpoint": _label,
    "llm_model": _label,
    "key_id": _label,
    "prompt": _label,
    "prompt_version": _label,
    "client_name": _label,
    "client_version": _label,
    "protocol_version": _label,
}
# Of few values, on nearly every line.
_LABELS = frozenset(name for name, read in _REDACTED.items() if read is _label) | {
    "lane",
    "rpc_method",
}
