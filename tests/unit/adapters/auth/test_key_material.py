"""
Randomness and keyed digests.
"""

from ctxfy.adapters.auth.key_material import HmacKeyMaterial
from ctxfy.core.use_cases.auth_use_cases import parse_key


OLD, NEW = b"o" * 32, b"n" * 32


def test_the_newest_pepper_makes_digests() -> None:
    """
    The highest id is the newest, whatever the order they are given in.
    """
    material = HmacKeyMaterial({2: NEW, 1: OLD}, bytes)
    assert material.pepper_id == 2
    assert material.digest("key") == material.digest("key", 2)
    assert material.digest("key") != material.digest("key", 1)


def test_the_pepper_in_use_may_be_named() -> None:
    """
    So that the next one can be known before anything is made with it.
    """
    material = HmacKeyMaterial({2: NEW, 1: OLD}, bytes, current=1)
    assert material.pepper_id == 1
    assert material.digest("key") == material.digest("key", 1)


def test_a_digest_is_hmac_sha_256() -> None:
    """
    As RFC 4231 has it in its second case, so that any tool can check a row of the store.
    """
    material = HmacKeyMaterial({1: b"Jefe"}, bytes)
    assert material.digest("what do ya want for nothing?") == (
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    )


def test_an_unknown_pepper_makes_nothing() -> None:
    """
    A digest under a pepper that is gone cannot be made, and equals none.
    """
    assert HmacKeyMaterial({1: OLD}, bytes).digest("key", 7) is None


def test_a_key_is_made_of_the_randomness_given() -> None:
    """
    Sixteen bytes for the id and thirty-two for the secret are asked for, and the key parses.
    """
    asked: list[int] = []

    def random_bytes(count: int) -> bytes:
        asked.append(count)
        return bytes([len(asked)]) * count

    key_id, key = HmacKeyMaterial({1: OLD}, random_bytes).new_key()
    parsed = parse_key(key)
    assert asked == [16, 32]
    assert parsed is not None
    assert parsed.key_id == key_id


def test_peppers_do_not_show() -> None:
    """
    The object's text form holds no pepper.
    """
    assert OLD.decode() not in repr(HmacKeyMaterial({1: OLD}, bytes))
