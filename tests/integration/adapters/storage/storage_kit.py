"""
What the tests of the storage share: an empty database, an envelope, keys.
"""

import asyncio
import secrets
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ctxfy.adapters.storage import migrate
from ctxfy.adapters.storage.api_key_store import SqlApiKeyStore
from ctxfy.adapters.storage.audit_seals import AuditSeals
from ctxfy.adapters.storage.audit_trail import AuditTrail
from ctxfy.adapters.storage.database import Database
from ctxfy.adapters.storage.engine import open_database
from ctxfy.adapters.storage.envelope import Envelope, MasterKey
from ctxfy.adapters.storage.erasure_ledger import ErasureLedger
from ctxfy.adapters.storage.erasures import Erasures
from ctxfy.adapters.storage.person_store import SqlPersonStore
from ctxfy.core.models.auth_models import ApiKeyDigest, ApiKeyInfo, KeyId, Scope


NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
MASTER = MasterKey(id=1, secret=b"m" * 32)
ENVELOPE = Envelope([MASTER], random_bytes=secrets.token_bytes)


def key(
    name: str, *, minutes: int = 0, user_id: str = "ann", scope: Scope = Scope.READ
) -> ApiKeyInfo:
    """
    Make a key whose id is the name, filled up, created so many minutes after noon.
    """
    return ApiKeyInfo(
        key_id=KeyId(f"{name:0<12}"),
        api_key=ApiKeyDigest("d" * 64),
        user_id=user_id,
        scope=scope,
        created_at=NOON + timedelta(minutes=minutes),
    )


def key_store(database: Database, envelope: Envelope = ENVELOPE) -> SqlApiKeyStore:
    """
    Open a store of keys, with a trail for its changes.
    """
    trail = AuditTrail(
        database=database, envelope=envelope, seals=AuditSeals(envelope), chain="main"
    )
    return SqlApiKeyStore(database=database, envelope=envelope, trail=trail)


def make_template(folder: Path) -> Path:
    """
    Make one migrated database, for `open_copy` to copy: migrating each test's own takes longer.
    """

    async def make() -> Path:
        database = open_database(f"sqlite:///{folder}/template.db")
        await migrate.upgrade(database)
        await database.aclose()
        return folder / "template.db"

    return asyncio.run(make())


def open_copy(template: Path, folder: Path, *, patience: float = 5, busy: float = 1) -> Database:
    """
    Open a fresh database.
    """
    shutil.copy(template, folder / "ctxfy.db")
    return open_database(
        f"sqlite:///{folder}/ctxfy.db", lock_patience_seconds=patience, busy_seconds=busy
    )


def person_store(database: Database, folder: Path, envelope: Envelope = ENVELOPE) -> SqlPersonStore:
    """
    Open a store of people, with a trail for what is done to them.
    """
    return PeopleKit(database, folder, envelope).store


class PeopleKit:
    """
    A store of people, with the ledger of erasures in a folder.
    """

    def __init__(
        self,
        database: Database,
        folder: Path,
        envelope: Envelope = ENVELOPE,
        *,
        ledger: ErasureLedger | None = None,
    ) -> None:
        seals = AuditSeals(envelope)
        trail = AuditTrail(database=database, envelope=envelope, seals=seals, chain="main")
        self.ledger = ledger or ErasureLedger(folder / "ctxfy.erasures")
        self.erasures = Erasures(
            database=database,
            envelope=envelope,
            seals=seals,
            trail=trail,
            ledger=self.ledger,
            now=lambda: NOON,
        )
        self.store = SqlPersonStore(
            database=database, envelope=envelope, trail=trail, erasures=self.erasures
        )
