"""
An event for every request, kept before its answer leaves.
"""

from datetime import UTC, datetime, timedelta

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ctxfy.adapters.audit.refusal_fold import MAX_NETWORKS, RefusalFold
from ctxfy.adapters.audit.request_trail import RequestTrail
from ctxfy.adapters.monitoring.null_tracer import NullTracer
from ctxfy.core.exceptions import CtxfyError, UnavailableError
from ctxfy.core.models.auth_models import Audited, KeyId, Principal, RoutePolicy
from ctxfy.core.models.auth_models import Scope as KeyScope
from tests.fakes.audit_fakes import FakeAuditTrail


NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
ANN = Principal(
    key_id=KeyId("k" * 12), user_id="ann", scope=KeyScope.READ, person_id="person-of-ann"
)
POLICY = RoutePolicy(path="/x", methods=("GET",), scope=KeyScope.READ, action="looked")


class Desk:
    """
    A trail around an application that answers as it is told.
    """

    def __init__(self) -> None:
        self.trail = FakeAuditTrail()
        self.now = NOON
        self.fold = RefusalFold(lambda: self.now)

    async def request(
        self,
        status: int = 200,
        *,
        caller: Principal | None = ANN,
        policy: RoutePolicy | None = POLICY,
        facts: dict[str, object] | None = None,
        error: Exception | None = None,
    ) -> list[Message]:
        """
        Send one request that comes to this; return what was sent back.
        """
        sent: list[Message] = []

        async def inner(scope: Scope, receive: Receive, send: Send) -> None:
            scope["state"] |= {"caller": caller, "policy": policy, "route": "/x"}
            if error is not None:
                raise error
            await PlainTextResponse("hello", status_code=status)(scope, receive, send)

        async def send(message: Message) -> None:
            sent.append({**message, "told": len(self.trail.events)})

        scope: Scope = {
            "type": "http",
            "method": "GET",
            "path": "/x",
            "headers": [],
            "state": {"request_id": "r-1", "facts": facts or {}},
        }
        await self.around(inner)(scope, _nothing, send)
        return sent

    def around(self, app: ASGIApp) -> RequestTrail:
        """
        Put the trail around an application.
        """
        return RequestTrail(
            app,
            trail=self.trail,
            fold=self.fold,
            network_of=lambda _scope: "203.0.113.0/24",
            now=lambda: self.now,
            on_error=_answer_error,
            tracer=NullTracer(),
        )


async def _nothing() -> Message:
    return {"type": "http.disconnect"}


def _answer_error(_scope: Scope, error: CtxfyError) -> ASGIApp:
    return PlainTextResponse(error.code, status_code=503)


async def test_an_event_is_kept_before_the_answer_leaves() -> None:
    """
    When the first byte goes out, the event that tells of it is there already.
    """
    desk = Desk()
    sent = await desk.request(facts={"prompt": "greet", "prompt_version": "2.0"})
    assert [message["told"] for message in sent] == [1, 1]
    (event,) = desk.trail.events
    assert (event.action, event.outcome, event.target) == ("looked", "ok", "greet")
    assert (event.key_id, event.person_id, event.request_id) == (
        ANN.key_id,
        ANN.person_id,
        "r-1",
    )
    assert event.details == {
        "network": "203.0.113.0/24",
        "method": "GET",
        "route": "/x",
        "status": 200,
        "prompt_version": "2.0",
    }


async def test_without_its_event_no_answer_leaves() -> None:
    """
    What cannot be remembered is refused, and nothing of the answer gets out.
    """
    desk = Desk()
    desk.trail.outage = UnavailableError("audit trail", "gone.")
    sent = await desk.request()
    assert sent[0]["status"] == 503
    assert sent[1]["body"] == b"unavailable"


@pytest.mark.parametrize(
    ("status", "facts", "outcome"),
    [
        (200, {}, "ok"),
        (200, {"error_code": "prompt.not_found"}, "prompt.not_found"),
        (403, {"denial": "scope", "error_code": "access.not_authorized"}, "scope"),
        (404, {}, "status_404"),
    ],
)
async def test_the_outcome_is_the_most_exact_there_is(
    status: int, facts: dict[str, object], outcome: str
) -> None:
    """
    A denial's reason goes before an error's code, and that before the bare status.
    """
    desk = Desk()
    await desk.request(status, facts=facts)
    assert [event.outcome for event in desk.trail.events] == [outcome]


async def test_on_mcp_the_method_of_the_protocol_tells_what_was_done() -> None:
    """
    Requests of one address are told apart by what they asked for.
    """
    desk = Desk()
    for method in ("prompts/get", "prompts/list", "ping"):
        await desk.request(facts={"rpc_method": method})
    actions = [event.action for event in desk.trail.events]
    assert actions == ["prompt_executed", "prompts_listed", "looked"]


@pytest.mark.parametrize(
    ("audited", "status", "count"),
    [
        (Audited.ALWAYS, 200, 1),
        (Audited.REFUSALS, 200, 0),
        (Audited.REFUSALS, 403, 1),
        (Audited.NEVER, 403, 0),
    ],
)
async def test_the_policy_says_what_is_remembered(
    audited: Audited, status: int, count: int
) -> None:
    """
    Probes leave nothing, and acts that tell of themselves only their refusals.
    """
    desk = Desk()
    policy = RoutePolicy(path="/x", methods=("GET",), scope=None, action="a", audited=audited)
    await desk.request(status, policy=policy)
    assert len(desk.trail.events) == count


async def test_a_path_that_does_not_exist_is_remembered_too() -> None:
    """
    A known caller that tries addresses leaves an event for each.
    """
    desk = Desk()
    await desk.request(404, policy=None)
    assert [event.action for event in desk.trail.events] == ["unknown_route_called"]


async def test_a_fault_of_ours_is_remembered() -> None:
    """
    A request that came to no answer leaves an event, and the fault goes on its way.
    """
    desk = Desk()
    with pytest.raises(ZeroDivisionError):
        await desk.request(error=ZeroDivisionError())
    assert [event.outcome for event in desk.trail.events] == ["status_500"]


async def test_a_fault_stays_a_fault_when_the_trail_is_away_too() -> None:
    """
    The first trouble is the one that is told.
    """
    desk = Desk()
    desk.trail.outage = UnavailableError("audit trail", "gone.")
    with pytest.raises(ZeroDivisionError):
        await desk.request(error=ZeroDivisionError())
    assert desk.trail.lost == 1


async def test_strangers_are_folded() -> None:
    """
    A thousand refusals of a network in a minute are one event, with their number by outcome.
    """
    desk = Desk()
    for _ in range(1000):
        await desk.request(401, caller=None, facts={"denial": "unknown"})
    await desk.request(401, caller=None, facts={"denial": "malformed"})
    assert desk.trail.events == []
    assert desk.fold.take() == []
    desk.now += timedelta(minutes=1)
    (event,) = desk.fold.take()
    assert (event.action, event.at, event.key_id) == ("strangers_refused", NOON, None)
    assert event.details == {
        "network": "203.0.113.0/24",
        "count": 1001,
        "outcomes": {"unknown": 1000, "malformed": 1},
    }


async def test_a_public_answer_to_a_stranger_leaves_nothing() -> None:
    """
    Only refusals of strangers count.
    """
    desk = Desk()
    await desk.request(200, caller=None)
    assert (desk.trail.events, desk.fold.take(everything=True)) == ([], [])


def test_the_fold_is_bounded() -> None:
    """
    However many networks come, what is beyond the bound is counted together.
    """
    fold = RefusalFold(lambda: NOON)
    for number in range(MAX_NETWORKS + 10):
        fold.count(f"net-{number}", "unknown")
    events = fold.take(everything=True)
    assert len(events) == MAX_NETWORKS + 1
    assert events[-1].details["count"] == 10


async def test_other_scopes_pass() -> None:
    """
    A lifespan goes through untouched.
    """
    desk, seen = Desk(), list[str]()

    async def inner(scope: Scope, _receive: Receive, _send: Send) -> None:
        seen.append(scope["type"])

    await desk.around(inner)({"type": "lifespan"}, _nothing, _unsent)
    assert seen == ["lifespan"]


async def _unsent(_message: Message) -> None:
    raise AssertionError
