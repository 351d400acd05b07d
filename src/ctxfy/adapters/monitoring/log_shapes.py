"""
The fields of a line under other names: those of the Elastic Common Schema, or Datadog's.

Two tables say what becomes of each field. What neither system has a name for stands under `ctxfy.`,
without further dots, since a store makes an object of every dot; what is null is left out. The
fields come redacted, and nothing is added to them but who wrote them.
"""

from collections.abc import Callable, Mapping
from functools import partial
from math import isfinite
from typing import Literal, NamedTuple, cast

from ctxfy.adapters.monitoring.log_exceptions import safe_text
from ctxfy.adapters.monitoring.log_lines import Fields, exception_text, json_line
from ctxfy.adapters.monitoring.log_pipeline import Line


LogShape = Literal["ctxfy", "ecs", "datadog"]

OURS = "ctxfy."
_EXCEPTION = "exception"
_LOW_64_BITS = 2**64 - 1


class Service(NamedTuple):
    """
    Who writes.
    """

    name: str
    version: str


class Shape(NamedTuple):
    """
    What one system calls things.

    Attributes:
        names: By our name; what is not there is ours alone.
        values: How a value is written there, if otherwise than here.
        error: Its names for an exception's type, message, and all of it as text.
        constants: What stands on every line.
    """

    names: Mapping[str, str]
    values: Mapping[str, Callable[[object], object]]
    error: tuple[str, str, str]
    constants: Callable[[Service], Mapping[str, str]]


def _lower(level: object) -> str:
    return str(level).lower()


def _nanoseconds(milliseconds: object) -> object:
    number = cast("float", milliseconds)
    return round(number * 1_000_000) if isfinite(number) else None


def _decimal(identifier: object) -> object:
    # Datadog counts in 64 bits, of a trace's id the lower ones.
    try:
        return str(int(str(identifier), 16) & _LOW_64_BITS)
    except ValueError:  # a library's, which means another thing by it
        return identifier


SHAPES: Mapping[LogShape, Shape] = {
    "ecs": Shape(
        names={
            "timestamp": "@timestamp",
            "level": "log.level",
            "message": "message",
            "request_id": "http.request.id",
            "latency_ms": "event.duration",
            "user_id": "user.id",
            "method": "http.request.method",
            "status_code": "http.response.status_code",
            "trace_id": "trace.id",
            "span_id": "span.id",
            "bytes_in": "http.request.body.bytes",
            "bytes_out": "http.response.body.bytes",
            "logger": "log.logger",
            "error_code": "error.code",
        },
        values={"level": _lower, "latency_ms": _nanoseconds},
        error=("error.type", "error.message", "error.stack_trace"),
        constants=lambda service: {
            "ecs.version": "8.17.0",
            "service.name": service.name,
            "service.version": service.version,
        },
    ),
    "datadog": Shape(
        names={
            "timestamp": "timestamp",
            "level": "status",
            "message": "message",
            "request_id": "http.request_id",
            "latency_ms": "duration",
            "user_id": "usr.id",
            "endpoint": "http.route",
            "method": "http.method",
            "status_code": "http.status_code",
            "trace_id": "dd.trace_id",
            "span_id": "dd.span_id",
            "bytes_in": "network.bytes_read",
            "bytes_out": "network.bytes_written",
            "logger": "logger.name",
            "error_code": "error.code",
        },
        values={
            "level": _lower,
            "latency_ms": _nanoseconds,
            "trace_id": _decimal,
            "span_id": _decimal,
        },
        error=("error.kind", "error.message", "error.stack"),
        constants=lambda service: {
            "service": service.name,
            "ddsource": "ctxfy",
            "dd.version": service.version,
        },
    ),
}


def json_form(shape: LogShape, service: Service) -> Line:
    """
    Say how a line is written as JSON; ctxfy's own shape takes no way round.
    """
    if shape == "ctxfy":
        return json_line
    chosen = SHAPES[shape]
    return partial(_write, chosen, chosen.constants(service))


def reshape(fields: Fields, shape: Shape) -> dict[str, object]:
    """
    Give the fields the names of another system.
    """
    shaped: dict[str, object] = {}
    for name, value in fields.items():
        if value is None:
            continue
        if name == _EXCEPTION and isinstance(value, Mapping):
            shaped |= _error(cast("Fields", value), shape)
            continue
        text = safe_text(name)
        write = shape.values.get(text)
        shaped[name_in(shape, text)] = value if write is None else write(value)
    return shaped


def name_in(shape: Shape, name: str) -> str:
    """
    Say what one of our fields is called there.
    """
    return shape.names.get(name) or OURS + name.replace(".", "_")


def _error(described: Fields, shape: Shape) -> dict[str, object]:
    kind, message, stack = shape.error
    return {
        kind: described.get("type"),
        message: described.get("message"),
        stack: exception_text(described),
    }


def _write(shape: Shape, constants: Mapping[str, str], fields: Fields) -> str:
    return json_line({**reshape(fields, shape), **constants})
