"""
Limits in the whole application: each setting does what it says.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from ctxfy.app.config import ServerSettings
from ctxfy.app.limit_settings import LimitsSettings
from ctxfy.app.main import create_app
from ctxfy.app.wiring import Wiring
from ctxfy.core.models.auth_models import KeyId
from ctxfy.core.use_cases.auth_use_cases import compose_key
from tests.integration.app.app_kit import Client, health_says, running, settings_in
from tests.integration.valkey_kit import PATIENT, ValkeyProcess, free_port, until, valkey_process


STRANGER = compose_key(KeyId("stranger0000"), b"s" * 32)
PING = '{"jsonrpc": "2.0", "id": 1, "method": "ping"}'


@asynccontextmanager
async def serving(folder: Path, *, proxies: str = "", **limits: Any) -> AsyncGenerator[Client]:  # noqa: ANN401 - one of each setting
    """
    Serve with these limits.
    """
    settings = settings_in(
        folder,
        limits=LimitsSettings.model_validate(limits),
        server=ServerSettings.model_validate({"trusted_proxies": proxies}),
    )
    async with running(create_app(settings, override=patient)) as client:
        yield client


def patient(wiring: Wiring) -> Wiring:
    """
    Wait for Valkey as long as a busy machine takes.
    """
    if wiring.limiting.shared is not None:
        vars(wiring.limiting.shared)["_patience"] = PATIENT
    return wiring


async def statuses(client: Client, times: int, key: str = "", came_for: str = "") -> list[int]:
    """
    Come some times, one after the other, perhaps as a proxy for somebody.
    """
    headers = {"x-forwarded-for": came_for} if came_for else {}
    return [
        (
            await client.http.get(
                "/auth/api-keys/current",
                headers={"authorization": f"Bearer {key or client.key}"} | headers,
            )
        ).status_code
        for _ in range(times)
    ]


async def test_keys_users_and_bytes_are_limited_as_set(tmp_path: Path) -> None:
    """
    Each on its own: three of a key, five of a user, four hundred bytes of a key.
    """
    async with serving(
        tmp_path, key_rate="3/hour", user_rate="5/hour", key_bytes_per_minute=400
    ) as client:
        first, second = await client.with_key("ann"), await client.with_key("ann")
        assert await statuses(first, 4) == [200, 200, 200, 429]
        assert await statuses(second, 3) == [200, 200, 429]
        other = await client.with_key("ben")
        answer = await other.post(PING + " " * 200)
        assert '"bytes";r=' in answer.headers["ratelimit"]
        large = await other.post(PING + " " * 200)
        assert large.json()["error"]["data"]["violated-policies"] == ["bytes"]
        text = (await client.get("/metrics", key=True)).text
        assert 'ctxfy_rate_limit_decisions_total{outcome="refused",policy="user"} 1.0' in text


async def test_failures_count_for_the_client_behind_a_trusted_proxy(tmp_path: Path) -> None:
    """
    Two addresses behind one proxy are two; a log-in counts like a header.
    """
    async with serving(tmp_path, failure_rate="2/hour", proxies="127.0.0.0/8") as client:
        found = [
            await statuses(client, 3, STRANGER, f"1.1.1.1, 203.0.113.{number}") for number in (5, 6)
        ]
        assert found == [[401, 401, 429]] * 2
        assert await statuses(client, 1, came_for="203.0.113.5") == [200]
        form = {"key": STRANGER, "next": "/"}
        login = await client.http.post(
            "/login",
            data=form,
            headers={"x-forwarded-for": "203.0.113.5", "origin": "http://localhost"},
        )
        assert (login.status_code, "From this address" in login.text) == (429, True)


async def test_a_full_process_answers_probes_and_nobody_else(tmp_path: Path) -> None:
    """
    While one request of one is open, a second is 503 and health is 200.
    """
    async with serving(tmp_path, requests_at_once=1) as client:
        is_open, may_end = asyncio.Event(), asyncio.Event()

        async def slow() -> AsyncGenerator[bytes]:
            yield PING.encode()
            is_open.set()
            await may_end.wait()

        opened = asyncio.create_task(client.post(slow()))
        await is_open.wait()
        refused, health = await client.get("/prompts", key=True), await client.get("/health")
        assert (refused.status_code, refused.json()["code"]) == (503, "overloaded")
        assert (refused.headers["retry-after"], health.status_code) == ("1", 200)
        may_end.set()
        assert (await opened).status_code == 200


async def test_refusals_of_a_key_have_an_end_too(tmp_path: Path) -> None:
    """
    Whoever asks for what is not theirs to ask fills the audit trail only as fast as they may come.
    """
    async with serving(tmp_path, key_rate="2/hour") as client:
        ann = await client.with_key("ann")
        found = [(await ann.get("/auth/api-keys", key=True)).status_code for _ in range(3)]
        assert found == [403, 403, 429]


async def test_servers_share_a_limit_and_keep_their_part_of_it(tmp_path: Path) -> None:
    """
    Ten of a key through two servers in turn; when Valkey is gone, half of ten each, and a warning.
    """
    with valkey_process() as valkey:
        limits: dict[str, Any] = {"url": valkey.url, "key_rate": "10/hour", "replicas": 2}
        async with serving(tmp_path, **limits) as one, serving(tmp_path, **limits) as other:
            found = [await statuses(each, 1) for _ in range(6) for each in (one, other)]
            assert found == [[200]] * 10 + [[429]] * 2
            assert (await health_says(one, "limits", "pass"))["output"] == "Rate limits are shared."
            assert names_in(valkey) == {"key"}
            valkey.kill()
            key = (await one.with_key("ann")).key
            assert await statuses(one, 6, key) == [200] * 5 + [429]
            assert await statuses(other, 6, key) == [200] * 5 + [429]
            assert "ctxfy_rate_limit_degraded 1.0" in (await other.get("/metrics", key=True)).text


async def test_a_server_starts_without_its_valkey(tmp_path: Path) -> None:
    """
    It serves, and says what is amiss.
    """
    async with serving(tmp_path, url=f"valkey://127.0.0.1:{free_port()}/0") as client:
        assert await statuses(client, 1) == [200]
        shared = client.app.wiring.limiting.shared
        assert shared is not None
        await until(lambda: bool(shared.trouble))
        assert "alone" in (await health_says(client, "limits", "warn"))["output"]
        health = await client.get("/health", key=True)
        assert (health.status_code, health.json()["status"]) == (200, "warn")


def names_in(valkey: ValkeyProcess) -> set[str]:
    """
    List what kinds of subjects are kept.
    """
    return {key.decode().split(":")[2] for key in valkey.ask("KEYS", "*")}
