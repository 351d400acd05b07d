"""
Keys in the settings: what one is written as, and what it is.
"""

import json
from collections.abc import Iterable
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from ctxfy.core.exceptions import ConfigurationError, InvalidKeyRequestError
from ctxfy.core.models.auth_models import (
    STATIC,
    ApiKeyDigest,
    ApiKeyInfo,
    ApiKeyRequest,
    KeyId,
    Scope,
)
from ctxfy.core.use_cases.auth_use_cases import KEY_ID_PATTERN, check_key_request, parse_rate
from ctxfy.core.use_cases.network_use_cases import parse_network


MAX_STATIC_KEYS = 100


class StaticKey(BaseModel):
    """
    A key of the settings; `ctxfy keys digest` writes one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    key_id: str = Field(pattern=KEY_ID_PATTERN, description="The public id in the key.")
    digest: str = Field(pattern="^[0-9a-f]{64}$", description="As `ctxfy keys digest` writes it.")
    user_id: str = Field(description="The person or program it is for.")
    scope: Scope = Field(default=Scope.READ, description="What it may do.")
    name: str = Field(default="", description="A note on what it is for.")
    prompts: tuple[str, ...] = Field(default=("*",), description="Globs over prompt names.")
    networks: tuple[str, ...] = Field(default=(), description="Where it may be used from.")
    rate_limit: str | None = Field(default=None, description="Such as 600/minute.")


_KEYS = TypeAdapter(tuple[StaticKey, ...])


def read_static_keys(value: object) -> tuple[StaticKey, ...]:
    """
    Read a list that was written as JSON, or what came of such a text.

    Raises:
        ValueError: It is none, they are too many, or one of them is not as it should be.
    """
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            # What was written stays out of the sentence.
            value = None
    if not isinstance(value, list | tuple):
        # pydantic makes a sentence of a ValueError, and lets other errors through.
        raise ValueError(  # noqa: TRY004
            "it is a list, in JSON; 'ctxfy keys digest' writes what belongs in it"
        )
    if len(value) > MAX_STATIC_KEYS:
        raise ValueError(f"it holds at most {MAX_STATIC_KEYS} keys")
    if all(isinstance(entry, StaticKey) for entry in value):
        return tuple(value)
    try:
        # As JSON once more: by itself, a strict model would take no list for a tuple.
        return _KEYS.validate_json(json.dumps(value))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        number, *fields = first["loc"]
        message = first["msg"][:1].lower() + first["msg"][1:]
        place = f"entry {int(number) + 1}, {'.'.join(map(str, fields))}"
        # Without the cause, which quotes what was written.
        raise ValueError(f"{place}: {message}") from None


def static_infos(keys: Iterable[StaticKey], now: datetime) -> list[ApiKeyInfo]:
    """
    Make keys of what was written.

    Raises:
        ConfigurationError: One cannot be, or two have the same id.
    """
    infos: dict[KeyId, ApiKeyInfo] = {}
    for key in keys:
        try:
            info = _info(key, now)
        except InvalidKeyRequestError as error:
            raise ConfigurationError(
                f"CTXFY_AUTH__STATIC_KEYS: the key {key.key_id} cannot be: {error}"
            ) from error
        if info.key_id in infos:
            raise ConfigurationError(f"CTXFY_AUTH__STATIC_KEYS names {key.key_id} twice.")
        infos[info.key_id] = info
    return list(infos.values())


def _info(key: StaticKey, now: datetime) -> ApiKeyInfo:
    wish = ApiKeyRequest(
        user_id=key.user_id,
        scope=key.scope,
        name=key.name,
        prompts=key.prompts,
        networks=tuple(parse_network(text) for text in key.networks),
        rate_limit=parse_rate(key.rate_limit) if key.rate_limit else None,
    )
    check_key_request(wish)
    return ApiKeyInfo(
        key_id=KeyId(key.key_id),
        api_key=ApiKeyDigest(key.digest),
        pepper_id=STATIC,
        user_id=wish.user_id,
        created_at=now,
        scope=wish.scope,
        name=wish.name,
        prompts=wish.prompts,
        networks=wish.networks,
        rate_limit=wish.rate_limit,
    )
