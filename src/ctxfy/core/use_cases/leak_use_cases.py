"""
The judgement about leaked keys: where there are any in a text, and what is to be done about one.
"""

import re
from collections.abc import Sequence
from datetime import datetime

from ctxfy.core.exceptions import InvalidKeyRequestError
from ctxfy.core.models.auth_models import ApiKeyInfo, KeyStatus
from ctxfy.core.models.leak_models import LeakOutcome, LeakProof
from ctxfy.core.use_cases.monitoring_use_cases import redact_text


KEY_PATTERN = r"ctxfy_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}"
"""
What scanners search for; the checksum is looked at afterwards.
"""
MAX_LEAK_TEXT = 64 * 1024
MAX_LEAKED_KEYS = 100
MAX_PLACE_LENGTH = 500

# Nothing is asked of what stands before: a key follows `=`, `%3D`, a quote, or another word.
_FOUND = re.compile(KEY_PATTERN + r"(?![0-9A-Za-z])")


def find_keys(text: str) -> tuple[str, ...]:
    """
    Find everything in a text that looks like a whole key, each once, in its order.
    """
    return tuple(dict.fromkeys(_FOUND.findall(text)))


def check_leak_report(text: str, key_ids: Sequence[str], place: str) -> None:
    """
    Refuse a report that names no key, or more than is looked at.

    Raises:
        InvalidKeyRequestError: With the first thing that is wrong; it quotes nothing.
    """
    if len(text) > MAX_LEAK_TEXT:
        raise InvalidKeyRequestError(
            f"The text of a report has at most {MAX_LEAK_TEXT} characters; send the lines around"
            " the key."
        )
    if len(place) > MAX_PLACE_LENGTH or not (place + " ").isprintable():
        raise InvalidKeyRequestError(
            f"Where a key was found is one line of at most {MAX_PLACE_LENGTH} characters."
        )
    count = len(find_keys(text)) + len(set(key_ids))
    if not count:
        raise InvalidKeyRequestError(
            "There is no key in this; a key begins with 'ctxfy_' and has 68 characters, its id has"
            " 12."
        )
    if count > MAX_LEAKED_KEYS:
        raise InvalidKeyRequestError(f"A report is about at most {MAX_LEAKED_KEYS} keys.")


def tell_place(place: str) -> str:
    """
    Write where a key was found so that it can be kept: an address may hold the key itself.
    """
    return redact_text(place)


def decide_proof(info: ApiKeyInfo, *, is_current: bool, now: datetime) -> LeakProof:
    """
    Say what a whole key proves that holds the secret of this key, or else the one before it.
    """
    if is_current:
        return LeakProof.SECRET
    old = info.old_secret
    return LeakProof.OVER if old is None or now >= old.expires_at else LeakProof.OLD_SECRET


def decide_leak(info: ApiKeyInfo, proof: LeakProof, *, is_static: bool = False) -> LeakOutcome:
    """
    Decide what is to be done about a key that was found.

    A secret that is still good ends the whole key, an old one too: whoever found it may have been
    the one who rotated the key. One that is over ends nothing: it is what its owner did about the
    leak, and scanners report the same text again and again. What lives in the settings nobody can
    end from here.
    """
    if is_static:
        return LeakOutcome.STATIC
    if info.status is not KeyStatus.ACTIVE:
        return LeakOutcome.ALREADY_GONE
    if proof is LeakProof.OVER:
        return LeakOutcome.ROTATED_AWAY
    # An expired key too: nothing may bring it back.
    return LeakOutcome.DISABLED


def keeps_last_admin(proof: LeakProof) -> bool:
    """
    Whether the last admin key stays for want of another.

    Not if the secret was shown: whoever found it administers the server, and its operator makes
    another key on the server's machine, for which none is needed.
    """
    return proof is LeakProof.KEY_ID
