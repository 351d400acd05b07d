"""
Admission: how often a key may come.
"""

from ctxfy.adapters.auth.admission import Admission
from ctxfy.adapters.auth.policy import PolicyTable
from ctxfy.adapters.auth.rate_limiter import MemoryRateLimiter
from ctxfy.adapters.auth.session_service import SessionService
from ctxfy.app.routes import route_policies
from ctxfy.core.exceptions import RateLimitedError
from ctxfy.core.models.auth_models import (
    Decision,
    Granted,
    KeyId,
    Principal,
    RateLimit,
    Scope,
)
from ctxfy.core.ports.auth_ports import AuthCommandPort
from tests.fakes.auth_fakes import FakeSessionStore
from tests.fakes.monitoring_fakes import RecordingLogging, RecordingMetrics
from tests.unit.adapters.auth.gate_kit import LIFETIMES, NOON, SESSION_MATERIAL


TABLE = PolicyTable(route_policies(public_metrics=False))
BEARER = [(b"authorization", b"Bearer whatever")]
ONE_A_MINUTE = RateLimit(requests=1, seconds=60)


class OneKey:
    """
    An AuthCommandPort that knows a single caller, whatever the key.
    """

    def __init__(self, rate_limit: RateLimit | None) -> None:
        self._principal = Principal(
            key_id=KeyId("AAAAAAAAAAAA"), user_id="ann", scope=Scope.READ, rate_limit=rate_limit
        )

    async def authenticate(self, api_key: str) -> Decision:
        """
        Let the caller in.
        """
        return Granted(principal=self._principal)

    async def validate_api_key(self, api_key: str) -> bool:
        """
        Say yes.
        """
        return True

    async def create_api_key(self, user_id: str, **wishes: object) -> str:
        """
        Refuse: nobody asks here.
        """
        raise AssertionError(user_id, wishes)

    async def revoke_api_key(self, key_id: KeyId) -> None:
        """
        Refuse: nobody asks here.
        """
        raise AssertionError(key_id)


async def outcomes(
    path: str, *, own: RateLimit | None, default: RateLimit, times: int
) -> list[str]:
    """
    Come some times, and say what came of each.
    """
    logging = RecordingLogging()
    key: AuthCommandPort = OneKey(own)  # type: ignore[assignment] # pyright: ignore[reportAssignmentType] - half a port
    admission = Admission(
        key,
        SessionService(
            FakeSessionStore(),
            key,
            SESSION_MATERIAL,
            lifetimes=LIFETIMES,
            now=lambda: NOON,
            logging=logging,
        ),
        limiter=MemoryRateLimiter(lambda: 0),
        key_rate=default,
        logging=logging,
        metrics=RecordingMetrics(),
    )
    match = TABLE.match(path, "POST" if path == "/mcp" else "GET")
    found: list[str] = []
    for _ in range(times):
        try:
            await admission.decide(BEARER, match)
        except RateLimitedError as error:
            found.append(f"wait {error.retry_after}")
        else:
            found.append("in")
    return found


async def test_a_key_without_a_limit_has_the_default_one() -> None:
    """
    One request a minute by setting: the second is told to wait a minute.
    """
    found = await outcomes("/mcp", own=None, default=ONE_A_MINUTE, times=2)
    assert found == ["in", "wait 60"]


async def test_a_limit_of_its_own_goes_before_the_default() -> None:
    """
    A key that may come three times comes three times.
    """
    three = RateLimit(requests=3, seconds=60)
    found = await outcomes("/mcp", own=three, default=ONE_A_MINUTE, times=4)
    assert found == ["in", "in", "in", "wait 20"]


async def test_health_is_never_limited() -> None:
    """
    A probe that shows a key is not counted.
    """
    found = await outcomes("/health", own=ONE_A_MINUTE, default=ONE_A_MINUTE, times=3)
    assert found == ["in", "in", "in"]
