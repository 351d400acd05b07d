"""
What the process takes can be told.
"""

from ctxfy.adapters.monitoring.process_figures import cpu_seconds, memory_bytes


def test_a_running_process_takes_something() -> None:
    """
    Memory is in bytes, not in pages or kilobytes, and processor time in seconds.
    """
    assert 2**20 < memory_bytes() < 2**36
    assert 0 < cpu_seconds() < 86_400
