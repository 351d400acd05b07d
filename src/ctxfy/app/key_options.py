"""
The options that say what a key is to be like.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from cyclopts import Parameter, Token

from ctxfy.core.models.auth_models import ApiKeyRequest, KeyId, Scope
from ctxfy.core.use_cases.auth_use_cases import parse_rate
from ctxfy.core.use_cases.network_use_cases import parse_network


def whole_number(_type: object, tokens: Sequence[Token]) -> int:
    """
    Read a number without rounding it, as cyclopts would.

    Raises:
        ValueError: It is none; cyclopts makes a sentence of it.
    """
    return int(tokens[0].value)


def public_id(text: str) -> KeyId:
    """
    Take the public id out of what was pasted: the id, or by mistake a whole key.
    """
    return KeyId(text.split("_")[1] if text.startswith("ctxfy_") else text)


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class KeyOptions:
    """
    A wish for a key, as it is written on the command line.
    """

    user: Annotated[str, Parameter(help="The person or program the key is for.")]
    scope: Annotated[Scope, Parameter(help="What it may do; each includes the ones before.")] = (
        Scope.READ
    )
    ttl_hours: Annotated[
        int | None,
        Parameter(help="Life in whole hours; default: no end.", converter=whole_number),
    ] = None
    prompts: Annotated[
        tuple[str, ...],
        Parameter(help="Glob over prompt names it may use; may be repeated.", negative=""),
    ] = ()
    network: Annotated[
        tuple[str, ...],
        Parameter(
            help="Network it may be used from, such as 10.0.0.0/8; may be repeated.", negative=""
        ),
    ] = ()
    rate_limit: Annotated[str | None, Parameter(help="Such as 600/minute.")] = None
    name: Annotated[str, Parameter(help="A note on what it is for.")] = ""

    def wish(self) -> ApiKeyRequest:
        """
        Read what was written.

        Raises:
            InvalidKeyRequestError: The rate or a network is none.
        """
        return ApiKeyRequest(
            user_id=self.user,
            scope=self.scope,
            ttl_hours=self.ttl_hours,
            name=self.name,
            prompts=self.prompts or ("*",),
            networks=tuple(parse_network(text) for text in self.network),
            rate_limit=parse_rate(self.rate_limit) if self.rate_limit else None,
        )
