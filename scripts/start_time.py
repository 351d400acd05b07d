"""
How long a start takes until the first answer, and how much memory it then holds.

    python scripts/start_time.py [TIMES [PROMPTS]]

Starts `ctxfy serve` on a free port, in a folder of its own, with as many prompts; the first start
makes the database too. Modules are compiled before, as they are wherever a server is started a
second time: compiling them takes longer than all the rest. Prints seconds by the clock and of the
processor, and megabytes at the first answer and when nothing was asked for a while. Figures for
people, not a check.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple
from urllib.request import urlopen

import psutil


ROOT = Path(__file__).parents[1]
PATIENCE_SECONDS = 120
IDLE_SECONDS = 3


class Start(NamedTuple):
    """
    What one start took.
    """

    seconds: float
    processor_seconds: float
    megabytes: float
    idle_megabytes: float


def main() -> None:
    """
    Start some times, and print what each took.
    """
    times, prompts = map(int, (*sys.argv[1:3], *("5", "200")[len(sys.argv[1:3]) :]))
    with tempfile.TemporaryDirectory() as folder:
        write_prompts(Path(folder) / "prompts", prompts)
        start(Path(folder), "compiled")
        print(f"{prompts} prompts")
        for number in range(times):
            took = start(Path(folder), "measured")
            load = os.getloadavg()[0]
            print(
                f"start {number + 1}: {took.seconds:.2f} s, of the processor"
                f" {took.processor_seconds:.2f} s; {took.megabytes:.0f} MB, idle"
                f" {took.idle_megabytes:.0f} MB; {load:.1f} processes had something to do",
                flush=True,
            )


def write_prompts(folder: Path, count: int) -> None:
    """
    Copy the examples as often as it takes, under new names.
    """
    shutil.copytree(ROOT / "prompts", folder)
    examples = sorted(folder.rglob("*.prompt.md"))
    for number in range(max(0, count - len(examples))):
        example = examples[number % len(examples)]
        name = example.name.partition(".")[0]
        text = re.sub(r"(?m)^name: .*\n", "", example.read_text(encoding="utf-8"), count=1)
        (example.parent / f"{name}-{number}.prompt.md").write_text(text, encoding="utf-8")


def start(folder: Path, place: str) -> Start:
    """
    Start once where a database of that place is, and end it.
    """
    log = folder / "log.jsonl"
    command = [sys.executable, "-m", "ctxfy", "serve", "--port", "0"]
    began = time.perf_counter()
    with log.open("w") as output:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [*command, "--prompts", str(folder / "prompts")],
            cwd=folder,
            env=environment(folder, place),
            stdout=output,
            stderr=subprocess.DEVNULL,
        )
    try:
        url = _address(process, log, began)
        with urlopen(f"{url}/health/ready", timeout=5) as answer:  # noqa: S310 - http, our own
            answer.read()
        seconds = time.perf_counter() - began
        server = psutil.Process(process.pid)
        times, megabytes = server.cpu_times(), server.memory_info().rss / 1e6
        time.sleep(IDLE_SECONDS)
        # With its children: the one that checked the prompts has worked beside it.
        processor = times.user + times.system + times.children_user + times.children_system
        return Start(seconds, processor, megabytes, server.memory_info().rss / 1e6)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=20)


def environment(folder: Path, place: str) -> dict[str, str]:
    """
    Ours, but that compiled modules are kept for the next start, whatever ours says.
    """
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | {
        "CTXFY_LOGGING__FORMAT": "json",
        "CTXFY_STORAGE__URL": f"sqlite:///{folder / place}.db",
        "PYTHONPYCACHEPREFIX": str(folder / "compiled"),
    }


def _address(process: subprocess.Popen[bytes], log: Path, began: float) -> str:
    while time.perf_counter() - began < PATIENCE_SECONDS and process.poll() is None:
        for line in log.read_text().splitlines():
            if '"server_started"' in line:
                return str(json.loads(line)["url"])
        time.sleep(0.01)
    sys.exit(f"the server did not start: {log.read_text()}")


if __name__ == "__main__":
    main()
