"""
How many files and connections this process may have open.
"""

import resource


def allow_open_files(wanted: int) -> int:
    """
    Raise the limit to what is wanted, as far as that is ours to do; returns the limit there is.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = resource.RLIM_INFINITY
    if soft == unlimited or soft >= wanted:
        return wanted
    allowed = wanted if hard == unlimited else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    return allowed
