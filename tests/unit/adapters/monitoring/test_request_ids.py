"""
Ids for requests that bring none.
"""

import re

from ctxfy.adapters.monitoring.request_ids import AT_ONCE, RequestIds


def test_ids_are_random_and_never_the_same() -> None:
    """
    Each is cut from randomness of its own, which is asked for many at a time.
    """
    asked = list[int]()

    def random_bytes(count: int) -> bytes:
        asked.append(count)
        return b"".join((at + 1000 * len(asked)).to_bytes(16) for at in range(count // 16))

    make = RequestIds(random_bytes)
    ids = [make() for _ in range(AT_ONCE + 1)]

    assert len(set(ids)) == AT_ONCE + 1
    assert all(re.fullmatch("[0-9a-f]{32}", each) for each in ids)
    assert asked == [16 * AT_ONCE] * 2
