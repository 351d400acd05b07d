"""
The shell around what people may ask for.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctxfy.adapters.audit.person_fields import holdings_text
from ctxfy.adapters.audit.privacy_service import PrivacyService
from ctxfy.core.exceptions import LastAdminKeyError, PersonNotFoundError, UnavailableError
from ctxfy.core.models.audit_models import Actor, AuditEvent, AuditFilter, AuditRecord
from ctxfy.core.models.auth_models import ApiKeyDigest, ApiKeyInfo, KeyId, OldSecret, RateLimit
from ctxfy.core.models.auth_models import Scope as KeyScope
from ctxfy.core.models.person_models import Holdings, Person
from ctxfy.core.models.session_models import Session, TokenDigest
from tests.builders import NOON
from tests.fakes.audit_fakes import FakeAuditQuery, FakeAuditTrail, FakePersonStore


ADMIN = Actor(means="rest", key_id=KeyId("a" * 12), person_id="9" * 32, network="203.0.113.0/24")
KEY = ApiKeyInfo(
    key_id=KeyId("k" * 12),
    api_key=ApiKeyDigest("d" * 64),
    user_id="ann",
    created_at=NOON,
    rate_limit=RateLimit(requests=5, seconds=60),
    old_secret=OldSecret(
        api_key=ApiKeyDigest("e" * 64), pepper_id=1, expires_at=NOON + timedelta(hours=1)
    ),
)
SESSION = Session(
    token_digest=TokenDigest("f" * 64),
    key_id=KEY.key_id,
    created_at=NOON,
    last_seen_at=NOON,
    idle_expires_at=NOON,
    expires_at=NOON,
)
ANN = Holdings(
    person=Person(person_id="1" * 32, user_id="ann", created_at=NOON),
    keys=(KEY,),
    sessions=(SESSION,),
)


def record(number: int, text: str = "x") -> AuditRecord:
    """
    Make an event of the trail.
    """
    event = AuditEvent(action="tested", at=NOON, details={"text": text})
    return AuditRecord(chain="main", seq=number, hash=b"", event=event)


class Kit:
    """
    A service over fakes.
    """

    def __init__(self, *people: Holdings) -> None:
        self.people = FakePersonStore(people={each.person.user_id: each for each in people})
        self.events = FakeAuditQuery(found=[record(1), record(2)])
        self.trail = FakeAuditTrail()
        self.forgot = 0
        self.service = PrivacyService(
            self.people, self.events, self.trail, now=lambda: NOON, forget=self._forget
        )

    def _forget(self) -> None:
        self.forgot += 1


async def test_an_export_is_one_json_text_without_digests() -> None:
    """
    Person, keys, sessions and events; what would help to forge a credential is not in it.
    """
    kit = Kit(ANN)
    text = "".join([piece async for piece in await kit.service.export("ann", actor=ADMIN)])
    held = json.loads(text)
    assert (held["user_id"], held["person_id"]) == ("ann", "1" * 32)
    assert held["created_at"] == "2026-11-22T12:00:00.000000Z"
    (key,) = held["api_keys"]
    assert (key["rate_limit"], key["expires_at"], key["networks"]) == ("5/minute", None, [])
    assert key["old_secret_expires_at"] == "2026-11-22T13:00:00.000000Z"
    assert [session["key_id"] for session in held["sessions"]] == [KEY.key_id]
    assert [event["seq"] for event in held["events"]] == [1, 2]
    assert not any(digest * 64 in text for digest in "def")
    assert kit.events.asked == [AuditFilter(user_id="ann")]


async def test_an_export_is_told_before_its_first_word() -> None:
    """
    If the event cannot be kept, nothing is given out; if it is, it names both people.
    """
    kit = Kit(ANN)
    kit.trail.outage = UnavailableError("audit trail", "gone.")
    with pytest.raises(UnavailableError):
        await kit.service.export("ann", actor=ADMIN)
    assert kit.events.asked == []
    kit.trail.outage = None
    await kit.service.export("ann", actor=ADMIN)
    (event,) = kit.trail.events
    assert (event.action, event.person_id, event.subject_id) == (
        "person_exported",
        "9" * 32,
        "1" * 32,
    )


async def test_of_nobody_there_is_nothing_to_give_or_erase() -> None:
    """
    Neither is told, for nothing was done.
    """
    kit = Kit(ANN)
    with pytest.raises(PersonNotFoundError):
        await kit.service.export("ben", actor=ADMIN)
    with pytest.raises(PersonNotFoundError):
        await kit.service.erase("ben", actor=ADMIN)
    assert (kit.trail.events, kit.people.events, kit.forgot) == ([], [], 0)


async def test_an_erasure_empties_this_process_too() -> None:
    """
    What is remembered of keys is forgotten with it; the event goes with the change itself.
    """
    kit = Kit(ANN)
    erased = await kit.service.erase("ann", actor=ADMIN)
    assert (erased.keys, erased.sessions, kit.forgot) == (1, 1, 1)
    (event,) = kit.people.events
    assert (event.action, event.key_id, event.details["network"]) == (
        "person_erased",
        ADMIN.key_id,
        "203.0.113.0/24",
    )
    assert kit.trail.events == []


async def test_a_refused_erasure_changes_nothing() -> None:
    """
    The last administrator stays, in the cache too.
    """
    kit = Kit(replace(ANN, keys=(replace(KEY, scope=KeyScope.ADMIN),)))
    with pytest.raises(LastAdminKeyError):
        await kit.service.erase("ann", actor=ADMIN)
    assert ("ann" in kit.people.people, kit.forgot) == (True, 0)


async def test_an_admin_key_elsewhere_lets_the_last_of_the_store_go() -> None:
    """
    As it does when that one is revoked.
    """
    kit = Kit(replace(ANN, keys=(replace(KEY, scope=KeyScope.ADMIN),)))
    service = PrivacyService(
        kit.people, kit.events, kit.trail, now=lambda: NOON, has_other_admin=lambda now: now == NOON
    )
    assert (await service.erase("ann", actor=ADMIN)).keys == 1


@given(name=st.text(min_size=1), texts=st.lists(st.text(), max_size=4))
async def test_the_pieces_are_json_whatever_stands_in_them(name: str, texts: list[str]) -> None:
    """
    Names and details of any characters, and any number of events, none included.
    """
    held = replace(ANN, person=replace(ANN.person, user_id=name))
    found = FakeAuditQuery(found=[record(number, text) for number, text in enumerate(texts)])
    pieces = [piece async for piece in holdings_text(held, found.records(AuditFilter()))]
    read = json.loads("".join(pieces))
    assert read["user_id"] == name
    assert list(_texts(read)) == texts
    assert len(pieces) == len(texts) + 2


def _texts(read: dict[str, list[dict[str, dict[str, str]]]]) -> Iterator[str]:
    return (event["details"]["text"] for event in read["events"])
