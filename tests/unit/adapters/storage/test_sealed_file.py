"""
A file under a key: what was written is read again, and anything else is refused.
"""

import io
import json
from hashlib import shake_256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctxfy.adapters.storage.sealed_file import PIECE, TAG, SealedReader, SealedWriter, SealingKeys
from ctxfy.core.exceptions import ConfigurationError


KEYS = SealingKeys(current=2, secrets={1: b"1" * 32, 2: b"2" * 32})
SEALED_PIECE = PIECE + TAG


def seal(content: bytes, *, keys: SealingKeys = KEYS, salt: bytes = b"s", by: int = PIECE) -> bytes:
    """
    Seal a text, written a part at a time.
    """
    stream = io.BytesIO()
    writer = SealedWriter(stream, keys, lambda count: salt * count)
    for start in range(0, len(content), by):
        writer.write(content[start : start + by])
    writer.finish()
    return stream.getvalue()


def read(sealed: bytes, keys: SealingKeys | None = KEYS) -> bytes:
    """
    Read a text to its end.
    """
    return io.BufferedReader(SealedReader(io.BytesIO(sealed), keys, "x")).read()


def parts(sealed: bytes) -> list[bytes]:
    """
    Take a sealed file apart: its beginning, and each piece.
    """
    start = sealed.index(b"\n") + 1 + TAG
    ends = range(start, len(sealed), SEALED_PIECE)
    return [sealed[:start], *(sealed[at : at + SEALED_PIECE] for at in ends)]


LONG = shake_256(b"any bytes").digest(3 * PIECE + 1000)
SEALED = seal(LONG)


@settings(max_examples=50, deadline=None)
@given(
    size=st.sampled_from([0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 2 * PIECE + 1])
    | st.integers(0, 4 * PIECE),
    by=st.integers(1000, 3 * PIECE),
)
def test_any_content_is_read_as_it_was_written(size: int, by: int) -> None:
    """
    However long it is, and in however large parts it came.
    """
    content = LONG[:size]
    sealed = seal(content, by=by)
    assert read(sealed) == content
    assert content[:50] not in sealed or size < 4


@settings(max_examples=100, deadline=None)
@given(at=st.integers(0, len(SEALED) - 1), bit=st.integers(0, 7))
def test_no_bit_can_be_flipped(at: int, bit: int) -> None:
    """
    In the first line, in what vouches for it, in a piece or its tag: each is found out.
    """
    changed = bytearray(SEALED)
    changed[at] ^= 1 << bit
    with pytest.raises(ConfigurationError):
        read(bytes(changed))


@settings(max_examples=100, deadline=None)
@given(size=st.integers(0, len(SEALED) - 1) | st.sampled_from([len(SEALED) - 1000 - TAG]))
def test_nothing_can_be_cut_off(size: int) -> None:
    """
    Not even where a piece ends: the one before it does not say that it is the last.
    """
    with pytest.raises(ConfigurationError):
        read(SEALED[:size])


def test_pieces_have_their_places() -> None:
    """
    None can be moved, repeated, left out, added, or taken from another file under the same key.
    """
    head, one, two, three, last = parts(SEALED)
    other = parts(seal(LONG, salt=b"t"))
    assert read(b"".join([head, one, two, three, last])) == LONG
    for made in (
        [head, two, one, three, last],
        [head, one, one, three, last],
        [head, one, three, last],
        [head, one, two, three, last, last],
        [head, one, two, three, last, b"x"],
        [head, one, two, three],
        [head, last],
        [head],
        [head, one, other[2], three, last],
        [other[0], one, two, three, last],
    ):
        with pytest.raises(ConfigurationError, match="damaged, cut off or was changed"):
            read(b"".join(made))


def test_nothing_unproven_is_given_out() -> None:
    """
    What comes before a damaged piece may be read; of that piece not one byte.
    """
    changed = bytearray(SEALED)
    changed[-TAG - 10] ^= 1
    reader = io.BufferedReader(SealedReader(io.BytesIO(bytes(changed)), KEYS, "x"), PIECE)
    assert reader.read(3 * PIECE) == LONG[: 3 * PIECE]
    with pytest.raises(ConfigurationError, match="after 196608 bytes of what is in it"):
        reader.read(1)


def test_an_older_key_opens_and_another_does_not() -> None:
    """
    Keys are found by their number; a missing one is asked for, one with other content told of.
    """
    older = seal(b"text", keys=SealingKeys(current=1, secrets=KEYS.secrets))
    assert read(older) == b"text"
    for keys in (None, SealingKeys(current=2, secrets={2: b"2" * 32})):
        with pytest.raises(ConfigurationError, match="under the master key number 1, which is not"):
            read(older, keys)
    with pytest.raises(ConfigurationError, match="number 1 here is not the one it was sealed"):
        read(older, SealingKeys(current=1, secrets={1: b"x" * 32}))


def test_the_keys_show_nowhere() -> None:
    """
    Neither in the file nor in what is printed of them.
    """
    assert b"2" * 32 not in SEALED
    assert "2222" not in repr(KEYS)


def test_two_files_with_one_content_have_nothing_in_common() -> None:
    """
    Each has a key of its own, of its own salt.
    """
    one, two = parts(SEALED), parts(seal(LONG, salt=b"t"))
    assert not set(one) & set(two)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"version": 2}, "in a way that this version of ctxfy does not know"),
        ({"version": "one"}, "damaged at its beginning"),
        ({"salt": 7}, "damaged at its beginning"),
        ({"salt": "x"}, "damaged at its beginning"),
        ({"master_key": None}, "damaged at its beginning"),
        ({"master_key": 3}, "which is not here"),
        ({"master_key": 1}, "does not open"),
        ({"more": 1}, "does not open"),
    ],
    ids=str,
)
def test_a_first_line_that_says_something_else_is_told(
    changes: dict[str, object], told: str
) -> None:
    """
    A form of the future is not guessed at, and what was changed is not believed.
    """
    line, rest = SEALED.split(b"\n", 1)
    changed = json.dumps(json.loads(line) | changes).encode() + b"\n" + rest
    with pytest.raises(ConfigurationError, match=told):
        read(changed)
