"""
Prometheus' own tools, which Debian packages; the tests of rules and dashboards run them.
"""

import shutil
import subprocess
from pathlib import Path


SHIPPED = Path(__file__).parents[1] / "src" / "ctxfy" / "app" / "deployment" / "monitoring"
RULE_FILES = sorted(SHIPPED.glob("*rules*.yaml"))


def tool(name: str) -> str:
    """
    Find a program, or fail with what to install.
    """
    found = shutil.which(name)
    assert found is not None, (
        f"There is no {name} on the path:"
        " apt-get install --no-install-recommends prometheus prometheus-alertmanager"
    )
    return found


def run_tool(name: str, *arguments: object, given: str = "") -> str:
    """
    Run a tool to its end and return all it wrote; it must be content.
    """
    ended = subprocess.run(
        [tool(name), *map(str, arguments)],
        input=given,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=100,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout
    return ended.stdout
