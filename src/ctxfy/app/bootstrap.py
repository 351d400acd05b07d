"""
What is made before anything can be wired: secrets, and the store behind keys.
"""

import hmac
import secrets
import socket
from collections.abc import Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import SecretStr

from ctxfy.adapters.auth.key_material import HmacKeyMaterial
from ctxfy.adapters.auth.session_material import SessionMaterial
from ctxfy.adapters.container.secrets import ServerSecrets, check_secret, read_or_create_key_file
from ctxfy.adapters.storage import migrate
from ctxfy.adapters.storage.api_key_store import SqlApiKeyStore
from ctxfy.adapters.storage.audit_proofs import AuditProofs
from ctxfy.adapters.storage.audit_reader import AuditReader
from ctxfy.adapters.storage.audit_seals import AuditSeals
from ctxfy.adapters.storage.audit_spool import AuditSpool
from ctxfy.adapters.storage.audit_trail import AuditTrail
from ctxfy.adapters.storage.database import Database
from ctxfy.adapters.storage.engine import database_file_of, open_database
from ctxfy.adapters.storage.envelope import KEY_BYTES, Envelope, MasterKey
from ctxfy.adapters.storage.erasure_ledger import ErasureLedger
from ctxfy.adapters.storage.erasures import Erasures
from ctxfy.adapters.storage.people import check_master_key
from ctxfy.adapters.storage.person_store import SqlPersonStore
from ctxfy.adapters.storage.postgres_server import ServerOptions
from ctxfy.adapters.storage.retention import Retention
from ctxfy.adapters.storage.session_store import SqlSessionStore
from ctxfy.adapters.storage.usage_store import SqlUsageStore
from ctxfy.app.config import Settings, decode_secret
from ctxfy.app.numbered_secrets import FIRST_ID, join_secrets, numbered_secrets
from ctxfy.core.exceptions import ConfigurationError
from ctxfy.core.models.retention_models import Periods
from ctxfy.core.ports.audit_ports import AuditWatcherPort
from ctxfy.core.ports.monitoring_ports import TracerPort
from ctxfy.core.use_cases.audit_use_cases import is_chain_name


if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

MEGABYTE = 1024 * 1024

_OTHER_PEPPERS = "CTXFY_AUTH__OTHER_PEPPERS"
_OTHER_MASTER_KEYS = "CTXFY_AUTH__OTHER_MASTER_KEYS"


def server_secrets(settings: Settings) -> ServerSecrets:
    """
    Take the pepper and the master key from the settings, or from the key file.

    Raises:
        ConfigurationError: One of them protects nothing, or others can read it.
    """
    auth = settings.auth
    pepper = _decoded("CTXFY_AUTH__PEPPER", auth.pepper)
    pepper_id, others = auth.pepper_id, numbered_secrets(_OTHER_PEPPERS, auth.other_peppers)
    _require_both("CTXFY_AUTH__PEPPER", pepper, pepper_id)
    master_key = _decoded("CTXFY_AUTH__MASTER_KEY", auth.master_key)
    master_id = auth.master_key_id
    other_masters = numbered_secrets(_OTHER_MASTER_KEYS, auth.other_master_keys)
    _require_both("CTXFY_AUTH__MASTER_KEY", master_key, master_id)
    if master_key is not None and len(master_key) != KEY_BYTES:
        raise ConfigurationError(
            f"CTXFY_AUTH__MASTER_KEY must have {KEY_BYTES} bytes; it has {len(master_key)}."
        )
    if pepper is None or master_key is None:
        file = key_file(settings)
        _require_not_lost(file, settings)
        kept = read_or_create_key_file(file, secrets.token_bytes)
        if pepper is None:
            pepper, pepper_id = kept.pepper, kept.pepper_id
            others = join_secrets(_OTHER_PEPPERS, kept.other_peppers, others)
        if master_key is None:
            master_key, master_id = kept.master_key, kept.master_key_id
            other_masters = join_secrets(_OTHER_MASTER_KEYS, kept.other_master_keys, other_masters)
    pepper_id, master_id = pepper_id or FIRST_ID, master_id or FIRST_ID
    join_secrets(_OTHER_PEPPERS, {pepper_id: pepper}, others)
    join_secrets(_OTHER_MASTER_KEYS, {master_id: master_key}, other_masters)
    return ServerSecrets(
        pepper=pepper,
        master_key=master_key,
        pepper_id=pepper_id,
        other_peppers=others,
        master_key_id=master_id,
        other_master_keys=other_masters,
    )


def _require_both(name: str, secret: bytes | None, number: int | None) -> None:
    if secret is None and number is not None:
        raise ConfigurationError(
            f"{name}_ID is the number of {name}, which is not set; set both, or none. The key file"
            " has numbers of its own."
        )


def has_secrets(settings: Settings) -> bool:
    """
    Whether the secrets are here, and none would have to be made.
    """
    auth = settings.auth
    if auth.pepper is not None and auth.master_key is not None:
        return True
    try:
        return key_file(settings).exists()
    except ConfigurationError:
        return False


def _require_not_lost(file: Path, settings: Settings) -> None:
    # A new one would be made, and every key and name in the database would be dead.
    database = database_file(settings)
    if database is not None and database.exists() and not file.exists(follow_symlinks=False):
        raise ConfigurationError(
            f"The key file '{file}' is missing, but its database '{database}' is there; restore "
            "the key file from a backup, or move the database away to begin anew."
        )


def _decoded(name: str, secret: SecretStr | None) -> bytes | None:
    return None if secret is None else check_secret(name, decode_secret(name, secret))


def key_file(settings: Settings) -> Path:
    """
    Where the key file is: as set, else beside the database.

    Raises:
        ConfigurationError: The storage URL names no file to be beside of.
    """
    if settings.auth.key_file is not None:
        return settings.auth.key_file
    database = database_file(settings)
    if database is None:
        raise ConfigurationError(
            "With PostgreSQL the secrets need a place of their own: set CTXFY_AUTH__PEPPER and "
            "CTXFY_AUTH__MASTER_KEY, or name their file with CTXFY_AUTH__KEY_FILE."
        )
    return database.with_suffix(".keys")


def database_file(settings: Settings) -> Path | None:
    """
    Where the database is; None if it is on a server.

    Raises:
        ConfigurationError: The storage URL is none.
    """
    return database_file_of(settings.storage.url)


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """
    The database and what stands on it.
    """

    database: Database
    envelope: Envelope
    keys: SqlApiKeyStore
    material: HmacKeyMaterial
    sessions: SqlSessionStore
    usage: SqlUsageStore
    session_material: SessionMaterial
    trail: AuditTrail
    events: AuditReader
    proofs: AuditProofs
    people: SqlPersonStore
    erasures: Erasures
    retention: Retention

    async def make_ready(self, *, migrate_now: bool) -> int:
        """
        Bring the tables up to date, or refuse if they are not; then erase people again.

        Returns how many: those whom a backup from before their erasure brought back.

        Raises:
            UnavailableError: The database cannot be used; the sentence says what to do.
        """
        if migrate_now:
            await migrate.upgrade(self.database)
        else:
            await migrate.check(self.database)
        await check_master_key(self.database, self.envelope)
        return await self.erasures.settle()


def make_storage(
    settings: Settings,
    own: ServerSecrets,
    *,
    watcher: AuditWatcherPort | None = None,
    tracer: TracerPort | None = None,
) -> Storage:
    """
    Put the store together; the disk is first touched by what is asked of it.

    Args:
        settings: All that can be set.
        own: The server's secrets.
        watcher: Is told what becomes of events.
        tracer: Is told where the time goes, if anybody wants to know.

    Raises:
        ConfigurationError: The URL is not one this version can use.
    """
    database = make_database(settings, tracer=tracer)
    envelope = Envelope(
        [MasterKey(id=number, secret=secret) for number, secret in own.master_keys.items()],
        random_bytes=secrets.token_bytes,
        current=own.master_key_id,
    )
    seals = AuditSeals(envelope)
    trail = AuditTrail(
        database=database,
        envelope=envelope,
        seals=seals,
        chain=audit_chain(settings),
        spool=AuditSpool(
            spool_file(settings),
            envelope=envelope,
            max_bytes=settings.audit.spool_mb * MEGABYTE,
        ),
        strict=settings.audit.durability == "strict",
        watcher=watcher,
    )
    erasures = Erasures(
        database=database,
        envelope=envelope,
        seals=seals,
        trail=trail,
        ledger=ErasureLedger(ledger_file(settings)),
        now=lambda: datetime.now(UTC),
    )
    proofs = AuditProofs(database=database, envelope=envelope)
    return Storage(
        database=database,
        envelope=envelope,
        trail=trail,
        events=AuditReader(database=database, envelope=envelope, seals=seals),
        proofs=proofs,
        retention=Retention(
            database=database, proofs=proofs, erasures=erasures, periods=_periods(settings)
        ),
        people=SqlPersonStore(database=database, envelope=envelope, trail=trail, erasures=erasures),
        erasures=erasures,
        keys=SqlApiKeyStore(database=database, envelope=envelope, trail=trail),
        material=HmacKeyMaterial(own.peppers, secrets.token_bytes, current=own.pepper_id),
        sessions=SqlSessionStore(database=database),
        usage=SqlUsageStore(database=database),
        session_material=SessionMaterial(own.pepper, secrets.token_bytes),
    )


def _periods(settings: Settings) -> Periods:
    def days(count: int) -> timedelta | None:
        return timedelta(days=count) if count else None

    return Periods(
        events=days(settings.audit.retention_days),
        ended_keys=days(settings.privacy.ended_key_days),
        erasures=days(settings.privacy.erasure_days),
    )


def audit_chain(settings: Settings) -> str:
    """
    Name the chain that this process writes.

    On SQLite all processes write one chain, one after the other. Replicas on a server write one
    each, so that none waits for another.
    """
    if settings.audit.chain is not None:
        return settings.audit.chain
    if database_file(settings) is not None:
        return "main"
    host = socket.gethostname()
    return host if is_chain_name(host) else "server"


def spool_file(settings: Settings) -> Path:
    """
    Where events wait while the database is away.
    """
    return settings.audit.spool_file or _beside_the_database(settings, ".spool")


def ledger_file(settings: Settings) -> Path:
    """
    Where erasures are told of beside the database.
    """
    return settings.privacy.ledger_file or _beside_the_database(settings, ".erasures")


def _beside_the_database(settings: Settings, suffix: str) -> Path:
    beside = database_file(settings) or settings.auth.key_file or Path("var/ctxfy")
    return beside.with_suffix(suffix)


def make_database(settings: Settings, *, tracer: TracerPort | None = None) -> Database:
    """
    Put the database together, which needs no secrets of ours.

    Raises:
        ConfigurationError: The URL, or the file of authorities, is not one that can be used.
    """
    given = settings.storage
    return open_database(
        given.url,
        lock_patience_seconds=given.lock_seconds,
        server=server_options(settings),
        tracer=tracer,
    )


def server_options(settings: Settings) -> ServerOptions:
    """
    Take together what is set about PostgreSQL.
    """
    given = settings.storage
    return ServerOptions(
        password=None if given.password is None else given.password.get_secret_value(),
        pool_size=given.pool_size,
        pool_seconds=given.pool_seconds,
        connect_seconds=given.connect_seconds,
        statement_seconds=given.statement_seconds,
        lock_seconds=given.lock_seconds,
        statement_cache=given.statement_cache,
        tls=given.tls,
        tls_ca=given.tls_ca,
    )


@asynccontextmanager
async def opened_storage(settings: Settings, *, create: bool) -> "AsyncGenerator[Storage]":
    """
    Open the store for a command, tables up to date, and close it after.

    Raises:
        ConfigurationError: There is none, and `create` does not ask for one.
        UnavailableError: It cannot be used.
    """
    if not create:
        require_database(settings)
    storage = make_storage(settings, server_secrets(settings))
    try:
        await storage.make_ready(migrate_now=settings.storage.migrate == "auto")
        yield storage
    finally:
        await storage.database.aclose()


def require_database(settings: Settings) -> None:
    """
    Refuse to look for something in a database that is not there; of a server, nothing is known yet.

    Raises:
        ConfigurationError: It is not.
    """
    file = database_file(settings)
    if file is not None and not file.exists():
        raise ConfigurationError(
            f"There is no database '{file}' here; run this where the server runs, "
            "or name it with CTXFY_STORAGE__URL."
        )


def pseudonymizer(own: ServerSecrets) -> Callable[[str], str]:
    """
    Make the function that names people in logs: stable, and telling nothing without the secret.
    """
    return _keyed(own, b"ctxfy log pseudonyms", prefix="u_", length=16)


def subject_pseudonymizer(own: ServerSecrets) -> Callable[[str], str]:
    """
    Make the function that names people and addresses where requests are counted.

    Not the one for logs: names here and there cannot be matched.
    """
    return _keyed(own, b"ctxfy limit subjects", length=32)


def token_pseudonymizer(own: ServerSecrets) -> Callable[[str], str]:
    """
    Make the function that gives users of an issuer the ids that stand in the place of keys' ids.
    """
    return _keyed(own, b"ctxfy token callers", prefix="jwt_", length=16)


def _keyed(
    own: ServerSecrets, purpose: bytes, *, length: int, prefix: str = ""
) -> Callable[[str], str]:
    key = hmac.digest(own.master_key, purpose, sha256)

    @lru_cache(maxsize=10_000)  # the same people come again and again
    def keyed(name: str) -> str:
        return prefix + hmac.digest(key, name.encode(), sha256).hex()[:length]

    return keyed
