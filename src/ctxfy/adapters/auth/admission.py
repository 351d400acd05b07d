"""
Who is calling, whether the route is theirs to call, and whether they came too often.
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple, NoReturn

from starlette.types import Scope

from ctxfy.adapters.auth.client_address import ClientAddresses
from ctxfy.adapters.auth.cookies import CSRF_HEADER, SessionToken
from ctxfy.adapters.auth.credentials import WebToken, read_credential
from ctxfy.adapters.auth.policy import RouteMatch
from ctxfy.adapters.auth.request_head import Field
from ctxfy.adapters.auth.request_limits import RequestLimits
from ctxfy.adapters.auth.session_service import SessionService
from ctxfy.adapters.auth.token_door import TokenDoor
from ctxfy.core.exceptions import (
    ForeignNetworkError,
    ForgedRequestError,
    NotAuthenticatedError,
    NotAuthorizedError,
    RateLimitedError,
    UnavailableError,
)
from ctxfy.core.models.auth_models import (
    Decision,
    DenialReason,
    Denied,
    Principal,
    RoutePolicy,
)
from ctxfy.core.models.auth_models import Scope as KeyScope
from ctxfy.core.models.limit_models import Quota
from ctxfy.core.models.session_models import TokenDigest
from ctxfy.core.models.token_models import ResourceChallenge
from ctxfy.core.ports.auth_ports import AuthCommandPort
from ctxfy.core.ports.monitoring_ports import LoggingPort, MetricsPort
from ctxfy.core.use_cases.auth_use_cases import decide_authorization
from ctxfy.core.use_cases.network_use_cases import decide_network
from ctxfy.core.use_cases.session_use_cases import decide_unsafe_request
from ctxfy.core.use_cases.token_use_cases import not_valid


type Credential = str | SessionToken | WebToken | Denied


class Arrival(NamedTuple):
    """
    How a request came, as far as it matters to who may send it.

    Attributes:
        own_page: Whether a page of this very server sent it.
        secure: Whether it came by TLS.
        shown: The header fields that prove who is calling.
    """

    method: str = "GET"
    own_page: bool = False
    secure: bool = False
    shown: Sequence[Field] = ()


class Caller(NamedTuple):
    """
    Who was let in.

    Attributes:
        principal: None on a public route without a valid credential.
        session: The browser session that came as the credential, valid or not.
        quotas: What is left of the caller's limits.
    """

    principal: Principal | None = None
    session: TokenDigest | None = None
    quotas: tuple[Quota, ...] = ()


NOBODY = Caller()

# What is no key of ours, as far as one can tell, or a key where it has no business: the mark of
# somebody who tries. Whoever holds the secret of a key that is over is told so, however often.
_SUSPECT = frozenset(
    {
        DenialReason.AMBIGUOUS,
        DenialReason.MALFORMED,
        DenialReason.UNKNOWN,
        DenialReason.NETWORK,
        DenialReason.TOKEN,
    }
)


class Admission:
    """
    Decides about callers: authenticate, authorize, limit; and tells what it decided.
    """

    def __init__(
        self,
        auth: AuthCommandPort,
        sessions: SessionService,
        *,
        limits: RequestLimits,
        addresses: ClientAddresses,
        logging: LoggingPort,
        metrics: MetricsPort,
        tokens: TokenDoor | None = None,
    ) -> None:
        self._auth = auth
        self._tokens = tokens
        self._sessions = sessions
        self._limits = limits
        self._addresses = addresses
        self._logging = logging
        self._metrics = metrics

    @property
    def challenge(self) -> ResourceChallenge | None:
        """
        What callers without a credential are told of where to get a token; None: nothing.
        """
        return self._tokens.challenge if self._tokens else None

    async def decide(self, scope: Scope, match: RouteMatch, arrival: Arrival) -> Caller:
        """
        Return who is calling.

        Raises:
            NotAuthenticatedError: No valid key came, and the route needs one.
            ForgedRequestError: It came with a session, and may not have been its user's wish.
            NotAuthorizedError: The route is not this key's to call.
            ForeignNetworkError: The key may not be used from where it comes.
            RateLimitedError: The key or its user came too often, or the address tried too often.
            UnavailableError: The keys are out of reach.
        """
        policy = match.guard
        credential = read_credential(
            arrival.shown,
            sessions=policy.sessions,
            secure=arrival.secure,
            token_bytes=self._tokens.max_bytes if self._tokens else 0,
        )
        session = None
        if isinstance(credential, SessionToken):
            session = self._sessions.digest(credential.text)
            if not policy.form:  # a form cannot send a header; the gate looks at its Origin
                credential = self._unless_forged(credential, arrival)
        principal = await self._authenticate(credential, policy, scope)
        if principal is None:
            return Caller(session=session)
        # Nearly no key is bound to networks, and then no address is looked for.
        if principal.networks and not await self._is_in_place(principal, policy, scope):
            return Caller(session=session)
        self._know(principal, scope, match.route)
        if policy.scope is None:
            return Caller(principal=principal, session=session)
        # Before the scope is looked at: refusals leave events, and those must have an end too.
        quotas = await self._limits.count_request(principal)
        self._authorize(principal, policy)
        if policy.scope is not KeyScope.READ:
            await self._look_again(principal)
        return Caller(principal, session, quotas)

    async def weigh(self, caller: Caller, size: int) -> Caller:
        """
        Count the bytes of the body that came with a request that was let in.

        Raises:
            RateLimitedError: The key sends too much.
        """
        if caller.principal is None:
            return caller
        quotas = await self._limits.count_bytes(caller.principal, size, caller.quotas)
        return caller if quotas is caller.quotas else caller._replace(quotas=quotas)

    async def admit_key(self, api_key: str, scope: Scope) -> Principal:
        """
        Return who holds a key that came in a form.

        Raises:
            NotAuthenticatedError: The key is not valid.
            ForeignNetworkError: It may not be used from where it comes.
            RateLimitedError: The key came too often, or the address tried too often.
            UnavailableError: The keys are out of reach.
        """
        decision = await self._auth.authenticate(api_key)
        if isinstance(decision, Denied):
            self._note(decision)
            await self._count_failure(decision, scope)
            raise _refusal(decision)
        self._metrics.record_authentication("granted")
        denied = decide_network(decision.principal.networks, self._addresses.client(scope))
        if denied is not None:
            await self._refuse_place(decision.principal, denied, scope)
        self._know(decision.principal, scope, scope["state"]["route"])
        await self._limits.count_request(decision.principal)
        return decision.principal

    def _unless_forged(self, session: SessionToken, arrival: Arrival) -> SessionToken | Denied:
        shown = [value.decode("latin-1") for name, value in arrival.shown if name == CSRF_HEADER]
        denied = decide_unsafe_request(
            arrival.method,
            own_page=arrival.own_page,
            token_matches=len(shown) == 1 and self._sessions.csrf_matches(session.text, shown[0]),
        )
        return denied or session

    async def _authenticate(
        self, credential: Credential, policy: RoutePolicy, scope: Scope
    ) -> Principal | None:
        try:
            decision = await self._decide_about(credential)
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
            # Counted, since here too it shows whether a key is valid; answered all the same.
            with suppress(RateLimitedError):
                await self._count_failure(decision, scope)
            return None
        await self._count_failure(decision, scope)
        raise _refusal(decision, by_session=isinstance(credential, SessionToken))

    async def _is_in_place(self, principal: Principal, policy: RoutePolicy, scope: Scope) -> bool:
        """
        Tell whether the key may be used from where it comes; on a public route it is nobody's else.

        Raises:
            ForeignNetworkError: It may not, and the route needs a key.
            RateLimitedError: From there came too many that may not.
        """
        denied = decide_network(principal.networks, self._addresses.client(scope))
        if denied is None:
            return True
        with suppress(*(() if policy.scope else (ForeignNetworkError, RateLimitedError))):
            await self._refuse_place(principal, denied, scope)
        return False

    async def _refuse_place(self, principal: Principal, denied: Denied, scope: Scope) -> NoReturn:
        self._note(denied)
        # First, and before the audit trail hears whose key it is: such a key may be stolen, and who
        # has it must not be able to fill the trail.
        await self._count_failure(denied, scope)
        self._know(principal, scope, scope.get("state", {}).get("route"))
        raise ForeignNetworkError(denied.sentence)

    async def _decide_about(self, credential: Credential) -> Decision:
        match credential:
            case Denied():
                return credential
            case WebToken(text=text):
                return (
                    await self._tokens.service.authenticate(text) if self._tokens else not_valid()
                )
            case SessionToken(text):
                return await self._sessions.authenticate(text)
            case _:
                return await self._auth.authenticate(credential)

    def _know(self, principal: Principal, scope: Scope, route: str | None) -> None:
        # Whoever is refused further on was known all the same, and the audit trail says so.
        scope.setdefault("state", {})["caller"] = principal
        self._logging.annotate(user_id=principal.user_id, key_id=principal.key_id)
        self._metrics.record_api_key_usage(principal.key_id, route or "")

    def _authorize(self, principal: Principal, policy: RoutePolicy) -> None:
        denied = decide_authorization(policy, principal)
        if denied is None:
            return
        self._note(denied)
        lacks_scope = denied.reason is DenialReason.SCOPE
        raise NotAuthorizedError(
            denied.sentence, required=str(policy.scope) if lacks_scope else None
        )

    async def _count_failure(self, denied: Denied, scope: Scope) -> None:
        if denied.reason in _SUSPECT:
            await self._limits.count_failure(self._addresses.of(scope))

    async def _look_again(self, principal: Principal) -> None:
        """
        Believe no cache about a key that is about to change something, not even for a moment.
        """
        if principal.by_token:
            return  # a token is verified each time, and there is no key to look up
        decision = await self._auth.recognize(principal.key_id, fresh=True)
        if isinstance(decision, Denied):
            self._note(decision)
            raise _refusal(decision)

    def _note(self, denied: Denied) -> None:
        self._metrics.record_authentication(denied.reason)
        self._logging.annotate(denial=str(denied.reason))


def _refusal(
    denied: Denied, *, by_session: bool = False
) -> NotAuthenticatedError | NotAuthorizedError | ForgedRequestError:
    if denied.reason is DenialReason.FORGED:
        return ForgedRequestError(denied.sentence)
    if denied.reason in {DenialReason.SCOPE, DenialReason.NARROWED}:
        # A valid token that holds nothing for this server.
        return NotAuthorizedError(denied.sentence, required=str(KeyScope.READ))
    # A cookie that is worth nothing any more was not shown on purpose.
    presented = denied.reason is not DenialReason.MISSING and not by_session
    return NotAuthenticatedError(denied.sentence, presented=presented)
