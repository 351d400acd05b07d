"""
What the kernel lets this process have: memory and processors, of its container or the machine.
"""

import os
from contextlib import suppress
from pathlib import Path


CGROUPS = Path("/sys/fs/cgroup")

_MEMORY = (
    # Version 2 of control groups, then version 1.
    ("memory.max", "memory.current", "inactive_file"),
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "total_inactive_file"),
)


class ControlGroups:
    """
    Reads the limits anew whenever it is asked: they can be changed while a container runs.

    Args:
        root: Where the kernel tells them.
    """

    def __init__(self, root: Path = CGROUPS) -> None:
        self._root = root

    def memory(self) -> tuple[int, int]:
        """
        Return what is used and what there is, bytes; cached files are not used.
        """
        import psutil  # noqa: PLC0415 - takes a moment, which the start has not

        machine = psutil.virtual_memory()
        for limit, used, idle in _MEMORY:
            most = _number(self._root / limit)
            if most is not None and most < machine.total:
                cached = _stat((self._root / used).with_name("memory.stat"), idle)
                return max((_number(self._root / used) or 0) - cached, 0), most
        return machine.total - machine.available, machine.total

    def memory_limit(self) -> int:
        """
        Return how much memory there is, bytes; with less to import than `memory`.
        """
        machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        limits = (_number(self._root / limit) for limit, *_ in _MEMORY)
        return min(machine, *(limit for limit in limits if limit is not None), machine)

    def processors(self) -> float:
        """
        Return how many processors there are to use; a container may have a part of one.
        """
        words = _words(self._root / "cpu.max")  # "max 100000" or "50000 100000"
        old = self._root / "cpu"
        if not words:
            words = [*_words(old / "cpu.cfs_quota_us"), *_words(old / "cpu.cfs_period_us")]
        there = float(os.process_cpu_count() or 1)
        with suppress(ValueError):
            quota, period = map(int, words)
            if quota > 0 and period > 0:
                return min(quota / period, there)
        return there


def _words(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="ascii").split()
    except OSError:
        return []


def _number(file: Path) -> int | None:
    words = _words(file)
    return int(words[0]) if words and words[0].isdecimal() else None


def _stat(file: Path, name: str) -> int:
    words = _words(file)
    return int(words[words.index(name) + 1]) if name in words else 0
