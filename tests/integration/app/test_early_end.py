"""
SIGTERM while the program is still being imported.
"""

import signal
import subprocess
import sys
import time
from pathlib import Path


PATIENCE_SECONDS = 60
TERM_BIT = 1 << (signal.SIGTERM - 1)
SPARED = """
import signal
from ctxfy.__main__ import end_at_once
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
end_at_once(signal.SIGTERM, None)
"""


def handles_sigterm(pid: int) -> bool:
    """
    Ask the kernel whether a process has a handler for it.
    """
    status = Path(f"/proc/{pid}/status").read_text()
    (caught,) = (line for line in status.splitlines() if line.startswith("SigCgt:"))
    return bool(int(caught.split()[1], 16) & TERM_BIT)


def test_it_is_handled_before_anything_is_imported(tmp_path: Path) -> None:
    """
    A start that is told to end ends of it, with nothing said, before it has even read its settings.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "ctxfy", "serve", "--config", "/there/is/none"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    until = time.monotonic() + PATIENCE_SECONDS
    while not handles_sigterm(process.pid) and time.monotonic() < until:
        time.sleep(0.001)
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=PATIENCE_SECONDS)
    assert (process.returncode, said) == (-signal.SIGTERM, b"")


def test_a_process_that_the_kernel_spares_ends_too() -> None:
    """
    The first one of a container does not die of a signal; as here, where it is blocked.
    """
    done = subprocess.run([sys.executable, "-c", SPARED], check=False, timeout=PATIENCE_SECONDS)
    assert done.returncode == 128 + signal.SIGTERM
