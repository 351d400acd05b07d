"""
kill -9 at random moments, while keys are made, rotated and revoked and prompts executed.

Short here; `make kills` does it 50 times on SQLite and 20 times on PostgreSQL. The seed is printed,
and KILL_SEED takes it.
"""

import asyncio
import os
import random  # noqa: TID251 - seeded, so that a failure can be had again
import signal
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import pytest

from tests.e2e.conftest import Server, StartServer, run_command
from tests.e2e.key_kit import UNLIMITED, Admin, Unavailable, events_in
from tests.e2e.waiting import until
from tests.postgres_kit import TestServer


SQLITE_KILLS = int(os.environ.get("SQLITE_KILLS", "3"))
POSTGRES_KILLS = int(os.environ.get("POSTGRES_KILLS", "2"))
SEED = int(os.environ.get("KILL_SEED", "0")) or random.SystemRandom().randrange(1, 2**32)
ACTORS = 4
LONGEST_SECONDS = 0.6 if "SQLITE_KILLS" not in os.environ else 1.5
PROMPT = "---\narguments: {who: {required: true}}\n---\nHello {{ who }}\n"


@dataclass(slots=True)
class Known:
    """
    What one knows of a key.

    Attributes:
        key: The newest whole key that was acknowledged.
        over: Those whose end was acknowledged.
        asked: What was asked of it and never answered: `revoke`, or the rotation's Idempotency-Key.
    """

    key: str
    over: list[str] = field(default_factory=list[str])
    revoked: bool = False
    asked: str = ""


@dataclass(slots=True)
class Witness:
    """
    Remembers what was acknowledged.
    """

    chance: random.Random
    keys: list[Known] = field(default_factory=list[Known])
    executed: list[str] = field(default_factory=list[str])
    rotations: int = 0
    checked: int = 0

    async def act(self, admin: Admin, url: str) -> None:
        """
        Make keys, use them, rotate and revoke them, until the server is gone.
        """
        with suppress(httpx2.TransportError, Unavailable):
            async with httpx2.AsyncClient(base_url=url, timeout=60) as http:
                while True:
                    known = Known(await admin.create())
                    self.keys.append(known)
                    await self._execute(http, known.key)
                    if self.chance.random() < 0.7:
                        await self._rotate(admin, known)
                    if self.chance.random() < 0.4:
                        await self._revoke(admin, known)

    async def _execute(self, http: httpx2.AsyncClient, key: str) -> None:
        answer = await http.post(
            "/prompts/hello/execute",
            json={"arguments": {"who": "Ann"}},
            headers={"authorization": f"Bearer {key}"},
        )
        if answer.status_code == 503:
            raise Unavailable(answer.text)
        assert answer.status_code == 200, answer.text
        self.executed.append(answer.headers["x-request-id"])

    async def _rotate(self, admin: Admin, known: Known) -> None:
        self.rotations += 1
        known.asked = f"rotation-{self.rotations}"
        new = await admin.rotate(known.key, known.asked)
        known.over.append(known.key)
        known.key, known.asked = new, ""

    async def _revoke(self, admin: Admin, known: Known) -> None:
        known.asked = "revoke"
        await admin.revoke(known.key)
        known.revoked, known.asked = True, ""

    async def check(self, admin: Admin) -> None:
        """
        Compare what was acknowledged with what is; what was never answered is asked once more, and
        must have been done wholly or not at all. Of what was checked before, some is again.
        """
        before, new = self.keys[: self.checked], self.keys[self.checked :]
        self.checked = len(self.keys)
        for known in [*self.chance.sample(before, min(10, len(before))), *new]:
            if known.asked == "revoke":
                await self._revoke(admin, known)
            elif known.asked:
                again = await admin.rotate(known.key, known.asked)
                known.over.append(known.key)
                known.key, known.asked = again, ""
            assert await admin.status_of(known.key) == (401 if known.revoked else 200)
            assert [await admin.status_of(old) for old in known.over] == [401] * len(known.over)
        assert (await admin.ask("GET", "/audit/verify"))["valid"]

    def check_events(self, events: str, kept: set[str]) -> None:
        """
        Compare the trail with what was acknowledged: no event is missing, and none is too many.
        """
        told = events_in(events)
        targets = [each["target"] for each in told if each["action"] == "key_created"]
        assert len(targets) == len(set(targets))
        assert {known.key[6:18] for known in self.keys} <= set(targets)
        assert set(targets) == kept
        ended = [each["target"] for each in told if each["action"] == "key_revoked"]
        assert len(ended) == len(set(ended))
        assert {known.key[6:18] for known in self.keys if known.revoked} <= set(ended)
        rotated = [each["target"] for each in told if each["action"] == "key_rotated"]
        assert sorted(rotated) == sorted(known.key[6:18] for known in self.keys for _ in known.over)
        assert set(self.executed) <= {each["request_id"] for each in told}


@pytest.fixture
def prompts(tmp_path: Path) -> Path:
    """
    A folder with one prompt.
    """
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "hello.prompt.md").write_text(PROMPT)
    return tmp_path / "prompts"


@pytest.mark.timeout(60 + 30 * SQLITE_KILLS)
async def test_nothing_acknowledged_is_lost_on_sqlite(
    start_server: StartServer, tmp_path: Path, prompts: Path
) -> None:
    """
    Keys, rotations, revocations, executions and the trail are whole after each kill.
    """
    witness = Witness(random.Random(SEED))  # noqa: S311 - as above
    print(f"KILL_SEED={SEED}")  # noqa: T201 - shown by pytest if it fails
    for _ in range(SQLITE_KILLS):
        server = start_server(tmp_path, prompts=prompts, **UNLIMITED)
        await live(server, witness, [server.process.pid])
    server = start_server(tmp_path, prompts=prompts, **UNLIMITED)
    async with Admin(server.url) as admin:
        await witness.check(admin)
        kept = await admin.key_ids()
    server.stop(signal.SIGKILL)
    check_trail(tmp_path, witness, kept)


@pytest.mark.timeout(90 + 30 * POSTGRES_KILLS)
async def test_nothing_acknowledged_is_lost_on_postgresql(
    start_server: StartServer, tmp_path: Path, prompts: Path
) -> None:
    """
    Likewise, and in every second round PostgreSQL is killed, too.
    """
    witness = Witness(random.Random(SEED))  # noqa: S311 - as above
    print(f"KILL_SEED={SEED}")  # noqa: T201 - shown by pytest if it fails
    with TestServer() as postgres:
        settings = {
            **UNLIMITED,
            "CTXFY_STORAGE__URL": postgres.url(await postgres.create()),
            "CTXFY_AUTH__KEY_FILE": str(tmp_path / "ctxfy.keys"),
        }
        for number in range(POSTGRES_KILLS):
            server = start_server(tmp_path, prompts=prompts, **settings)
            victims = [server.process.pid]
            if number % 2:
                victims.insert(witness.chance.randrange(2), postgres.pid)
            await live(server, witness, victims)
            if number % 2:
                postgres.start_again()
        server = start_server(tmp_path, prompts=prompts, **settings)
        async with Admin(server.url) as admin:
            await witness.check(admin)
            kept = await admin.key_ids()
        await until(lambda: not (tmp_path / "ctxfy.spool").exists())
        server.stop(signal.SIGKILL)
        check_trail(tmp_path, witness, kept, **settings)


async def live(server: Server, witness: Witness, victims: list[int]) -> None:
    """
    Check what was before, then let everybody act at once, and kill at some moment.
    """
    async with Admin(server.url) as admin:
        await witness.check(admin)
        acting = [asyncio.create_task(witness.act(admin, server.url)) for _ in range(ACTORS)]
        await until(lambda: len(witness.keys) > witness.checked)
        await asyncio.sleep(witness.chance.uniform(0, LONGEST_SECONDS))
        for victim in victims:
            os.kill(victim, signal.SIGKILL)
        server.process.wait()
        await asyncio.gather(*acting)


def check_trail(folder: Path, witness: Witness, kept: set[str], **settings: str) -> None:
    """
    Let the commands say, with nothing running, that the trail is whole and tells everything.
    """
    assert witness.keys, "the kills came before anything was acknowledged"
    verified = run_command(folder, "audit", "verify", **settings)
    assert verified.returncode == 0, verified.stdout + verified.stderr
    exported = run_command(folder, "audit", "export", **settings)
    witness.check_events(exported.stdout, kept)
