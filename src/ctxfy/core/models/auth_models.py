"""
Keys, scopes and what was decided about a caller (specification 2.2.3).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NewType

from ctxfy.core.models.address_models import Network


KeyId = NewType("KeyId", str)
"""
Public, stable name of a key: twelve base62 characters.
"""

ApiKeyDigest = NewType("ApiKeyDigest", str)
"""
HMAC-SHA-256 of a whole key under a pepper, 64 hex characters. Never the secret.
"""


STATIC = 0
"""
In place of a pepper's number: a digest from the settings. No row of the store is believed with it.
"""


class Scope(StrEnum):
    """
    What a key may do; each scope includes the ones before it.
    """

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"

    @property
    def rank(self) -> int:
        """
        Position in the order read < write < admin.
        """
        return _RANKS[self]

    def covers(self, other: "Scope") -> bool:
        """
        Whether this scope includes the other.
        """
        return _RANKS[self] >= _RANKS[other]


_RANKS: Mapping[Scope, int] = {Scope.READ: 0, Scope.WRITE: 1, Scope.ADMIN: 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSecret:
    """
    A whole key that is to take the place of another with the same id.
    """

    whole: str = field(repr=False)
    api_key: ApiKeyDigest = field(repr=False)
    pepper_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDigest:
    """
    Another digest of the same secret, under another pepper.

    Attributes:
        before: The digest it takes the place of, of the key's secret or of its old one.
    """

    key_id: KeyId
    before: ApiKeyDigest = field(repr=False)
    api_key: ApiKeyDigest = field(repr=False)
    pepper_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RotatedKey:
    """
    What came of a rotation: the whole key, and what is known of it now.
    """

    whole: str = field(repr=False)
    info: "ApiKeyInfo"


class KeyStatus(StrEnum):
    """
    The life of a key, expiry apart.
    """

    ACTIVE = "active"
    DISABLED = "disabled"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit:
    """
    So many requests in so many seconds.
    """

    requests: int
    seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OldSecret:
    """
    The secret a key had before its last rotation, good for a while longer.
    """

    api_key: ApiKeyDigest = field(repr=False)
    pepper_id: int
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeyInfo:
    """
    What is known of a key.

    Attributes:
        api_key: The digest, never the secret.
        pepper_id: Which pepper made the digest.
        user_id: The person or service the key belongs to, clear.
        person_id: The random id that stands for this person wherever the name must not.
        scope: The widest thing the key may do.
        prompts: Globs over prompt names; the key sees only prompts that match one.
        networks: Where the key may be shown; none: anywhere.
        old_secret: What was the secret before; a key has at most two.
    """

    key_id: KeyId
    api_key: ApiKeyDigest = field(repr=False)
    user_id: str
    created_at: datetime
    last_used_at: datetime | None = None
    expires_at: datetime | None = None
    scope: Scope = Scope.READ
    pepper_id: int = 1
    name: str = ""
    status: KeyStatus = KeyStatus.ACTIVE
    prompts: tuple[str, ...] = ("*",)
    networks: tuple[Network, ...] = ()
    rate_limit: RateLimit | None = None
    revoked_at: datetime | None = None
    created_by: KeyId | None = None
    person_id: str | None = field(default=None, compare=False)
    old_secret: OldSecret | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeyRequest:
    """
    A wish for a key.

    Attributes:
        ttl_hours: Life in hours, or None for one without an end.
        networks: Where it may be shown; none: anywhere.
    """

    user_id: str
    scope: Scope = Scope.READ
    ttl_hours: int | None = None
    name: str = ""
    prompts: tuple[str, ...] = ("*",)
    networks: tuple[Network, ...] = ()
    rate_limit: RateLimit | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedKey:
    """
    A credential whose form and checksum are right; it says nothing about its being known.
    """

    key_id: KeyId
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """
    Who is calling, as far as anything behind the gate needs to know.

    Attributes:
        networks: Where the key may be shown; none: anywhere.
        by_old_secret: Whether the key was shown with its secret from before the last rotation.
        by_token: Whether a token of another issuer was shown, and there is no key: the id then
            stands for this user of that issuer.
    """

    key_id: KeyId
    user_id: str
    scope: Scope
    prompts: tuple[str, ...] = ("*",)
    networks: tuple[Network, ...] = ()
    expires_at: datetime | None = None
    name: str = ""
    rate_limit: RateLimit | None = None
    person_id: str | None = None
    by_old_secret: bool = False
    by_token: bool = False

    @property
    def is_narrowed(self) -> bool:
        """
        Whether the key sees only some prompts.
        """
        return "*" not in self.prompts


class DenialReason(StrEnum):
    """
    Why a caller was refused; safe as a metric label.
    """

    MISSING = "missing"
    AMBIGUOUS = "ambiguous"
    MALFORMED = "malformed"
    UNKNOWN = "unknown"
    DISABLED = "disabled"
    REVOKED = "revoked"
    EXPIRED = "expired"
    SESSION = "session"
    FORGED = "forged"
    SCOPE = "scope"
    NARROWED = "narrowed"
    NETWORK = "network"
    TOKEN = "token"  # noqa: S105 - a word # nosec B105


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """
    The caller is who it says.
    """

    principal: Principal


@dataclass(frozen=True, slots=True, kw_only=True)
class Denied:
    """
    The caller is refused; `sentence` may be shown.
    """

    reason: DenialReason
    sentence: str


type Decision = Granted | Denied


class Audited(StrEnum):
    """
    Which requests of a route get an event of their own in the audit trail.
    """

    ALWAYS = "always"
    REFUSALS = "refusals"
    """
    What is done there is told by an event in the transaction that does it; only refusals are left.
    """
    NEVER = "never"
    """
    Probes, scrapes, and pages that hold nothing of anybody.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutePolicy:
    """
    Who may use a route. The routes are registered from these, so none can be without one.

    Attributes:
        path: A literal path, or a template with `{name}` segments; `{rest:path}` takes the rest.
        methods: In capitals. HEAD comes with GET.
        scope: The least scope, or None for a public route (a key is then read if it is valid).
        narrowed: Whether a key that sees only some prompts may use it.
        any_host: Whether the Host header is not checked (probes come by address).
        consumes: The media type a body must have, or None if none is read.
        max_body_bytes: The largest body, if it is less than what the settings allow.
        sessions: Whether a browser session counts as a credential.
        login: Whether a browser without a credential is sent to the log-in page.
        form: Whether it is for forms of our own pages: the same Origin, with a session or without.
        action: What a request does, for the audit trail: past-tense snake case.
        audited: Which requests are remembered.
    """

    path: str
    methods: tuple[str, ...]
    scope: Scope | None
    narrowed: bool = True
    any_host: bool = False
    consumes: str | None = None
    max_body_bytes: int | None = None
    sessions: bool = True
    login: bool = True
    form: bool = False
    action: str = ""
    audited: Audited = Audited.ALWAYS
