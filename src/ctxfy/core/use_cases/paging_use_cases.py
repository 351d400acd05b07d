"""
Long lists in pages: a cursor names the last item of a page, so that nothing shifts in between.
"""

from base64 import b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable

from ctxfy.core.exceptions import InvalidRequestError
from ctxfy.core.models.validation_models import ErrorCode, ValidationError, ValidationResult


def page_of[Item](
    items: Iterable[Item], *, place: Callable[[Item], str], cursor: str | None, limit: int
) -> tuple[tuple[Item, ...], str | None]:
    """
    Cut a page out of a list: its items, and the cursor of the next page if there is one.

    Args:
        items: All of the list.
        place: Where an item stands in its order; no two items have the same.
        cursor: What the page before ended with, or None for the first page.
        limit: The most items on a page.

    Raises:
        InvalidRequestError: The cursor is none of ours.
    """
    after = None if cursor is None else decode_cursor(cursor)
    ordered = sorted(items, key=place)
    rest = [item for item in ordered if after is None or place(item) > after]
    page = tuple(rest[:limit])
    return page, encode_cursor(place(page[-1])) if len(rest) > limit else None


def encode_cursor(place: str) -> str:
    """
    Wrap up a place in an order, so that nobody builds on what it looks like.
    """
    return urlsafe_b64encode(place.encode()).decode().rstrip("=")


def decode_cursor(cursor: str) -> str:
    """
    Read a cursor.

    Raises:
        InvalidRequestError: It is none of ours.
    """
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        place = b64decode(padded, altchars=b"-_", validate=True).decode()
    except ValueError:
        place = ""
    if not place or encode_cursor(place) != cursor:
        raise strange_cursor()
    return place


def strange_cursor() -> InvalidRequestError:
    """
    Make the error that tells of a cursor which names no place.
    """
    mistake = ValidationError(
        field="cursor",
        message="'cursor' is none of ours; begin anew without one.",
        code=ErrorCode.PATTERN,
    )
    return InvalidRequestError(ValidationResult(errors=(mistake,)))
