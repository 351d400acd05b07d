"""
What is done with memory when a process has started and begins to serve.
"""

import ctypes
import gc


def settle_memory() -> None:
    """
    Leave what the start made out of the collector's rounds, and give back what it needed for it.

    A round over everything that was imported takes a tenth of a second, in which nobody is served;
    there is next to nothing to be found there.
    """
    gc.freeze()
    # Of the GNU C library; others give memory back by themselves, or not.
    if (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)) is not None:
        trim(0)
