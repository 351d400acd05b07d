"""
The judgement about a connection whose client takes its time.

A body or an answer is given some seconds, and beyond them the time its bytes take at the least
rate: who sends a byte a second is cut off after those seconds, who has much to send is not.
"""

from ctxfy.core.models.connection_models import ConnectionLimits, ConnectionPhase, CutReason


def judge_connection(
    phase: ConnectionPhase, seconds: float, received: int, limits: ConnectionLimits
) -> CutReason | None:
    """
    Decide whether a connection has been in one phase for too long; None if not.

    Args:
        phase: What it waits for.
        seconds: How long it does.
        received: Bytes that came meanwhile.
        limits: How long it may.
    """
    match phase:
        case ConnectionPhase.SILENT if seconds > limits.head_seconds:
            return CutReason.SILENT
        case ConnectionPhase.HEAD if seconds > limits.head_seconds:
            return CutReason.SLOW_HEAD
        case ConnectionPhase.BODY if seconds > _allowed(limits.body_seconds, received, limits):
            return CutReason.SLOW_BODY
        case ConnectionPhase.LEFTOVER if seconds > limits.body_seconds:
            return CutReason.SLOW_BODY
        case ConnectionPhase.IDLE if seconds > limits.idle_seconds:
            return CutReason.IDLE
        case _:
            return None


def is_slow_reader(seconds: float, taken: int, limits: ConnectionLimits) -> bool:
    """
    Decide whether an answer has waited for its client for too long.

    Args:
        seconds: How long it does.
        taken: Bytes that the client took meanwhile.
        limits: How long it may.
    """
    return seconds > _allowed(limits.answer_seconds, taken, limits)


def _allowed(seconds: float, transferred: int, limits: ConnectionLimits) -> float:
    return seconds + transferred / limits.bytes_per_second
