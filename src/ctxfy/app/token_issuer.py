"""
What there is about tokens of another issuer, if they are taken at all.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from ctxfy.adapters.auth.token_door import TokenDoor
from ctxfy.core.ports.monitoring_ports import HealthProbePort


class KeysOfIssuer(HealthProbePort, Protocol):
    """
    Kept up to date by `run`, and looked after as a part of the server.
    """

    @property
    def is_resting(self) -> bool:
        """
        Whether they were read so short a time ago that they are not read again now.
        """
        ...

    async def run(self) -> None:
        """
        Keep them up to date, until cancelled.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """
    Whose tokens are taken.

    Attributes:
        metadata: What clients are told of where tokens come from (RFC 9728).
    """

    door: TokenDoor
    keys: KeysOfIssuer
    metadata: Mapping[str, object]
