"""
How large a process makes what is not set: by the memory and the processors that it is given.
"""

from math import ceil

from ctxfy.core.models.capacity_models import ProcessSizes


MEGABYTE = 1024 * 1024
MOST_CONNECTIONS, FEWEST_CONNECTIONS = 5, 2
MOST_KEYS, FEWEST_KEYS = 10_000, 1_000
MOST_CHECK_MB, LEAST_CHECK_MB = 512, 64

_BYTES_PER_KEY = 50 * 1024
"""
A key with the user behind it takes 2 to 4 KB, so full caches stay below a tenth of all memory.
"""


def size_process(memory: int, processors: float) -> ProcessSizes:
    """
    Decide the sizes.

    Connections keep one processor busy, and a part of one needs fewer. The tests of prompts run
    beside a server that goes on, so half of the memory is left to it.

    Args:
        memory: What there is for this process, bytes.
        processors: How many there are for it; a container may have a part of one.
    """
    return ProcessSizes(
        pool=_within(FEWEST_CONNECTIONS, ceil(processors * MOST_CONNECTIONS), MOST_CONNECTIONS),
        cached_keys=_within(FEWEST_KEYS, memory // _BYTES_PER_KEY, MOST_KEYS),
        check_memory_mb=_within(LEAST_CHECK_MB, memory // MEGABYTE // 2, MOST_CHECK_MB),
    )


def _within(least: int, wanted: int, most: int) -> int:
    return max(least, min(wanted, most))
