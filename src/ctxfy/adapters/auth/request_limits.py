"""
The limits of callers: what a request counts for, and what is said about it.
"""

from collections.abc import Callable, Sequence

from ctxfy.core.exceptions import RateLimitedError
from ctxfy.core.models.auth_models import Principal
from ctxfy.core.models.limit_models import AccessLimits, Charge, LimitPolicy, Quota
from ctxfy.core.models.trace_models import Step
from ctxfy.core.ports.auth_ports import RateLimiterPort
from ctxfy.core.ports.monitoring_ports import LoggingPort, MetricsPort, TracerPort


type Claims = Sequence[tuple[LimitPolicy, Charge]]


class RequestLimits:
    """
    Charges requests to keys and users, and failures to addresses.

    Args:
        limits: How often callers may come.
        pseudonym: Makes of a person's name or an address what may stand in a store of counts.
    """

    def __init__(
        self,
        limiter: RateLimiterPort,
        limits: AccessLimits,
        *,
        pseudonym: Callable[[str], str],
        logging: LoggingPort,
        metrics: MetricsPort,
        tracer: TracerPort,
    ) -> None:
        self._limiter = limiter
        self._limits = limits
        self._pseudonym = pseudonym
        self._logging = logging
        self._metrics = metrics
        self._tracer = tracer

    async def count_request(self, principal: Principal) -> tuple[Quota, ...]:
        """
        Count a request for its key, and for its user if users have a limit.

        Raises:
            RateLimitedError: It is one too many.
        """
        limit = principal.rate_limit or self._limits.key
        claims = [(LimitPolicy.KEY, Charge(subject=f"key:{principal.key_id}", limit=limit))]
        if self._limits.user is not None:
            subject = f"user:{self._pseudonym(principal.user_id)}"
            claims.append((LimitPolicy.USER, Charge(subject=subject, limit=self._limits.user)))
        return await self._take(claims)

    async def count_bytes(
        self, principal: Principal, size: int, quotas: tuple[Quota, ...]
    ) -> tuple[Quota, ...]:
        """
        Count the bytes of a body for the key that sent it.

        Args:
            principal: Whose key it is.
            size: In bytes.
            quotas: What was found about the request before.

        Raises:
            RateLimitedError: They are too many.
        """
        if self._limits.key_bytes is None or not size:
            return quotas
        charge = Charge(
            subject=f"bytes:{principal.key_id}", limit=self._limits.key_bytes, cost=size
        )
        return await self._take([(LimitPolicy.BYTES, charge)], quotas)

    async def count_failure(self, address: str) -> None:
        """
        Count a credential that is not known here for the address it came from.

        Raises:
            RateLimitedError: It is one too many.
        """
        if self._limits.failures is not None:
            subject = f"address:{self._pseudonym(address)}"
            charge = Charge(subject=subject, limit=self._limits.failures)
            await self._take([(LimitPolicy.ADDRESS, charge)])

    async def _take(self, claims: Claims, before: tuple[Quota, ...] = ()) -> tuple[Quota, ...]:
        with self._tracer.span(Step.LIMITS):
            decisions = await self._limiter.take([charge for _, charge in claims])
        allowed, quotas = True, list(before)
        for (policy, charge), decision in zip(claims, decisions, strict=True):
            quotas.append(Quota(policy=policy, limit=charge.limit, decision=decision))
            allowed = allowed and decision.allowed
            outcome = "allowed" if decision.allowed else "refused"
            self._metrics.record_limit_decision(policy, outcome)
        if not allowed:
            error = RateLimitedError(quotas)
            self._logging.annotate(denial="rate", limit=error.policies[0])
            raise error
        return tuple(quotas)
