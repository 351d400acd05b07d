"""
The judgement about the audit trail: what proves an event, and whether a trail is whole.

Each event is hashed together with the hash of the one before it, over exactly what is stored. So
nobody can change, take out, add or reorder events without the hashes after them being wrong, short
of computing the whole chain anew; against that stands the head, which is kept with a keyed hash,
and against an older copy of everything stands a checkpoint that was kept elsewhere.
"""

import re
from collections.abc import Iterable, Mapping
from copy import replace
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any

from ctxfy.core.exceptions import CheckpointError
from ctxfy.core.models.audit_models import (
    Actor,
    AuditEvent,
    ChainHead,
    Checkpoint,
    Fault,
    StoredEvent,
)
from ctxfy.core.models.auth_models import Principal


NEVER_WRITTEN = "there is an event that was never written"
_NONE = b"\xff\xff\xff\xff"
_TITLE = "ctxfy audit checkpoint v1"
_CHAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_HEAD = re.compile(r"chain ([A-Za-z0-9][A-Za-z0-9_.-]{0,99}) ([0-9]{1,18}) ([0-9a-f]{64}|-)")


def event_hash(before: bytes, event: StoredEvent) -> bytes:
    """
    Hash an event onto the one before it; `event.hash` itself is left out.

    Every field goes in with its length, so that no two events look alike to the hash.
    """
    head = ChainHead(chain=event.chain, seq=event.seq - 1, hash=before)
    return _hash_placed(head, event, at_us=event.at_us, seal=event.seal, sealed=event.sealed)


def append_to_chain(
    head: ChainHead | StoredEvent,
    event: AuditEvent | StoredEvent,
    *,
    at_us: int,
    seal: str,
    sealed: bytes,
) -> StoredEvent:
    """
    Bring an event into the form it is kept in, with its place behind a head and its hash.

    Args:
        head: The head of the chain, or the event that ends it.
        event: What happened.
        at_us: When, in microseconds since 1970.
        seal: What its details are sealed under.
        sealed: Its details, as ciphertext.
    """
    return StoredEvent(
        chain=head.chain,
        seq=head.seq + 1,
        at_us=at_us,
        action=event.action,
        outcome=event.outcome,
        request_id=event.request_id,
        key_id=event.key_id,
        person_id=event.person_id,
        subject_id=event.subject_id,
        target=event.target,
        seal=seal,
        sealed=sealed,
        hash=_hash_placed(head, event, at_us=at_us, seal=seal, sealed=sealed),
    )


def head_of(event: StoredEvent) -> ChainHead:
    """
    The head of a chain that ends with this event.
    """
    return ChainHead(chain=event.chain, seq=event.seq, hash=event.hash)


def follow_chain(head: ChainHead, events: Iterable[StoredEvent]) -> ChainHead | Fault:
    """
    Check events against the head before them; return the head after them, or the first fault.

    Args:
        head: Where to begin: the head before the first of the events.
        events: In the order of their places.
    """
    for event in events:
        expected = head.seq + 1
        if event.seq > expected:
            return _fault(head, expected, "the event is missing")
        if event.seq < expected:
            return _fault(head, event.seq, NEVER_WRITTEN)
        if event_hash(head.hash, event) != event.hash:
            return _fault(head, expected, "the event is not as it was written")
        head = head_of(event)
    return head


def compare_heads(found: ChainHead, kept: ChainHead) -> Fault | None:
    """
    Compare where the events of a chain end with the head that was kept.
    """
    if found.seq < kept.seq:
        return _fault(kept, found.seq + 1, "the event is missing at the end")
    if found.seq > kept.seq:
        return _fault(kept, kept.seq + 1, NEVER_WRITTEN)
    if found.hash != kept.hash:
        return _fault(kept, kept.seq, "the event is not the one the head tells of")
    return None


def checkpoint_text(checkpoint: Checkpoint) -> str:
    """
    Write a checkpoint down, the same text for the same checkpoint; it is this text that is signed.
    """
    lines = [
        _TITLE,
        f"at {checkpoint.at.astimezone(UTC).isoformat(timespec='microseconds')}",
        f"signer {checkpoint.signer}",
        f"previous {checkpoint.previous or '-'}",
    ]
    lines += (
        f"chain {head.chain} {head.seq} {head.hash.hex() or '-'}"
        for head in sorted(checkpoint.heads, key=lambda each: each.chain)
    )
    return "\n".join(lines) + "\n"


def parse_checkpoint(text: str) -> Checkpoint:
    """
    Read what `checkpoint_text` wrote.

    Raises:
        CheckpointError: It is no checkpoint, or not one of this version.
    """
    try:
        _title, at, signer, previous, *heads = text.removesuffix("\n").split("\n")
        previous = previous.removeprefix("previous ")
        checkpoint = Checkpoint(
            at=datetime.fromisoformat(at.removeprefix("at ")),
            signer=int(signer.removeprefix("signer ")),
            previous="" if previous == "-" else previous,
            heads=tuple(_parse_head(line) for line in heads),
        )
    except ValueError as error:
        raise CheckpointError from error
    # Whatever reads alike but is written otherwise was not written by us.
    if checkpoint_text(checkpoint) != text:
        raise CheckpointError
    return checkpoint


def is_chain_name(text: str) -> bool:
    """
    Whether a text can name a chain.
    """
    return _CHAIN.fullmatch(text) is not None


def month_of(at: datetime) -> str:
    """
    The month under whose key events without a person are sealed.
    """
    return at.astimezone(UTC).strftime("%Y-%m")


def act_of(
    actor: Actor, action: str, at: datetime, *, target: str | None = None, **details: object
) -> AuditEvent:
    """
    Make the event of something that was done on purpose.
    """
    means: dict[str, object] = {"means": actor.means}
    if actor.network:
        means["network"] = actor.network
    return AuditEvent(
        action=action,
        at=at,
        request_id=actor.request_id,
        key_id=actor.key_id,
        person_id=actor.person_id,
        target=target,
        details=means | details,
    )


def without_person(event: AuditEvent) -> AuditEvent:
    """
    Leave out of an event's details what could be personal.

    Of an erased person only numbers and truths are remembered, and by what means they acted.
    """
    kept = {
        name: value
        for name, value in event.details.items()
        if name == "means" or isinstance(value, int)
    }
    return replace(event, details=kept)


def actor_of(principal: Principal, *, means: str, request_id: str, network: str) -> Actor:
    """
    Say who acts, of a caller and its request.
    """
    return Actor(
        means=means,
        key_id=principal.key_id,
        person_id=principal.person_id,
        request_id=request_id,
        network=network,
    )


def actor_of_request(state: Mapping[str, Any]) -> Actor:
    """
    Say who acts, of what was found out about a request over REST.
    """
    return actor_of(
        state["principal"],
        means="browser" if state.get("session") else "rest",
        request_id=state["request_id"],
        network=state["network"],
    )


def outcome_of(status: int, facts: Mapping[str, object]) -> str:
    """
    Say how a request ended: `ok`, the reason of a denial, the code of an error, or its status.

    Args:
        status: The HTTP status it is answered with.
        facts: What was found out about it while it was served.
    """
    for fact in ("denial", "error_code"):
        if fact in facts:
            return str(facts[fact])
    return "ok" if status < FIRST_REFUSAL else f"status_{status}"


def action_of(action: str, facts: Mapping[str, object]) -> str:
    """
    Say what a request did: its route tells, and on /mcp the method of the protocol.
    """
    return _RPC_ACTIONS.get(str(facts.get("rpc_method")), action)


FIRST_REFUSAL = 400

_RPC_ACTIONS: Mapping[str, str] = {
    "prompts/get": "prompt_executed",
    "prompts/list": "prompts_listed",
    "completion/complete": "argument_completed",
    "resources/list": "resources_listed",
    "resources/read": "resource_read",
    "subscriptions/listen": "changes_followed",
}


def _hash_placed(
    head: ChainHead | StoredEvent,
    event: AuditEvent | StoredEvent,
    *,
    at_us: int,
    seal: str,
    sealed: bytes,
) -> bytes:
    """
    Hash an event as it is in the place behind a head, wherever it says it is.
    """
    framed = (
        len(head.hash).to_bytes(4),
        head.hash,
        _frame_again(head.chain, event.action, event.outcome),
        _frame(event.request_id),
        _frame_again(event.key_id, event.person_id, event.subject_id, event.target, seal),
        len(sealed).to_bytes(4),
        sealed,
        (head.seq + 1).to_bytes(8),
        at_us.to_bytes(8, signed=True),
    )
    return sha256(b"".join(framed)).digest()


def _frame(text: str | None) -> bytes:
    if text is None:
        return _NONE
    value = text.encode()
    return len(value).to_bytes(4) + value


@lru_cache(maxsize=1024)  # few keys do few things, again and again
def _frame_again(*texts: str | None) -> bytes:
    return b"".join([_frame(text) for text in texts])


def _fault(head: ChainHead, seq: int, reason: str) -> Fault:
    return Fault(chain=head.chain, seq=seq, reason=reason)


def _parse_head(line: str) -> ChainHead:
    match = _HEAD.fullmatch(line)
    if match is None:
        raise CheckpointError
    digest = b"" if match[3] == "-" else bytes.fromhex(match[3])
    return ChainHead(chain=match[1], seq=int(match[2]), hash=digest)
