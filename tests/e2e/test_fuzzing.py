"""
Whatever the API is sent, it answers as its own description says (Schemathesis, all checks).
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import Server, StartServer, clean_environment


CONFIG = Path(__file__).with_name("schemathesis.toml")
SECONDS = int(os.environ.get("FUZZ_SECONDS", "12"))
"""
`make fuzz` takes minutes, and other examples each time.
"""
IS_SHORT = "FUZZ_SECONDS" not in os.environ

PROMPT = """\
---
arguments:
  who: {description: Whom, required: true, min_length: 1, max_length: 40, pattern: "^[A-Z]"}
  tone: {enum: [warm, cool], default: warm}
  times: {type: integer, minimum: 1, maximum: 9, default: 1}
  share: {type: number}
  loud: {type: boolean, default: false}
  topics: {type: "list[string]", max_length: 3}
  extra: {type: object}
examples:
  - {name: a friend, arguments: {who: Ada, tone: cool}}
---
Greet {{ who }}, {{ tone }}, {{ times }} times{% if loud %}, loudly{% endif %}.
"""


@pytest.fixture(scope="module")
def fuzzed(start_server: StartServer, tmp_path_factory: pytest.TempPathFactory) -> Server:
    """
    A server that is in no hurry to refuse.
    """
    folder = tmp_path_factory.mktemp("fuzzed")
    (folder / "prompts").mkdir()
    (folder / "prompts" / "greet.prompt.md").write_text(PROMPT)
    return start_server(
        folder,
        prompts=folder / "prompts",
        CTXFY_LIMITS__KEY_RATE="1000000/minute",
        CTXFY_LIMITS__FAILURE_RATE="1000000/minute",
    )


@pytest.mark.timeout(SECONDS * 3 + 60)
@pytest.mark.parametrize("scope", ["read", "write", "admin"])
def test_every_answer_is_as_the_description_says(
    fuzzed: Server, scope: str, tmp_path: Path
) -> None:
    """
    Statuses, types, bodies and headers; nothing valid refused, nothing invalid taken, no fault.
    """
    made = fuzzed.run("keys", "create", "--user", "fuzz", "--scope", scope, "--json")
    key = json.loads(made.stdout)["api_key"]
    said = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIG), "--no-color"),
            *("run", f"{fuzzed.url}/openapi.json", "--header", f"Authorization: Bearer {key}"),
            *("--continue-on-failure", "--max-time", str(SECONDS), "--warnings", "off"),
            *(("--generation-deterministic", "--max-examples", "2") if IS_SHORT else ()),
        ],
        cwd=tmp_path,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 0, said.stdout + said.stderr
    assert "Failures:" not in said.stdout
    assert "Traceback" not in fuzzed.errors
