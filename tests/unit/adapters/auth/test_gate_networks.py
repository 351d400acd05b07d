"""
The gate and keys that are bound to networks.
"""

from ipaddress import ip_network

import pytest

from ctxfy.adapters.auth.client_address import ClientAddresses
from ctxfy.adapters.auth.rate_limiter import MemoryRateLimiter
from ctxfy.core.exceptions import ForeignNetworkError
from ctxfy.core.models.auth_models import RateLimit, Scope
from ctxfy.core.models.limit_models import AccessLimits
from tests.fakes.auth_fakes import FakeApiKeyStore
from tests.unit.adapters.auth.gate_kit import (
    OWN_PAGE,
    Gate,
    Header,
    bearer,
    csrf,
    info_of,
    key_of,
)


# Requests of the gate's tests come from 192.0.2.7.
HERE, ELSEWHERE = ip_network("192.0.2.0/24"), ip_network("10.0.0.0/8")
FIVE_A_MINUTE = RateLimit(requests=5, seconds=60)


def _gate() -> Gate:
    keys = (
        info_of("here", networks=(ELSEWHERE, HERE), scope=Scope.ADMIN),
        info_of("away", networks=(ELSEWHERE,), scope=Scope.ADMIN),
    )
    return Gate(store=FakeApiKeyStore(keys={info.key_id: info for info in keys}))


def _from(address: str) -> Header:
    return (b"x-forwarded-for", address.encode())


@pytest.mark.parametrize("path", ["/prompts", "/auth/api-keys", "/auth/api-keys/current", "/no"])
async def test_a_bound_key_is_good_in_its_networks_alone(path: str) -> None:
    """
    Elsewhere it is 403 on every route that needs a key, without a challenge that asks for another.
    """
    gate = _gate()
    assert (await gate.request("GET", path, bearer(key_of("here")))).status in {200, 404}
    refused = await gate.request("GET", path, bearer(key_of("away")))
    assert (refused.status, b"this network" in refused.body) == (403, True)
    assert "www-authenticate" not in refused.headers
    assert [each and each.key_id for each in gate.inner.principals] == (
        [] if path == "/no" else ["here00000000"]
    )


async def test_what_was_refused_for_its_network_is_told() -> None:
    """
    By reason among the figures, and by key on the log line.
    """
    gate = _gate()
    await gate.request("GET", "/prompts", bearer(key_of("away")))
    assert gate.metrics.authentications == {"granted": 1, "network": 1}
    assert gate.logging.facts["denial"] == "network"
    assert gate.logging.facts["key_id"] == "away00000000"


async def test_on_a_public_route_the_key_is_nobodys() -> None:
    """
    Health answers, and shows what it shows to anybody.
    """
    gate = _gate()
    answers = [
        await gate.request("GET", "/health", bearer(key_of(name))) for name in ("here", "away")
    ]
    assert [answer.status for answer in answers] == [200, 200]
    assert [each and each.key_id for each in gate.inner.principals] == ["here00000000", None]


async def test_an_address_is_believed_from_trusted_proxies_alone() -> None:
    """
    A header of the client's own opens nothing; that of a proxy says where the request comes from.
    """
    gate = _gate()
    claimed = await gate.request("GET", "/prompts", bearer(key_of("away")), _from("10.1.2.3"))
    assert claimed.status == 403
    gate.addresses = ClientAddresses([HERE])
    for address, here, away in (("10.1.2.3", 200, 200), ("203.0.113.5", 403, 403)):
        statuses = [
            (await gate.request("GET", "/prompts", bearer(key_of(name)), _from(address))).status
            for name in ("here", "away")
        ]
        assert statuses == [here, away]


async def test_a_session_follows_its_key() -> None:
    """
    A cookie that was carried elsewhere opens nothing there.
    """
    gate = _gate()
    assert (await gate.request("GET", "/prompts", gate.log_in("here"))).status == 200
    for method, path in (("GET", "/prompts"), ("POST", "/prompts/reload")):
        cookie = gate.log_in("away")
        refused = await gate.request(method, path, cookie, OWN_PAGE, csrf())
        assert refused.status == 403


async def test_refusals_for_a_network_count_for_the_address() -> None:
    """
    Who has a stolen key cannot fill the audit trail with it; the limit of the key itself is spared.
    """
    gate = _gate()
    gate.limiter = MemoryRateLimiter(lambda: 0)
    gate.limits = AccessLimits(key=FIVE_A_MINUTE, failures=FIVE_A_MINUTE)
    statuses = [
        (await gate.request("GET", "/prompts", bearer(key_of("away")))).status for _ in range(7)
    ]
    assert statuses == [403] * 5 + [429] * 2
    assert (await gate.request("GET", "/health", bearer(key_of("away")))).status == 200
    gate.addresses = ClientAddresses([HERE])
    passed = await gate.request("GET", "/prompts", bearer(key_of("away")), _from("10.1.2.3"))
    assert passed.status == 200
    assert (
        await gate.request("GET", "/prompts", bearer(key_of("here")), _from("10.1.2.3"))
    ).status == 200


async def test_a_key_elsewhere_opens_no_session() -> None:
    """
    The log-in form refuses it like any other request.
    """
    gate = _gate()
    scope = {"type": "http", "headers": [], "client": ("192.0.2.7", 1), "state": {"route": "/"}}
    principal = await gate.admission.admit_key(key_of("here"), scope)
    assert principal.key_id == "here00000000"
    with pytest.raises(ForeignNetworkError, match="may not be used from this network"):
        await gate.admission.admit_key(key_of("away"), scope)
