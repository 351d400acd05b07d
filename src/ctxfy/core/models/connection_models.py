"""
Connections of clients as values: where they are, what they may take, and why they were ended.
"""

from dataclasses import dataclass
from enum import Enum, StrEnum


class ConnectionPhase(Enum):
    """
    What a connection waits for.

    Attributes:
        SILENT: Its first byte.
        HEAD: The rest of a request's head.
        BODY: The rest of its body.
        ANSWER: Ourselves: the request is whole.
        LEFTOVER: The rest of a body whose request is answered already.
        IDLE: The next request.
        ENDED: The end, which we have brought about.
    """

    SILENT = 1
    HEAD = 2
    BODY = 3
    ANSWER = 4
    LEFTOVER = 5
    IDLE = 6
    ENDED = 7


class CutReason(StrEnum):
    """
    Why the server ended a connection; the label in metrics and logs.
    """

    IDLE = "idle"
    SILENT = "silent"
    SLOW_HEAD = "slow_head"
    SLOW_BODY = "slow_body"
    SLOW_READER = "slow_reader"
    LARGE_HEAD = "large_head"
    MALFORMED = "malformed"
    NO_ROOM = "no_room"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionLimits:
    """
    How many connections there may be, and what each may take.

    Attributes:
        connections: At the same time.
        head_seconds: From the first byte of a request to the end of its head, or to that byte.
        body_seconds: For a body, beside the time it takes at the least rate.
        answer_seconds: For taking an answer, likewise.
        idle_seconds: Between an answer and the next request.
        bytes_per_second: The least rate of a long body or answer.
        head_bytes: Of the head of a request, with everything between its fields.
        header_fields: How many are kept.
        address_bytes: Of them, the address.
    """

    connections: int = 4000
    head_seconds: float = 5.0
    body_seconds: float = 7.0
    answer_seconds: float = 7.0
    idle_seconds: float = 5.0
    bytes_per_second: int = 10_000
    head_bytes: int = 64 * 1024
    header_fields: int = 100
    address_bytes: int = 8 * 1024
