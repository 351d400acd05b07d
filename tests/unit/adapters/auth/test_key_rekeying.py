"""
Keys under an older pepper, and how they come under the one in use.
"""

from copy import replace
from datetime import timedelta

from ctxfy.core.models.auth_models import DenialReason, KeyId, KeyStatus
from ctxfy.core.use_cases.auth_use_cases import compose_key
from tests.unit.adapters.auth.service_kit import NOON, OUTAGE, Bench, outcome


BOTH = {1: b"p" * 32, 2: b"q" * 32}
NEW = {2: b"q" * 32}


async def test_a_key_that_is_shown_comes_under_the_pepper_in_use() -> None:
    """
    With the next batch and not at once; afterwards the old pepper is needed no more.
    """
    bench = Bench()
    key, key_id = await bench.created()
    idle, _ = await bench.created("bob")
    keys = bench.service(BOTH)
    moves = bench.store.moves
    assert outcome(await keys.authenticate(key)) is None
    assert bench.store.keys[key_id].pepper_id == 1
    await keys.flush()
    assert (bench.store.keys[key_id].pepper_id, bench.store.moves) == (2, moves)
    assert outcome(await keys.authenticate(key)) is None
    without = bench.service(NEW)
    assert outcome(await without.authenticate(key)) is None
    assert outcome(await without.authenticate(idle)) is DenialReason.UNKNOWN
    assert bench.logging.events == [("keys_rekeyed", {"count": 1, "pepper_id": 2})]


async def test_a_key_is_brought_over_once() -> None:
    """
    However often it is shown meanwhile, and never again afterwards.
    """
    bench = Bench()
    key, _ = await bench.created()
    keys = bench.service(BOTH)
    for _ in range(3):
        await keys.authenticate(key)
    await keys.flush()
    await keys.authenticate(key)
    await keys.flush()
    assert len(bench.logging.events) == 1


async def test_only_who_proves_the_secret_brings_it_over() -> None:
    """
    A wrong secret, or a key that is over, changes nothing.
    """
    bench = Bench()
    key, key_id = await bench.created()
    ended, ended_id = await bench.created("bob")
    bench.store.keys[ended_id] = replace(bench.store.keys[ended_id], status=KeyStatus.DISABLED)
    before = dict(bench.store.keys)
    keys = bench.service(BOTH)
    for text in (compose_key(key_id, b"w" * 32), ended):
        await keys.authenticate(text)
    await keys.flush()
    assert bench.store.keys == before
    assert key not in repr(keys.__dict__)


async def test_the_old_secret_of_a_rotated_key_is_brought_over_too() -> None:
    """
    Each secret when it is shown; the old one stays the old one, and ends when it would have.
    """
    bench = Bench()
    key, key_id = await bench.created()
    new = (await bench.keys.rotate_api_key(key_id)).whole
    until = bench.store.keys[key_id].old_secret
    keys = bench.service(BOTH)
    await keys.authenticate(key)
    await keys.authenticate(new)
    await keys.flush()
    info = bench.store.keys[key_id]
    assert until is not None
    assert info.old_secret is not None
    assert (info.pepper_id, info.old_secret.pepper_id) == (2, 2)
    assert info.old_secret.expires_at == until.expires_at
    without = bench.service(NEW)
    assert [outcome(await without.authenticate(text)) for text in (key, new)] == [None, None]
    bench.now = NOON + timedelta(days=2)
    assert outcome(await without.authenticate(key)) is DenialReason.EXPIRED


async def test_a_rotation_meanwhile_goes_first() -> None:
    """
    The digest that is waiting belongs to a secret that is no longer the key's: it is the old one's.
    """
    bench = Bench()
    key, key_id = await bench.created()
    keys = bench.service(BOTH)
    await keys.authenticate(key)
    new = (await bench.keys.rotate_api_key(key_id)).whole
    digest = bench.store.keys[key_id].api_key
    await keys.flush()
    assert bench.store.keys[key_id].api_key == digest
    assert [outcome(await keys.authenticate(text)) for text in (key, new)] == [None, None]
    newest = (await bench.keys.rotate_api_key(key_id, grace_hours=0)).whole
    keys.forget()
    outcomes = [outcome(await keys.authenticate(text)) for text in (key, new, newest)]
    assert outcomes == [DenialReason.UNKNOWN, DenialReason.EXPIRED, None]


async def test_an_outage_loses_nothing_that_the_next_use_does_not_mend() -> None:
    """
    The failure is logged, the key goes on being good, and comes over when it is shown again.
    """
    bench = Bench()
    key, key_id = await bench.created()
    keys = bench.service(BOTH)
    await keys.authenticate(key)
    bench.store.outage = OUTAGE
    await keys.flush()
    assert {"doing": "bringing keys under the new pepper"} in [
        context for _, _, context in bench.logging.errors
    ]
    bench.store.outage = None
    assert outcome(await keys.authenticate(key)) is None
    await keys.flush()
    assert bench.store.keys[KeyId(key_id)].pepper_id == 2
