"""
The judgement about peppers: which of them live keys still need.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime

from ctxfy.core.models.auth_models import ApiKeyInfo, KeyStatus
from ctxfy.core.use_cases.auth_use_cases import is_expired
from ctxfy.core.use_cases.validation_use_cases import plural


def peppers_of(info: ApiKeyInfo, now: datetime) -> set[int]:
    """
    List the peppers that a key needs: its secret's, and its old secret's while that is good.

    A key that is over needs none; one that is disabled may come back.
    """
    if info.status is KeyStatus.REVOKED or is_expired(info, now):
        return set()
    old = info.old_secret
    return {info.pepper_id} | ({old.pepper_id} if old and now < old.expires_at else set())


def count_by_pepper(keys: Iterable[ApiKeyInfo], now: datetime) -> Counter[int]:
    """
    Count the keys that need each pepper.
    """
    return Counter(pepper for info in keys for pepper in peppers_of(info, now))


def tell_peppers(counts: Counter[int], *, current: int, known: Collection[int]) -> Iterator[str]:
    """
    Say how many keys are under which pepper, the one in use first.

    Args:
        counts: Keys by pepper.
        current: The pepper in use.
        known: All that are known here.
    """
    yield f"{plural(counts[current], 'key')} under the pepper in use, number {current}."
    for pepper in sorted({*counts, *known} - {current}):
        count = plural(counts[pepper], "key")
        if pepper not in known:
            yield f"{count} under pepper {pepper}, which is not known here: they are refused."
        elif counts[pepper]:
            yield f"{count} under pepper {pepper}, until they are used."
        else:
            yield f"No key needs pepper {pepper} any more."
