"""
A bad day: the machine is lost right after a backup under load, and everything is brought back.

Short here; `make recovery` does it with a million events in the audit trail, and prints the times.
"""

import asyncio
import os
import shutil
import subprocess
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2

from ctxfy.app.bootstrap import make_storage
from ctxfy.app.own_secrets import server_secrets
from ctxfy.core.models.audit_models import Actor
from ctxfy.core.use_cases.audit_use_cases import act_of
from tests.e2e.conftest import COMMAND, StartServer, clean_environment
from tests.e2e.key_kit import UNLIMITED, Admin
from tests.integration.app.app_kit import settings_in


EVENTS = int(os.environ.get("RECOVERY_EVENTS", "2000"))
BATCH = 2000
CLIENTS = 4
PATIENCE_SECONDS = 1200
NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


@dataclass(slots=True)
class Operator:
    """
    Runs commands, and looks at the clock.
    """

    seconds: dict[str, float] = field(default_factory=dict[str, float])

    async def run(self, folder: Path, *words: str) -> str:
        """
        Run `ctxfy` in a folder; it must end well.
        """
        began = time.perf_counter()
        ran = await asyncio.to_thread(
            subprocess.run,
            [*COMMAND, *words],
            cwd=folder,
            env=clean_environment(**UNLIMITED),
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr
        self.seconds[" ".join(words[:2])] = time.perf_counter() - began
        return ran.stdout

    def report(self) -> str:
        """
        Tell how long each command took.
        """
        return ", ".join(f"{name} {taken:.1f} s" for name, taken in self.seconds.items())


async def fill(folder: Path) -> None:
    """
    Write events into the audit trail, as a server would in weeks.
    """
    settings = settings_in(folder)
    storage = make_storage(settings, server_secrets(settings))
    await storage.make_ready(migrate_now=True)
    actor = Actor(means="rest", request_id="r" * 20)
    for start in range(0, EVENTS, BATCH):
        moments = (NOON + timedelta(seconds=start + each) for each in range(BATCH))
        events = [act_of(actor, "prompt_executed", at, target="code-review") for at in moments]
        await asyncio.gather(*map(storage.trail.append, events))
    await storage.database.aclose()


@asynccontextmanager
async def load(url: str, key: str) -> AsyncGenerator[list[int]]:
    """
    Ask for a prompt over and over; gives the statuses that came.
    """
    statuses, headers = list[int](), {"authorization": f"Bearer {key}"}
    body = {"arguments": {"diff": "x"}}
    over = asyncio.Event()

    async def ask() -> None:
        async with httpx2.AsyncClient(base_url=url, headers=headers, timeout=60) as http:
            while not over.is_set():
                answer = await http.post("/prompts/commit-message/execute", json=body)
                statuses.append(answer.status_code)

    async with asyncio.TaskGroup() as group:
        for _ in range(CLIENTS):
            group.create_task(ask())
        yield statuses
        over.set()


async def test_a_lost_machine_is_brought_back_on_an_empty_one(
    start_server: StartServer, tmp_path: Path
) -> None:
    """
    From a backup under load, the key file and the ledger: old keys work, the trail verifies, and
    who was erased after the backup stays erased.
    """
    lost, elsewhere, fresh = (tmp_path / name for name in ("lost", "elsewhere", "fresh"))
    for folder in (lost, elsewhere, fresh):
        folder.mkdir()
    operator = Operator()
    await fill(lost)
    shutil.copy(lost / "var" / "ctxfy.keys", elsewhere)
    server = start_server(lost, **UNLIMITED)
    async with Admin(server.url) as admin:
        kept, gone = await admin.create(user_id="bob"), await admin.create(user_id="ann")
        async with load(server.url, kept) as statuses:
            await operator.run(lost, "db", "backup", str(elsewhere / "night.backup"))
            await admin.ask("DELETE", "/privacy/users/ann")
    assert len(statuses) >= CLIENTS
    assert set(statuses) == {httpx2.codes.OK}
    shutil.copy(lost / "var" / "ctxfy.erasures", elsewhere)
    server.process.kill()
    server.process.wait()
    shutil.rmtree(lost)

    (fresh / "var").mkdir(mode=0o700)
    for name in ("ctxfy.keys", "ctxfy.erasures"):
        shutil.copy(elsewhere / name, fresh / "var")
    told = await operator.run(fresh, "db", "restore", str(elsewhere / "night.backup"))
    assert "Carried out again: 1 erasure since the backup." in told
    assert "all as they were written" in await operator.run(fresh, "audit", "verify")
    began = time.perf_counter()
    server = start_server(fresh, **UNLIMITED)
    operator.seconds["start"] = time.perf_counter() - began
    async with Admin(server.url) as admin:
        assert [await admin.status_of(each) for each in (kept, gone)] == [200, 401]
        assert await admin.status_of(kept, "/privacy/users/ann") == httpx2.codes.FORBIDDEN
        listed = await admin.ask("GET", "/auth/api-keys")
        assert {each["user_id"] for each in listed["api_keys"]} >= {"bob"}
        assert "ann" not in {each["user_id"] for each in listed["api_keys"]}
        verdict = await admin.ask("GET", "/audit/verify")
        assert (verdict["valid"], verdict["events"] > EVENTS) == (True, True)
    size = (elsewhere / "night.backup").stat().st_size / 1e6
    print(f"{EVENTS} events, {size:.0f} MB, {len(statuses)} answers meanwhile")  # noqa: T201
    print(operator.report())  # noqa: T201 - for make recovery
