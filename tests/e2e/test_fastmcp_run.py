"""
`fastmcp run fastmcp.json`: the gate is there, or there is no server.
"""

import subprocess
import sys
from pathlib import Path

import httpx2

from tests.e2e.conftest import ROOT, Server, clean_environment
from tests.e2e.waiting import wait_until_ready


COMMAND = (
    str(Path(sys.executable).with_name("fastmcp")),
    "run",
    str(ROOT / "fastmcp.json"),
    "--skip-env",
)


def test_fastmcp_run_serves_behind_the_gate(tmp_path: Path) -> None:
    """
    It becomes `ctxfy serve`, with the file's settings and with FastMCP's options over them.
    """
    environment = clean_environment(CTXFY_STORAGE__URL=f"sqlite:///{tmp_path}/ctxfy.db")
    with (tmp_path / "out").open("wb") as out, (tmp_path / "err").open("wb") as err:
        process = subprocess.Popen(
            [*COMMAND, "--port", "0"], cwd=ROOT, env=environment, stdout=out, stderr=err
        )
    server = Server(process=process, folder=tmp_path, url="")
    try:
        server.url = wait_until_ready(process, tmp_path / "out", tmp_path / "err")
        refused = httpx2.post(server.mcp, json={})
        assert (refused.status_code, refused.json()["error"]["code"]) == (401, -32001)
        assert not server.url.endswith(":8000")
    finally:
        assert server.stop() == 0


def test_fastmcp_run_refuses_what_ctxfy_does_not_do(tmp_path: Path) -> None:
    """
    Over stdio it ends with a sentence, and so does a file that says something else than ctxfy does.
    """
    # FastMCP draws its lines as wide as the terminal.
    environment = clean_environment(COLUMNS="500")
    (tmp_path / "wrong.json").write_text(
        f'{{"source": {{"path": "{ROOT}/src/ctxfy/app/fastmcp_entry.py"}}, "ctxfy": {{"x": {{}}}}}}'
    )
    for words, sentence in (
        ([*COMMAND, "--transport", "stdio"], "ctxfy serves over HTTP alone"),
        (
            [*COMMAND[:2], "wrong.json", "--skip-env", "--transport", "http"],
            "wrong.json: ctxfy.x is not known",
        ),
    ):
        ran = subprocess.run(
            words,
            cwd=ROOT if str(ROOT) in words[2] else tmp_path,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert ran.returncode == 1
        assert sentence in ran.stderr
        assert "Traceback" not in ran.stderr
