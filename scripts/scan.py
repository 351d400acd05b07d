#!/usr/bin/env python3
"""
Scans the tree for secrets, and a running server for holes with wapiti; `make scan` fuzzes it too.

    .venv/bin/python scripts/scan.py SECONDS

Needs the scanners in .tools/scan, where `make scan` puts them. Exits with 1 on a finding.
"""

import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ctxfy.core.models.auth_models import KeyId
from ctxfy.core.use_cases.auth_use_cases import compose_key


ROOT = Path(__file__).parent.parent
SCANNERS = ROOT / ".tools" / "scan" / "bin"
START_SECONDS = 60

# Not those that make the server call somebody outside: log4shell, ssrf, xxe, spring4shell.
MODULES = (
    "backup",
    "cookieflags",
    "crlf",
    "csp",
    "exec",
    "file",
    "htaccess",
    "http_headers",
    "methods",
    "permanentxss",
    "redirect",
    "sql",
    "timesql",
    "xss",
)
# Names of settings and addresses of the documentation look like secrets to these.
NOT_FOR_US = ("KeywordDetector", "BasicAuthDetector")
EXAMPLES = r"tests/|src/ctxfy/app/answers\.json$"
# Tests and recorded answers hold digests, and one test the frame of a key that is locked.
NOT_FOR_EXAMPLES = ("HexHighEntropyString", "PrivateKeyDetector")


def find_secrets() -> list[str]:
    """
    Look through every file that git has, or would take.
    """
    told = list[str]()
    for options in (
        ("--exclude-files", f"^({EXAMPLES})"),
        ("--exclude-files", f"^(?!{EXAMPLES})", *_without(NOT_FOR_EXAMPLES)),
    ):
        command: list[str | Path] = [
            SCANNERS / "detect-secrets",
            "scan",
            *_without(NOT_FOR_US),
            *options,
        ]
        done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
        told += [
            f"{name}:{found['line_number']}: {found['type']}"
            for name, all_found in json.loads(done.stdout)["results"].items()
            for found in all_found
        ]
    return told


def find_holes(seconds: int) -> list[str]:
    """
    Let wapiti attack a server that serves our own prompts.
    """
    key = compose_key(KeyId("scan00000000"), secrets.token_bytes(32))
    with TemporaryDirectory() as folder:
        url = f"http://127.0.0.1:{_free_port()}"
        server = _start(Path(folder), url, key)
        try:
            _wait(url, server)
            found = _attack(Path(folder), url, key, seconds)
            # Wapiti takes answers for different that are less than 95 % alike, and its own random
            # numbers come back in them: a hole is there the next time, too.
            return found and [
                each for each in _attack(Path(folder), url, key, seconds) if each in found
            ]
        finally:
            server.terminate()
            server.wait(30)


def _without(detectors: tuple[str, ...]) -> list[str]:
    return [word for detector in detectors for word in ("--disable-plugin", detector)]


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _start(folder: Path, url: str, key: str) -> subprocess.Popen[bytes]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("CTXFY_")}
    settings = {
        "CTXFY_AUTH__BOOTSTRAP_KEY": key,
        "CTXFY_LIMITS__KEY_RATE": "1000000/minute",
        "CTXFY_LIMITS__FAILURE_RATE": "1000000/minute",
    }
    port = url.rpartition(":")[2]
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "ctxfy", "serve", "--prompts", ROOT / "prompts", "--port", port],
            cwd=folder,
            env=own | settings,
            stdout=log,
            stderr=log,
        )


def _wait(url: str, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/health/live", timeout=1):
                return
        except (urllib.error.URLError, TimeoutError):
            time.sleep(0.2)
    sys.exit("the server did not start")


def _attack(folder: Path, url: str, key: str, seconds: int) -> list[str]:
    # On the command line, since wapiti takes it nowhere else; the key ends with this server.
    credential = f"Authorization: Bearer {key}"
    # An id of our own making in each answer would look like the outcome of a condition.
    request_id = "X-Request-Id: scan"
    asked = urllib.request.Request(f"{url}/openapi.json", headers=dict([credential.split(": ")]))
    with urllib.request.urlopen(asked, timeout=30) as answer:
        (folder / "openapi.json").write_bytes(answer.read())
    report = folder / "report.json"
    command: list[str | Path] = [
        *(SCANNERS / "wapiti", "--url", f"{url}/", "--swagger", folder / "openapi.json"),
        *(
            "--header",
            credential,
            "--header",
            request_id,
            "--module",
            ",".join(MODULES),
            "--no-bugreport",
        ),
        *("--max-scan-time", str(seconds), "--max-attack-time", str(max(5, seconds // 10))),
        *("--flush-session", "--store-session", folder / "session", "--format", "json"),
        *("--output", report),
    ]
    done = subprocess.run(
        command, cwd=folder, check=False, capture_output=True, text=True, timeout=seconds * 4 + 120
    )
    if done.returncode or not report.exists():
        sys.exit(f"wapiti did not come to an end:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    told = json.loads(report.read_text(encoding="utf-8"))
    print(f"wapiti looked at {told['infos']['crawled_pages_nbr']} pages")
    return _findings(told)


def _findings(told: dict[str, Any]) -> list[str]:
    return [
        f"{category}: {found['method']} {found['path']}: {found['info']}"
        for kind in ("vulnerabilities", "anomalies")
        for category, all_found in told[kind].items()
        for found in all_found
    ]


if __name__ == "__main__":
    found = [*find_secrets(), *find_holes(int(sys.argv[1]))]
    for each in found:
        print(each, file=sys.stderr)
    sys.exit(1 if found else 0)
