"""
Settings are read from a clean environment, and from no folder of secrets but the test's own.
"""

import os
from pathlib import Path

import pytest

from ctxfy.app import config


@pytest.fixture(autouse=True)
def secrets_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """
    Take every setting out of the environment; returns the folder that stands for /run/secrets.
    """
    for name in os.environ:
        if name.upper().startswith("CTXFY_"):
            monkeypatch.delenv(name)
    monkeypatch.setattr(config, "SECRETS_DIR", str(tmp_path / "secrets"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "secrets"
