"""
What lives of keys happen in: the services of a process, and a state machine that awaits them.
"""

import asyncio
import secrets
from collections.abc import Coroutine
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis.stateful import RuleBasedStateMachine

from ctxfy.adapters.audit.privacy_service import PrivacyService
from ctxfy.adapters.auth.api_key_service import ApiKeyService
from ctxfy.adapters.auth.key_material import HmacKeyMaterial
from ctxfy.adapters.auth.leak_reports import LeakReports
from ctxfy.adapters.auth.session_material import SessionMaterial
from ctxfy.adapters.auth.session_service import SessionService
from ctxfy.adapters.auth.static_keys import StaticKeys
from ctxfy.adapters.storage.api_key_store import SqlApiKeyStore
from ctxfy.adapters.storage.audit_proofs import AuditProofs
from ctxfy.adapters.storage.audit_reader import AuditReader
from ctxfy.adapters.storage.audit_seals import AuditSeals
from ctxfy.adapters.storage.audit_trail import AuditTrail
from ctxfy.adapters.storage.engine import open_database
from ctxfy.adapters.storage.erasure_ledger import ErasureLedger
from ctxfy.adapters.storage.erasures import Erasures
from ctxfy.adapters.storage.person_store import SqlPersonStore
from ctxfy.adapters.storage.retention import Retention
from ctxfy.adapters.storage.session_store import SqlSessionStore
from ctxfy.core.exceptions import CtxfyError
from ctxfy.core.models.retention_models import Periods
from tests.fakes.monitoring_fakes import RecordingLogging
from tests.integration.adapters.storage.storage_kit import ENVELOPE
from tests.integration.key_model import ENDED_KEYS_KEPT, EVENTS_KEPT, LIVES, Clock


PERIODS = Periods(events=EVENTS_KEPT, ended_keys=ENDED_KEYS_KEPT, erasures=None)


class AsyncMachine(RuleBasedStateMachine):
    """
    A state machine whose rules let asynchronous things happen.
    """

    def __init__(self) -> None:
        super().__init__()
        self._runner = asyncio.Runner()

    def teardown(self) -> None:
        """
        Close the event loop.
        """
        self._runner.close()

    def wait[T](self, work: Coroutine[object, object, T]) -> T:
        """
        Let something happen.
        """
        return self._runner.run(work)

    def refused(self, error: type[CtxfyError], work: Coroutine[object, object, object]) -> None:
        """
        Let something be refused.
        """
        with pytest.raises(error):
            self.wait(work)


class Process:
    """
    The services of one server, on a database that others use too.

    Args:
        folder: Where the database is, and the ledger of erasures.
    """

    def __init__(self, folder: Path, clock: Clock, static: StaticKeys) -> None:
        def now() -> datetime:
            return clock.now

        self.database = database = open_database(f"sqlite:///{folder}/ctxfy.db")
        seals, logging = AuditSeals(ENVELOPE), RecordingLogging()
        trail = AuditTrail(database=database, envelope=ENVELOPE, seals=seals, chain="main")
        store = SqlApiKeyStore(database=database, envelope=ENVELOPE, trail=trail)
        material = HmacKeyMaterial({1: b"p" * 32}, secrets.token_bytes)
        self.keys = ApiKeyService(
            store, material, now=now, monotonic=lambda: 0.0, logging=logging, static=static
        )
        self.leaks = LeakReports(
            store,
            material,
            forget=self.keys.forget,
            now=now,
            logging=logging,
            trail=trail,
            static=static,
        )
        self.sessions = SessionService(
            SqlSessionStore(database=database),
            self.keys,
            SessionMaterial(b"s" * 32, secrets.token_bytes),
            lifetimes=LIVES,
            now=now,
            logging=logging,
        )
        self.proofs = AuditProofs(database=database, envelope=ENVELOPE)
        self.reader = AuditReader(database=database, envelope=ENVELOPE, seals=seals)
        erasures = Erasures(
            database=database,
            envelope=ENVELOPE,
            seals=seals,
            trail=trail,
            ledger=ErasureLedger(folder / "ctxfy.erasures"),
            now=now,
        )
        self.people = SqlPersonStore(
            database=database, envelope=ENVELOPE, trail=trail, erasures=erasures
        )
        self.privacy = PrivacyService(
            self.people,
            self.reader,
            trail,
            now=now,
            forget=self.keys.forget,
            has_other_admin=static.has_admin,
        )
        self.retention = Retention(
            database=database, proofs=self.proofs, erasures=erasures, periods=PERIODS, batch=2
        )
