"""
Admission: how often keys, users and addresses may come.
"""

from collections.abc import Sequence

import pytest

from ctxfy.adapters.auth.admission import Admission, Arrival
from ctxfy.adapters.auth.client_address import ClientAddresses
from ctxfy.adapters.auth.policy import PolicyTable
from ctxfy.adapters.auth.rate_limiter import MemoryRateLimiter
from ctxfy.adapters.auth.request_limits import RequestLimits
from ctxfy.adapters.auth.session_service import SessionService
from ctxfy.adapters.monitoring.null_tracer import NullTracer
from ctxfy.app.routes import route_policies
from ctxfy.core.exceptions import NotAuthenticatedError, RateLimitedError
from ctxfy.core.models.auth_models import (
    Decision,
    DenialReason,
    Denied,
    Granted,
    KeyId,
    Principal,
    RateLimit,
    Scope,
)
from ctxfy.core.models.limit_models import AccessLimits, Charge, LimitDecision
from ctxfy.core.ports.auth_ports import AuthCommandPort
from tests.fakes.auth_fakes import FakeSessionStore
from tests.fakes.monitoring_fakes import RecordingLogging, RecordingMetrics
from tests.unit.adapters.auth.gate_kit import LIFETIMES, NOON, SESSION_MATERIAL


TABLE = PolicyTable(route_policies(public_metrics=False))
ONE_A_MINUTE = RateLimit(requests=1, seconds=60)
TWO_A_MINUTE = RateLimit(requests=2, seconds=60)
THREE_A_MINUTE = RateLimit(requests=3, seconds=60)
MANY = RateLimit(requests=1000, seconds=60)


class Keys:
    """
    An AuthCommandPort: `NAME/USER` is the key of a user, whatever else is what its name says.
    """

    def __init__(self, rate_limit: RateLimit | None = None) -> None:
        self._rate_limit = rate_limit

    async def authenticate(self, api_key: str) -> Decision:
        """
        Let whoever has a user in.
        """
        name, _, user = api_key.partition("/")
        if not user:
            return Denied(reason=DenialReason(name), sentence=f"It is {name}.")
        return Granted(
            principal=Principal(
                key_id=KeyId(f"{name:0<12}"),
                user_id=user,
                scope=Scope.READ,
                rate_limit=self._rate_limit,
            )
        )


class RememberingLimiter(MemoryRateLimiter):
    """
    Writes down whom it was asked about.
    """

    def __init__(self) -> None:
        super().__init__(lambda: 0)
        self.asked: list[str] = []

    async def take(self, charges: Sequence[Charge]) -> tuple[LimitDecision, ...]:
        """
        Count.
        """
        self.asked += [charge.subject for charge in charges]
        return await super().take(charges)


class Desk:
    """
    An admission and what is around it.
    """

    def __init__(self, limits: AccessLimits, *, own: RateLimit | None = None) -> None:
        self.logging = RecordingLogging()
        self.metrics = RecordingMetrics()
        self.limiter = RememberingLimiter()
        keys: AuthCommandPort = Keys(own)  # type: ignore[assignment] # pyright: ignore[reportAssignmentType] - half a port
        self.admission = Admission(
            keys,
            SessionService(
                FakeSessionStore(),
                keys,
                SESSION_MATERIAL,
                lifetimes=LIFETIMES,
                now=lambda: NOON,
                logging=self.logging,
            ),
            limits=RequestLimits(
                self.limiter,
                limits,
                pseudonym=lambda name: f"<{name}>",
                logging=self.logging,
                metrics=self.metrics,
                tracer=NullTracer(),
            ),
            addresses=ClientAddresses(),
            logging=self.logging,
            metrics=self.metrics,
        )

    async def come(
        self, key: str, path: str = "/mcp", address: str = "203.0.113.5", size: int = 0
    ) -> str:
        """
        Come once, and say what came of it.
        """
        scope = {"client": (address, 4711)}
        arrival = Arrival(shown=[(b"x-api-key", key.encode())] if key else [])
        match = TABLE.match(path, "POST" if path == "/mcp" else "GET")
        try:
            admitted = await self.admission.decide(scope, match, arrival)
            admitted = await self.admission.weigh(admitted, size)
        except RateLimitedError as error:
            return f"{error.policies[0]}: wait {error.retry_after}"
        except NotAuthenticatedError:
            return "who?"
        return "in" if admitted.principal else "nobody"


async def test_a_key_without_a_limit_has_the_default_one() -> None:
    """
    One request a minute by setting: the second is told to wait a minute.
    """
    desk = Desk(AccessLimits(key=ONE_A_MINUTE))
    assert [await desk.come("a/ann") for _ in range(2)] == ["in", "key: wait 60"]
    assert (desk.logging.facts["denial"], desk.logging.facts["limit"]) == ("rate", "key")
    assert desk.metrics.limit_decisions == {("key", "allowed"): 1, ("key", "refused"): 1}


async def test_a_limit_of_its_own_goes_before_the_default() -> None:
    """
    A key that may come three times comes three times.
    """
    desk = Desk(AccessLimits(key=ONE_A_MINUTE), own=THREE_A_MINUTE)
    assert [await desk.come("a/ann") for _ in range(4)] == ["in"] * 3 + ["key: wait 20"]


@pytest.mark.parametrize("path", ["/health", "/health/live", "/health/ready", "/register"])
async def test_public_routes_are_never_limited(path: str) -> None:
    """
    A probe that shows a key is not counted.
    """
    desk = Desk(AccessLimits(key=ONE_A_MINUTE, user=ONE_A_MINUTE))
    assert [await desk.come("a/ann", path) for _ in range(3)] == ["in"] * 3
    assert desk.limiter.asked == []


async def test_the_keys_of_one_user_share_the_user_s_limit() -> None:
    """
    Two keys of one user come twice together, and another user's key is not concerned.
    """
    desk = Desk(AccessLimits(key=MANY, user=TWO_A_MINUTE))
    found = [await desk.come(key) for key in ("a/ann", "b/ann", "a/ann", "b/ann", "c/ben")]
    assert found == ["in", "in", "user: wait 30", "user: wait 30", "in"]


async def test_what_is_counted_has_no_names() -> None:
    """
    Ids of keys are public; people and addresses are behind pseudonyms.
    """
    desk = Desk(AccessLimits(key=MANY, user=MANY, failures=MANY, key_bytes=MANY))
    await desk.come("a/ann", size=10)
    await desk.come("unknown")
    assert desk.limiter.asked == [
        "key:a00000000000",
        "user:<ann>",
        "bytes:a00000000000",
        "address:<203.0.113.5>",
    ]


async def test_without_user_and_byte_limits_only_the_key_is_counted() -> None:
    """
    A layer that is not set costs nothing.
    """
    desk = Desk(AccessLimits(key=MANY))
    assert await desk.come("a/ann", size=10**9) == "in"
    assert await desk.come("unknown") == "who?"
    assert desk.limiter.asked == ["key:a00000000000"]


async def test_bytes_are_counted_by_key() -> None:
    """
    Of a thousand bytes a minute, 600 and 400 pass, and then one more waits.
    """
    desk = Desk(AccessLimits(key=MANY, key_bytes=MANY))
    found = [await desk.come("a/ann", size=size) for size in (600, 400, 0, 1)]
    assert found == ["in", "in", "in", "bytes: wait 1"]
    assert await desk.come("b/ann", size=600) == "in"
    assert await desk.come("a/ann", size=600) == "bytes: wait 36"


async def test_failures_are_limited_by_address() -> None:
    """
    The third credential in a minute that nobody knows is told to wait, from this address only.
    """
    desk = Desk(AccessLimits(key=MANY, failures=TWO_A_MINUTE))
    tries = ("unknown", "malformed", "unknown", "unknown")
    assert [await desk.come(key) for key in tries] == ["who?"] * 2 + ["address: wait 30"] * 2
    assert await desk.come("unknown", address="203.0.113.6") == "who?"
    assert desk.metrics.limit_decisions["address", "refused"] == 2
    assert desk.metrics.authentications["unknown"] == 4


async def test_a_valid_key_is_never_locked_out() -> None:
    """
    However often its address failed.
    """
    desk = Desk(AccessLimits(key=MANY, failures=ONE_A_MINUTE))
    for _ in range(50):
        await desk.come("unknown")
    assert [await desk.come("a/ann"), await desk.come("unknown")] == ["in", "address: wait 60"]


@pytest.mark.parametrize("state", ["revoked", "expired", "disabled"])
async def test_a_key_that_was_valid_always_hears_why_it_is_not(state: str) -> None:
    """
    It is no attempt: it does not count, and the address being over does not silence the answer.
    """
    desk = Desk(AccessLimits(key=MANY, failures=ONE_A_MINUTE))
    assert {await desk.come(state) for _ in range(50)} == {"who?"}
    assert [await desk.come("unknown") for _ in range(2)] == ["who?", "address: wait 60"]
    assert await desk.come(state) == "who?"


async def test_no_credential_is_no_attempt() -> None:
    """
    Clients look around before they show their key.
    """
    desk = Desk(AccessLimits(key=MANY, failures=ONE_A_MINUTE))
    assert {await desk.come("") for _ in range(50)} == {"who?"}
    assert desk.limiter.asked == []


async def test_an_attempt_counts_on_public_routes_too() -> None:
    """
    Health tells more to a valid key, so keys could be tried there; it is answered all the same.
    """
    desk = Desk(AccessLimits(key=MANY, failures=TWO_A_MINUTE))
    assert [await desk.come("unknown", "/health") for _ in range(5)] == ["nobody"] * 5
    assert await desk.come("unknown") == "address: wait 30"


async def test_a_key_in_a_form_counts_like_one_in_a_header() -> None:
    """
    What fails at the log-in counts for the address, and a valid key gets in all the same.
    """
    desk = Desk(AccessLimits(key=TWO_A_MINUTE, failures=ONE_A_MINUTE))
    scope = {"headers": [], "client": ("203.0.113.5", 1), "state": {"route": "/login"}}
    with pytest.raises(NotAuthenticatedError):
        await desk.admission.admit_key("unknown", scope)
    with pytest.raises(RateLimitedError, match="From this address"):
        await desk.admission.admit_key("unknown", scope)
    for _ in range(2):
        assert (await desk.admission.admit_key("a/ann", scope)).user_id == "ann"
    with pytest.raises(RateLimitedError, match="This key"):
        await desk.admission.admit_key("a/ann", scope)
