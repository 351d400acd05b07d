"""
What FastMCP learns of the caller: what the gate decided, and never the secret.
"""

from collections.abc import Callable
from typing import override

from fastmcp.server.auth import AccessToken, TokenVerifier

from ctxfy.core.models.auth_models import Principal, Scope


class PrincipalVerifier(TokenVerifier):
    """
    Knows a caller by the context variable; the token it is given is the key's public id.

    The gate has replaced whatever credential came by `Bearer <key id>`. So `get_access_token()`
    and `auth=` of components work inside prompt functions, which see no secret.
    """

    def __init__(self, current_principal: Callable[[], Principal | None]) -> None:
        super().__init__()
        self._current_principal = current_principal

    @override
    async def verify_token(self, token: str) -> AccessToken | None:
        """
        Return what is known of the caller, or None if the gate let nobody through.
        """
        principal = self._current_principal()
        if principal is None or principal.key_id != token:
            return None
        return token_of(principal)


def token_of(principal: Principal) -> AccessToken:
    """
    Show a caller as FastMCP shows callers to functions: the token is the key's public id.
    """
    return AccessToken(
        token=principal.key_id,
        client_id=principal.key_id,
        scopes=[scope for scope in Scope if principal.scope.covers(scope)],
        expires_at=int(principal.expires_at.timestamp()) if principal.expires_at else None,
        subject=principal.user_id,
        claims={"key_id": principal.key_id, "user_id": principal.user_id},
    )
