"""
Reports of leaked keys, on the fake store and the real digests.
"""

from datetime import timedelta

from ctxfy.adapters.auth.leak_reports import LeakReports
from ctxfy.adapters.auth.static_keys import StaticKeys
from ctxfy.app.static_key_settings import StaticKey, static_infos
from ctxfy.core.models.auth_models import DenialReason, KeyId, KeyStatus, Scope
from ctxfy.core.models.leak_models import LeakOutcome
from ctxfy.core.models.monitoring_models import LogLevel
from ctxfy.core.use_cases.auth_use_cases import compose_key
from tests.fakes.audit_fakes import FakeAuditTrail
from tests.unit.adapters.auth.service_kit import NOON, Bench, RecordingMaterial, outcome


PEPPERS = {1: b"p" * 32}


def reports_on(
    bench: Bench, trail: FakeAuditTrail | None = None, *static: StaticKey
) -> LeakReports:
    """
    Take reports about the keys of a bench.
    """
    return LeakReports(
        bench.store,
        RecordingMaterial(PEPPERS, bench.random_bytes, bench.journal),
        trail=trail or FakeAuditTrail(),
        static=StaticKeys(static_infos(static, NOON)),
        forget=bench.keys.forget,
        now=lambda: bench.now,
        logging=bench.logging,
    )


async def outcomes(bench: Bench, text: str, *key_ids: str) -> list[str]:
    """
    Report something, and say what came of it.
    """
    found = await reports_on(bench).report(text, [KeyId(each) for each in key_ids])
    return [str(each.outcome) for each in found]


async def test_a_found_key_is_disabled_at_once() -> None:
    """
    Although a cache knew it; the event tells of it, and neither it nor a log line has the secret.
    """
    bench = Bench()
    key, key_id = await bench.created()
    assert outcome(await bench.keys.authenticate(key)) is None
    (finding,) = await reports_on(bench).report(f"see {key}", place=f"https://x/{key}")
    assert (finding.outcome, finding.key_id) == (LeakOutcome.DISABLED, key_id)
    assert outcome(await bench.keys.authenticate(key)) is DenialReason.DISABLED
    event = bench.store.events[-1]
    assert (event.action, event.target) == ("key_reported_leaked", key_id)
    assert event.details["proof"] == "secret"
    assert key[19:] not in repr((event, bench.logging, finding))


async def test_a_report_may_come_twice() -> None:
    """
    The second changes nothing and tells nothing.
    """
    bench = Bench()
    key, key_id = await bench.created()
    assert await outcomes(bench, key) == ["disabled"]
    told = len(bench.store.events)
    assert await outcomes(bench, key, key_id) == ["already_gone", "already_gone"]
    await bench.keys.revoke_api_key(key_id)
    assert await outcomes(bench, key) == ["already_gone"]
    assert len(bench.store.events) == told + 1


async def test_a_made_up_key_ends_nothing() -> None:
    """
    A known id with another secret is unknown, like an id that nobody has.
    """
    bench = Bench()
    key, key_id = await bench.created()
    forged = compose_key(key_id, b"f" * 32)
    nobody = compose_key(KeyId("nobody000000"), b"n" * 32)
    cut = key[:-1] + ("0" if key[-1] != "0" else "1")
    text = f"{forged} {nobody} {cut}"
    assert await outcomes(bench, text, "nobody000000") == [
        "unknown", "unknown", "malformed", "unknown",
    ]  # fmt: skip
    assert bench.store.keys[key_id].status is KeyStatus.ACTIVE


async def test_every_report_takes_the_same_work() -> None:
    """
    Two digests for each key that is well-formed, known or not.
    """
    bench = Bench()
    key, key_id = await bench.created()
    counts = []
    for text in (key, compose_key(key_id, b"f" * 32), compose_key(KeyId("n" * 12), b"n" * 32)):
        bench.journal.clear()
        await reports_on(bench).report(text)
        counts.append([each.partition(" ")[0] for each in bench.journal])
    assert counts[0] == counts[1] == counts[2]
    assert counts[0].count("digest") == 2


async def test_an_old_secret_ends_the_key_while_it_is_good() -> None:
    """
    Whoever found it may have rotated the key with it; once it is over, the owner did.
    """
    bench = Bench()
    key, key_id = await bench.created()
    await bench.keys.rotate_api_key(key_id, grace_hours=1)
    assert await outcomes(bench, key) == ["disabled"]
    await bench.keys.set_api_key_status(key_id, KeyStatus.ACTIVE)
    bench.now += timedelta(hours=1)
    assert await outcomes(bench, key) == ["rotated_away"]
    assert bench.store.keys[key_id].status is KeyStatus.ACTIVE


async def test_the_last_admin_key_goes_if_it_was_shown() -> None:
    """
    By its id alone it stays.
    """
    bench = Bench()
    key = await bench.keys.create_api_key("root", scope=Scope.ADMIN)
    assert await outcomes(bench, "", key[6:18]) == ["last_admin"]
    assert await outcomes(bench, key) == ["disabled"]
    assert not await bench.keys.has_admin()


async def test_a_key_of_the_settings_is_told_of_aloud() -> None:
    """
    By its secret or its id: an error in the log, and an event each time, since it stays good; a
    forged one is unknown.
    """
    bench, trail = Bench(), FakeAuditTrail()
    key_id = KeyId("static000000")
    key = compose_key(key_id, b"x" * 32)
    digest = RecordingMaterial(PEPPERS, bench.random_bytes, []).static_digest(key)
    static = StaticKey(key_id=key_id, digest=digest, user_id="ci")
    reports = reports_on(bench, trail, static)
    forged = compose_key(key_id, b"f" * 32)
    found = await reports.report(f"{key} {forged}", [key_id], place="a ticket")
    assert [str(each.outcome) for each in found] == ["static", "unknown", "static"]
    assert [(each.target, each.outcome, each.details["proof"]) for each in trail.events] == [
        (key_id, "api_key.static", "secret"),
        (key_id, "api_key.static", "key_id"),
    ]
    told = [fields for name, fields in bench.logging.events if name == "key_reported_leaked"]
    assert [(each["level"], each["key_id"]) for each in told] == [(LogLevel.ERROR, key_id)] * 2
    assert key[19:] not in repr((trail.events, bench.logging.events, found))
