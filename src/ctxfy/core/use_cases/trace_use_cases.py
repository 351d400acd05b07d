"""
The judgement about traces: which parent to believe, which requests to keep, what may be named.
"""

import re

from ctxfy.core.models.trace_models import TraceParent
from ctxfy.core.use_cases.monitoring_use_cases import OTHER, redact_text


MAX_STATE = 512
"""
The longest tracestate that is handed on; W3C asks for no more.
"""

_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_STATE = re.compile(r"[\x20-\x7e]*")
_CLIENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._/@+-]{0,63}")
_HEADER = re.compile(r"\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*=\s*([\x21-\x7e][\x20-\x7e]*)")
_SAMPLED = 0x01
_LAST_HALF = 16


def read_traceparent(text: object, state: object = "") -> TraceParent | None:
    """
    Read a traceparent as W3C Trace Context has it; None if it is none.

    Later versions may say more, after a further dash; what is known of them is read.

    Args:
        text: The value of the header or of the field of `_meta`; it may be anything.
        state: The tracestate beside it; left out if it is strange.
    """
    found = _TRACEPARENT.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        return None
    version, trace_id, span_id, flags, more = found.groups()
    if version == "ff" or (version == "00" and more) or not int(trace_id, 16):
        return None
    if not int(span_id, 16):
        return None
    sane = isinstance(state, str) and len(state) <= MAX_STATE and _STATE.fullmatch(state)
    return TraceParent(
        trace_id=trace_id,
        span_id=span_id,
        sampled=bool(int(flags, 16) & _SAMPLED),
        state=str(state) if sane else "",
    )


def choose_parent(
    header: TraceParent | None, message: TraceParent | None
) -> tuple[TraceParent | None, TraceParent | None]:
    """
    Choose what a request's trace goes on from, and what it is only linked to.

    The message's own trace counts, since a proxy on the way may have begun one of its own. In one
    and the same trace the header is nearer: it names the HTTP request below the message's span.

    Returns:
        The parent, and the one that was passed over if it belongs to another trace.
    """
    if header is None or message is None:
        return header or message, None
    return (header, None) if header.trace_id == message.trace_id else (message, header)


def is_in_sample(trace_id: str, ratio: float) -> bool:
    """
    Decide whether a trace is kept, by its id alone, so that every server decides the same.
    """
    return int(trace_id[_LAST_HALF:], 16) < round(ratio * 2**64)


def decide_sampled(
    trace_id: str, parent: TraceParent | None, *, is_known: bool, ratio: float
) -> bool:
    """
    Decide whether a request's spans are kept: as its parent's are, else by the ratio.

    Args:
        trace_id: Of the request.
        parent: The span elsewhere that it belongs to.
        is_known: Whether its caller showed a valid key. A stranger decides nothing here: whoever
            sends requests without one could make the server keep all of them.
        ratio: The share of requests without a parent that is kept, 0 to 1.
    """
    if parent is not None and is_known:
        return parent.sampled
    return is_in_sample(trace_id, ratio)


def read_headers(text: str) -> dict[str, str] | None:
    """
    Read headers written as `name=value`, with commas between; None if they are not.
    """
    headers: dict[str, str] = {}
    for part in filter(str.strip, text.split(",")):
        found = _HEADER.fullmatch(part)
        if found is None:
            return None
        headers[found.group(1).lower()] = found.group(2).rstrip()
    return headers


def client_label(text: object) -> str | None:
    """
    Take over the name or version that a client gives itself, if it looks like one.
    """
    if text is None:
        return None
    sane = isinstance(text, str) and _CLIENT.fullmatch(text) and redact_text(text) == text
    return str(text) if sane else OTHER
