"""
The handlers of /auth/api-keys. Who may call them is the gate's business; the table says it.
"""

from typing import Annotated

from fastapi import Header, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from ctxfy.adapters.auth.key_fields import KeyPageData, NewKeyData, plain_key
from ctxfy.core.exceptions import InvalidKeyRequestError, InvalidRequestError, NotAuthorizedError
from ctxfy.core.models.address_models import Network
from ctxfy.core.models.audit_models import Actor
from ctxfy.core.models.auth_models import (
    ApiKeyInfo,
    ApiKeyRequest,
    KeyId,
    KeyStatus,
    Principal,
    RateLimit,
    Scope,
)
from ctxfy.core.models.validation_models import ErrorCode, ValidationError, ValidationResult
from ctxfy.core.ports.auth_ports import AuthCommandPort, AuthQueryPort
from ctxfy.core.use_cases.audit_use_cases import actor_of_request
from ctxfy.core.use_cases.auth_use_cases import (
    GLOB_PATTERN,
    KEY_ID_LENGTH,
    KEY_ID_PATTERN,
    MAX_NAME_LENGTH,
    MAX_PROMPT_GLOBS,
    MAX_TTL_HOURS,
    MAX_USER_ID_LENGTH,
    RATE_PATTERN,
    check_grantable,
    check_key_request,
    is_key_id,
    parse_key,
    parse_rate,
)
from ctxfy.core.use_cases.expiry_use_cases import SPAN_PATTERN, parse_span
from ctxfy.core.use_cases.network_use_cases import (
    MAX_NETWORKS,
    NETWORK_PATTERN,
    check_rotatable_by,
    parse_network,
)
from ctxfy.core.use_cases.paging_use_cases import page_of
from ctxfy.core.use_cases.rotation_use_cases import (
    DEFAULT_GRACE_HOURS,
    MAX_GRACE_HOURS,
    MAX_IDEMPOTENCY_KEY_LENGTH,
)


# What is published of the limits here is judged by the core.
Hours = Annotated[int, Field(json_schema_extra={"minimum": 1, "maximum": MAX_TTL_HOURS})]
Glob = Annotated[str, Field(json_schema_extra={"pattern": GLOB_PATTERN})]
NetworkText = Annotated[str, Field(json_schema_extra={"pattern": NETWORK_PATTERN})]
RateText = Annotated[str, Field(json_schema_extra={"pattern": RATE_PATTERN})]


class KeyBody(BaseModel):
    """
    A wish for a key.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    user_id: str = Field(
        description="The person or program the key is for.",
        json_schema_extra={"minLength": 1, "maxLength": MAX_USER_ID_LENGTH},
    )
    scope: Scope = Field(default=Scope.READ, strict=False, description="What it may do.")
    ttl_hours: Hours | None = Field(default=None, description="Life in hours; null: no end.")
    name: str = Field(
        default="",
        description="A note on what it is for.",
        json_schema_extra={"maxLength": MAX_NAME_LENGTH},
    )
    prompts: list[Glob] = Field(
        default=["*"],
        max_length=MAX_PROMPT_GLOBS,
        json_schema_extra={"minItems": 1},
        description="Globs over prompt names; the key sees only prompts that match one.",
    )
    networks: list[NetworkText] = Field(
        default=[],
        max_length=MAX_NETWORKS,
        description="Networks it may be used from, such as 10.0.0.0/8; none: anywhere.",
    )
    rate_limit: RateText | None = Field(default=None, description="Such as 600/minute.")


class RotationBody(BaseModel):
    """
    How a key is to be rotated.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    grace_hours: int = Field(
        default=DEFAULT_GRACE_HOURS,
        description="How long the old secret stays good, never past the key's own end.",
        json_schema_extra={"minimum": 0, "maximum": MAX_GRACE_HOURS},
    )


# As with the id: published, and checked where the sentence does not quote what was sent.
type IdempotencyKey = Annotated[
    str | None,
    Header(
        description="Asked again under the same within ten minutes, it is still one rotation.",
        json_schema_extra={"minLength": 1, "maxLength": MAX_IDEMPOTENCY_KEY_LENGTH},
    ),
]


class KeyListQuery(BaseModel):
    """
    Which keys to list.
    """

    model_config = ConfigDict(extra="forbid")

    user_id: str | None = Field(default=None, max_length=MAX_USER_ID_LENGTH)
    expiring: str | None = Field(
        default=None,
        pattern=SPAN_PATTERN,
        description="Only keys that are good now and end within this time, such as 7d or 12h.",
    )
    limit: int = Field(default=100, ge=1, le=500)
    cursor: str | None = Field(default=None, max_length=500)


# The form is published and not checked by FastAPI, whose sentence would quote what was pasted.
type KeyIdPath = Annotated[
    str,
    Path(
        description="The public id of a key.",
        json_schema_extra={"pattern": KEY_ID_PATTERN},
    ),
]


class KeyRoutes:
    """
    Keys over REST.
    """

    def __init__(self, commands: AuthCommandPort, queries: AuthQueryPort) -> None:
        self._commands = commands
        self._queries = queries

    async def create(self, request: Request, body: KeyBody) -> Response:
        """
        Create a key within the caller's own bounds; it is shown this once.
        """
        wish = _wish(body)
        check_key_request(wish)
        check_grantable(wish, _principal(request))
        api_key = await self._commands.create_api_key(
            wish.user_id,
            scope=wish.scope,
            ttl_hours=wish.ttl_hours,
            name=wish.name,
            prompts=wish.prompts,
            networks=wish.networks,
            rate_limit=wish.rate_limit,
            actor=acting(request),
        )
        parsed = parse_key(api_key)
        assert parsed is not None  # noqa: S101 - it was composed just now # nosec B101
        info = await self._queries.find_api_key(parsed.key_id)
        made: NewKeyData = {"api_key": api_key, **plain_key(info)}
        return JSONResponse(
            made,
            status_code=201,
            headers={"location": f"{request.scope['path']}/{info.key_id}"},
        )

    async def list_keys(self, query: Annotated[KeyListQuery, Query()]) -> Response:
        """
        List the keys, oldest first: all, those of one user, those that end soon.
        """
        found = await self._found(query)
        page, cursor = page_of(found, place=_place, cursor=query.cursor, limit=query.limit)
        told: KeyPageData = {"api_keys": [plain_key(item) for item in page], "next_cursor": cursor}
        return JSONResponse(told)

    async def _found(self, query: KeyListQuery) -> list[ApiKeyInfo]:
        if query.expiring is None:
            return await (
                self._queries.list_api_keys()
                if query.user_id is None
                else self._queries.list_user_api_keys(query.user_id)
            )
        ending = await self._queries.list_expiring_api_keys(parse_span(query.expiring))
        return [info for info in ending if query.user_id in {None, info.user_id}]

    async def show(self, key_id: KeyIdPath) -> Response:
        """
        Show what is known of a key.
        """
        return JSONResponse(plain_key(await self._queries.find_api_key(public_key_id(key_id))))

    async def revoke(self, request: Request, key_id: KeyIdPath) -> Response:
        """
        End a key for good. Idempotent.
        """
        await self._commands.revoke_api_key(public_key_id(key_id), actor=acting(request))
        return Response(status_code=204)

    async def disable(self, request: Request, key_id: KeyIdPath) -> Response:
        """
        Refuse a key until it is enabled again. Idempotent.
        """
        return await self._set_status(request, key_id, KeyStatus.DISABLED)

    async def enable(self, request: Request, key_id: KeyIdPath) -> Response:
        """
        Let a disabled key in again; a revoked one stays revoked. Idempotent.
        """
        return await self._set_status(request, key_id, KeyStatus.ACTIVE)

    async def rotate(
        self,
        request: Request,
        key_id: KeyIdPath,
        body: RotationBody,
        idempotency_key: IdempotencyKey = None,
    ) -> Response:
        """
        Give a key a new secret, shown this once; the old one stays good for a while.
        """
        wanted = public_key_id(key_id)
        if (issuer := _principal(request)).networks:
            check_rotatable_by(await self._queries.find_api_key(wanted), issuer)
        return await self._rotate(request, wanted, body, idempotency_key)

    async def rotate_current(
        self, request: Request, body: RotationBody, idempotency_key: IdempotencyKey = None
    ) -> Response:
        """
        Give the caller's own key a new secret, shown this once.
        """
        principal = _principal(request)
        if principal.by_token:
            raise NotAuthorizedError(
                "A token was shown, and there is no key to rotate; its issuer gives another.",
                required=None,
            )
        if principal.by_old_secret:
            # Else who found a leaked secret could take the key over from who rotated it for that.
            raise NotAuthorizedError(
                "This is the old secret of a key that was rotated; rotate with the new one.",
                required=None,
            )
        return await self._rotate(request, principal.key_id, body, idempotency_key)

    async def _set_status(self, request: Request, key_id: str, status: KeyStatus) -> Response:
        info = await self._commands.set_api_key_status(
            public_key_id(key_id), status, actor=acting(request)
        )
        return JSONResponse(plain_key(info))

    async def _rotate(
        self, request: Request, key_id: KeyId, body: RotationBody, idempotency_key: str | None
    ) -> Response:
        rotated = await self._commands.rotate_api_key(
            key_id,
            grace_hours=body.grace_hours,
            idempotency_key=idempotency_key,
            actor=acting(request),
        )
        told: NewKeyData = {"api_key": rotated.whole, **plain_key(rotated.info)}
        return JSONResponse(told)


def _principal(request: Request) -> Principal:
    principal: Principal = request.scope["state"]["principal"]
    return principal


def acting(request: Request) -> Actor:
    """
    Say who sent a request, for the audit trail.
    """
    return actor_of_request(request.scope["state"])


def _wish(body: KeyBody) -> ApiKeyRequest:
    return ApiKeyRequest(
        user_id=body.user_id,
        scope=body.scope,
        ttl_hours=body.ttl_hours,
        name=body.name,
        prompts=tuple(body.prompts),
        networks=tuple(_network(text) for text in body.networks),
        rate_limit=None if body.rate_limit is None else _rate(body.rate_limit),
    )


def _rate(text: str) -> RateLimit:
    try:
        return parse_rate(text)
    except InvalidKeyRequestError as error:
        # Its own sentence quotes what was typed, which is for a terminal.
        message = "'rate_limit' is no rate; write for example 600/minute."
        raise _mistake("rate_limit", message) from error


def _network(text: str) -> Network:
    try:
        return parse_network(text)
    except InvalidKeyRequestError as error:
        message = "One of 'networks' is none; write for example 10.0.0.0/8."
        raise _mistake("networks", message) from error


def public_key_id(text: str) -> KeyId:
    """
    Take only what can be an id: who pastes a whole key must not get it back in a sentence.
    """
    if not is_key_id(text):
        message = f"A key id has {KEY_ID_LENGTH} letters and digits; it is not the whole key."
        raise _mistake("key_id", message)
    return KeyId(text)


def _mistake(field: str, message: str) -> InvalidRequestError:
    mistake = ValidationError(field=field, message=message, code=ErrorCode.PATTERN)
    return InvalidRequestError(ValidationResult(errors=(mistake,)))


def _place(info: ApiKeyInfo) -> str:
    return f"{info.created_at.isoformat(timespec='microseconds')} {info.key_id}"
