"""
The form of a key: what is written, what is read back, what is refused.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctxfy.core.models.auth_models import KeyId
from ctxfy.core.use_cases.auth_use_cases import (
    BASE62,
    KEY_ID_LENGTH,
    KEY_LENGTH,
    compose_key,
    compose_key_id,
    encode_base62,
    is_key_id,
    parse_key,
)
from tests.strategies import KEY_IDS, SECRETS


KEY = compose_key(KeyId("0aB9zZ4kQ1xy"), bytes(range(32)))


@given(key_id=KEY_IDS, secret=SECRETS)
def test_round_trip(key_id: KeyId, secret: bytes) -> None:
    """
    Every key that is composed is parsed, and tells its id.
    """
    key = compose_key(key_id, secret)
    parsed = parse_key(key)
    assert parsed is not None
    assert (parsed.key_id, len(parsed.secret), len(key)) == (key_id, 43, KEY_LENGTH)


@given(first=SECRETS, second=SECRETS)
def test_different_secrets(first: bytes, second: bytes) -> None:
    """
    Two keys are the same only if their secrets are.
    """
    same = compose_key(KeyId("0" * 12), first) == compose_key(KeyId("0" * 12), second)
    assert same == (first == second)


@pytest.mark.parametrize("position", range(KEY_LENGTH))
def test_one_wrong_character(position: int) -> None:
    """
    Whatever stands in place of one character, the key is refused.
    """
    others = set(BASE62 + "_- \n\u0663é") - {KEY[position]}
    changed = [KEY[:position] + other + KEY[position + 1 :] for other in others]
    assert [key for key in changed if parse_key(key)] == []


@given(key_id=KEY_IDS, secret=SECRETS, data=st.data())
def test_any_key_with_one_wrong_character(
    key_id: KeyId, secret: bytes, data: st.DataObject
) -> None:
    """
    The checksum of any key refuses any single changed character.
    """
    key = compose_key(key_id, secret)
    position = data.draw(st.integers(0, KEY_LENGTH - 1))
    other = data.draw(st.sampled_from(BASE62).filter(lambda char: char != key[position]))
    assert parse_key(key[:position] + other + key[position + 1 :]) is None


@pytest.mark.parametrize("position", range(KEY_LENGTH - 1))
def test_swapped_neighbours(position: int) -> None:
    """
    Two characters in the wrong order are noticed.
    """
    swapped = KEY[:position] + KEY[position + 1] + KEY[position] + KEY[position + 2 :]
    assert swapped == KEY or parse_key(swapped) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        KEY + " ",
        " " + KEY,
        KEY + "\n",
        KEY[:-1],
        KEY + "0",
        KEY.upper(),
        KEY.replace("ctxfy_", "ctxfy-"),
        KEY.replace("ctxfy_", "CTXFY_"),
        "Bearer " + KEY,
        "\x00" * KEY_LENGTH,
        "\u0663" * KEY_LENGTH,
        "ctxfy_" + "\u0663" * 12 + KEY[18:],
        "ctxfy_" + "\uff10" * 12 + KEY[18:],
        "\ud800" * KEY_LENGTH,
        "_" * KEY_LENGTH,
    ],
)
def test_not_a_key(text: str) -> None:
    """
    What only resembles a key is none, digits of other alphabets included.
    """
    assert parse_key(text) is None


@given(text=st.text())
def test_any_text(text: str) -> None:
    """
    No text makes the parser raise, and none that was not composed is taken.
    """
    assert parse_key(text) is None


@given(body=st.text(min_size=KEY_LENGTH - 6, max_size=KEY_LENGTH - 6))
def test_any_text_of_the_right_length(body: str) -> None:
    """
    The right prefix and length alone do not make a key.
    """
    assert parse_key("ctxfy_" + body) is None


@pytest.mark.parametrize(
    ("number", "length", "text"),
    [(0, 1, "0"), (0, 3, "000"), (61, 1, "z"), (62, 2, "10"), (62**3 - 1, 3, "zzz"), (10, 1, "A")],
)
def test_base62(number: int, length: int, text: str) -> None:
    """
    Numbers are written with digits, then capitals, then small letters.
    """
    assert encode_base62(number, length) == text


@pytest.mark.parametrize(("number", "length"), [(-1, 3), (62, 1), (62**43, 43), (1, 0)])
def test_base62_does_not_fit(number: int, length: int) -> None:
    """
    A number that does not fit is refused, not cut.
    """
    with pytest.raises(ValueError, match=f"{number} does not fit into {length}"):
        encode_base62(number, length)


@given(random=st.binary(min_size=16, max_size=32))
def test_key_ids(random: bytes) -> None:
    """
    Any randomness makes an id of twelve base62 characters.
    """
    key_id = compose_key_id(random)
    assert len(key_id) == KEY_ID_LENGTH
    assert set(key_id) <= set(BASE62)


@given(KEY_IDS)
def test_an_id_is_told_from_a_key(key_id: KeyId) -> None:
    """
    By its length and its characters, whatever it is of.
    """
    assert is_key_id(key_id)
    assert not any(
        map(is_key_id, (key_id + "0", key_id[1:], f"{key_id[:-1]}_", KEY, f"{key_id}\n"))
    )


def test_secret_is_hidden() -> None:
    """
    A parsed key does not show its secret when it is printed.
    """
    parsed = parse_key(KEY)
    assert parsed is not None
    assert parsed.secret not in repr(parsed)
