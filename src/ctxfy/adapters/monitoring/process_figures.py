"""
What this process takes of the machine.
"""

import time
from pathlib import Path
from resource import RUSAGE_SELF, getpagesize, getrusage


def memory_bytes() -> int:
    """
    Return the memory resident now; where the system does not tell, the most there ever was.
    """
    try:
        # The second figure is the resident one.
        resident_pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
        return int(resident_pages) * getpagesize()
    except OSError:  # pragma: no cover - where there is no /proc, on macOS
        return getrusage(RUSAGE_SELF).ru_maxrss * 1024


def cpu_seconds() -> float:
    """
    Return the processor time used since the start.
    """
    return round(time.process_time(), 3)
