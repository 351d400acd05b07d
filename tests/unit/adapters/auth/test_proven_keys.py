"""
What is remembered of keys that proved good, and what ends it.
"""

from ctxfy.adapters.auth.key_material import HmacKeyMaterial
from ctxfy.core.models.auth_models import DenialReason, KeyStatus
from tests.builders import told
from tests.unit.adapters.auth.service_kit import NOON, Bench, outcome


PEPPERS = {1: b"p" * 32}


async def test_a_key_is_proved_once() -> None:
    """
    The second time, no digest of it is made, and the decision is the same.
    """
    bench = Bench()
    key, _ = await bench.created()
    first = await bench.keys.authenticate(key)
    assert "digest under 1" in bench.journal
    bench.journal.clear()
    assert await bench.keys.authenticate(key) == first
    assert bench.journal == []


async def test_a_wrong_secret_is_tried_each_time() -> None:
    """
    Nothing is remembered of it, and that the right one was proved does not help it.
    """
    bench = Bench()
    key, key_id = await bench.created()
    await bench.keys.authenticate(key)
    wrong = HmacKeyMaterial(PEPPERS, lambda count: b"w" * count).new_secret(key_id)
    for _ in range(2):
        bench.journal.clear()
        assert outcome(await bench.keys.authenticate(wrong)) is DenialReason.UNKNOWN
        assert len([entry for entry in bench.journal if entry.startswith("digest")]) == 2


async def test_a_proof_holds_for_as_long_as_the_same_is_known_of_the_key() -> None:
    """
    After a change that was seen, the key is proved again, and refused if that was its end.
    """
    bench = Bench()
    key, key_id = await bench.created()
    await bench.keys.poll()
    await bench.keys.authenticate(key)
    for status, reason in (
        (KeyStatus.DISABLED, DenialReason.DISABLED),
        (KeyStatus.ACTIVE, None),
        (KeyStatus.REVOKED, DenialReason.REVOKED),
    ):
        await bench.store.set_status(key_id, status, told(NOON))
        await bench.keys.poll()
        assert outcome(await bench.keys.authenticate(key)) is reason


async def test_the_oldest_proof_goes_first() -> None:
    """
    As many are remembered as keys, and one that is gone is proved again.
    """
    bench = Bench(cache_size=2)
    keys = [(await bench.created(user))[0] for user in ("ann", "ben", "cyd")]
    for key in keys:
        await bench.keys.authenticate(key)
    bench.journal.clear()
    await bench.keys.authenticate(keys[2])
    assert bench.journal == []
    await bench.keys.authenticate(keys[0])
    assert "digest under 1" in bench.journal


def test_a_fingerprint_is_of_the_key_and_the_pepper() -> None:
    """
    The same key has another one where another pepper is in use, and two keys never share one.
    """
    one, other = (HmacKeyMaterial({1: pepper * 32}, bytes) for pepper in (b"p", b"q"))
    marks = {each.fingerprint(key) for each in (one, other) for key in ("a", "b")}
    assert len(marks) == 4
    assert one.fingerprint("a") == one.fingerprint("a")
