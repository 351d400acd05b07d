"""
Requests at the same time: of the process, and of each key.
"""

import asyncio
import json
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from ctxfy.adapters.auth.capacity import KeyCapacity, ProcessCapacity
from ctxfy.app.http_errors import error_response
from ctxfy.core.models.auth_models import KeyId, Principal
from ctxfy.core.models.auth_models import Scope as KeyScope
from tests.fakes.monitoring_fakes import RecordingLogging, RecordingMetrics


class SlowApp:
    """
    Answers when it is let go on; may fail then.
    """

    def __init__(self) -> None:
        self.go_on = asyncio.Event()
        self.fails = False
        self.scopes: list[Scope] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """
        Serve a request.
        """
        self.scopes.append(scope)
        await self.go_on.wait()
        if self.fails:
            raise ValueError
        await send({"type": "http.response.start", "status": 200, "headers": []})


class Hall:
    """
    A slow application behind one of the two.
    """

    def __init__(self, kind: type[ProcessCapacity | KeyCapacity], limit: int) -> None:
        self.inner = SlowApp()
        self.logging = RecordingLogging()
        self.metrics = RecordingMetrics()
        options: dict[str, Any] = {"exempt": ["/health"]} if kind is ProcessCapacity else {}
        self.app = kind(
            self.inner,
            limit=limit,
            on_error=error_response,
            logging=self.logging,
            metrics=self.metrics,
            **options,
        )

    async def ask(self, path: str = "/prompts", key: str | None = "a") -> list[Message]:
        """
        Send a request; gives the messages of the answer.
        """
        sent: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            sent.append(message)

        principal = key and Principal(key_id=KeyId(key), user_id="ann", scope=KeyScope.READ)
        scope = {"type": "http", "path": path, "state": {"principal": principal or None}}
        await self.app(scope, receive, send)
        return sent

    async def crowd(self, *keys: str | None) -> list[asyncio.Task[list[Message]]]:
        """
        Send requests that stay open.
        """
        asked = [asyncio.create_task(self.ask(key=key)) for key in keys]
        await asyncio.sleep(0)
        return asked


async def test_a_full_process_answers_503_at_once() -> None:
    """
    With Retry-After and the type for it; whoever is being served is not disturbed.
    """
    hall = Hall(ProcessCapacity, 2)
    served = await hall.crowd("a", "b")
    start, body = await hall.ask()
    problem = json.loads(body["body"])
    assert (start["status"], dict(start["headers"])[b"retry-after"]) == (503, b"1")
    assert problem["type"].endswith("#temporary-reduced-capacity")
    assert problem["code"] == "overloaded"
    assert hall.metrics.limit_decisions == {("process", "refused"): 1}
    assert (hall.logging.facts["denial"], hall.logging.facts["limit"]) == ("concurrency", "process")
    hall.inner.go_on.set()
    assert [answer[0]["status"] for answer in await asyncio.gather(*served)] == [200, 200]


async def test_on_mcp_the_refusal_is_json_rpc() -> None:
    """
    With a code of its own.
    """
    hall = Hall(ProcessCapacity, 1)
    served = await hall.crowd("a")
    _, body = await hall.ask("/mcp")
    error = json.loads(body["body"])["error"]
    assert (error["code"], error["data"]["retryAfterSeconds"]) == (-32010, 1)
    hall.inner.go_on.set()
    await asyncio.gather(*served)


async def test_probes_are_answered_however_full_it_is() -> None:
    """
    They are not counted either.
    """
    hall = Hall(ProcessCapacity, 1)
    probes = [asyncio.create_task(hall.ask("/health")) for _ in range(5)]
    await asyncio.sleep(0)
    assert hall.metrics.in_progress() == 0
    served = await hall.crowd("a")
    assert hall.metrics.in_progress() == 1
    hall.inner.go_on.set()
    answers = await asyncio.gather(*probes, *served)
    assert {answer[0]["status"] for answer in answers} == {200}


@pytest.mark.parametrize("kind", [ProcessCapacity, KeyCapacity])
@pytest.mark.parametrize("end", ["well", "error", "cancelled"])
async def test_room_is_given_back_however_a_request_ends(
    kind: type[ProcessCapacity | KeyCapacity], end: str
) -> None:
    """
    Well, with an error, or because the caller left.
    """
    hall = Hall(kind, 1)
    (served,) = await hall.crowd("a")
    hall.inner.fails = end == "error"
    if end == "cancelled":
        served.cancel()
    else:
        hall.inner.go_on.set()
    await asyncio.gather(served, return_exceptions=True)
    hall.inner.fails = False
    hall.inner.go_on.set()
    assert (await hall.ask())[0]["status"] == 200
    assert not vars(hall.app)["_open"]


async def test_a_key_with_too_many_open_is_answered_429() -> None:
    """
    Its policy is told with its unit; other keys are not concerned, nor is who has none.
    """
    hall = Hall(KeyCapacity, 2)
    served = await hall.crowd("a", "a", "b", None, None, None)
    assert len(hall.inner.scopes) == 6
    start, body = await hall.ask(key="a")
    headers = dict(start["headers"])
    assert (start["status"], headers[b"retry-after"]) == (429, b"1")
    assert headers[b"ratelimit-policy"] == b'"concurrency";q=2;qu="concurrent-requests"'
    assert headers[b"ratelimit"] == b'"concurrency";r=0;t=1'
    assert json.loads(body["body"])["violated-policies"] == ["concurrency"]
    assert hall.metrics.limit_decisions == {("concurrency", "refused"): 1}
    hall.inner.go_on.set()
    assert len(await asyncio.gather(*served)) == 6


@pytest.mark.parametrize("kind", [ProcessCapacity, KeyCapacity])
async def test_other_scopes_pass(kind: type[ProcessCapacity | KeyCapacity]) -> None:
    """
    The lifespan is no request.
    """
    hall = Hall(kind, 1)
    hall.inner.go_on.set()

    async def receive() -> Message:
        return {"type": "lifespan.startup"}

    async def send(message: Message) -> None:
        del message

    await hall.app({"type": "lifespan"}, receive, send)
    assert hall.inner.scopes == [{"type": "lifespan"}]
