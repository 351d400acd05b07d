"""
Tokens of an issuer in place of keys: real keys, and a real server that publishes them.
"""

import asyncio
import hmac
import json
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from ctxfy.app.config import ServerSettings, Settings
from ctxfy.app.jwt_settings import JwtSettings
from ctxfy.app.limit_settings import LimitsSettings
from ctxfy.app.main import create_app
from ctxfy.core.exceptions import ConfigurationError
from ctxfy.core.models.monitoring_models import HealthStatus
from tests.integration.app.app_kit import Client, running, settings_in
from tests.issuer_kit import (
    AUDIENCE,
    ISSUER,
    IssuerServer,
    claims,
    forged,
    issuer_server,
    key_named,
    key_set,
    signed,
)


CURRENT = "/auth/api-keys/current"
METADATA = "https://prompts.example.com/.well-known/oauth-protected-resource/mcp"


@pytest.fixture
def issuer() -> Iterator[IssuerServer]:
    """
    An issuer that publishes one key.
    """
    with issuer_server(key_set(key_named("first"))) as server:
        yield server


def settings_of(folder: Path, url: str, **changed: Any) -> Settings:  # noqa: ANN401 - settings of any kind
    """
    Make settings under which tokens of the issuer are taken.
    """
    given = {
        "issuer": ISSUER,
        "jwks_url": url,
        "admin_scopes": "ctxfy:admin",
        "blocked_users": "mallory",
        "refresh_seconds": 0.1,
    }
    return settings_in(
        folder,
        jwt=JwtSettings.model_validate(given | changed),
        server=ServerSettings(public_url="https://prompts.example.com/", max_body_bytes=100_000),
        limits=LimitsSettings(failure_rate="100000/minute"),
    )


@asynccontextmanager
async def served(folder: Path, url: str, **changed: Any) -> AsyncGenerator[Client]:  # noqa: ANN401 - as above
    """
    Run a server that takes tokens.
    """
    async with running(create_app(settings_of(folder, url, **changed))) as client:
        yield client


async def shown(client: Client, token: str, path: str = CURRENT) -> Any:  # noqa: ANN401 - a response
    """
    GET something with a token.
    """
    return await client.get(path, authorization=f"Bearer {token}")


async def test_a_token_is_as_good_as_a_key_of_its_scope(
    issuer: IssuerServer, tmp_path: Path
) -> None:
    """
    On both surfaces; it has no key to rotate, and what it does is in the trail under its user.
    """
    async with served(tmp_path, issuer.url) as client:
        token = signed(claims())
        me = (await shown(client, token)).json()
        assert (me["user_id"], me["scope"], me["credential"]) == ("ann", "read", "token")
        assert me["key_id"].startswith("jwt_")
        holder = Client(app=client.app, http=client.http, key=token)
        said = await holder.ask_2025("prompts/get", name="greet", arguments={"who": "Bo"})
        assert "Say hello to Bo" in json.dumps(said)
        refused = await holder.post("{}", path="/auth/api-keys/current/rotate")
        assert (refused.status_code, "no key to rotate" in refused.text) == (403, True)
        assert (await shown(client, token, "/auth/api-keys")).status_code == 403
        told = (await client.get("/audit/events?user_id=ann", key=True)).json()["events"]
        assert {event["key_id"] for event in told} == {me["key_id"]}
        assert token not in json.dumps(told)


async def test_a_token_of_scope_admin_makes_keys_within_its_own_bounds(
    issuer: IssuerServer, tmp_path: Path
) -> None:
    """
    As a key of that scope would.
    """
    async with served(tmp_path, issuer.url, prompts_claim="prompts") as client:
        boss = claims(scope=["ctxfy:admin"], prompts=["*"])
        holder = Client(app=client.app, http=client.http, key=signed(boss))
        made = await holder.post('{"user_id": "bob"}', path="/auth/api-keys")
        assert made.status_code == 201
        narrow = Client(
            app=client.app, http=client.http, key=signed(claims(prompts="greet", sub="eve"))
        )
        listed = (await narrow.get("/prompts", key=True)).json()["prompts"]
        assert {prompt["name"] for prompt in listed} == {"greet"}
        assert (await shown(client, signed(claims()))).status_code == 403


HS256_HEADER = b'{"alg":"HS256","kid":"first"}'


def with_public_key_as_secret() -> str:
    """
    The oldest trick: sign with what everybody may read.
    """
    unsigned = forged(HS256_HEADER, json.dumps(claims()).encode())
    secret = key_named("first").as_pem(private=False)
    mac = hmac.digest(secret, unsigned.rstrip(".").encode(), sha256)
    return forged(HS256_HEADER, json.dumps(claims()).encode(), mac)


def doubled(name: str) -> bytes:
    """
    Claims in which one stands twice.
    """
    text = json.dumps(claims())
    return (text[:-1] + f', "{name}": "root"}}').encode()


BAD: dict[str, Callable[[], str]] = {
    "of another issuer": lambda: signed(claims(iss="https://evil.example.com/")),
    "for another audience": lambda: signed(claims(aud="https://other.example.com/mcp")),
    "without an audience": lambda: signed(claims(aud=None)),
    "expired": lambda: signed(claims(exp=claims()["iat"] - 31)),
    "without an end": lambda: signed(claims(exp=None)),
    "without a beginning": lambda: signed(claims(iat=None)),
    "too old": lambda: signed(claims(iat=claims()["iat"] - 90_000)),
    "not good yet": lambda: signed(claims(nbf=claims()["iat"] + 600)),
    "of a blocked user": lambda: signed(claims(sub="mallory")),
    "signed by nobody": lambda: forged(b'{"alg":"none"}', json.dumps(claims()).encode(), b"x"),
    "signed with the public key": with_public_key_as_secret,
    "signed with another key of that name": lambda: signed(
        claims(), key=key_named("other"), kid="first"
    ),
    "of an algorithm that is not set": lambda: signed(claims(), alg="RS512"),
    "with a key of a path": lambda: signed(claims(), key=key_named("other"), kid="../etc/passwd"),
    "with a key of a query": lambda: signed(claims(), key=key_named("other"), kid="' OR 1=1 --"),
    "with keys to fetch": lambda: signed(
        claims(), key=key_named("other"), kid="other", jku="http://127.0.0.1:9/", x5u="https://127.0.0.1:9/"
    ),
    "with a key of its own": lambda: signed(
        claims(), key=key_named("other"), jwk=key_named("other").as_dict(private=False)
    ),
    "with a claim twice": lambda: signed(doubled("sub")),
    "with claims that are none": lambda: signed(b"[1]"),
    "with claims that must be understood": lambda: signed(claims(), crit=["b64"], b64=True),
    "huge": lambda: signed(claims(padding="x" * 9000)),
    "changed": lambda: signed(claims())[:-8] + "AAAAAAAA",
}  # fmt: skip


async def test_bad_tokens_are_refused_and_fetch_nothing(
    issuer: IssuerServer, tmp_path: Path
) -> None:
    """
    Each with 401, the way to a good one, and nothing of what it holds; not one asks the issuer but
    for a key that nobody knows, and those together once in a while.
    """
    async with served(tmp_path, issuer.url, refresh_seconds=300) as client:
        for name, make in BAD.items():
            answer = await shown(client, make())
            assert answer.status_code == 401, name
            assert f'resource_metadata="{METADATA}"' in answer.headers["www-authenticate"]
            assert "mallory" not in answer.text
        assert (await shown(client, signed(claims()))).status_code == 200
        assert issuer.requests == ["/keys"]


async def test_tokens_are_credentials_of_one_form_only(
    issuer: IssuerServer, tmp_path: Path
) -> None:
    """
    As Bearer; not as another header, as a password, in a form, or beside a key.
    """
    async with served(tmp_path, issuer.url) as client:
        token = signed(claims())
        assert (await client.get(CURRENT, x_api_key=token)).status_code == 401
        both = await client.get(CURRENT, x_api_key=client.key, authorization=f"Bearer {token}")
        assert both.status_code == 401
        login = await client.http.post(
            "/login",
            content=f"key={token}",
            headers={
                "origin": "http://localhost",
                "content-type": "application/x-www-form-urlencoded",
            },
        )
        assert login.status_code == 401
        assert (await client.get(CURRENT, key=True)).json()["credential"] == "key"


async def test_clients_are_told_where_tokens_come_from(
    issuer: IssuerServer, tmp_path: Path
) -> None:
    """
    RFC 9728, at both addresses; and in the challenge what to ask for.
    """
    async with served(tmp_path, issuer.url) as client:
        for path in ("", "/mcp"):
            told = await client.get(f"/.well-known/oauth-protected-resource{path}")
            assert told.json() == {
                "resource": AUDIENCE,
                "resource_name": "ctxfy",
                "authorization_servers": [ISSUER],
                "scopes_supported": ["ctxfy:admin", "ctxfy:read", "ctxfy:write"],
                "bearer_methods_supported": ["header"],
            }
        other = await client.get("/.well-known/openid-configuration")
        assert (other.status_code, other.json()) == (404, {"error": "not_found"})
        nothing = await client.get("/prompts")
        assert nothing.headers["www-authenticate"] == (
            f'Bearer realm="ctxfy", scope="ctxfy:read", resource_metadata="{METADATA}"'
        )
        little = await shown(client, signed(claims(scope="openid")))
        assert little.status_code == 403
        assert little.headers["www-authenticate"] == (
            'Bearer realm="ctxfy", error="insufficient_scope", scope="ctxfy:read",'
            f' resource_metadata="{METADATA}"'
        )
        more = await shown(client, signed(claims()), "/auth/api-keys")
        assert 'scope="ctxfy:admin"' in more.headers["www-authenticate"]
        document = (await client.get("/openapi.json", key=True)).json()
        assert "/.well-known/oauth-protected-resource/mcp" in document["paths"]


async def test_nothing_is_different_without_an_issuer(tmp_path: Path) -> None:
    """
    A token is a malformed key, and nobody is told of OAuth.
    """
    async with running(create_app(settings_in(tmp_path))) as client:
        refused = await shown(client, signed(claims()))
        assert (refused.status_code, "malformed" in refused.json()["detail"]) == (401, True)
        assert "resource_metadata" not in refused.headers["www-authenticate"]
        for path in ("", "/mcp"):
            told = await client.get(f"/.well-known/oauth-protected-resource{path}")
            assert (told.status_code, told.json()) == (404, {"error": "not_found"})


async def test_a_new_key_of_the_issuer_is_taken_up_and_an_old_one_dropped(
    issuer: IssuerServer, tmp_path: Path
) -> None:
    """
    At the first token that names it, not at the end of some hour.
    """
    async with served(tmp_path, issuer.url, algorithms="RS256,ES256,Ed25519") as client:
        assert (await shown(client, signed(claims()))).status_code == 200
        elliptic, edwards = key_named("curve", "EC"), key_named("edwards", "OKP")
        issuer.body = key_set(elliptic, edwards)
        await _rested(client)
        for key, algorithm in ((elliptic, "ES256"), (edwards, "Ed25519")):
            answer = await shown(client, signed(claims(), key=key, alg=algorithm))
            assert answer.status_code == 200
        assert (await shown(client, signed(claims()))).status_code == 401


@pytest.mark.parametrize(
    "trouble",
    [
        {"status": 500},
        {"status": 302, "location": "http://127.0.0.1:9/"},
        {"dribble": True},
        {"body": b" " * 300_000},
        {"body": b'{"keys": []}'},
        {"body": b"[" * 5000},
    ],
    ids=["down", "moved", "slow", "huge", "empty", "deep"],
)
async def test_an_issuer_in_trouble_ends_no_known_key(
    issuer: IssuerServer, tmp_path: Path, trouble: dict[str, Any]
) -> None:
    """
    Tokens with keys that are known go on; others are 401, and health warns.
    """
    async with served(tmp_path, issuer.url, fetch_seconds=0.3) as client:
        assert (await shown(client, signed(claims()))).status_code == 200
        for name, value in trouble.items():
            setattr(issuer, name, value)
        await _rested(client)
        unknown = signed(claims(), key=key_named("other"))
        assert (await shown(client, unknown)).status_code == 401
        assert (await shown(client, signed(claims()))).status_code == 200
        assert client.app.wiring.issuer is not None
        checked = await client.app.wiring.issuer.keys.check()
        assert (checked.name, checked.status) == ("token_keys", HealthStatus.WARN)


async def test_an_issuer_that_never_answered_is_an_outage_and_no_refusal(tmp_path: Path) -> None:
    """
    503 with Retry-After: a 401 would send clients to log in; keys work on.
    """
    async with served(tmp_path, "http://127.0.0.1:9/keys") as client:
        answer = await shown(client, signed(claims()))
        assert (answer.status_code, "retry-after" in answer.headers) == (503, True)
        assert "127.0.0.1:9" not in answer.text
        assert (await client.get(CURRENT, key=True)).status_code == 200
        assert (await client.get("/health/ready")).status_code == 200
        checks = (await client.get("/health", key=True)).json()["checks"]
        assert checks["token_keys"][0]["status"] == "warn"


async def test_keys_may_come_from_a_file(tmp_path: Path) -> None:
    """
    For servers that may not reach the issuer.
    """
    file = tmp_path / "keys.json"
    file.write_bytes(key_set(key_named("first")))
    settings = settings_of(tmp_path, "", jwks_url=None, jwks_file=file)
    async with running(create_app(settings)) as client:
        assert (await shown(client, signed(claims()))).status_code == 200


@pytest.mark.parametrize(
    ("changed", "server", "said"),
    [
        ({"jwks_url": None}, "https://x", "exactly one of"),
        ({"jwks_file": "keys.json"}, "https://x", "exactly one of"),
        ({}, None, "CTXFY_SERVER__PUBLIC_URL"),
    ],
)
def test_half_a_set_up_does_not_start(
    tmp_path: Path, changed: dict[str, Any], server: str | None, said: str
) -> None:
    """
    With a sentence that says what is missing.
    """
    settings = settings_of(tmp_path, "https://issuer.example.com/keys", **changed)
    settings = settings.model_copy(update={"server": ServerSettings(public_url=server)})
    with pytest.raises(ConfigurationError, match=said):
        create_app(settings)


async def _rested(client: Client) -> None:
    """
    Wait until the keys may be read again.
    """
    issuer = client.app.wiring.issuer
    assert issuer is not None
    while issuer.keys.is_resting:  # noqa: ASYNC110 - nobody but a test waits for it
        await asyncio.sleep(0.01)
