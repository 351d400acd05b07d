"""
Levels of the log, changed over REST while the server runs.
"""

import json
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ctxfy.app.config import LoggingSettings
from ctxfy.app.main import create_app
from ctxfy.core.models.audit_models import AuditFilter
from ctxfy.core.models.monitoring_models import LogLevel
from tests.integration.app.app_kit import Client, running, settings_in


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    """
    A client of a server whose log is a file, and which writes lines of the audit trail alone.
    """
    levels = {"ctxfy.requests": LogLevel.ERROR, "ctxfy": LogLevel.ERROR}
    settings = settings_in(
        tmp_path, logging=LoggingSettings(file=tmp_path / "ctxfy.log", levels=levels)
    )
    async with running(create_app(settings)) as client:
        yield client


async def put(client: Client, logger: str, **body: object) -> int:
    """
    Change a level; returns the status.
    """
    answer = await client.http.put(
        f"/logging/levels/{logger}", json=body, headers={"x-api-key": client.key}
    )
    return int(answer.status_code)


async def test_a_level_is_changed_shown_told_and_taken_back(client: Client, tmp_path: Path) -> None:
    """
    Lines of requests come as long as they are asked for, and the trail knows who asked.
    """
    changed = []
    for level in ("INFO", "CRITICAL"):
        assert await put(client, "ctxfy.requests", level=level, seconds=None) == 200
        shown = (await client.get("/logging/levels", key=True)).json()["levels"]
        changed += [each for each in shown if each["changed"]]
    headers = {"x-api-key": client.key}
    answer = await client.http.delete("/logging/levels/ctxfy.requests", headers=headers)
    assert [each["level"] for each in answer.json()["levels"]] == ["INFO", "ERROR", "ERROR"]
    assert [(each["level"], each["until"]) for each in changed] == [
        ("INFO", None),
        ("CRITICAL", None),
    ]
    events = client.app.wiring.storage.events.records(AuditFilter(target="ctxfy.requests"))
    told = [(record.user_id, record.event.action) async for record in events]
    assert told == [
        ("admin", "log_level_changed"),
        ("admin", "log_level_changed"),
        ("admin", "log_level_restored"),
    ]
    client.app.wiring.log_queue.close()
    lines = [json.loads(line) for line in (tmp_path / "ctxfy.log").read_text().splitlines()]
    served = [line["endpoint"] for line in lines if line["message"] == "request_served"]
    assert served == ["/logging/levels/{logger}", "/logging/levels"]


@pytest.mark.parametrize(
    ("logger", "body", "field"),
    [
        ("fastmcp.server", {"level": "DEBUG"}, "level"),
        ("plugin", {"level": "LOUD"}, "level"),
        ("plugin", {"level": "DEBUG", "seconds": 0}, "seconds"),
        ("plugin", {"level": "DEBUG", "seconds": "9"}, "seconds"),
        ("a%20b", {"level": "DEBUG"}, "logger"),
    ],
)
async def test_what_cannot_be_is_refused(
    client: Client, logger: str, body: dict[str, object], field: str
) -> None:
    """
    With the field that is wrong; the loggers are as they were.
    """
    before = logging.getLogger("plugin").getEffectiveLevel()
    answer = await client.http.put(
        f"/logging/levels/{logger}", json=body, headers={"x-api-key": client.key}
    )
    assert answer.status_code == 422
    assert field in json.dumps(answer.json()["errors"])
    assert logging.getLogger("plugin").getEffectiveLevel() == before
