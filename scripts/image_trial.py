#!/usr/bin/env python3
"""
Builds the image from its Dockerfile as it is, and runs it as a careful operator would.

    .venv/bin/python scripts/image_trial.py

With buildah, podman and runc, which Debian packages; root and namespaces are needed. The base is a
stand-in (scripts/stand-in-base), so that no registry of images is needed: this tries the
Dockerfile, not the real base. Exit status 0 or not; where it cannot run, it says so and ends with
3.
"""

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from ctxfy import __version__
from ctxfy.core.models.auth_models import KeyId
from ctxfy.core.use_cases.auth_use_cases import compose_key


ROOT = Path(__file__).parents[1]
STORE = ROOT / ".tools" / "containers"
DOCKERFILE = ROOT / "src" / "ctxfy" / "app" / "deployment" / "image" / "Dockerfile"
BASE = "python:3.13-slim-bookworm"
IMAGE = "localhost/ctxfy:trial"
TOOLS = ("buildah", "mmdebstrap", "podman", "runc")
PACKAGES = ("buildah", "conmon", "fuse-overlayfs", "mmdebstrap", "netavark", "podman", "runc")
PROMPTS = ("--volume", f"{ROOT / 'prompts'}:/srv/ctxfy/prompts:ro")
NOT_RUN = 3
MEMORY_MB = 256
PATIENCE_SECONDS = 60
MEGABYTE = 1024 * 1024


def main() -> None:
    """
    Build, run, look, stop, and say what was seen.
    """
    _require_root()
    _require_tools()
    _store()
    _build()
    size = json.loads(_output("podman", "image", "inspect", IMAGE))[0]["Size"]
    base = json.loads(_output("podman", "image", "inspect", BASE))[0]["Size"]
    _say(f"built: {size / MEGABYTE:.0f} MB, of which the base is {base / MEGABYTE:.0f} MB")
    _refuse_without_a_place()
    _serve()
    _say("the image does what it should")


def _require_root() -> None:
    able = (
        os.geteuid() == 0
        and not subprocess.run(
            ["/usr/bin/unshare", "--mount", "--pid", "--fork", "true"],
            check=False,
            capture_output=True,
        ).returncode
    )
    if not able:
        print("not run: the image was not built, which needs root and namespaces", file=sys.stderr)
        sys.exit(NOT_RUN)


def _require_tools() -> None:
    if all(map(shutil.which, TOOLS)):
        return
    _say(f"installing {', '.join(PACKAGES)}")
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for words in (("update",), ("install", "--yes", "--no-install-recommends", *PACKAGES)):
        subprocess.run(
            ["/usr/bin/apt-get", "-qq", *words],
            check=True,
            env=environment,
            stdout=subprocess.DEVNULL,
        )


def _store() -> None:
    """
    Keep images apart from those of the machine.
    """
    STORE.mkdir(parents=True, exist_ok=True)
    file = STORE / "storage.conf"
    file.write_text(
        f'[storage]\ndriver = "overlay"\nrunroot = "{STORE}/run"\ngraphroot = "{STORE}/graph"\n'
    )
    os.environ["CONTAINERS_STORAGE_CONF"] = str(file)
    if subprocess.run(["buildah", "inspect", BASE], check=False, capture_output=True).returncode:
        _say(f"no {BASE} here: making a stand-in for it")
        _run(ROOT / "scripts" / "stand-in-base", BASE)


def _build() -> None:
    began = time.monotonic()
    # What this machine believes of certificates is believed while packages are fetched.
    trust = ("--volume", "/etc/ssl/certs:/etc/ssl/certs:ro")
    _run(
        *("buildah", "bud", "--quiet", "--pull=never", "--isolation", "chroot", "--layers"),
        *("--format", "docker", "--timestamp", "0", *trust, "--file", DOCKERFILE, "--tag", IMAGE),
        *("--build-arg", f"VERSION={__version__}", ROOT),
    )
    _say(f"the Dockerfile builds, in {time.monotonic() - began:.0f} s")


def _podman(*words: str) -> list[str]:
    return [
        *("podman", "--cgroup-manager", "cgroupfs", "--runtime", "runc", "run", "--rm"),
        # The engine's own timer for the health check wants systemd; it is called by hand below.
        *("--pull=never", "--no-healthcheck", "--network", "host"),
        *("--ulimit", "nofile=20000:20000", "--ulimit", "nproc=4096:4096"),
        *("--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"),
        *("--memory", f"{MEMORY_MB}m", "--tmpfs", "/tmp", *words),  # noqa: S108 - in the container
    ]


def _refuse_without_a_place() -> None:
    """
    A folder that may not be written to must end the start with one sentence, not with a traceback.
    """
    command = _podman("--tmpfs", "/var/lib/ctxfy:ro", *PROMPTS, IMAGE)
    ended = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
    _require(ended.returncode == 1, f"it started without a place for its state: {ended}")
    _require(ended.stderr.startswith("ctxfy: "), ended.stderr)
    _say(f"without a place for its state: {ended.stderr.strip()}")


def _serve() -> None:
    key = compose_key(KeyId("trial0000000"), secrets.token_bytes(32))
    port, name = _free_port(), f"ctxfy-trial-{os.getpid()}"
    words = (
        *("--name", name, "--env", f"CTXFY_SERVER__PORT={port}"),
        *("--env", f"CTXFY_AUTH__BOOTSTRAP_KEY={key}"),
        *(*PROMPTS, IMAGE),
    )
    log = STORE / "trial.log"
    began = time.monotonic()
    with log.open("wb") as output:
        process = subprocess.Popen(_podman(*words), stdout=output, stderr=output)
    try:
        seconds = _started(process, port, began, log)
        _say(f"first answer {seconds:.1f} s after 'podman run'")
        _look_inside(name, port)
        _ask_for_a_prompt(port, key)
        began = time.monotonic()
        _run("podman", "kill", "--signal", "TERM", name)
        code = process.wait(PATIENCE_SECONDS)
        _require(code == 0, f"SIGTERM ends it with {code}:\n{log.read_text()[-2000:]}")
        _say(f"SIGTERM ends it with 0, in {time.monotonic() - began:.1f} s")
    finally:
        if process.poll() is None:
            subprocess.run(
                ["podman", "rm", "--force", name],
                check=False,
                capture_output=True,
            )


def _started(process: subprocess.Popen[bytes], port: int, began: float, log: Path) -> float:
    until = began + PATIENCE_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=2):
                return time.monotonic() - began
        except OSError:
            time.sleep(0.05)
    sys.exit(f"the container did not start:\n{log.read_text()[-2000:]}")


def _look_inside(name: str, port: int) -> None:
    status = _output("podman", "exec", name, "cat", "/proc/1/status")
    facts = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    _require(facts["Uid"].split() == ["10001"] * 4, f"it runs as {facts['Uid']}")
    _require(int(facts["CapEff"], 16) == 0, f"it has capabilities: {facts['CapEff']}")
    _require(facts["NoNewPrivs"] == "1", "it may gain rights")
    _say(
        "uid 10001, no capabilities, no new rights,"
        f" {int(facts['VmRSS'].split()[0]) // 1024} MB of memory of {MEMORY_MB}"
    )
    ended = subprocess.run(
        ["podman", "exec", name, "touch", "/opt/ctxfy/x"], check=False, capture_output=True
    )
    _require(ended.returncode != 0, "its root may be written to")
    began = time.monotonic()
    check = json.loads(_output("podman", "image", "inspect", IMAGE))[0]["Healthcheck"]["Test"]
    _run("podman", "exec", name, *check[1:])
    _say(f"the root is read-only; HEALTHCHECK passes, in {time.monotonic() - began:.1f} s")
    _require(str(port) in _output("podman", "exec", name, "env"), "the port is another")


def _ask_for_a_prompt(port: int, key: str) -> None:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/prompts/commit-message", headers={"X-API-Key": key}
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        _require(json.load(answer)["name"] == "commit-message", "the prompt is another")
    _say("a mounted prompt is served")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _run(*command: object) -> None:
    ended = subprocess.run(
        [*map(str, command)],
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if ended.returncode:
        sys.exit(f"{command[0]} {command[1]} failed:\n{ended.stdout[-4000:]}")


def _output(*command: str) -> str:
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def _require(fact: bool, otherwise: str) -> None:  # noqa: FBT001 - it reads as a sentence
    if not fact:
        sys.exit(otherwise)


def _say(sentence: str) -> None:
    print(sentence, flush=True)


if __name__ == "__main__":
    main()
