"""
Which peppers live keys still need.
"""

from collections import Counter
from copy import replace
from datetime import timedelta

import pytest

from ctxfy.core.models.auth_models import ApiKeyDigest, ApiKeyInfo, KeyStatus, OldSecret
from ctxfy.core.use_cases.pepper_use_cases import count_by_pepper, peppers_of, tell_peppers
from tests.builders import NOW, make_key_info


HOUR = timedelta(hours=1)
KEY = replace(make_key_info(), pepper_id=3)
OLD = OldSecret(api_key=ApiKeyDigest("o" * 64), pepper_id=1, expires_at=NOW + HOUR)


@pytest.mark.parametrize(
    ("info", "peppers"),
    [
        (KEY, {3}),
        (replace(KEY, status=KeyStatus.DISABLED), {3}),
        (replace(KEY, status=KeyStatus.REVOKED), set()),
        (replace(KEY, expires_at=NOW), set()),
        (replace(KEY, expires_at=NOW + HOUR), {3}),
        (replace(KEY, old_secret=OLD), {1, 3}),
        (replace(KEY, old_secret=replace(OLD, expires_at=NOW)), {3}),
        (replace(KEY, old_secret=replace(OLD, pepper_id=3)), {3}),
        (replace(KEY, old_secret=OLD, status=KeyStatus.REVOKED), set()),
    ],
)
def test_a_key_needs_peppers_while_it_may_be_shown(info: ApiKeyInfo, peppers: set[int]) -> None:
    """
    That of its secret, and that of the one before while it is good; none once it is over.
    """
    assert peppers_of(info, NOW) == peppers


def test_keys_are_counted_by_pepper() -> None:
    """
    A key with two secrets under two peppers counts for both.
    """
    keys = [KEY, replace(KEY, old_secret=OLD), make_key_info()]
    assert count_by_pepper(keys, NOW) == {3: 2, 1: 2}


def test_each_pepper_is_told() -> None:
    """
    The one in use first; those that can go, that must stay, and that are missed.
    """
    counts = Counter({3: 2, 1: 1, 9: 4})
    assert list(tell_peppers(counts, current=3, known={1, 2, 3})) == [
        "2 keys under the pepper in use, number 3.",
        "1 key under pepper 1, until they are used.",
        "No key needs pepper 2 any more.",
        "4 keys under pepper 9, which is not known here: they are refused.",
    ]
