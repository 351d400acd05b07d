"""
The OpenAPI document in other hands: a second linter, and a client that a generator makes of it.
"""

import json
from pathlib import Path

import httpx2
import pytest

from tests.e2e.conftest import ROOT, Server
from tests.e2e.foreign import CLIENTS, MODULES, NODE, run_foreign


PYTHON = ROOT / ".tools" / "client-generator" / "bin" / "python"
REDOCLY = (NODE, MODULES / ".bin" / "redocly")
GENERATOR = (PYTHON.with_name("openapi-python-client"), "generate", "--meta", "none")


@pytest.fixture(scope="module")
def document(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """
    The document of the example prompts, in a file.
    """
    file = tmp_path_factory.mktemp("document") / "openapi.json"
    headers = {"authorization": f"Bearer {server.key}"}
    answer = httpx2.get(f"{server.url}/openapi.json", headers=headers)
    file.write_bytes(answer.content)
    return file


def test_a_second_linter_finds_nothing(document: Path) -> None:
    """
    Redocly's strict rules hold, examples against their schemas among them; the few that do not
    apply are named with their reasons in redocly.yaml.
    """
    ran = run_foreign(
        [*REDOCLY, "lint", document, "--config", CLIENTS / "redocly.yaml"],
        document.parent,
        REDOCLY_TELEMETRY="off",
        REDOCLY_SUPPRESS_UPDATE_NOTICE="true",
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "is valid" in ran.stdout + ran.stderr


def test_a_generated_client_calls_the_server(server: Server, document: Path) -> None:
    """
    The generator leaves nothing out; a prompt is a function with typed arguments, and what it
    returns and refuses has types too.
    """
    folder = document.parent
    (folder / "generator.yaml").write_text("post_hooks: []\n")
    made = run_foreign(
        [
            *GENERATOR,
            *("--path", document, "--output-path", folder / "prompts_client"),
            *("--config", folder / "generator.yaml", "--fail-on-warning"),
        ],
        folder,
    )
    assert made.returncode == 0, made.stdout + made.stderr
    called = run_foreign(
        [PYTHON, CLIENTS / "generated.py", server.url],
        folder,
        CTXFY_KEY=server.key,
        PYTHONPATH=str(folder),
    )
    assert called.returncode == 0, called.stderr
    found = json.loads(called.stdout)
    assert found["names"] == sorted(found["names"])
    assert "commit-message" in found["names"]
    assert "Subject line, at most 50 characters" in found["result"]
    assert found["refused"] == ["out_of_range"]
