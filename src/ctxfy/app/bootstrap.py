"""
The store behind keys, people and events, made before anything can be wired.
"""

import secrets
import socket
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from ctxfy.adapters.auth.key_material import HmacKeyMaterial
from ctxfy.adapters.auth.session_material import SessionMaterial
from ctxfy.adapters.container.secrets import ServerSecrets
from ctxfy.adapters.storage import migrate
from ctxfy.adapters.storage.api_key_store import SqlApiKeyStore
from ctxfy.adapters.storage.audit_proofs import AuditProofs
from ctxfy.adapters.storage.audit_reader import AuditReader
from ctxfy.adapters.storage.audit_seals import AuditSeals
from ctxfy.adapters.storage.audit_spool import AuditSpool
from ctxfy.adapters.storage.audit_trail import AuditTrail
from ctxfy.adapters.storage.database import Database
from ctxfy.adapters.storage.engine import open_database
from ctxfy.adapters.storage.envelope import Envelope, MasterKey
from ctxfy.adapters.storage.erasure_ledger import ErasureLedger
from ctxfy.adapters.storage.erasures import Erasures
from ctxfy.adapters.storage.people import check_master_key
from ctxfy.adapters.storage.person_store import SqlPersonStore
from ctxfy.adapters.storage.postgres_server import ServerOptions
from ctxfy.adapters.storage.retention import Retention
from ctxfy.adapters.storage.session_store import SqlSessionStore
from ctxfy.adapters.storage.usage_store import SqlUsageStore
from ctxfy.app.config import Settings
from ctxfy.app.own_secrets import server_secrets
from ctxfy.app.places import database_file, ledger_file, left_spools, spool_file
from ctxfy.app.sizes import process_sizes
from ctxfy.app.worker_place import WorkerPlace
from ctxfy.core.exceptions import ConfigurationError
from ctxfy.core.models.retention_models import Periods
from ctxfy.core.ports.audit_ports import AuditWatcherPort
from ctxfy.core.ports.monitoring_ports import TracerPort
from ctxfy.core.use_cases.audit_use_cases import is_chain_name


if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

MEGABYTE = 1024 * 1024


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
    spool: AuditSpool
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
    place: WorkerPlace | None = None,
) -> Storage:
    """
    Put the store together; the disk is first touched by what is asked of it.

    Args:
        settings: All that can be set.
        own: The server's secrets.
        watcher: Is told what becomes of events.
        tracer: Is told where the time goes, if anybody wants to know.
        place: Among the workers that serve together; None for one that serves alone.

    Raises:
        ConfigurationError: The URL is not one this version can use.
    """
    database = make_database(settings, tracer=tracer)
    envelope = make_envelope(own)
    seals = AuditSeals(envelope)
    is_first = place is None or place.is_first
    spool = AuditSpool(
        spool_file(settings, place),
        envelope=envelope,
        max_bytes=settings.audit.spool_mb * MEGABYTE,
        left=partial(left_spools, settings) if is_first else tuple,
    )
    trail = AuditTrail(
        database=database,
        envelope=envelope,
        seals=seals,
        chain=audit_chain(settings, place),
        spool=spool,
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
        spool=spool,
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


def make_envelope(own: ServerSecrets) -> Envelope:
    """
    Put together what seals and opens under the master keys.
    """
    return Envelope(
        [MasterKey(id=number, secret=secret) for number, secret in own.master_keys.items()],
        random_bytes=secrets.token_bytes,
        current=own.master_key_id,
    )


def _periods(settings: Settings) -> Periods:
    def days(count: int) -> timedelta | None:
        return timedelta(days=count) if count else None

    return Periods(
        events=days(settings.audit.retention_days),
        ended_keys=days(settings.privacy.ended_key_days),
        erasures=days(settings.privacy.erasure_days),
    )


def audit_chain(settings: Settings, place: WorkerPlace | None = None) -> str:
    """
    Name the chain that this process writes.

    On SQLite all processes write one chain, one after the other. Replicas on a server, and the
    workers of each, write one each, so that none waits for another.
    """
    given, host = settings.audit.chain, socket.gethostname()
    if database_file(settings) is not None:
        return given or "main"
    name = given or (host if is_chain_name(host) else "server")
    return name if place is None or place.is_first else f"{name}-{place.number}"


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
        pool_size=given.pool_size or process_sizes(workers=settings.server.workers).pool,
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
