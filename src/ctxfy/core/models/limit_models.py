"""
Rate limits as values.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from ctxfy.core.models.auth_models import RateLimit


class LimitPolicy(StrEnum):
    """
    What is limited; the name of the policy in headers, metrics and logs.
    """

    KEY = "key"
    USER = "user"
    BYTES = "bytes"
    ADDRESS = "address"
    CONCURRENCY = "concurrency"
    PROCESS = "process"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessLimits:
    """
    How often callers may come; None is without a limit.

    Attributes:
        key: For keys that have no limit of their own.
        user: All keys of one user together.
        failures: Credentials that are not known here, by address.
        key_bytes: Bodies sent with one key, in bytes.
    """

    key: RateLimit
    user: RateLimit | None = None
    failures: RateLimit | None = None
    key_bytes: RateLimit | None = None


class Charge(NamedTuple):
    """
    What a request counts for one of its subjects.

    Attributes:
        subject: Such as `key:ID`; nobody's name.
        cost: How many of the limit it takes, at least 1.
    """

    subject: str
    limit: RateLimit
    cost: int = 1


class LimitDecision(NamedTuple):
    """
    Whether a request may pass, and what to tell its caller.

    Attributes:
        remaining: Requests that would pass right now, after this one.
        retry_after: Seconds until this request would pass; 0 if it does.
        reset_after: Seconds until the whole limit is free again.
        arrival: What to keep of the subject for next time: its theoretical arrival time, ns.
    """

    allowed: bool
    remaining: int
    retry_after: float
    reset_after: float
    arrival: int


class Quota(NamedTuple):
    """
    What is left of one policy after a request.
    """

    policy: LimitPolicy
    limit: RateLimit
    decision: LimitDecision


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """
    A circuit breaker in front of a dependency.

    Attributes:
        failures: Since the last success.
        probe_at: When to try again, seconds of a monotonic clock; None while the way is free.
    """

    failures: int = 0
    probe_at: float | None = None

    @property
    def is_open(self) -> bool:
        """
        Whether the dependency is not to be asked.
        """
        return self.probe_at is not None
