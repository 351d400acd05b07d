"""
Who gets which answer from which route: every route of the table, with every kind of credential.

The routes come from the running application. A new one is walked by itself, and fails until its row
is stated in ROWS: what strangers, and keys of each scope, are answered.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from sqlalchemy import update

from ctxfy.adapters.storage.tables import api_keys
from ctxfy.app.limit_settings import LimitsSettings
from ctxfy.app.main import create_app
from ctxfy.core.models.auth_models import KeyId, KeyStatus, RoutePolicy, Scope
from ctxfy.core.use_cases.auth_use_cases import compose_key
from tests.integration.app.app_kit import Client, running, settings_in


LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
PLACES = {
    "{name}": "greet",
    "{rest:path}": "openid-configuration",
    "{user_id}": "nobody-here",
    "{logger}": "nobody.here",
}
OWN_PAGE = "http://localhost"
NEVER_A_METHOD = "PATCH"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """
    What callers are answered.

    Attributes:
        strangers: Without a credential, and with one that is malformed, unknown, of a wrong secret,
            expired, revoked or disabled.
        narrowed: A key of scope admin that is for one prompt alone.
        body: What is sent.
    """

    strangers: int
    read: int
    write: int
    admin: int
    narrowed: int
    body: str = ""


def for_readers(status: int = 200, *, body: str = "", narrowed: int | None = None) -> Row:
    """
    State that any valid key gets the status; `narrowed` is for one that is narrowed, if it differs.
    """
    narrow = status if narrowed is None else narrowed
    return Row(strangers=401, read=status, write=status, admin=status, narrowed=narrow, body=body)


def for_writers(status: int = 200, *, body: str = "") -> Row:
    """
    State that keys of scope write and admin get it, if they are not narrowed.
    """
    return Row(strangers=401, read=403, write=status, admin=status, narrowed=403, body=body)


def for_admins(status: int = 200, *, body: str = "") -> Row:
    """
    State that keys of scope admin get it, if they are not narrowed.
    """
    return Row(strangers=401, read=403, write=403, admin=status, narrowed=403, body=body)


def for_everybody(status: int = 200, *, body: str = "") -> Row:
    """
    State that it is the same for all the world.
    """
    return Row(
        strangers=status, read=status, write=status, admin=status, narrowed=status, body=body
    )


PING = '{"jsonrpc": "2.0", "id": 1, "method": "ping"}'
ROWS: Mapping[str, Row] = {
    "POST /mcp": for_readers(body=PING),
    "POST /mcp/": for_readers(body=PING),
    "GET /prompts": for_readers(),
    "GET /prompts/{name}": for_readers(),
    "POST /prompts/{name}/execute": for_readers(body='{"arguments": {"who": "Ann"}}'),
    "POST /prompts/reload": for_writers(),
    "GET /auth/api-keys/current": for_readers(),
    "POST /auth/api-keys/current/rotate": for_readers(body="{}"),
    "GET /auth/api-keys": for_admins(),
    "POST /auth/api-keys": for_admins(201, body='{"user_id": "ben"}'),
    "GET /auth/api-keys/{key_id}": for_admins(),
    "DELETE /auth/api-keys/{key_id}": for_admins(204),
    "POST /auth/api-keys/{key_id}/disable": for_admins(),
    "POST /auth/api-keys/{key_id}/enable": for_admins(),
    "POST /auth/api-keys/{key_id}/rotate": for_admins(body="{}"),
    "GET /auth/api-keys/{key_id}/usage": for_admins(),
    "POST /auth/leak-reports": for_admins(body='{"key_ids": ["nobody000000"]}'),
    "GET /audit/events": for_admins(),
    "GET /audit/verify": for_admins(),
    "GET /audit/report": for_admins(),
    "GET /privacy/users/{user_id}": for_admins(404),
    "DELETE /privacy/users/{user_id}": for_admins(404),
    "GET /logging/levels": for_admins(),
    "PUT /logging/levels/{logger}": for_admins(body='{"level": "WARNING"}'),
    "DELETE /logging/levels/{logger}": for_admins(),
    "GET /metrics": for_readers(narrowed=403),
    "GET /docs": for_readers(),
    "GET /docs/prompts/{name}": for_readers(),
    "GET /docs/start": for_readers(),
    "GET /docs/explorer": for_readers(),
    "GET /docs/keys": for_admins(),
    "GET /docs/audit": for_admins(),
    "GET /openapi.json": for_readers(),
    "GET /docs/prompts/{name}.md": for_readers(),
    "GET /llms.txt": for_readers(),
    "GET /docs/assets/{name}": for_everybody(404),
    "GET /health": for_everybody(),
    "GET /health/live": for_everybody(),
    "GET /health/ready": for_everybody(),
    "GET /login": for_everybody(),
    "POST /login": for_everybody(401, body="key=nonsense"),
    "GET /login/style.css": for_everybody(),
    "POST /logout": for_everybody(303),
    "GET /.well-known/{rest:path}": for_everybody(404),
    "POST /.well-known/{rest:path}": for_everybody(404),
    "GET /register": for_everybody(404),
    "POST /register": for_everybody(404),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Callers:
    """
    Everybody who may come.

    Attributes:
        strangers: The key that each shows; None for nothing.
    """

    client: Client
    strangers: Mapping[str, str | None]

    async def walk(self, method: str, policy: RoutePolicy, body: str) -> dict[str, int]:
        """
        Let all of them ask for a route; those with a valid key by a fresh one each, so that what
        was done to a key hinders nobody after.
        """
        found: dict[str, int] = {}
        for name, key in {**self.strangers, **await self._keys()}.items():
            answer = await self.client.http.request(
                method,
                await self._address(policy),
                content=body,
                headers={"accept": "application/json, text/event-stream", "origin": OWN_PAGE}
                | ({"content-type": policy.consumes} if policy.consumes else {})
                | ({"authorization": f"Bearer {key}"} if key else {}),
            )
            found[name] = int(answer.status_code)
        return found

    def stated(self, row: Row) -> dict[str, int]:
        """
        Say what a row states of each of them.
        """
        known = {"read": row.read, "write": row.write, "admin": row.admin, "narrowed": row.narrowed}
        return dict.fromkeys(self.strangers, row.strangers) | known

    async def _keys(self) -> dict[str, str | None]:
        made = {str(scope): await self.client.with_key("ann", scope=scope) for scope in Scope}
        made["narrowed"] = await self.client.with_key("ann", scope=Scope.ADMIN, prompts=["greet"])
        return {name: each.key for name, each in made.items()}

    async def _address(self, policy: RoutePolicy) -> str:
        path = policy.path
        for place, value in PLACES.items():
            path = path.replace(place, value)
        if "{key_id}" in path:
            path = path.replace("{key_id}", (await self.client.with_key("target")).key[6:18])
        return path


@pytest.fixture(scope="module")
async def callers(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Callers]:
    """
    Callers of a server that does not count failures: this asks for hundreds of them.
    """
    limits = LimitsSettings(key_rate="1000000/minute", failure_rate="1000000/minute")
    settings = settings_in(tmp_path_factory.mktemp("matrix"), limits=limits)
    async with running(create_app(settings)) as client:
        yield Callers(client=client, strangers=await _strangers(client))


async def _strangers(client: Client) -> dict[str, str | None]:
    keys, database = client.app.wiring.keys, client.app.wiring.storage.database
    valid, expired, revoked, disabled = [
        (await client.with_key("zoe", scope=Scope.ADMIN)).key for _ in range(4)
    ]
    await keys.revoke_api_key(KeyId(revoked[6:18]))
    await keys.set_api_key_status(KeyId(disabled[6:18]), KeyStatus.DISABLED)
    over = update(api_keys).where(api_keys.c.key_id == expired[6:18]).values(expires_at=LONG_AGO)
    await database.write(lambda connection: connection.execute(over))
    keys.forget()
    return {
        "no credential": None,
        "malformed": valid[:-1],
        "unknown": compose_key(KeyId("nobody000000"), b"n" * 32),
        "wrong secret": compose_key(KeyId(valid[6:18]), b"w" * 32),
        "expired": expired,
        "revoked": revoked,
        "disabled": disabled,
    }


async def test_every_route_answers_every_credential_as_stated(callers: Callers) -> None:
    """
    Whatever comes, the status is the one of the row; HEAD is answered like GET.
    """
    policies = {
        f"{method} {policy.path}": policy
        for policy in callers.client.app.wiring.policies
        for method in policy.methods
    }
    assert sorted(policies) == sorted(ROWS), "state a row in ROWS for each route of the table"
    for route, row in ROWS.items():
        method = route.partition(" ")[0]
        for asked in ("GET", "HEAD") if method == "GET" else (method,):
            found = await callers.walk(asked, policies[route], row.body)
            assert found == callers.stated(row), f"{asked} {policies[route].path}"


async def test_a_method_that_a_route_lacks_is_told_only_to_who_may_use_it(
    callers: Callers,
) -> None:
    """
    405 in place of the answer, and the refusal where there would have been one.
    """
    first = {policy.path: policy for policy in reversed(callers.client.app.wiring.policies)}
    for path, policy in first.items():
        stated = callers.stated(ROWS[f"{policy.methods[0]} {path}"])
        refused = set() if policy.scope is None else {401, 403}
        found = await callers.walk(NEVER_A_METHOD, policy, "")
        assert found == {
            name: status if status in refused else 405 for name, status in stated.items()
        }, path


async def test_what_is_no_route_is_told_to_keys_alone(callers: Callers) -> None:
    """
    404 to a valid key, 401 to all others: strangers do not learn what there is.
    """
    nowhere = RoutePolicy(path="/no/such/route", methods=(), scope=Scope.READ)
    for method in ("GET", "POST", "OPTIONS", "TRACE"):
        found = await callers.walk(method, nowhere, "")
        assert found == callers.stated(for_readers(404)), method
