"""
How long a start takes until the first answer, and how much memory it then holds.

    python scripts/start_time.py [TIMES]

Starts `ctxfy serve` over prompts/ on a free port, in a folder of its own; the first start makes the
database too. Prints seconds and megabytes of each start. A figure for people, not a check.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.request import urlopen


ROOT = Path(__file__).parents[1]
PATIENCE_SECONDS = 120


def main() -> None:
    """
    Start some times, and print what each took.
    """
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with tempfile.TemporaryDirectory() as folder:
        for number in range(times):
            seconds, megabytes = start(Path(folder))
            print(f"start {number + 1}: {seconds:.2f} s, {megabytes:.0f} MB")


def start(folder: Path) -> tuple[float, float]:
    """
    Start once, and end it.
    """
    log = folder / "log.jsonl"
    command = [sys.executable, "-m", "ctxfy", "serve", "--port", "0"]
    began = time.perf_counter()
    with log.open("w") as output:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [*command, "--prompts", str(ROOT / "prompts")],
            cwd=folder,
            env=os.environ | {"CTXFY_LOGGING__FORMAT": "json"},
            stdout=output,
            stderr=subprocess.DEVNULL,
        )
    try:
        url = _address(process, log, began)
        with urlopen(f"{url}/health/ready", timeout=5) as answer:  # noqa: S310 - http, our own
            answer.read()
        return time.perf_counter() - began, _megabytes(process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=20)


def _address(process: subprocess.Popen[bytes], log: Path, began: float) -> str:
    while time.perf_counter() - began < PATIENCE_SECONDS and process.poll() is None:
        for line in log.read_text().splitlines():
            if '"server_started"' in line:
                return str(json.loads(line)["url"])
        time.sleep(0.01)
    sys.exit(f"the server did not start: {log.read_text()}")


def _megabytes(pid: int) -> float:
    resident = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return resident * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    main()
