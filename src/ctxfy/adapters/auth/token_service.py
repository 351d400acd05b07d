"""
The shell around JSON Web Tokens: verify, decide, and say who is calling.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from joserfc import jws
from joserfc.errors import JoseError

from ctxfy.adapters.auth.issuer_keys import IssuerKeys
from ctxfy.core.exceptions import UnavailableError
from ctxfy.core.models.auth_models import Decision, Denied, Granted, KeyId, Principal
from ctxfy.core.models.token_models import TokenGrant, TokenRules
from ctxfy.core.ports.auth_ports import PersonDirectoryPort
from ctxfy.core.use_cases.token_use_cases import (
    decide_token,
    not_valid,
    read_claims,
    read_token_header,
)


class TokenService:
    """
    Decides about callers who show a token of the issuer in place of a key.

    Args:
        caller_id: Makes of issuer and user the public id that stands for them.
    """

    def __init__(
        self,
        rules: TokenRules,
        keys: IssuerKeys,
        people: PersonDirectoryPort,
        *,
        caller_id: Callable[[str], str],
        now: Callable[[], datetime],
    ) -> None:
        self._rules = rules
        self._keys = keys
        self._people = people
        self._caller_id = caller_id
        self._now = now

    async def authenticate(self, token: str) -> Decision:
        """
        Decide who holds a token.

        Raises:
            UnavailableError: The keys of the issuer are not known; that says nothing of the token.
        """
        payload = await self._verified(token)
        if isinstance(payload, Denied):
            return payload
        claims = read_claims(payload)
        if claims is None:
            return not_valid()
        grant = decide_token(claims, self._rules, self._now())
        if isinstance(grant, Denied):
            return grant
        return Granted(principal=await self._principal(grant))

    async def _verified(self, token: str) -> bytes | Denied:
        header = read_token_header(token, self._rules)
        if isinstance(header, Denied):
            return header
        key = await self._keys.find(header)
        if key is None:
            return not_valid()
        algorithms = [header.algorithm]
        try:
            signed = jws.deserialize_compact(
                token,
                key,
                algorithms=algorithms,
                # What it does not know of the header it must not act upon, and need not refuse.
                registry=jws.JWSRegistry(algorithms=algorithms, strict_check_header=False),
            )
        except (JoseError, ValueError, TypeError):
            return not_valid()
        return signed.payload

    async def _principal(self, grant: TokenGrant) -> Principal:
        name = f"{self._rules.issuer} {grant.user_id}"
        principal = Principal(
            key_id=KeyId(self._caller_id(name)),
            user_id=grant.user_id,
            scope=grant.scope,
            prompts=grant.prompts,
            expires_at=grant.expires_at,
            by_token=True,
        )
        try:
            person_id = await self._people.person_of(grant.user_id)
        except UnavailableError:
            # Tokens are read on while the store is away; what needs it is refused further on.
            return principal
        return replace(principal, person_id=person_id)
