"""
Whether the wheel is enough: run as a stranger would, in an empty folder, with uv and nothing else.

    python scripts/wheel_trial.py

Builds the wheel, lets uv install it with the locked libraries, and begins, checks, serves and uses
prompts with what is in it. Exit status 0 or not; bounded in time.
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
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen


ROOT = Path(__file__).parents[1]
WHEELS = ROOT / "build" / "wheel"
INSTALL_SECONDS = 300
PATIENCE_SECONDS = 60
KEY = re.compile(r"ctxfy_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}")


def main() -> None:
    """
    Try it out, and say what was done.
    """
    command = (*_uvx(), "--from", str(_build()), "ctxfy")
    with tempfile.TemporaryDirectory(prefix="ctxfy-wheel-") as name:
        folder = Path(name)
        version = _run(command, folder, "--version", seconds=INSTALL_SECONDS).strip()
        _say(f"ctxfy {version} is installed from the wheel")
        _run(command, folder, "init")
        _say(_run(command, folder, "check").strip())
        with _served(command, folder) as (url, key):
            _use(url, key)
    _say("the wheel runs alone")


def _build() -> Path:
    shutil.rmtree(WHEELS, ignore_errors=True)
    subprocess.run(  # noqa: S603 - our own interpreter and module
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", WHEELS],
        cwd=ROOT,
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    (wheel,) = WHEELS.glob("*.whl")
    return wheel


def _uvx() -> tuple[str, ...]:
    """
    Name the command that runs what is in a wheel, with the locked versions and their checksums.
    """
    own = ROOT / ".tools" / "bin" / "uv"
    uv = str(own) if own.exists() else shutil.which("uv")
    if uv is None:
        sys.exit("uv is neither in .tools nor on the path; run make setup")
    locked = str(ROOT / "requirements" / "runtime.txt")
    options = ("--quiet", "--isolated", "--python", sys.executable, "--constraints", locked)
    return (uv, "tool", "run", *options)


def _environment() -> dict[str, str]:
    """
    Ours without settings of ctxfy, and without our own virtual environment.
    """
    left_out = ("CTXFY_", "PYTHON", "VIRTUAL_ENV")
    return {name: text for name, text in os.environ.items() if not name.startswith(left_out)}


def _run(
    command: tuple[str, ...], folder: Path, *words: str, seconds: int = PATIENCE_SECONDS
) -> str:
    ended = subprocess.run(  # noqa: S603 - our own command
        [*command, *words],
        cwd=folder,
        env=_environment(),
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    if ended.returncode:
        sys.exit(f"'ctxfy {' '.join(words)}' failed:\n{ended.stdout}{ended.stderr}")
    return ended.stdout


@contextmanager
def _served(command: tuple[str, ...], folder: Path) -> Generator[tuple[str, str]]:
    out, err = folder / "stdout.txt", folder / "stderr.txt"
    with out.open("w") as output, err.open("w") as errors:
        process = subprocess.Popen(  # noqa: S603 - our own command
            [*command, "serve", "--port", "0", "--prompts", "prompts"],
            cwd=folder,
            env=_environment(),
            stdout=output,
            stderr=errors,
            start_new_session=True,  # uv stands before the server, and both shall end
        )
    try:
        yield _address(process, out, err), KEY.findall(err.read_text())[0]
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=PATIENCE_SECONDS)


def _address(process: subprocess.Popen[bytes], out: Path, err: Path) -> str:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        for line in out.read_text().splitlines():
            if '"server_started"' in line:
                return str(json.loads(line)["url"])
        time.sleep(0.05)
    sys.exit(f"the server did not start:\n{out.read_text()}{err.read_text()}")


def _use(url: str, key: str) -> None:
    """
    Ask for what needs every kind of file in the wheel: code, migrations, pages, schemas.
    """
    asked = {"jsonrpc": "2.0", "id": 1, "method": "prompts/list"}
    listed = _ask(f"{url}/mcp", key, json.dumps(asked).encode())
    if '"hello"' not in listed:
        sys.exit(f"the prompt is not listed: {listed}")
    arguments = json.dumps({"arguments": {"name": "Ada"}}).encode()
    for path, body, words in (
        ("/prompts/hello/execute", arguments, "greeting of one sentence to Ada"),
        ("/openapi.json", None, "/prompts/{name}/execute"),
        ("/docs", None, "<html"),
        ("/health", None, "pass"),
        ("/metrics", None, "ctxfy_http_requests_total"),
    ):
        if words not in (answer := _ask(url + path, key, body)):
            sys.exit(f"{path} answers without '{words}': {answer[:500]}")
        _say(f"{path} answers")


def _ask(url: str, key: str, body: bytes | None) -> str:
    headers = {
        "Authorization": f"Bearer {key}",
        "Accept": "application/json, text/event-stream, text/html",
        "Content-Type": "application/json",
    }
    request = Request(url, data=body, headers=headers)  # noqa: S310 - http, our own server
    try:
        with urlopen(request, timeout=20) as answer:  # noqa: S310 - http, our own server
            return str(answer.read().decode())
    except HTTPError as error:
        sys.exit(f"{url} answers {error.code}: {error.read().decode()[:500]}")


def _say(sentence: str) -> None:
    print(sentence, flush=True)


if __name__ == "__main__":
    main()
