"""
An exception as a value that fits into one line: type, message, frames, cause.
"""

from pathlib import PurePath
from types import TracebackType


MAX_FRAMES = 30
MAX_CAUSES = 5
MAX_GROUPED = 5


def describe_exception(error: BaseException, depth: int = MAX_CAUSES) -> dict[str, object]:
    """
    Lay an exception out as plain values; its message is not yet redacted.

    Args:
        error: What was raised.
        depth: How many causes to follow, at most; exceptions can cause each other in a ring.
    """
    described: dict[str, object] = {
        "type": _type_name(error),
        "message": safe_text(error),
        "frames": _frames(error.__traceback__),
        "cause": None,
    }
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None and depth > 0:
        described["cause"] = describe_exception(cause, depth - 1)
    if isinstance(error, BaseExceptionGroup) and depth > 0:
        members = error.exceptions[:MAX_GROUPED]
        described["exceptions"] = [describe_exception(member, depth - 1) for member in members]
    return described


def safe_text(value: object) -> str:
    """
    Return the value as text, also when its class cannot do that.
    """
    try:
        return str(value)
    except Exception:  # noqa: BLE001 - logging must not fail on what is logged
        return f"<{type(value).__name__} without text>"


def _type_name(error: BaseException) -> str:
    kind = type(error)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"


def _frames(traceback: TracebackType | None) -> list[dict[str, object]]:
    frames: list[dict[str, object]] = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        module = str(traceback.tb_frame.f_globals.get("__name__", ""))
        frames.append(
            {
                "file": _relative_file(module, code.co_filename),
                "line": traceback.tb_lineno,
                "function": code.co_qualname,
            }
        )
        traceback = traceback.tb_next
    return frames[-MAX_FRAMES:]  # the last one is where it happened


def _relative_file(module: str, filename: str) -> str:
    # The module's name instead of the path: where the server is installed is nobody's business,
    # and the same fault reads the same on every machine.
    name = PurePath(filename).name
    parts = module.split(".") if name == "__init__.py" else module.split(".")[:-1]
    return "/".join([*parts, name])
