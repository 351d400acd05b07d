"""
Ids for requests that bring none.
"""

from collections.abc import Callable


ID_BYTES = 16
AT_ONCE = 256


class RequestIds:
    """
    Makes ids of 32 hexadecimal digits, random so that no two processes make the same.

    Randomness is fetched for many at a time: the system call takes longer than all the rest.

    Args:
        random_bytes: Where it comes from.
    """

    def __init__(self, random_bytes: Callable[[int], bytes]) -> None:
        self._random_bytes = random_bytes
        # Filled with the first request and not before: a process that forks has to share nothing.
        self._ids: list[str] = []

    def __call__(self) -> str:
        """
        Make an id.
        """
        if not self._ids:
            digits, size = self._random_bytes(ID_BYTES * AT_ONCE).hex(), 2 * ID_BYTES
            self._ids = [digits[at : at + size] for at in range(0, len(digits), size)]
        return self._ids.pop()
