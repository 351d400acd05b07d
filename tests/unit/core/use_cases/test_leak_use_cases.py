"""
The judgement about leaked keys.
"""

from copy import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctxfy.core.exceptions import InvalidKeyRequestError
from ctxfy.core.models.auth_models import ApiKeyDigest, KeyId, KeyStatus, OldSecret
from ctxfy.core.models.leak_models import LeakOutcome, LeakProof
from ctxfy.core.use_cases.auth_use_cases import compose_key, parse_key
from ctxfy.core.use_cases.leak_use_cases import (
    MAX_LEAK_TEXT,
    MAX_LEAKED_KEYS,
    MAX_PLACE_LENGTH,
    check_leak_report,
    decide_leak,
    decide_proof,
    find_keys,
    keeps_last_admin,
    tell_place,
)
from tests.builders import NOW, make_key_info
from tests.strategies import KEY_IDS, SECRETS, TEXTS


KEY = compose_key(KeyId("0123456789ab"), b"s" * 32)
SECOND = timedelta(seconds=1)
OLD = OldSecret(api_key=ApiKeyDigest("1" * 64), pepper_id=1, expires_at=NOW)


@given(st.lists(st.tuples(KEY_IDS, SECRETS), max_size=4), TEXTS, st.sampled_from("\n \"'=/.,_-:;&"))
def test_every_key_in_a_text_is_found_once(
    parts: list[tuple[KeyId, bytes]], text: str, after: str
) -> None:
    """
    Whatever stands before them, and whatever but a letter or digit stands behind.
    """
    keys = [compose_key(key_id, secret) for key_id, secret in parts]
    found = find_keys("".join(text + key + after for key in keys + keys))
    assert list(found) == list(dict.fromkeys(keys))


@given(TEXTS)
def test_what_is_found_has_the_length_of_a_key(text: str) -> None:
    """
    So that a checksum that is right makes it one.
    """
    found = find_keys(f"{text}{KEY}{text}")
    assert all(len(each) == len(KEY) for each in found)
    assert find_keys(KEY + "x") == ()
    assert parse_key(KEY) is not None


@pytest.mark.parametrize(
    ("text", "key_ids", "place", "said"),
    [
        ("nothing here", [], "", "no key"),
        ("x" * (MAX_LEAK_TEXT + 1), [], "", str(MAX_LEAK_TEXT)),
        ("", [f"{number:012}" for number in range(MAX_LEAKED_KEYS + 1)], "", "100 keys"),
        (KEY, [], "x" * (MAX_PLACE_LENGTH + 1), "one line"),
        (KEY, [], "two\nlines", "one line"),
    ],
)
def test_a_report_is_bounded(text: str, key_ids: list[str], place: str, said: str) -> None:
    """
    And the sentence about it quotes nothing.
    """
    with pytest.raises(InvalidKeyRequestError, match=said) as refused:
        check_leak_report(text, key_ids, place)
    assert KEY not in str(refused.value)


def test_one_and_the_same_id_counts_once() -> None:
    """
    However often it is named, beside a text or without one.
    """
    for text in (KEY, ""):
        check_leak_report(text, ["0123456789ab"] * 200, "a place")
    with pytest.raises(InvalidKeyRequestError, match="at most 100 keys"):
        check_leak_report(KEY, [f"{number:012}" for number in range(MAX_LEAKED_KEYS)], "")


def test_a_place_keeps_no_key() -> None:
    """
    An address may hold the very key that was found at it.
    """
    assert KEY[20:] not in tell_place(f"https://example.com/?token={KEY}")
    assert tell_place("https://example.com/a") == "https://example.com/a"


def test_a_proof_is_as_good_as_the_secret_that_was_shown() -> None:
    """
    Of an old secret it matters whether it is over.
    """
    rotated = replace(make_key_info(), old_secret=OLD)
    assert decide_proof(rotated, is_current=True, now=NOW) is LeakProof.SECRET
    assert decide_proof(rotated, is_current=False, now=NOW - SECOND) is LeakProof.OLD_SECRET
    assert decide_proof(rotated, is_current=False, now=NOW) is LeakProof.OVER
    assert decide_proof(make_key_info(), is_current=False, now=NOW) is LeakProof.OVER


@pytest.mark.parametrize(
    ("proof", "outcome"),
    [
        (LeakProof.SECRET, LeakOutcome.DISABLED),
        (LeakProof.OLD_SECRET, LeakOutcome.DISABLED),
        (LeakProof.KEY_ID, LeakOutcome.DISABLED),
        (LeakProof.OVER, LeakOutcome.ROTATED_AWAY),
    ],
)
def test_what_is_live_is_disabled(proof: LeakProof, outcome: LeakOutcome) -> None:
    """
    An expired key too; a key whose found secret is over goes on.
    """
    assert decide_leak(make_key_info(expires_at=NOW - SECOND), proof) is outcome
    for status in (KeyStatus.DISABLED, KeyStatus.REVOKED):
        assert decide_leak(make_key_info(status=status), proof) is LeakOutcome.ALREADY_GONE


@pytest.mark.parametrize("proof", list(LeakProof))
def test_a_key_of_the_settings_cannot_be_ended_from_here(proof: LeakProof) -> None:
    """
    Whatever was shown of it.
    """
    assert decide_leak(make_key_info(), proof, is_static=True) is LeakOutcome.STATIC


def test_the_last_admin_key_stays_only_on_hearsay() -> None:
    """
    Whoever found its secret is the administrator now.
    """
    kept = [proof for proof in LeakProof if keeps_last_admin(proof)]
    assert kept == [LeakProof.KEY_ID]
