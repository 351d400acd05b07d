"""
What the gate needs to take tokens of an issuer.
"""

from dataclasses import dataclass
from typing import Protocol

from ctxfy.core.models.auth_models import Decision
from ctxfy.core.models.token_models import ResourceChallenge


class TokenDecider(Protocol):
    """
    Decides who holds a token.
    """

    async def authenticate(self, token: str) -> Decision:
        """
        Decide who holds a token.

        Raises:
            UnavailableError: The keys of the issuer are not known.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenDoor:
    """
    Tokens are taken, and clients are told where to get one.

    Attributes:
        max_bytes: The largest token.
    """

    service: TokenDecider
    max_bytes: int
    challenge: ResourceChallenge
