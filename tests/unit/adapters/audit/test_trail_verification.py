"""
Verifying the trail in the background: what is told, and when it is done again.
"""

import asyncio
from datetime import timedelta

import pytest

from ctxfy.adapters.audit import trail_verification
from ctxfy.adapters.audit.trail_verification import TrailVerification
from ctxfy.core.exceptions import UnavailableError
from ctxfy.core.models.audit_models import Fault, Verdict
from tests.builders import NOW
from tests.fakes.monitoring_fakes import RecordingLogging, RecordingMetrics
from tests.unit.adapters.audit.test_audit_service import CountingProofs


WELL = Verdict(events=7, chains=1)
BROKEN = Verdict(events=3, chains=1, faults=(Fault(chain="main", seq=4, reason="altered"),))


class Proofs(CountingProofs):
    """
    Proofs that give one verdict after the other, or fail.
    """

    def __init__(self, *outcomes: Verdict | Exception) -> None:
        super().__init__()
        self.outcomes = list(outcomes)
        self.asked: list[bool] = []
        self.done = asyncio.Event()

    async def verify(self, *, gently: bool = False) -> Verdict:
        """
        Take the next outcome.
        """
        self.asked.append(gently)
        if len(self.outcomes) == 1:
            self.done.set()
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


class Watched:
    """
    A verification with everything it tells.
    """

    def __init__(self, *outcomes: Verdict | Exception) -> None:
        self.logging, self.metrics = RecordingLogging(), RecordingMetrics()
        self.proofs = Proofs(*outcomes)
        self.verification = TrailVerification(
            self.proofs,
            every=timedelta(0),
            now=lambda: NOW,
            logging=self.logging,
            metrics=self.metrics,
        )


async def test_a_whole_trail_is_told_so() -> None:
    """
    Gently, once, to the log and to the metrics.
    """
    watched = Watched(WELL)
    await watched.verification.verify()
    assert watched.proofs.asked == [True]
    assert watched.metrics.verifications == [(0, NOW)]
    assert watched.logging.events == [("audit_trail_verified", {"events": 7, "chains": 1})]


async def test_a_broken_chain_is_told_with_its_place() -> None:
    """
    And counted.
    """
    watched = Watched(BROKEN)
    await watched.verification.verify()
    assert watched.proofs.asked == [True]
    assert watched.metrics.verifications == [(1, NOW)]
    [(event, facts)] = watched.logging.events
    assert event == "audit_chain_broken"
    assert (facts["chain"], facts["seq"], facts["reason"]) == ("main", 4, "altered")


async def test_it_goes_on_whatever_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Without the database nothing is told; what is unforeseen is logged; the next one is done.
    """
    monkeypatch.setattr(trail_verification, "FIRST_AFTER", timedelta(0))
    monkeypatch.setattr(trail_verification, "AGAIN_AFTER", timedelta(0))
    watched = Watched(UnavailableError("storage", "away"), RuntimeError("odd"), WELL, WELL)
    task = asyncio.create_task(watched.verification.run())
    async with asyncio.timeout(10):
        await watched.proofs.done.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [(str(error), context) for _, error, context in watched.logging.errors] == [
        ("odd", {"doing": "verifying the audit trail"})
    ]
    assert watched.metrics.verifications[0] == (0, NOW)
