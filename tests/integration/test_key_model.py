"""
Keys, sessions and people through lives that nobody thought of, next to a dictionary.

Short here, and the same each time; `make model-test` lives MODEL_LIVES other lives of MODEL_STEPS
steps each. What fails is printed as the steps that lead there.
"""

import os
import shutil
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import mkdtemp

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from ctxfy.adapters.auth.static_keys import StaticKeys
from ctxfy.core.exceptions import (
    ApiKeyNotFoundError,
    KeyNotRotatableError,
    LastAdminKeyError,
    PersonNotFoundError,
)
from ctxfy.core.models.audit_models import SERVER, Actor, AuditFilter
from ctxfy.core.models.auth_models import ApiKeyInfo, DenialReason, Denied, KeyId, KeyStatus, Scope
from ctxfy.core.models.leak_models import LeakOutcome
from ctxfy.core.use_cases.rotation_use_cases import REPLAY_LIFETIME
from tests.integration.adapters.storage.storage_kit import key as key_of
from tests.integration.key_model import (
    HOUR,
    LIVES,
    NAMES,
    TIMES,
    Answer,
    Clock,
    Model,
    ModelEvent,
    ModelKey,
    ModelPerson,
    ModelSession,
    answer_of,
)
from tests.integration.model_kit import AsyncMachine, Process


EXAMPLES = int(os.environ.get("MODEL_LIVES", "24"))
STEPS = int(os.environ.get("MODEL_STEPS", "14"))
MOST_SECRETS = 2


class KeyLives(AsyncMachine):
    """
    Does the same to the services and to the dictionary.

    One process changes everything; the other learns of it by polling alone.
    """

    made: Bundle[KeyId] = Bundle("made")
    opened: Bundle[str] = Bundle("opened")

    def __init__(self, template: Path) -> None:
        super().__init__()
        self.folder = Path(mkdtemp(prefix="ctxfy-model-"))
        shutil.copy(template, self.folder / "ctxfy.db")
        self.clock = Clock()
        self.model = Model(self.clock)
        self.here, self.elsewhere = self._start()

    def teardown(self) -> None:
        """
        Look at the whole trail, at the end of a life.
        """
        try:
            self.wait(self._look_at_the_trail())
        finally:
            self._close()
            super().teardown()
            shutil.rmtree(self.folder)

    @property
    def now(self) -> datetime:
        """
        The time in both worlds.
        """
        return self.clock.now

    @initialize(target=made, other_admin=st.booleans())
    def begin(self, other_admin: bool) -> MultipleResults[KeyId]:
        """
        Begin with a key for each name, and perhaps an admin key in the settings.
        """
        if other_admin:
            self.model.other_admin = True
            self._close()
            self.here, self.elsewhere = self._start(key_of("static", scope=Scope.ADMIN))
        scopes = zip(NAMES, (Scope.ADMIN, Scope.READ), strict=True)
        return multiple(*(self._create(name, scope, None) for name, scope in scopes))

    @rule(
        target=made,
        name=st.sampled_from(NAMES),
        scope=st.sampled_from([Scope.READ, Scope.ADMIN]),
        ttl_hours=st.sampled_from([None, 1, 12, 30]),
    )
    def create(self, name: str, scope: Scope, ttl_hours: int | None) -> KeyId:
        """
        Create a key.
        """
        return self._create(name, scope, ttl_hours)

    def _create(self, name: str, scope: Scope, ttl_hours: int | None) -> KeyId:
        secret = self.wait(
            self.here.keys.create_api_key(name, scope=scope, ttl_hours=ttl_hours, name=f"of {name}")
        )
        key_id = KeyId(secret[6:18])
        person_id = self.wait(self.here.keys.find_api_key(key_id)).person_id or ""
        known = self.model.person_of(name)  # of an erased person's name is somebody else
        assert person_id == known or (known is None and person_id not in self.model.people)
        self.model.people.setdefault(person_id, ModelPerson(name=name, met_at=self.now))
        self.model.keys[key_id] = ModelKey(
            person_id=person_id,
            scope=scope,
            expires_at=None if ttl_hours is None else self.now + ttl_hours * HOUR,
            secrets=[secret],
        )
        self.model.tell("key_created", key_id)
        return key_id

    @rule(
        key_id=made,
        grace_hours=st.sampled_from([0, 1, 24]),
        again=st.sampled_from([None, "once", "twice"]),
        by_owner=st.booleans(),
    )
    def rotate(self, key_id: KeyId, grace_hours: int, again: str | None, by_owner: bool) -> None:
        """
        Rotate a key, perhaps under an idempotency key that was used already.
        """
        key = self.model.keys[key_id]
        by = key.person_id if by_owner else None
        work = self.here.keys.rotate_api_key(
            key_id,
            grace_hours=grace_hours,
            idempotency_key=again,
            actor=Actor(means="rest", key_id=key_id, person_id=by) if by else SERVER,
        )
        until, before = key.answers.get(again or "", (self.now, ""))
        if key.pruned:
            self.refused(ApiKeyNotFoundError, work)
        elif until > self.now:
            assert self.wait(work).whole == before
        elif key.state(self.now) is not None:
            self.refused(KeyNotRotatableError, work)
        else:
            secret = self.wait(work).whole
            key.rotate(secret, grace_hours, self.now)
            if again is not None:
                key.answers[again] = (self.now + REPLAY_LIFETIME, secret)
            if grace_hours == 0:
                self.model.drop_sessions(lambda session: session.key_id == key_id)
            self.model.tell("key_rotated", key_id, by=by)

    @rule(key_id=made, status=st.sampled_from(list(KeyStatus)))
    def set_status(self, key_id: KeyId, status: KeyStatus) -> None:
        """
        Disable a key, enable it again, or revoke it; the last admin key stays.
        """
        key, work = self.model.keys[key_id], self.here.keys.set_api_key_status(key_id, status)
        if key.pruned:
            self.refused(ApiKeyNotFoundError, work)
        elif key.is_changed_by(status) and self.model.is_guarded(key_id, status):
            self.refused(LastAdminKeyError, work)
        else:
            info = self.wait(work)
            if key.is_changed_by(status):
                key.change(status, self.now)
                self.model.tell(
                    f"key_{'enabled' if status is KeyStatus.ACTIVE else status}", key_id
                )
            assert (info.status, info.revoked_at) == (key.status, key.revoked_at)

    @rule(key_id=made, age=st.integers(0, 2))
    def report_leak(self, key_id: KeyId, age: int) -> None:
        """
        Report one of a key's secrets, which ends the last admin key too.
        """
        key = self.model.keys[key_id]
        secret = key.secrets[-1 - min(age, len(key.secrets) - 1)]
        (found,) = self.wait(self.here.leaks.report(secret))
        assert found.outcome is self.model.leak_outcome(key, secret)
        if found.outcome is LeakOutcome.DISABLED:
            key.change(KeyStatus.DISABLED, self.now)
            self.model.tell("key_reported_leaked", key_id)

    @rule(span=st.sampled_from(TIMES))
    def let_time_pass(self, span: timedelta) -> None:
        """
        Wait.
        """
        self.clock.now += span

    @rule(target=opened, key_id=made)
    def log_in(self, key_id: KeyId) -> str | MultipleResults[str]:
        """
        Open a session, as the log-in page does, if the key is good.
        """
        key = self.model.keys[key_id]
        if self.wait(self._verify(self.here, key.secrets[-1])) is not None:
            return multiple()
        token = self.wait(self.here.sessions.open(key_id)).token
        self.model.drop_sessions(lambda session: not session.is_live(self.now))
        self.model.sessions[token] = ModelSession(
            key_id=key_id,
            seen_at=self.now,
            idle_until=self.now + LIVES.idle,
            until=self.now + LIVES.absolute,
        )
        return token

    @rule(token=opened)
    def log_out(self, token: str) -> None:
        """
        Close a session.
        """
        self.wait(self.here.sessions.close(self.here.sessions.digest(token)))
        self.model.sessions.pop(token, None)

    @rule(token=opened, away=st.booleans())
    def browse(self, token: str, away: bool) -> None:
        """
        Show a session's token to one process or the other.
        """
        process = self.elsewhere if away else self.here
        self.wait(self.elsewhere.keys.poll())
        session = self.model.sessions.get(token)
        decision = self.wait(process.sessions.authenticate(token))
        if session is None or not session.is_live(self.now):
            assert answer_of(decision) is DenialReason.SESSION
            return
        assert answer_of(decision) is self.model.keys[session.key_id].state(self.now)
        if not isinstance(decision, Denied):
            session.see(self.now)

    @rule(forget=st.booleans())
    def look_elsewhere(self, forget: bool) -> None:
        """
        Show every secret to the process that changed nothing, and perhaps empty the other's cache.
        """
        if forget:
            self.here.keys.forget()
        self.wait(self.elsewhere.keys.poll())
        self.wait(self._compare_secrets(self.elsewhere))

    @rule(name=st.sampled_from(NAMES))
    def erase(self, name: str) -> None:
        """
        Erase somebody, unless they hold the last admin keys.
        """
        person_id, work = self.model.person_of(name), self.here.privacy.erase(name, actor=SERVER)
        if person_id is None:
            self.refused(PersonNotFoundError, work)
            return
        own = {key_id: key for key_id, key in self.model.keys.items() if key.person_id == person_id}
        is_admin = any(key.is_admin(self.now) for key in own.values())
        if is_admin and not self.model.is_steady(without=set(own)):
            self.refused(LastAdminKeyError, work)
            return
        erased = self.wait(work)
        live = [key for key in own.values() if key.is_changed_by(KeyStatus.REVOKED)]
        assert erased.keys == len(live)
        assert erased.sessions == self.model.drop_sessions(lambda session: session.key_id in own)
        for key in live:
            key.change(KeyStatus.REVOKED, self.now)
        self.model.people[person_id].name = ""
        self.model.events.append(ModelEvent(action="person_erased", at=self.now, about=person_id))
        self.wait(self._look_at_people())

    @rule()
    def prune(self) -> None:
        """
        Take away what was kept long enough.
        """
        pruned = self.wait(self.here.retention.prune(at=self.now))
        events, sessions, ended, people = self.model.prune()
        assert (pruned.events, pruned.sessions) == (events, sessions)
        assert (pruned.keys, pruned.people) == (ended, people)
        self.wait(self.here.keys.poll())

    @invariant()
    def every_secret_is_answered_as_it_should_be(self) -> None:
        """
        Compare all that were ever given out; at most two of a key are good.
        """
        self.wait(self._compare_secrets(self.here))

    @invariant()
    def somebody_administers_as_it_should_be(self) -> None:
        """
        Compare whether any key does.
        """
        expected = self.model.other_admin or any(
            key.is_admin(self.now) for key in self.model.keys.values()
        )
        assert self.wait(self.here.keys.has_admin()) is expected

    def _start(self, *static: ApiKeyInfo) -> tuple[Process, Process]:
        keys = StaticKeys(static)
        return Process(self.folder, self.clock, keys), Process(self.folder, self.clock, keys)

    def _close(self) -> None:
        self.wait(self.here.database.aclose())
        self.wait(self.elsewhere.database.aclose())

    async def _verify(self, process: Process, secret: str) -> Answer:
        key = self.model.keys[KeyId(secret[6:18])]
        decision = await process.keys.authenticate(secret)
        assert answer_of(decision) is key.answer(secret, self.now)
        if isinstance(decision, Denied):
            return decision.reason
        caller = decision.principal
        assert (caller.user_id, caller.scope) == (self.model.people[key.person_id].name, key.scope)
        assert caller.by_old_secret is (key.age_of(secret) == 1)
        return None

    async def _compare_secrets(self, process: Process) -> None:
        for key in self.model.keys.values():
            answers = [await self._verify(process, secret) for secret in key.secrets]
            assert answers.count(None) <= MOST_SECRETS

    async def _look_at_people(self) -> None:
        """
        Look for what may be known of each name, and of erased people's keys.
        """
        for name in NAMES:
            person_id = self.model.person_of(name)
            held = await self.here.people.holdings(name)
            assert (None if held is None else held.person.person_id) == person_id
            kept = {each.token_digest for each in (held.sessions if held else ())}
            sessions = self.model.sessions_of(person_id)
            assert kept == set(map(self.here.sessions.digest, sessions))
            listed = {info.key_id for info in await self.here.keys.list_user_api_keys(name)}
            assert listed == {
                key_id
                for key_id, key in self.model.keys.items()
                if key.person_id == person_id and not key.pruned
            }
        for info in await self.elsewhere.keys.list_api_keys():
            name = self.model.people[self.model.keys[info.key_id].person_id].name
            assert (info.user_id, info.name) == (name, f"of {name}" if name else "")

    async def _look_at_the_trail(self) -> None:
        """
        Read every event: those that were told, whole, and silent of whoever was erased.
        """
        await self._look_at_people()
        verdict = await self.elsewhere.proofs.verify()
        assert (verdict.faults, verdict.events) == ((), len(self.model.events))
        records = [record async for record in self.elsewhere.reader.records(AuditFilter())]
        for record, event in zip(records, self.model.events, strict=True):
            assert (record.event.action, record.event.at) == (event.action, event.at)
            assert record.event.target == event.target
            assert record.subject == self.model.people[event.about].name
            by = None if event.by is None else self.model.people[event.by].name
            assert record.user_id == by
            assert record.is_readable is (by != "")


def test_keys_and_people_live_as_in_a_dictionary(template: Path) -> None:
    """
    Whatever happens in whatever order, every key is answered as a plain dictionary says.
    """
    lives: list[KeyLives] = []

    class Life(KeyLives):
        def __init__(self) -> None:
            super().__init__(template)
            lives.append(self)

    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            derandomize="MODEL_LIVES" not in os.environ,
            database=None,
            deadline=None,
            print_blob=True,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
    assert len(lives) >= EXAMPLES
