"""
The audit trail: what proves an event, and what finds a trail that was changed.
"""

from copy import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctxfy.core.exceptions import CheckpointError
from ctxfy.core.models.audit_models import AuditEvent, ChainHead, Checkpoint, Fault, StoredEvent
from ctxfy.core.use_cases.audit_use_cases import (
    append_to_chain,
    checkpoint_text,
    compare_heads,
    event_hash,
    follow_chain,
    head_of,
    is_chain_name,
    month_of,
    parse_checkpoint,
    without_person,
)
from tests.builders import NOON


START = ChainHead(chain="main")
TEXTS = st.text(max_size=8)
OPTIONAL = st.none() | TEXTS
EVENTS = st.builds(
    StoredEvent,
    chain=st.just(""),
    seq=st.just(0),
    at_us=st.integers(min_value=-(2**62), max_value=2**62),
    action=TEXTS,
    outcome=TEXTS,
    request_id=OPTIONAL,
    key_id=OPTIONAL,
    person_id=OPTIONAL,
    subject_id=OPTIONAL,
    target=OPTIONAL,
    seal=TEXTS,
    sealed=st.binary(max_size=8),
)
HEADS = st.builds(
    ChainHead,
    chain=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,20}", fullmatch=True),
    seq=st.integers(min_value=1, max_value=10**15),
    hash=st.binary(min_size=32, max_size=32),
)
CHECKPOINTS = st.builds(
    Checkpoint,
    at=st.datetimes(timezones=st.just(UTC)),
    signer=st.integers(min_value=0, max_value=99),
    heads=st.lists(HEADS, max_size=4, unique_by=lambda head: head.chain).map(
        lambda heads: tuple(sorted(heads, key=lambda head: head.chain))
    ),
    previous=st.just("") | st.from_regex(r"[0-9a-f]{64}", fullmatch=True),
)


def placed(head: ChainHead | StoredEvent, event: StoredEvent) -> StoredEvent:
    """
    Give an event its place behind a head.
    """
    return append_to_chain(head, event, at_us=event.at_us, seal=event.seal, sealed=event.sealed)


def written(events: list[StoredEvent]) -> list[StoredEvent]:
    """
    Append events to a fresh chain.
    """
    head, kept = START, list[StoredEvent]()
    for event in events:
        kept.append(placed(head, event))
        head = head_of(kept[-1])
    return kept


def fault_in(events: list[StoredEvent], kept: ChainHead) -> Fault | None:
    """
    Verify a whole chain against its head.
    """
    reached = follow_chain(START, events)
    return reached if isinstance(reached, Fault) else compare_heads(reached, kept)


@given(st.lists(EVENTS, max_size=6))
def test_a_chain_as_it_was_written_is_whole(events: list[StoredEvent]) -> None:
    """
    Places count from 1 without gaps, and verification ends at the head.
    """
    chain = written(events)
    assert [event.seq for event in chain] == list(range(1, len(events) + 1))
    assert fault_in(chain, head_of(chain[-1]) if chain else START) is None


@given(st.lists(EVENTS, min_size=1, max_size=6), st.data())
def test_a_changed_field_is_found_at_its_place(
    events: list[StoredEvent], data: st.DataObject
) -> None:
    """
    Whatever field of whatever event is changed, the fault names that very event.
    """
    chain = written(events)
    place = data.draw(st.integers(min_value=0, max_value=len(chain) - 1))
    field = data.draw(
        st.sampled_from(
            [
                "at_us",
                "action",
                "outcome",
                "request_id",
                "key_id",
                "person_id",
                "subject_id",
                "target",
                "seal",
                "sealed",
                "hash",
            ]
        )
    )
    other = getattr(data.draw(EVENTS), field) if field != "hash" else b"h" * 32
    if other == getattr(chain[place], field):
        other = {"at_us": chain[place].at_us ^ 1, "sealed": b"changed!!"}.get(field, "changed!!")
    changed = [*chain]
    changes: dict[str, Any] = {field: other}
    changed[place] = replace(chain[place], **changes)
    fault = fault_in(changed, head_of(chain[-1]))
    assert fault == Fault(chain="main", seq=place + 1, reason="the event is not as it was written")


@given(st.lists(EVENTS, min_size=2, max_size=6), st.data())
def test_a_missing_event_is_found_at_its_place(
    events: list[StoredEvent], data: st.DataObject
) -> None:
    """
    An event that was taken out is missed where it was, the last one too.
    """
    chain = written(events)
    place = data.draw(st.integers(min_value=0, max_value=len(chain) - 1))
    fault = fault_in(chain[:place] + chain[place + 1 :], head_of(chain[-1]))
    assert fault is not None
    assert (fault.seq, fault.reason.startswith("the event is missing")) == (place + 1, True)


@given(st.lists(EVENTS, min_size=2, max_size=6), st.data())
def test_events_in_another_order_are_found(events: list[StoredEvent], data: st.DataObject) -> None:
    """
    Two events that changed places, numbers and all, do not pass.
    """
    chain = written(events)
    first = data.draw(st.integers(min_value=0, max_value=len(chain) - 2))
    swapped = [*chain]
    swapped[first] = replace(chain[first + 1], seq=first + 1)
    swapped[first + 1] = replace(chain[first], seq=first + 2)
    fault = fault_in(swapped, head_of(chain[-1]))
    assert fault is not None
    assert fault.seq == first + 1


@given(st.lists(EVENTS, min_size=1, max_size=4), EVENTS)
def test_an_event_that_was_put_in_is_found(events: list[StoredEvent], extra: StoredEvent) -> None:
    """
    A second event at a place that is taken, and one behind the head, were never written.
    """
    chain = written(events)
    kept = head_of(chain[-1])
    doubled = [chain[0], replace(extra, chain="main", seq=1), *chain[1:]]
    appended = [*chain, placed(kept, extra)]
    for tampered, seq in ((doubled, 1), (appended, kept.seq + 1)):
        fault = fault_in(tampered, kept)
        assert fault is not None
        assert (fault.seq, fault.reason) == (seq, "there is an event that was never written")


def test_a_chain_that_was_computed_anew_does_not_fit_its_head() -> None:
    """
    With other events and right hashes, only the head tells the difference.
    """
    one, other = (
        StoredEvent(
            chain="", seq=0, at_us=0, action=action, outcome="ok", request_id=None, key_id=None,
            person_id=None, subject_id=None, target=None, seal="2026-11", sealed=b"",
        )
        for action in ("one", "other")
    )  # fmt: skip
    fault = fault_in(written([other]), head_of(written([one])[0]))
    assert fault == Fault(chain="main", seq=1, reason="the event is not the one the head tells of")


@given(EVENTS, st.binary(max_size=32), st.binary(max_size=32))
def test_an_event_is_hashed_onto_what_was_before(
    event: StoredEvent, one: bytes, other: bytes
) -> None:
    """
    The same event behind two different hashes has two different hashes itself.
    """
    assert (event_hash(one, event) == event_hash(other, event)) == (one == other)


def test_the_hash_of_an_event_is_the_same_in_every_version() -> None:
    """
    A trail that was begun by an older version is verified by this one.
    """
    event = StoredEvent(
        chain="main", seq=7, at_us=1_795_521_600_000_000, action="prompt_executed", outcome="ok",
        request_id="r-1", key_id="k" * 12, person_id="ä", subject_id=None, target="",
        seal="2026-11", sealed=b"\x01sealed",
    )  # fmt: skip
    assert event_hash(b"h" * 32, event).hex() == (
        "c5fd72c6f55a6ad94843be777b0be1375a4b1e3f736baefe4a5c809285d723a8"
    )


def test_text_that_moves_between_fields_changes_the_hash() -> None:
    """
    Fields are framed: `ab` and nothing is not `a` and `b`, and nothing is not the empty text.
    """
    blank = StoredEvent(
        chain="main", seq=1, at_us=0, action="ab", outcome="", request_id=None, key_id=None,
        person_id=None, subject_id=None, target=None, seal="s", sealed=b"",
    )  # fmt: skip
    others = [
        replace(blank, action="a", outcome="b"),
        replace(blank, request_id=""),
        replace(blank, key_id=""),
        replace(blank, seq=2),
    ]
    assert len({event_hash(b"", event) for event in (blank, *others)}) == 5


@given(CHECKPOINTS)
def test_a_checkpoint_is_read_as_it_was_written(checkpoint: Checkpoint) -> None:
    """
    The text holds all of it.
    """
    assert parse_checkpoint(checkpoint_text(checkpoint)) == checkpoint


def test_a_checkpoint_of_an_empty_chain_is_read_too() -> None:
    """
    A head without a hash is written as a hyphen.
    """
    checkpoint = Checkpoint(at=datetime(2026, 11, 1, tzinfo=UTC), signer=1, heads=(START,))
    assert "chain main 0 -\n" in checkpoint_text(checkpoint)
    assert parse_checkpoint(checkpoint_text(checkpoint)) == checkpoint


GOOD = checkpoint_text(
    Checkpoint(
        at=datetime(2026, 11, 1, tzinfo=UTC),
        signer=1,
        heads=(ChainHead(chain="a", seq=1, hash=b"x" * 32), ChainHead(chain="b")),
    )
)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ctxfy audit checkpoint v1\n",
        GOOD.replace("v1", "v2"),
        GOOD.replace("at 2026", "at then"),
        GOOD.replace("signer 1", "signer one"),
        GOOD.replace("signer 1", "signer 01"),
        GOOD.replace("chain a", "chain"),
        GOOD.replace("chain a", "chain c"),
        GOOD.replace("previous -", "before -"),
        GOOD + "more\n",
        GOOD.removesuffix("\n"),
        GOOD.replace("\n", "\r\n"),
    ],
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    """
    Anything but the very text that is written for a checkpoint is none.
    """
    with pytest.raises(CheckpointError, match="no audit checkpoint"):
        parse_checkpoint(text)


@pytest.mark.parametrize(
    ("text", "answer"),
    [("main", True), ("ctxfy-7d9.x_1", True), ("", False), ("a b", False), ("-a", False)],
)
def test_chain_names_are_plain(text: str, answer: bool) -> None:
    """
    A name goes into a line of a checkpoint, so it holds no spaces.
    """
    assert is_chain_name(text) is answer


def test_months_are_utc() -> None:
    """
    The month is the one in UTC, wherever the moment was told.
    """
    assert month_of(datetime.fromisoformat("2026-12-01T00:30:00+02:00")) == "2026-11"


@given(
    means=st.sampled_from(["rest", "browser", "mcp"]),
    numbers=st.dictionaries(st.text(), st.integers() | st.booleans()),
    texts=st.dictionaries(st.text(), st.text() | st.lists(st.text()) | st.none()),
)
def test_of_an_erased_person_no_text_is_remembered(
    means: str, numbers: dict[str, int], texts: dict[str, object]
) -> None:
    """
    But for the means; every number stays, and so does everything beside the details.
    """
    details = {**texts, **numbers, "means": means}
    event = AuditEvent(action="tested", at=NOON, target="greet", details=details)
    assert without_person(event) == replace(event, details={**numbers, "means": means})
