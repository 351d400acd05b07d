"""
A running application for each module of tests, and the logging of the process put back after it.
"""

import logging
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import structlog

from ctxfy.app.main import create_app
from tests.integration.app.app_kit import Client, running, settings_in
from tests.integration.app.cli_kit import Shell


@pytest.fixture(scope="module", autouse=True)
def _logging_is_put_back() -> Iterator[None]:
    root = logging.getLogger()
    named = [each for each in root.manager.loggerDict.values() if isinstance(each, logging.Logger)]
    before = [
        (each, each.__class__, each.level, each.propagate, each.handlers[:])
        for each in [root, *named]
    ]
    yield
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()
    for each, kind, level, propagate, handlers in before:
        each.__class__ = kind
        each.setLevel(level)
        each.propagate = propagate
        each.handlers[:] = handlers


@pytest.fixture(scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Client]:
    """
    Serve the standard prompts; the client holds the admin key.
    """
    app = create_app(settings_in(tmp_path_factory.mktemp("server")))
    async with running(app) as client:
        yield client


@pytest.fixture
def ctxfy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Shell:
    """
    Run commands in an empty folder with nothing set.
    """
    for name in os.environ:
        if name.upper().startswith("CTXFY_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return Shell(tmp_path, monkeypatch, capsys)
