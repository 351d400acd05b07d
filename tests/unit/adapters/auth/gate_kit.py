"""
What the tests of the gate share: the real table, real keys over the fake store, an inner
application that remembers what reached it, and a client that can send what no library would.
"""

import hmac
from collections.abc import Iterable, Mapping, Sequence
from copy import replace
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ctxfy.adapters.auth.admission import Admission
from ctxfy.adapters.auth.api_key_service import ApiKeyService
from ctxfy.adapters.auth.browsers import BrowserDoors
from ctxfy.adapters.auth.client_address import ClientAddresses
from ctxfy.adapters.auth.host_origin import HostOriginPolicy
from ctxfy.adapters.auth.key_material import HmacKeyMaterial
from ctxfy.adapters.auth.middleware import AccessGate, current_principal
from ctxfy.adapters.auth.policy import PolicyTable
from ctxfy.adapters.auth.rate_limiter import NoRateLimiter
from ctxfy.adapters.auth.request_limits import RequestLimits
from ctxfy.adapters.auth.session_material import SessionMaterial
from ctxfy.adapters.auth.session_service import SessionService
from ctxfy.adapters.monitoring.null_tracer import NullTracer
from ctxfy.app.http_errors import error_response
from ctxfy.app.routes import DOCS, LOGIN, route_policies
from ctxfy.core.models.auth_models import (
    ApiKeyDigest,
    ApiKeyInfo,
    KeyId,
    KeyStatus,
    Principal,
    RateLimit,
    RoutePolicy,
)
from ctxfy.core.models.auth_models import Scope as KeyScope
from ctxfy.core.models.limit_models import AccessLimits
from ctxfy.core.models.session_models import SessionLifetimes
from ctxfy.core.ports.auth_ports import RateLimiterPort
from ctxfy.core.use_cases.auth_use_cases import compose_key
from ctxfy.core.use_cases.session_use_cases import begin_session
from tests.fakes.auth_fakes import FakeApiKeyStore, FakeSessionStore
from tests.fakes.monitoring_fakes import FakeClock, RecordingLogging, RecordingMetrics


type Header = tuple[bytes, bytes]

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
PEPPER = bytes(range(32))
MATERIAL = HmacKeyMaterial({1: PEPPER}, lambda count: b"r" * count)
SESSION_MATERIAL = SessionMaterial(PEPPER, lambda count: b"t" * count)
LIFETIMES = SessionLifetimes(idle=timedelta(minutes=30), absolute=timedelta(hours=12))
TOKEN = SESSION_MATERIAL.new_token()
DOORS = BrowserDoors(login=LOGIN, home=DOCS)
POLICIES = route_policies(public_metrics=False)
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY")
LIMIT = 4096
NO_LIMITS = AccessLimits(key=RateLimit(requests=1, seconds=1))  # of which NoRateLimiter takes none
NO_BODY: Sequence[Message] = ({"type": "http.request", "body": b""},)


def key_of(name: str, secret: bytes = b"s" * 32) -> str:
    """
    Make the key whose id is the name, filled up.
    """
    return compose_key(KeyId(f"{name:0<12}"), secret)


def info_of(name: str, **facts: Any) -> ApiKeyInfo:  # noqa: ANN401 - whatever its fields are
    """
    Make what the store keeps of the key of that name: of scope read, unless told otherwise.
    """
    info = ApiKeyInfo(
        key_id=KeyId(f"{name:0<12}"),
        api_key=ApiKeyDigest(hmac.digest(PEPPER, key_of(name).encode(), sha256).hex()),
        user_id=f"user-of-{name}",
        created_at=NOON,
    )
    return replace(info, **facts)


KEYS = (
    info_of("reader"),
    info_of("admin", scope=KeyScope.ADMIN),
    info_of("narrow", prompts=("code-*",)),
    info_of("expired", expires_at=NOON - timedelta(seconds=1)),
    info_of("disabled", status=KeyStatus.DISABLED),
    info_of("revoked", status=KeyStatus.REVOKED, revoked_at=NOON),
)


class InnerApp:
    """
    Stands behind the gate; answers 200 and remembers what it was given.
    """

    def __init__(self) -> None:
        self.scopes: list[Scope] = []
        self.principals: list[Principal | None] = []
        self.incoming: list[Message] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """
        Take whatever comes, twice as much as a body is.
        """
        self.scopes.append(scope)
        self.principals.append(current_principal())
        self.incoming += [await receive(), await receive()]
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"inner"})


@dataclass(slots=True, kw_only=True)
class Answer:
    """
    What came back.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    cookies: Sequence[str] = ()


@dataclass(slots=True)
class Gate:
    """
    A gate and everything around it.

    Attributes:
        behind: Stands in for `inner`, in the tests of what is further in.
    """

    policies: Sequence[RoutePolicy] = POLICIES
    hosts: HostOriginPolicy = field(default_factory=HostOriginPolicy)
    inner: InnerApp = field(default_factory=InnerApp)
    behind: ASGIApp | None = None
    store: FakeApiKeyStore = field(
        default_factory=lambda: FakeApiKeyStore(keys={info.key_id: info for info in KEYS})
    )
    sessions: FakeSessionStore = field(default_factory=FakeSessionStore)
    logging: RecordingLogging = field(default_factory=RecordingLogging)
    metrics: RecordingMetrics = field(default_factory=RecordingMetrics)
    limiter: RateLimiterPort = field(default_factory=NoRateLimiter)
    limits: AccessLimits = NO_LIMITS
    addresses: ClientAddresses = field(default_factory=ClientAddresses)

    async def request(
        self,
        method: str,
        path: str,
        *headers: Header,
        incoming: Iterable[Message] = NO_BODY,
        query: bytes = b"",
        host: str | None = "localhost:8000",
        scheme: str = "http",
    ) -> Answer:
        """
        Send one request; after the incoming messages the client hangs up.
        """
        sent: list[Message] = []
        left = list(incoming)

        async def receive() -> Message:
            return left.pop(0) if left else {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            sent.append(message)

        named = [] if host is None else [(b"host", host.encode("latin-1"))]
        scope: Scope = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": query,
            "scheme": scheme,
            "headers": [*named, *headers],
            "client": ("192.0.2.7", 4711),
        }
        await self.app()(scope, receive, send)
        return Answer(
            status=sent[0]["status"],
            headers={
                name.decode().lower(): value.decode("latin-1") for name, value in sent[0]["headers"]
            },
            body=b"".join(message.get("body", b"") for message in sent[1:]),
            cookies=[
                value.decode("latin-1")
                for name, value in sent[0]["headers"]
                if name == b"set-cookie"
            ],
        )

    def log_in(self, name: str, *, token: str = TOKEN, at: datetime = NOON) -> Header:
        """
        Open a session of the key of that name; returns the cookie that a browser then sends.
        """
        session = begin_session(
            SESSION_MATERIAL.digest(token), KeyId(f"{name:0<12}"), LIFETIMES, at
        )
        self.sessions.sessions[session.token_digest] = session
        return session_cookie(token)

    def app(self, inner: ASGIApp | None = None) -> AccessGate:
        """
        Build the gate, around another application if one is given.
        """
        return AccessGate(
            inner or self.behind or self.inner,
            table=PolicyTable(self.policies),
            hosts=self.hosts,
            admission=self.admission,
            doors=DOORS,
            on_error=error_response,
            max_body_bytes=LIMIT,
            tracer=NullTracer(),
        )

    @property
    def admission(self) -> Admission:
        """
        What decides about callers.
        """
        return Admission(
            self.keys,
            self.session_service,
            limits=RequestLimits(
                self.limiter,
                self.limits,
                pseudonym=lambda name: f"<{name}>",
                logging=self.logging,
                metrics=self.metrics,
                tracer=NullTracer(),
            ),
            addresses=self.addresses,
            logging=self.logging,
            metrics=self.metrics,
        )

    @property
    def keys(self) -> ApiKeyService:
        """
        The service around the keys, with nothing in its cache.
        """
        return ApiKeyService(
            self.store, MATERIAL, now=lambda: NOON, monotonic=FakeClock(), logging=self.logging
        )

    @property
    def session_service(self) -> SessionService:
        """
        The service around the sessions.
        """
        return SessionService(
            self.sessions,
            self.keys,
            SESSION_MATERIAL,
            lifetimes=LIFETIMES,
            now=lambda: NOON,
            logging=self.logging,
        )


def session_cookie(token: str, name: str = "ctxfy_session") -> Header:
    """
    The header that carries a session's token.
    """
    return (b"cookie", f"{name}={token}".encode("latin-1"))


def csrf(token: str = TOKEN) -> Header:
    """
    The header by which a page of ours proves that it may use the session.
    """
    return (b"x-csrf-token", SESSION_MATERIAL.csrf_token(token).encode())


def bearer(api_key: str) -> Header:
    """
    The header that carries a key.
    """
    return (b"authorization", b"Bearer " + api_key.encode())


JSON: Header = (b"content-type", b"application/json")
OWN_PAGE: Header = (b"origin", b"http://localhost:8000")
OWN_FORM: tuple[Header, Header] = (
    OWN_PAGE,
    (b"content-type", b"application/x-www-form-urlencoded"),
)
