"""
What every store of keys does (ApiKeyStorePort), the fake included.
"""

import asyncio
from copy import replace
from datetime import timedelta
from ipaddress import ip_network

import pytest

from ctxfy.adapters.storage.database import Database
from ctxfy.core.exceptions import (
    ApiKeyNotFoundError,
    InvalidKeyRequestError,
    KeyNotRotatableError,
    LastAdminKeyError,
)
from ctxfy.core.models.auth_models import (
    ApiKeyDigest,
    ApiKeyInfo,
    KeyId,
    KeyStatus,
    NewDigest,
    NewSecret,
    OldSecret,
    RateLimit,
    Scope,
)
from ctxfy.core.ports.auth_ports import ApiKeyStorePort
from tests.builders import told
from tests.fakes.auth_fakes import FakeApiKeyStore
from tests.integration.adapters.storage.storage_kit import NOON, key, key_store


LATER = NOON + timedelta(hours=1)


@pytest.fixture
def store(database: Database | None) -> ApiKeyStorePort:
    """
    Each kind of store, empty.
    """
    if database is None:
        return FakeApiKeyStore()
    return key_store(database)


def full_key() -> ApiKeyInfo:
    """
    Make a key with something in every field.
    """
    return replace(
        key("full", user_id="Zoë | 李", scope=Scope.WRITE),
        name="CI, nightly",
        prompts=("review-*", 'odd"glob'),
        networks=(ip_network("10.0.0.0/8"), ip_network("2001:db8::/32")),
        rate_limit=RateLimit(requests=600, seconds=60),
        expires_at=NOON + timedelta(days=1, microseconds=1),
        last_used_at=NOON + timedelta(microseconds=999_999),
        revoked_at=LATER,
        status=KeyStatus.REVOKED,
        created_by=KeyId("creator00000"),
        pepper_id=7,
        old_secret=OldSecret(api_key=ApiKeyDigest("b" * 64), pepper_id=6, expires_at=LATER),
    )


@pytest.mark.parametrize("info", [key("plain"), full_key()], ids=["plain", "full"])
async def test_a_key_comes_back_as_it_was_kept(store: ApiKeyStorePort, info: ApiKeyInfo) -> None:
    """
    Every field of a key survives, to the microsecond.
    """
    await store.add(info, told())
    assert await store.find(info.key_id) == info


async def test_an_unknown_key_is_none(store: ApiKeyStorePort) -> None:
    """
    Looking up an id that nobody has is no error.
    """
    assert await store.find(KeyId("nobody")) is None


async def test_an_id_is_taken_once(store: ApiKeyStorePort) -> None:
    """
    A second key with the same id is refused, and the first one stays as it was.
    """
    await store.add(key("a"), told())
    before = await store.epoch()
    with pytest.raises(InvalidKeyRequestError, match="already an API key"):
        await store.add(key("a", user_id="ben"), told())
    assert await store.list_keys() == [key("a")]
    assert await store.epoch() == before


async def test_only_the_first_key_is_added_first(store: ApiKeyStorePort) -> None:
    """
    `add_first` keeps a key only while there is none at all, live or not.
    """
    assert await store.add_first(key("a"), told())
    await store.set_status(key("a").key_id, KeyStatus.REVOKED, told(LATER))
    assert not await store.add_first(key("b"), told())
    assert await store.find(key("b").key_id) is None


async def test_keys_are_listed_oldest_first(store: ApiKeyStorePort) -> None:
    """
    Lists are ordered by creation, then by id, whatever the order of adding.
    """
    old, twin, new = key("z", minutes=1), key("b", minutes=2), key("c", minutes=2)
    for info in (new, old, twin):
        await store.add(info, told())
    assert await store.list_keys() == [old, twin, new]


async def test_the_keys_of_one_user_are_listed_apart(store: ApiKeyStorePort) -> None:
    """
    A user's list holds that very user's keys: case counts, and nobody has none.
    """
    mine = [key("a", minutes=1), key("b", minutes=2)]
    for info in (*mine, key("c", user_id="Ann"), key("d", user_id="ben")):
        await store.add(info, told())
    assert await store.list_keys(user_id="ann") == mine
    assert await store.list_keys(user_id="nobody") == []
    assert await store.list_keys(user_id="") == []


async def test_a_key_is_disabled_and_enabled_again(store: ApiKeyStorePort) -> None:
    """
    Disabling is not for good, and leaves no trace of a revocation.
    """
    await store.add(key("a"), told())
    disabled = await store.set_status(key("a").key_id, KeyStatus.DISABLED, told(LATER))
    assert disabled == replace(key("a"), status=KeyStatus.DISABLED)
    assert await store.set_status(key("a").key_id, KeyStatus.ACTIVE, told(LATER)) == key("a")
    assert await store.find(key("a").key_id) == key("a")


@pytest.mark.parametrize("status", list(KeyStatus))
async def test_a_revoked_key_stays_revoked(store: ApiKeyStorePort, status: KeyStatus) -> None:
    """
    Whatever is asked of a revoked key, it keeps its status and the time of its revocation.
    """
    await store.add(key("a"), told())
    revoked = await store.set_status(key("a").key_id, KeyStatus.REVOKED, told(LATER))
    assert revoked == replace(key("a"), status=KeyStatus.REVOKED, revoked_at=LATER)
    after = LATER + timedelta(hours=1)
    assert await store.set_status(key("a").key_id, status, told(after)) == revoked
    assert await store.find(key("a").key_id) == revoked


async def test_the_status_of_an_unknown_key_cannot_change(store: ApiKeyStorePort) -> None:
    """
    Changing a key that does not exist is told apart from success.
    """
    with pytest.raises(ApiKeyNotFoundError):
        await store.set_status(KeyId("nobody"), KeyStatus.REVOKED, told(LATER))


@pytest.mark.parametrize("status", [KeyStatus.DISABLED, KeyStatus.REVOKED])
async def test_the_last_admin_key_stays(store: ApiKeyStorePort, status: KeyStatus) -> None:
    """
    The last live admin key is kept unless the caller says otherwise; other keys do not count.
    """
    admin = key("a", scope=Scope.ADMIN)
    bystanders = [
        key("b", scope=Scope.WRITE),
        replace(key("c", scope=Scope.ADMIN), prompts=("review-*",)),
        replace(key("d", scope=Scope.ADMIN), expires_at=LATER),
        replace(key("e", scope=Scope.ADMIN), status=KeyStatus.DISABLED),
    ]
    for info in (admin, *bystanders):
        await store.add(info, told())
    before = await store.epoch()
    with pytest.raises(LastAdminKeyError):
        await store.set_status(admin.key_id, status, told(LATER))
    assert (await store.find(admin.key_id), await store.epoch()) == (admin, before)
    changed = await store.set_status(admin.key_id, status, told(LATER), keep_admin=False)
    assert changed.status is status


async def test_an_admin_key_may_go_while_another_lives(store: ApiKeyStorePort) -> None:
    """
    Of two live admin keys one may be revoked, and then the other may not.
    """
    one, other = key("a", scope=Scope.ADMIN), key("b", scope=Scope.ADMIN)
    await store.add(one, told())
    await store.add(other, told())
    revoked = await store.set_status(one.key_id, KeyStatus.REVOKED, told(LATER))
    assert revoked.status is KeyStatus.REVOKED
    with pytest.raises(LastAdminKeyError):
        await store.set_status(other.key_id, KeyStatus.REVOKED, told(LATER))


async def test_a_lesser_key_may_go_without_any_admin(store: ApiKeyStorePort) -> None:
    """
    A leaked key can be revoked even when no admin key is left to protect.
    """
    await store.add(key("a"), told())
    revoked = await store.set_status(key("a").key_id, KeyStatus.REVOKED, told(LATER))
    assert revoked.status is KeyStatus.REVOKED


async def test_last_use_never_moves_back(store: ApiKeyStorePort) -> None:
    """
    Uses come in any order and in batches; the latest stays, and unknown keys are passed over.
    """
    for name in ("a", "b"):
        await store.add(key(name), told())
    first, second = key("a").key_id, key("b").key_id
    await store.touch({first: LATER, second: NOON, KeyId("nobody"): NOON})
    await store.touch({first: NOON, second: LATER})
    await store.touch({})
    assert [info.last_used_at for info in await store.list_keys()] == [LATER, LATER]
    assert await store.find(KeyId("nobody")) is None


async def test_the_epoch_moves_with_changes_only(store: ApiKeyStorePort) -> None:
    """
    Adding a key and changing its status move the epoch on; uses and non-changes do not.
    """
    seen = [await store.epoch()]
    await store.add(key("a"), told())
    seen.append(await store.epoch())
    await store.set_status(key("a").key_id, KeyStatus.DISABLED, told(LATER))
    seen.append(await store.epoch())
    assert seen == sorted(set(seen))
    await store.set_status(key("a").key_id, KeyStatus.DISABLED, told(LATER))
    await store.touch({key("a").key_id: LATER})
    await store.add_first(key("b"), told())
    assert await store.epoch() == seen[-1]


def secret(letter: str) -> NewSecret:
    """
    Make a secret that is easy to tell from others.
    """
    return NewSecret(whole=f"whole-{letter}", api_key=ApiKeyDigest(letter * 64), pepper_id=3)


async def test_a_rotated_key_has_two_secrets_and_never_three(store: ApiKeyStorePort) -> None:
    """
    The new one takes the old one's place, which stays; the one before that is gone.
    """
    await store.add(key("a"), told())
    before = await store.epoch()
    hour = timedelta(hours=1)
    first = await store.rotate(key("a").key_id, secret("e"), told(NOON), grace=hour)
    assert (first.whole, first.info.api_key) == ("whole-e", "e" * 64)
    assert first.info.old_secret == OldSecret(
        api_key=key("a").api_key, pepper_id=1, expires_at=NOON + hour
    )
    await store.rotate(key("a").key_id, secret("f"), told(LATER), grace=hour)
    kept = await store.find(key("a").key_id)
    assert kept is not None
    assert (kept.api_key, kept.pepper_id) == ("f" * 64, 3)
    assert kept.old_secret == OldSecret(
        api_key=ApiKeyDigest("e" * 64), pepper_id=3, expires_at=LATER + hour
    )
    assert await store.epoch() > before


async def test_a_rotation_asked_for_again_is_one_rotation(store: ApiKeyStorePort) -> None:
    """
    Under the same idempotency key, for ten minutes: the same secret, and nothing changes.
    """
    await store.add(key("a"), told())
    for letter, minutes, whole in (("e", 0, "whole-e"), ("f", 9, "whole-e"), ("0", 11, "whole-0")):
        rotated = await store.rotate(
            key("a").key_id,
            secret(letter),
            told(NOON + timedelta(minutes=minutes)),
            grace=timedelta(hours=1),
            idempotency_key="again",
        )
        assert rotated.whole == whole
    other = await store.rotate(
        key("a").key_id, secret("9"), told(), grace=timedelta(), idempotency_key="other"
    )
    assert other.whole == "whole-9"


async def test_a_rotation_needs_a_live_key(store: ApiKeyStorePort) -> None:
    """
    Neither an unknown nor a revoked key gets a new secret, and nothing is left behind.
    """
    with pytest.raises(ApiKeyNotFoundError):
        await store.rotate(key("a").key_id, secret("e"), told(), grace=timedelta())
    await store.add(key("a"), told())
    revoked = await store.set_status(key("a").key_id, KeyStatus.REVOKED, told())
    for _ in range(2):
        with pytest.raises(KeyNotRotatableError):
            await store.rotate(
                key("a").key_id, secret("e"), told(), grace=timedelta(), idempotency_key="x"
            )
    assert await store.find(key("a").key_id) == revoked


OLD_DIGEST, NEW_DIGEST, OTHER = (ApiKeyDigest(letter * 64) for letter in "123")


def _rekey(name: str, before: ApiKeyDigest, after: ApiKeyDigest) -> NewDigest:
    return NewDigest(key_id=key(name).key_id, before=before, api_key=after, pepper_id=9)


async def test_a_digest_is_replaced_if_it_is_still_there(store: ApiKeyStorePort) -> None:
    """
    That of the secret or of the old one, each with its pepper and nothing else; caches may keep
    what they have, which is as good.
    """
    old = OldSecret(api_key=OLD_DIGEST, pepper_id=1, expires_at=LATER)
    await store.add(replace(key("a"), old_secret=old), told())
    await store.add(key("b"), told())
    before = await store.epoch()
    changes = [
        _rekey("b", OTHER, NEW_DIGEST),
        _rekey("nobody", key("a").api_key, NEW_DIGEST),
        _rekey("a", OLD_DIGEST, OTHER),
        _rekey("a", key("a").api_key, NEW_DIGEST),
    ]
    assert await store.rekey(changes) == 2
    assert await store.rekey([]) == 0
    found = await store.find(key("a").key_id)
    expected = replace(old, api_key=OTHER, pepper_id=9)
    assert found == replace(key("a"), api_key=NEW_DIGEST, pepper_id=9, old_secret=expected)
    assert await store.find(key("b").key_id) == key("b")
    assert await store.epoch() == before


async def test_a_new_pepper_and_a_rotation_at_once_spoil_nothing(store: ApiKeyStorePort) -> None:
    """
    Whoever comes first: the key has the rotation's secret, and the one before it is the old one.
    """
    for name in "abcdef":
        await store.add(key(name), told())
        secret = NewSecret(whole="whole", api_key=NEW_DIGEST, pepper_id=1)
        rotation = store.rotate(key(name).key_id, secret, told(), grace=timedelta(hours=1))
        change = store.rekey([_rekey(name, key(name).api_key, OTHER)])
        await asyncio.gather(*((change, rotation) if name in "ace" else (rotation, change)))
        info = await store.find(key(name).key_id)
        assert info is not None
        assert info.old_secret is not None
        assert (info.api_key, info.pepper_id) == (NEW_DIGEST, 1)
        kept = (info.old_secret.api_key, info.old_secret.pepper_id)
        assert kept in {(key(name).api_key, key(name).pepper_id), (OTHER, 9)}


async def test_keys_that_end_soon_are_found(store: ApiKeyStorePort) -> None:
    """
    Active ones alone, the first to end first, as many as were asked for; and all are counted.
    """
    lives = {"never": None, "past": -1, "now": 0, "one": 1, "two": 2, "three": 3, "four": 4}
    for name, hours in lives.items():
        ends = None if hours is None else NOON + timedelta(hours=hours)
        await store.add(replace(key(name), expires_at=ends), told())
    await store.set_status(key("two").key_id, KeyStatus.DISABLED, told())
    until = NOON + timedelta(hours=3)
    ending = await store.list_expiring(NOON, until, limit=9)
    assert [info.key_id for info in ending] == [key("one").key_id, key("three").key_id]
    assert [info.user_id for info in ending] == ["ann", "ann"]
    assert await store.list_expiring(NOON, until, limit=1) == ending[:1]
    counted = await store.count_lives()
    assert counted[KeyStatus.DISABLED, NOON + timedelta(hours=2)] == 1
    assert (counted[KeyStatus.ACTIVE, None], sum(counted.values())) == (1, 7)


async def test_an_admin_key_that_ends_soon_lets_no_other_go(store: ApiKeyStorePort) -> None:
    """
    Only one that is good for a day yet does; the admin keys are those that are good now.
    """
    admin = key("a", scope=Scope.ADMIN)
    brief = replace(key("b", scope=Scope.ADMIN), expires_at=NOON + timedelta(hours=24))
    past = replace(key("c", scope=Scope.ADMIN), expires_at=NOON)
    for info in (admin, brief, past, key("d")):
        await store.add(info, told())
    with pytest.raises(LastAdminKeyError):
        await store.set_status(admin.key_id, KeyStatus.REVOKED, told())
    admins = await store.list_admins(NOON)
    assert [(info.key_id, info.user_id) for info in admins] == [
        (admin.key_id, ""),
        (brief.key_id, ""),
    ]
    gone = await store.set_status(brief.key_id, KeyStatus.REVOKED, told())
    assert gone.status is KeyStatus.REVOKED
    steady = replace(key("e", scope=Scope.ADMIN), expires_at=NOON + timedelta(hours=25))
    await store.add(steady, told())
    assert (await store.set_status(admin.key_id, KeyStatus.REVOKED, told())).revoked_at == NOON
