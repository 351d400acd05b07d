"""
Long lists in pages.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctxfy.core.exceptions import InvalidRequestError
from ctxfy.core.use_cases.paging_use_cases import decode_cursor, encode_cursor, page_of


def _same(text: str) -> str:
    return text


@given(st.sets(st.text(st.characters(exclude_categories=["Cs"]), min_size=1)), st.integers(1, 9))
def test_the_pages_together_are_the_list(items: set[str], limit: int) -> None:
    """
    Whatever their size, pages hold each item once, in order, and the last has no cursor.
    """
    found: list[str] = []
    cursor: str | None = None
    while True:
        page, cursor = page_of(items, place=_same, cursor=cursor, limit=limit)
        assert len(page) <= limit
        found += page
        if cursor is None:
            break
        assert len(page) == limit
    assert found == sorted(items)


def test_what_comes_or_goes_in_between_shifts_nothing() -> None:
    """
    The next page begins after the last item, although that one is gone by now.
    """
    _, cursor = page_of(["a", "c", "e"], place=_same, cursor=None, limit=2)
    page, after = page_of(["0", "a", "d", "e"], place=_same, cursor=cursor, limit=2)
    assert (page, after) == (("d", "e"), None)


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_a_cursor_is_read_as_it_was_written(place: str) -> None:
    """
    In letters that an address can hold.
    """
    cursor = encode_cursor(place)
    assert decode_cursor(cursor) == place
    assert set(cursor) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


@pytest.mark.parametrize(
    "cursor", ["", "a", "zz", "YQ==", "YQ=", "Y Q", "+/+/", "é", "_w", "YR", "ab\n", "=", "YQ\n"]
)
def test_what_is_no_cursor_is_refused(cursor: str) -> None:
    """
    As a mistake of the field, without quoting it.
    """
    with pytest.raises(InvalidRequestError) as caught:
        decode_cursor(cursor)
    (mistake,) = caught.value.result.errors
    assert (mistake.field, mistake.code) == ("cursor", "pattern")
    assert mistake.message == "'cursor' is none of ours; begin anew without one."
