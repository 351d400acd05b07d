"""
Whether the audit trail in a backup is whole; no database is needed to tell.
"""

from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter
from pathlib import Path

from ctxfy.adapters.storage.audit_rows import Chain, chain_of, event_of
from ctxfy.adapters.storage.backup_file import batches_of
from ctxfy.adapters.storage.envelope import Envelope
from ctxfy.adapters.storage.tables import audit_chains, audit_events
from ctxfy.core.models.audit_models import ChainHead, Fault, StoredEvent, Verdict
from ctxfy.core.use_cases.audit_use_cases import compare_heads, follow_chain


def prove_trail(path: Path, envelope: Envelope) -> Verdict:
    """
    Look at every event in a backup that was checked.

    Raises:
        UnavailableError: A head is vouched for with a master key that is not here.
    """
    trail = _Trail()
    for table, rows in batches_of(path, envelope.backup_keys()):
        # Tables stand in the order of their names: the heads come first.
        if table.name == audit_chains.name:
            trail.begin([chain_of(row, envelope) for row in rows])
        elif table.name == audit_events.name:
            trail.follow([event_of(row) for row in rows])
    return trail.verdict()


class _Trail:
    """
    How far each chain was followed.
    """

    def __init__(self) -> None:
        self._chains = dict[str, Chain]()
        self._reached = dict[str, ChainHead]()
        self._faults = dict[str, Fault]()
        self._events = 0

    def begin(self, chains: Sequence[Chain]) -> None:
        """
        Take the heads that were kept, and where each chain begins.
        """
        for chain in chains:
            name, seq = chain.head.chain, chain.head.seq
            self._chains[name] = chain
            self._reached[name] = chain.base
            if not chain.vouched:
                reason = "the head was changed by somebody without the master key"
                self._faults[name] = Fault(chain=name, seq=seq, reason=reason)

    def follow(self, events: Sequence[StoredEvent]) -> None:
        """
        Follow the chains through some more events, which come in their order.
        """
        self._events += len(events)
        for name, group in groupby(events, key=attrgetter("chain")):
            if name in self._faults:
                continue
            outcome = follow_chain(self._reached.get(name, ChainHead(chain=name)), group)
            if isinstance(outcome, Fault):
                self._faults[name] = outcome
            else:
                self._reached[name] = outcome

    def verdict(self) -> Verdict:
        """
        Compare where the chains end with the heads that were kept.
        """
        for name, reached in self._reached.items():
            kept = self._chains[name].head if name in self._chains else ChainHead(chain=name)
            if fault := self._faults.get(name) or compare_heads(reached, kept):
                self._faults[name] = fault
        return Verdict(
            events=self._events, chains=len(self._chains), faults=tuple(self._faults.values())
        )
