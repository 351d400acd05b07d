"""
The script that deploys, with programs in place of a cluster, Prometheus and `ctxfy`.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.monitoring_tools import SHIPPED


IMAGE = "registry.example/ctxfy@sha256:" + "a" * 64
FIRING = '{"data": {"result": [{"value": [1, "0.5"]}]}}'
QUIET = '{"data": {"result": []}}'


def _deploy(tmp_path: Path, image: str, *, healthy: bool, answer: str) -> tuple[int, list[str]]:
    place = tmp_path / "kubernetes"
    shutil.copytree(SHIPPED.parent / "kubernetes", place)
    programs, calls = tmp_path / "bin", tmp_path / "calls"
    programs.mkdir()
    calls.touch()
    for name, does in {
        "kubectl": f'echo "$*" >>{calls}',
        "ctxfy": f'echo "ctxfy $*" >>{calls}; exit {0 if healthy else 1}',
        "curl": f"echo '{answer}'",
    }.items():
        program = programs / name
        program.write_text(f"#!/bin/sh\n{does}\n")
        program.chmod(0o755)
    ended = subprocess.run(
        ["/bin/bash", place / "deploy", "staging", image],
        check=False,
        capture_output=True,
        timeout=60,
        env={
            "PATH": f"{programs}:{os.environ['PATH']}",
            "CTXFY_URL": "https://prompts.example.com",
            "CTXFY_API_KEY": "key",
            "PROMETHEUS_URL": "http://prometheus.example",
            "WATCH_SECONDS": "1",
            "WATCH_PAUSE": "1",
        },
    )
    assert not list((place / "overlays").glob(".deploy-*"))
    return ended.returncode, calls.read_text().splitlines()


def test_a_version_that_serves_stays(tmp_path: Path) -> None:
    """
    Migrated first, then replaced, looked at from outside, and left.
    """
    code, calls = _deploy(tmp_path, IMAGE, healthy=True, answer=QUIET)
    assert code == 0
    assert [call.split(" --")[0] for call in calls if "delete job" not in call] == [
        calls[0],
        "apply",
        "--namespace ctxfy-staging wait",
        "apply",
        "--namespace ctxfy-staging rollout status deployment/ctxfy",
        "ctxfy doctor",
    ]
    assert calls[0].startswith("kustomize overlays/.deploy-")
    assert "job/ctxfy-migration" in calls[3]


@pytest.mark.parametrize(("healthy", "answer"), [(False, QUIET), (True, FIRING)])
def test_a_version_that_does_not_serve_is_taken_back(
    tmp_path: Path, healthy: bool, answer: str
) -> None:
    """
    When the smoke test fails, and when errors burn the budget.
    """
    code, calls = _deploy(tmp_path, IMAGE, healthy=healthy, answer=answer)
    assert code == 1
    assert "--namespace ctxfy-staging rollout undo deployment/ctxfy" in calls


def test_an_image_without_its_digest_is_refused(tmp_path: Path) -> None:
    """
    Before anything is asked of the cluster.
    """
    assert _deploy(tmp_path, "ctxfy:latest", healthy=True, answer=QUIET) == (2, [])
