"""
Rate limits shared by the processes of one machine: RateLimiterPort.

A file that all of them have in memory, and a lock on it. What a subject has used up is one number,
as in the other limiters; it lies in one of a few places that follow from the subject's name. The
lock is the kernel's: it falls with the process that holds it, which a lock in memory would not.
"""

import fcntl
import mmap
import os
from collections.abc import Callable, Sequence
from hashlib import blake2b
from pathlib import Path
from struct import Struct

from ctxfy.core.models.limit_models import Charge, LimitDecision
from ctxfy.core.use_cases.limit_use_cases import decide_limits, share_of


SHELVES = 1 << 14
PLACES = 8
"""
How many subjects share a shelf: 131,072 in all, in three megabytes.
"""

_PLACE = Struct("<QQQ")
"""
Who (128 bits of a hash), and until when, nanoseconds. All zero: nobody was ever here.
"""

_SHELF = Struct("<" + "QQQ" * PLACES)
_NAME = Struct("<QQ")
_MODE = 0o600

type _Name = tuple[int, int]


class MachineRateLimiter:
    """
    Keeps one number for each subject where all processes see it; forgets those whose limit is free.

    Args:
        path: The file; made if missing. Each process opens it for itself.
        monotonic_ns: Nanoseconds of a clock that all processes of the machine share, and that
            never goes back.
        replicas: How many machines share the traffic; each lets an equal part of it through.
        shelves: A power of two.
    """

    def __init__(
        self,
        path: Path,
        monotonic_ns: Callable[[], int],
        *,
        replicas: int = 1,
        shelves: int = SHELVES,
    ) -> None:
        self._monotonic_ns = monotonic_ns
        self._replicas = replicas
        self._mask = shelves - 1
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _MODE)
        size = shelves * _SHELF.size
        # Not only as long as that: a disk that is full would end the process at the first use.
        os.posix_fallocate(self._file, 0, size)
        self._memory = mmap.mmap(self._file, size)

    async def take(self, charges: Sequence[Charge]) -> tuple[LimitDecision, ...]:
        """
        Count one request for all its subjects, and decide about it for each.
        """
        if self._replicas > 1:
            charges = [self._part_of(charge) for charge in charges]
        names = [_name_of(charge.subject) for charge in charges]
        # Held for some microseconds, within which nothing is waited for.
        fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            arrivals = [self._find(name) for name in names]
            decisions = decide_limits(charges, arrivals, self._monotonic_ns())
            for name, decision in zip(names, decisions, strict=True):
                self._keep(name, decision.arrival)
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)
        return decisions

    def close(self) -> None:
        """
        Let go of the file.
        """
        self._memory.close()
        os.close(self._file)

    def _part_of(self, charge: Charge) -> Charge:
        limit = share_of(charge.limit, self._replicas)
        return Charge(subject=charge.subject, limit=limit, cost=charge.cost)

    def _find(self, name: _Name) -> int | None:
        shelf = self._shelf(name)
        place = _place_of(name, shelf)
        return None if place is None else shelf[3 * place + 2]

    def _keep(self, name: _Name, arrival: int) -> None:
        shelf = self._shelf(name)
        place = _place_of(name, shelf)
        if place is None:
            # Who has least to wait for goes: that one loses least, or nothing.
            untils = shelf[2::3]
            place = untils.index(min(untils))
        at = self._start(name) + place * _PLACE.size
        _PLACE.pack_into(self._memory, at, *name, max(arrival, 0))

    def _shelf(self, name: _Name) -> tuple[int, ...]:
        return _SHELF.unpack_from(self._memory, self._start(name))

    def _start(self, name: _Name) -> int:
        return (name[0] & self._mask) * _SHELF.size


def _name_of(subject: str) -> _Name:
    return _NAME.unpack(blake2b(subject.encode(), digest_size=_NAME.size).digest())


def _place_of(name: _Name, shelf: tuple[int, ...]) -> int | None:
    first = shelf[0::3]
    if name[0] not in first:
        return None
    place = first.index(name[0])
    return place if shelf[3 * place + 1] == name[1] else None
