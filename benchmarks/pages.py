"""
What the pages and the description of the API cost with two hundred prompts.

    python -m benchmarks.pages [CONNECTIONS [SECONDS]]

Each address is asked for whole, and by its ETag, when the answer is 304. It fails if a p95 is over
what is promised: 100 ms.
"""

import re
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path

from benchmarks.servers import ADMIN_KEY, ROOT, Measured, ctxfy_server


PROMPTS = 200
PROMISED_MS = 100
ADDRESSES = (
    "/docs",
    "/docs?q=review",
    "/docs/prompts/code-review-000",
    "/docs/start",
    "/openapi.json",
)


def main() -> None:
    """
    Measure, and print a table.
    """
    connections, seconds = (int(each) for each in [*sys.argv[1:3], "4", "4"][:2])
    worst = 0.0
    with tempfile.TemporaryDirectory() as folder:
        prompts = write_prompts(Path(folder) / "prompts")
        with ctxfy_server("pages", Path(folder) / "own", "/docs", {}, prompts) as server:
            print(f"{PROMPTS} prompts, {connections} connections, {seconds} s each:\n")
            print("| address | bytes | first ms | p50 ms | p95 ms | p95 ms of 304 |")
            print("|---|---|---|---|---|---|")
            for address in ADDRESSES:
                size, etag, first_ms = first(server, address)
                here = replace(server, path=address)
                whole = here.load(connections=connections, seconds=seconds)
                kept = replace(here, headers=(*here.headers, f"If-None-Match: {etag}")).load(
                    connections=connections, seconds=seconds, status=HTTPStatus.NOT_MODIFIED
                )
                worst = max(worst, whole.p95_ms, kept.p95_ms)
                figures = f"{whole.p50_ms:.1f} | {whole.p95_ms:.1f} | {kept.p95_ms:.1f}"
                print(f"| `{address}` | {size:,} | {first_ms:.0f} | {figures} |")
    if worst > PROMISED_MS:
        sys.exit(f"a p95 is {worst:.0f} ms; {PROMISED_MS} ms are promised")


def write_prompts(folder: Path) -> Path:
    """
    Write the example prompts again and again, each under a name of its own.
    """
    shutil.copytree(ROOT / "prompts", folder)
    # Of a prompt with two files one is enough.
    (folder / "code-review-1.prompt.md").unlink()
    sources = {path: path.read_text() for path in sorted(folder.glob("*.prompt.md"))}
    for path in folder.glob("*.prompt.*"):
        path.unlink()
    for number in range(PROMPTS):
        path, text = list(sources.items())[number % len(sources)]
        name = f"{path.name.removesuffix('.prompt.md')}-{number // len(sources):03}"
        text = re.sub(r"^name: .*\n", "", text, count=1, flags=re.MULTILINE)
        (folder / f"{name}.prompt.md").write_text(text)
    return folder


def first(server: Measured, address: str) -> tuple[int, str, float]:
    """
    Ask for the first time: how many bytes, their ETag, and how long it took.
    """
    connection = HTTPConnection("127.0.0.1", server.port, timeout=60)
    headers: Mapping[str, str] = {"Authorization": f"Bearer {ADMIN_KEY}"}
    began = time.perf_counter()
    connection.request("GET", address, headers=headers)
    answer = connection.getresponse()
    size = len(answer.read())
    took = (time.perf_counter() - began) * 1000
    connection.close()
    return size, answer.headers["etag"], took


if __name__ == "__main__":
    main()
