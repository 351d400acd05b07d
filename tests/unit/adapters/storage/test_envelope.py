"""
Sealed values open where they were sealed, under the same key, and nowhere else.
"""

import secrets
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctxfy.adapters.storage.envelope import Envelope, MasterKey, Place
from ctxfy.core.exceptions import ConfigurationError, UnavailableError


DATA_KEY = b"d" * 32
OLD = MasterKey(id=1, secret=b"a" * 32)
NEW = MasterKey(id=2, secret=b"b" * 32)
HERE = Place(table="people", column="ciphertext", row="r1")
ELSEWHERE = [
    Place(table="other", column="ciphertext", row="r1"),
    Place(table="people", column="wrapped_key", row="r1"),
    Place(table="people", column="ciphertext", row="r2"),
]


def envelope(*masters: MasterKey, random: Callable[[int], bytes] = secrets.token_bytes) -> Envelope:
    """
    Make an envelope.
    """
    return Envelope(masters or (OLD,), random_bytes=random)


@given(st.text())
def test_what_is_sealed_can_be_opened(text: str) -> None:
    """
    Any text comes back from its seal, and the seal has a version, a nonce and a tag.
    """
    blob = envelope().seal(text, HERE, data_key=DATA_KEY)
    assert envelope().open(blob, HERE, data_key=DATA_KEY) == text
    assert (blob[:1], len(blob)) == (b"\x01", 1 + 12 + len(text.encode()) + 16)


@given(st.binary(min_size=32, max_size=32))
def test_a_data_key_can_be_unwrapped_after_a_change_of_masters(data_key: bytes) -> None:
    """
    What an old master key wrapped opens as long as that key is there; the newest one wraps.
    """
    blob = envelope(OLD).wrap(data_key, HERE)
    both = envelope(OLD, NEW)
    assert both.unwrap(blob, HERE, master_id=1) == data_key
    assert both.master_id == envelope(NEW, OLD).master_id == 2
    assert envelope(NEW).unwrap(both.wrap(data_key, HERE), HERE, master_id=2) == data_key


@given(st.text(min_size=1), st.data())
def test_a_changed_seal_does_not_open(text: str, data: st.DataObject) -> None:
    """
    Not one bit of a seal can be changed, and nothing cut off.
    """
    blob = envelope().seal(text, HERE, data_key=DATA_KEY)
    bit = data.draw(st.integers(0, len(blob) * 8 - 1))
    flipped = bytearray(blob)
    flipped[bit // 8] ^= 1 << bit % 8
    for bad in (bytes(flipped), blob[: data.draw(st.integers(0, len(blob) - 1))]):
        with pytest.raises(UnavailableError, match="master key does not fit"):
            envelope().open(bad, HERE, data_key=DATA_KEY)


@pytest.mark.parametrize("place", ELSEWHERE, ids=["table", "column", "row"])
def test_a_seal_is_bound_to_its_place(place: Place) -> None:
    """
    Copied to another table, column or row, a value or a key does not open.
    """
    seal = envelope().seal("ann", HERE, data_key=DATA_KEY)
    wrapped = envelope().wrap(DATA_KEY, HERE)
    with pytest.raises(UnavailableError, match="does not fit"):
        envelope().open(seal, place, data_key=DATA_KEY)
    with pytest.raises(UnavailableError, match="does not fit"):
        envelope().unwrap(wrapped, place, master_id=1)


def test_a_master_key_that_is_missing_or_another_is_told() -> None:
    """
    Neither an unknown number nor another key under the same number opens anything.
    """
    wrapped = envelope(OLD).wrap(DATA_KEY, HERE)
    impostor = MasterKey(id=1, secret=b"x" * 32)
    for other in (envelope(impostor), envelope(NEW, impostor)):
        with pytest.raises(UnavailableError, match="set the one the database was made with"):
            other.unwrap(wrapped, HERE, master_id=1)
    for ask in (envelope(NEW).require_master, lambda number: envelope(NEW).spool_key(number)):
        with pytest.raises(UnavailableError, match="number 1, which is not set; name it in"):
            ask(1)


def test_the_master_key_in_use_need_not_be_the_newest() -> None:
    """
    One that will be used soon is known before it is; people are found under each.
    """
    soon = Envelope([OLD, NEW], random_bytes=secrets.token_bytes, current=1)
    assert soon.master_id == 1
    assert soon.lookups("ann") == [*envelope(OLD).lookups("ann"), *envelope(NEW).lookups("ann")]
    assert soon.lookups("ann") == envelope(OLD, NEW).lookups("ann")[::-1]
    assert set(soon.erasure_marks("ann")) == set(envelope(OLD, NEW).erasure_marks("ann"))
    assert not set(soon.lookups("ann")) & set(soon.erasure_marks("ann"))


def test_the_same_text_never_looks_the_same() -> None:
    """
    Each seal draws its own nonce.
    """
    sealing = envelope()
    seals = {sealing.seal("ann", HERE, data_key=DATA_KEY) for _ in range(100)}
    assert len(seals) == 100


@given(st.text(), st.text())
def test_a_lookup_tells_texts_apart_and_nothing_else(one: str, other: str) -> None:
    """
    The same text has the same lookup under the same key, another text or key another one.
    """
    both = envelope(OLD, NEW).lookups(one)
    assert both == [*envelope(NEW).lookups(one), *envelope(OLD).lookups(one)]
    assert both[0] != both[1]
    assert (envelope().lookups(one) == envelope().lookups(other)) == (one == other)
    assert {len(lookup) for lookup in both} == {32}


@pytest.mark.parametrize(
    ("masters", "sentence"),
    [([], "needs a master key"), ([OLD, MasterKey(id=1, secret=b"c" * 32)], "the same id")],
    ids=["none", "twins"],
)
def test_master_keys_must_be_there_and_distinct(masters: list[MasterKey], sentence: str) -> None:
    """
    No master key, or two with one number, stop the start.
    """
    with pytest.raises(ConfigurationError, match=sentence):
        Envelope(masters, random_bytes=secrets.token_bytes)


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_master_key_has_32_bytes(length: int) -> None:
    """
    A key of another length is refused with its number and length, never its content.
    """
    with pytest.raises(ConfigurationError, match=f"Master key 7 .* it has {length}"):
        MasterKey(id=7, secret=b"s" * length)
    assert "bbb" not in repr(NEW)
