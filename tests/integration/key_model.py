"""
Keys, sessions and people as they should be: a dictionary, and the rules in a few words.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ctxfy.core.models.auth_models import Decision, DenialReason, Denied, KeyId, KeyStatus, Scope
from ctxfy.core.models.leak_models import LeakOutcome
from ctxfy.core.models.session_models import SessionLifetimes
from tests.builders import NOON


HOUR = timedelta(hours=1)
LIVES = SessionLifetimes(idle=timedelta(minutes=30), absolute=12 * HOUR)
EVENTS_KEPT, ENDED_KEYS_KEPT = 72 * HOUR, 48 * HOUR
STEADY_HOURS = 24
NAMES = ("ann", "ben")
TIMES = (timedelta(seconds=20), timedelta(minutes=11), HOUR, 13 * HOUR, 25 * HOUR, 80 * HOUR)
MET_LATELY = timedelta(days=1)
_STATUS_REASONS = {
    KeyStatus.REVOKED: DenialReason.REVOKED,
    KeyStatus.DISABLED: DenialReason.DISABLED,
}

type Answer = DenialReason | None
"""
Why a caller is refused; None if they are not.
"""


def answer_of(decision: Decision) -> Answer:
    """
    Tell why somebody was refused, if they were.
    """
    return decision.reason if isinstance(decision, Denied) else None


@dataclass(slots=True)
class Clock:
    """
    Stands until it is moved.
    """

    now: datetime = NOON


@dataclass(slots=True, kw_only=True)
class ModelKey:
    """
    A key as it should be.

    Attributes:
        secrets: All it ever had, the oldest first.
        old_until: Until when the last but one is good.
        answers: Of rotations, by idempotency key: until when, and which secret.
        pruned: Whether it was taken away.
    """

    person_id: str
    scope: Scope
    expires_at: datetime | None
    secrets: list[str]
    status: KeyStatus = KeyStatus.ACTIVE
    revoked_at: datetime | None = None
    old_until: datetime = NOON
    answers: dict[str, tuple[datetime, str]] = field(
        default_factory=dict[str, tuple[datetime, str]]
    )
    pruned: bool = False

    def state(self, now: datetime) -> Answer:
        """
        Tell what the key is answered with.
        """
        if self.pruned:
            return DenialReason.UNKNOWN
        if self.status in _STATUS_REASONS:
            return _STATUS_REASONS[self.status]
        return DenialReason.EXPIRED if self.ends_by(now) else None

    def age_of(self, secret: str) -> int:
        """
        Count the rotations since a secret was the newest.
        """
        return len(self.secrets) - 1 - self.secrets.index(secret)

    def answer(self, secret: str, now: datetime) -> Answer:
        """
        Tell what one of its secrets is answered with.
        """
        age = self.age_of(secret)
        if age > 1 or self.pruned:
            return DenialReason.UNKNOWN
        if age == 1 and now >= self.old_until:
            return DenialReason.EXPIRED
        return self.state(now)

    def ends_by(self, at: datetime) -> bool:
        """
        Tell whether its life is over at a moment.
        """
        return self.expires_at is not None and self.expires_at <= at

    def is_admin(self, now: datetime, *, for_hours: int = 0) -> bool:
        """
        Tell whether it can administer, now and for some time to come.
        """
        is_live = self.state(now) is None and not self.ends_by(now + for_hours * HOUR)
        return self.scope is Scope.ADMIN and is_live

    def rotate(self, secret: str, grace_hours: int, now: datetime) -> None:
        """
        Take a new secret.
        """
        self.secrets.append(secret)
        until = now + grace_hours * HOUR
        self.old_until = until if self.expires_at is None else min(until, self.expires_at)

    def is_changed_by(self, status: KeyStatus) -> bool:
        """
        Tell whether another status would be news.
        """
        return not self.pruned and self.status not in {status, KeyStatus.REVOKED}

    def change(self, status: KeyStatus, now: datetime) -> None:
        """
        Take another status.
        """
        self.status = status
        if status is KeyStatus.REVOKED:
            self.revoked_at = now

    def is_due(self, before: datetime) -> bool:
        """
        Tell whether it ended before a moment.
        """
        ends = (self.revoked_at, self.expires_at)
        return any(end is not None and end < before for end in ends)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelEvent:
    """
    An event as it should be in the trail.

    Attributes:
        by: The person who did it; None for the server.
        about: The person it was done to.
    """

    action: str
    at: datetime
    about: str
    target: KeyId | None = None
    by: str | None = None


@dataclass(slots=True, kw_only=True)
class ModelPerson:
    """
    Somebody as they should be known.

    Attributes:
        name: Empty once they are erased.
    """

    name: str
    met_at: datetime


@dataclass(slots=True, kw_only=True)
class ModelSession:
    """
    A browser session as it should be.
    """

    key_id: KeyId
    seen_at: datetime
    idle_until: datetime
    until: datetime

    def is_live(self, now: datetime) -> bool:
        """
        Tell whether it goes on.
        """
        return now < self.idle_until and now < self.until

    def see(self, now: datetime) -> None:
        """
        Begin its idle life anew, unless that was done a moment ago.
        """
        if now - self.seen_at >= LIVES.idle / 60:
            self.seen_at, self.idle_until = now, now + LIVES.idle


class Model:
    """
    Everything as it should be.

    Attributes:
        other_admin: Whether a key in the settings can administer.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.other_admin = False
        self.keys: dict[KeyId, ModelKey] = {}
        self.sessions: dict[str, ModelSession] = {}
        self.people: dict[str, ModelPerson] = {}
        self.events: list[ModelEvent] = []

    def person_of(self, name: str) -> str | None:
        """
        Find who has a name now.
        """
        known = (person_id for person_id, each in self.people.items() if each.name == name)
        return next(known, None)

    def tell(self, action: str, key_id: KeyId, *, by: str | None = None) -> None:
        """
        Note an event about a key.
        """
        about = self.keys[key_id].person_id
        self.events.append(
            ModelEvent(action=action, at=self.clock.now, about=about, target=key_id, by=by)
        )

    def drop_sessions(self, is_over: Callable[[ModelSession], bool]) -> int:
        """
        Take sessions away; tells how many.
        """
        over = [token for token, session in self.sessions.items() if is_over(session)]
        for token in over:
            del self.sessions[token]
        return len(over)

    def sessions_of(self, person_id: str | None) -> list[str]:
        """
        List the tokens of a person's sessions, live or not.
        """
        return [
            token
            for token, session in self.sessions.items()
            if self.keys[session.key_id].person_id == person_id
        ]

    def is_guarded(self, key_id: KeyId, status: KeyStatus) -> bool:
        """
        Tell whether a key is the last that can administer.
        """
        is_admin = self.keys[key_id].is_admin(self.clock.now)
        return status is not KeyStatus.ACTIVE and is_admin and not self.is_steady(without={key_id})

    def is_steady(self, *, without: set[KeyId]) -> bool:
        """
        Tell whether somebody else can administer for a day to come.
        """
        if self.other_admin:
            return True
        others = [key for key_id, key in self.keys.items() if key_id not in without]
        return any(key.is_admin(self.clock.now, for_hours=STEADY_HOURS) for key in others)

    def leak_outcome(self, key: ModelKey, secret: str) -> LeakOutcome:
        """
        Tell what comes of a report.
        """
        age = key.age_of(secret)
        if key.pruned or age > 1:
            return LeakOutcome.UNKNOWN
        if key.status is not KeyStatus.ACTIVE:
            return LeakOutcome.ALREADY_GONE
        if age == 1 and self.clock.now >= key.old_until:
            return LeakOutcome.ROTATED_AWAY
        return LeakOutcome.DISABLED

    def prune(self) -> tuple[int, int, int, int]:
        """
        Take away what was kept long enough; counts events, sessions, keys, people.
        """
        kept = [event for event in self.events if event.at >= self.clock.now - EVENTS_KEPT]
        events, self.events = len(self.events) - len(kept), kept
        sessions = self.drop_sessions(lambda session: not session.is_live(self.clock.now))
        ended = {
            key_id
            for key_id, key in self.keys.items()
            if not key.pruned and key.is_due(self.clock.now - ENDED_KEYS_KEPT)
        }
        for key_id in ended:
            self.keys[key_id].pruned = True
        self.drop_sessions(lambda session: session.key_id in ended)
        needed = {key.person_id for key in self.keys.values() if not key.pruned}
        needed |= {person_id for event in kept for person_id in (event.about, event.by or "")}
        unneeded = [
            person_id
            for person_id, person in self.people.items()
            if person_id not in needed and person.met_at < self.clock.now - MET_LATELY
        ]
        for person_id in unneeded:
            del self.people[person_id]
        return events, sessions, len(ended), len(unneeded)
