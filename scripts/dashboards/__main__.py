"""
Writes the Grafana dashboards that ship: run it after changing what they show.

    .venv/bin/python -m scripts.dashboards
"""

import json
from collections.abc import Iterator
from pathlib import Path

from scripts.dashboards.grafana import plain_dashboard
from scripts.dashboards.prompts_and_keys import PROMPTS_AND_KEYS
from scripts.dashboards.service import SERVICE


ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "src/ctxfy/app/deployment/monitoring/dashboards"
DASHBOARDS = {"service.json": SERVICE, "prompts-and-keys.json": PROMPTS_AND_KEYS}


def fresh_files() -> Iterator[tuple[Path, str]]:
    """
    Give each file as it should be.
    """
    for name, dashboard in DASHBOARDS.items():
        yield FOLDER / name, json.dumps(plain_dashboard(dashboard), indent=1) + "\n"


def main() -> None:
    """
    Write them.
    """
    FOLDER.mkdir(exist_ok=True)
    for path, text in fresh_files():
        path.write_text(text, encoding="utf-8")
        print(f"wrote {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
