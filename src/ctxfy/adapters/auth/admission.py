"""
Who is calling, whether the route is theirs to call, and whether they came too often.
"""

from ctxfy.adapters.auth.credentials import Headers, read_credential
from ctxfy.adapters.auth.policy import RouteMatch
from ctxfy.core.exceptions import (
    NotAuthenticatedError,
    NotAuthorizedError,
    RateLimitedError,
    UnavailableError,
)
from ctxfy.core.models.auth_models import (
    DenialReason,
    Denied,
    Principal,
    RateLimit,
    RoutePolicy,
)
from ctxfy.core.ports.auth_ports import AuthCommandPort, RateLimiterPort
from ctxfy.core.ports.monitoring_ports import LoggingPort, MetricsPort
from ctxfy.core.use_cases.auth_use_cases import decide_authorization


class Admission:
    """
    Decides about callers: authenticate, authorize, limit; and tells what it decided.

    Args:
        key_rate: The limit of keys that have none of their own.
    """

    def __init__(
        self,
        auth: AuthCommandPort,
        *,
        limiter: RateLimiterPort,
        key_rate: RateLimit,
        logging: LoggingPort,
        metrics: MetricsPort,
    ) -> None:
        self._auth = auth
        self._limiter = limiter
        self._key_rate = key_rate
        self._logging = logging
        self._metrics = metrics

    async def decide(self, headers: Headers, match: RouteMatch) -> Principal | None:
        """
        Return who is calling; None on a public route without a valid key.

        Raises:
            NotAuthenticatedError: No valid key came, and the route needs one.
            NotAuthorizedError: The route is not this key's to call.
            RateLimitedError: The key came too often.
            UnavailableError: The keys are out of reach.
        """
        policy = match.guard
        principal = await self._authenticate(headers, policy)
        if principal is None:
            return None
        self._logging.annotate(user_id=principal.user_id, key_id=principal.key_id)
        self._metrics.record_api_key_usage(principal.key_id, match.route or "")
        if policy.scope is not None:
            self._authorize(principal, policy)
            await self._limit(principal)
        return principal

    async def _authenticate(self, headers: Headers, policy: RoutePolicy) -> Principal | None:
        credential = read_credential(headers)
        try:
            decision = (
                credential
                if isinstance(credential, Denied)
                else await self._auth.authenticate(credential)
            )
        except UnavailableError:
            # Health must answer while the store is down; nobody is let in by this.
            if policy.scope is None:
                return None
            raise
        if not isinstance(decision, Denied):
            self._metrics.record_authentication("granted")
            return decision.principal
        if decision.reason is not DenialReason.MISSING or policy.scope is not None:
            self._note(decision)
        if policy.scope is None:
            return None
        raise NotAuthenticatedError(
            decision.sentence, presented=decision.reason is not DenialReason.MISSING
        )

    def _authorize(self, principal: Principal, policy: RoutePolicy) -> None:
        denied = decide_authorization(policy, principal)
        if denied is None:
            return
        self._note(denied)
        lacks_scope = denied.reason is DenialReason.SCOPE
        raise NotAuthorizedError(
            denied.sentence, required=str(policy.scope) if lacks_scope else None
        )

    async def _limit(self, principal: Principal) -> None:
        limit = principal.rate_limit or self._key_rate
        decision = await self._limiter.take(f"key:{principal.key_id}", limit)
        if not decision.allowed:
            self._logging.annotate(denial="rate")
            raise RateLimitedError(limit, decision.retry_after)

    def _note(self, denied: Denied) -> None:
        self._metrics.record_authentication(denied.reason)
        self._logging.annotate(denial=str(denied.reason))
