"""
What takes tokens of another issuer, put together from the settings.
"""

import time
from collections.abc import Callable
from datetime import timedelta

from ctxfy.adapters.auth.issuer_keys import IssuerKeys
from ctxfy.adapters.auth.token_door import TokenDoor
from ctxfy.adapters.auth.token_service import TokenService
from ctxfy.adapters.storage.person_directory import SqlPersonDirectory
from ctxfy.app import routes
from ctxfy.app.bootstrap import Storage
from ctxfy.app.config import Settings
from ctxfy.app.jwt_settings import JwtSettings
from ctxfy.app.loading import utc_now
from ctxfy.app.token_issuer import Issuer
from ctxfy.core.exceptions import ConfigurationError
from ctxfy.core.models.auth_models import Scope
from ctxfy.core.models.token_models import ResourceChallenge, TokenRules
from ctxfy.core.ports.auth_ports import KeySetSourcePort
from ctxfy.core.ports.monitoring_ports import LoggingPort
from ctxfy.core.use_cases.token_use_cases import protected_resource


def make_issuer(
    settings: Settings, storage: Storage, caller_id: Callable[[str], str], *, logging: LoggingPort
) -> Issuer:
    """
    Put it together.

    Args:
        settings: With an issuer.
        storage: Keeps the people who come with tokens.
        caller_id: Makes of issuer and user the public id that stands for them.
        logging: Told when the issuer's keys are lost and found.

    Raises:
        ConfigurationError: Something that it needs is not set.
    """
    given = settings.jwt
    base = _base(settings)
    resource = base + routes.MCP
    rules = _rules(given, resource)
    keys = make_keys(given, monotonic=time.monotonic, logging=logging)
    people = SqlPersonDirectory(
        database=storage.database, envelope=storage.envelope, now=utc_now, monotonic=time.monotonic
    )
    return Issuer(
        door=TokenDoor(
            service=TokenService(rules, keys, people, caller_id=caller_id, now=utc_now),
            max_bytes=given.max_bytes,
            challenge=ResourceChallenge(
                metadata_url=base + routes.PROTECTED_RESOURCE_MCP, scopes=rules.scopes
            ),
        ),
        keys=keys,
        metadata=protected_resource(resource, rules, name=settings.docs.title),
    )


def make_keys(
    given: JwtSettings, *, monotonic: Callable[[], float], logging: LoggingPort
) -> IssuerKeys:
    """
    Make what keeps the keys of the issuer.

    Raises:
        ConfigurationError: It is not said where they are.
    """
    return IssuerKeys(
        _source(given),
        monotonic=monotonic,
        logging=logging,
        refresh_seconds=given.refresh_seconds,
        lifetime_seconds=given.lifetime_seconds,
        max_stale=given.max_stale_seconds,
    )


def _base(settings: Settings) -> str:
    base = settings.server.public_url
    if base is None:
        raise ConfigurationError(
            "With CTXFY_JWT__ISSUER, CTXFY_SERVER__PUBLIC_URL must be set too:"
            " clients are told where this server is."
        )
    return base.rstrip("/")


def _rules(given: JwtSettings, resource: str) -> TokenRules:
    return TokenRules(
        issuer=given.issuer or "",
        audiences=given.audience or (resource,),
        algorithms=given.algorithms,
        scopes={
            Scope.READ: given.read_scopes,
            Scope.WRITE: given.write_scopes,
            Scope.ADMIN: given.admin_scopes,
        },
        user_claim=given.user_claim,
        scope_claim=given.scope_claim,
        prompts_claim=given.prompts_claim,
        leeway=timedelta(seconds=given.leeway_seconds),
        max_age=timedelta(seconds=given.max_age_seconds),
        blocked_users=frozenset(given.blocked_users),
    )


def _source(given: JwtSettings) -> KeySetSourcePort:
    if (given.jwks_url is None) == (given.jwks_file is None):
        raise ConfigurationError(
            "With CTXFY_JWT__ISSUER, exactly one of CTXFY_JWT__JWKS_URL and CTXFY_JWT__JWKS_FILE"
            " must be set."
        )
    if given.jwks_file is not None:
        from ctxfy.adapters.container.key_set_file import KeySetFile

        return KeySetFile(given.jwks_file)
    from ctxfy.adapters.remote_server.key_set import RemoteKeySet

    return RemoteKeySet(given.jwks_url or "", given.fetch_seconds)
