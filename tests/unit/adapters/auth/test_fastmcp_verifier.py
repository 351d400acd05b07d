"""
What FastMCP learns of the caller.
"""

from datetime import UTC, datetime

import pytest

from ctxfy.adapters.auth.fastmcp_verifier import PrincipalVerifier
from ctxfy.core.models.auth_models import KeyId, Principal, Scope


ANN = Principal(key_id=KeyId("reader000000"), user_id="ann", scope=Scope.WRITE)


async def test_a_caller_is_known_by_the_context() -> None:
    """
    The token is the public id; the scopes are all that the key's scope covers.
    """
    token = await PrincipalVerifier(lambda: ANN).verify_token("reader000000")
    assert token is not None
    assert (token.token, token.client_id, token.subject) == ("reader000000", "reader000000", "ann")
    assert (token.scopes, token.expires_at) == (["read", "write"], None)
    assert token.claims == {"key_id": "reader000000", "user_id": "ann"}


async def test_an_expiry_is_handed_on() -> None:
    """
    FastMCP sees when the key ends, in seconds since 1970.
    """
    end = datetime(2030, 1, 1, tzinfo=UTC)
    ann = Principal(key_id=ANN.key_id, user_id="ann", scope=Scope.READ, expires_at=end)
    token = await PrincipalVerifier(lambda: ann).verify_token("reader000000")
    assert token is not None
    assert token.expires_at == 1893456000


@pytest.mark.parametrize("token", ["", "admin0000000", "reader00000", "reader000000 ", "ann"])
async def test_a_token_alone_proves_nothing(token: str) -> None:
    """
    A token that is not the id of whom the gate let through is nobody's, nor is any without a gate.
    """
    assert await PrincipalVerifier(lambda: ANN).verify_token(token) is None
    assert await PrincipalVerifier(lambda: None).verify_token("reader000000") is None
