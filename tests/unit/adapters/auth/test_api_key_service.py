"""
The service behind keys: creating, deciding, ending, looking up.
"""

import base64
from copy import replace
from datetime import timedelta

import pytest

from ctxfy.adapters.auth.api_key_service import ApiKeyService
from ctxfy.core.exceptions import (
    ApiKeyNotFoundError,
    InvalidKeyRequestError,
    LastAdminKeyError,
    UnavailableError,
)
from ctxfy.core.models.auth_models import (
    DenialReason,
    Granted,
    KeyId,
    KeyStatus,
    RateLimit,
    Scope,
)
from ctxfy.core.use_cases.auth_use_cases import compose_key, parse_key
from tests.unit.adapters.auth.service_kit import NOON, OUTAGE, Bench, outcome


UNKNOWN = compose_key(KeyId("nobody000000"), b"s" * 32)


async def test_a_created_key_is_valid_at_once() -> None:
    """
    What was wished for is what the caller gets, and what is kept.
    """
    bench = Bench()
    key = await bench.keys.create_api_key(
        "ann",
        scope=Scope.WRITE,
        ttl_hours=2,
        name="laptop",
        prompts=["code-*", "docs"],
        rate_limit=RateLimit(requests=5, seconds=60),
    )
    decision = await bench.keys.authenticate(key)
    assert isinstance(decision, Granted)
    assert await bench.keys.validate_api_key(key) is True
    principal = decision.principal
    assert (principal.user_id, principal.scope, principal.name) == ("ann", Scope.WRITE, "laptop")
    assert (principal.prompts, principal.is_narrowed) == (("code-*", "docs"), True)
    (info,) = await bench.keys.list_api_keys()
    assert (info.created_at, info.expires_at) == (NOON, NOON + timedelta(hours=2))
    assert (info.rate_limit, info.status) == (RateLimit(requests=5, seconds=60), KeyStatus.ACTIVE)


async def test_every_key_is_another() -> None:
    """
    Two wishes for the same make two keys with two ids.
    """
    bench = Bench()
    first, second = [await bench.keys.create_api_key("ann") for _ in range(2)]
    assert first[6:18] != second[6:18]
    assert first[19:62] != second[19:62]


@pytest.mark.parametrize(
    ("user", "wish"),
    [
        ("", {}),
        ("  ", {}),
        ("a\nb", {}),
        ("a" * 201, {}),
        ("ann", {"ttl_hours": 0}),
        ("ann", {"ttl_hours": -1}),
        ("ann", {"prompts": ()}),
        ("ann", {"prompts": ("../*",)}),
        ("ann", {"name": "\x1b[31m"}),
        ("ann", {"rate_limit": RateLimit(requests=0, seconds=1)}),
    ],
)
async def test_a_wish_that_cannot_be_granted_keeps_nothing(
    user: str, wish: dict[str, object]
) -> None:
    """
    Refused with a sentence, before the store is touched.
    """
    bench = Bench()
    with pytest.raises(InvalidKeyRequestError):
        await bench.keys.create_api_key(user, **wish)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] - the point of the test
    assert bench.store.keys == {}


@pytest.mark.parametrize(
    "text",
    ["", " ", "ctxfy_", UNKNOWN[:-1], UNKNOWN + " ", " " + UNKNOWN, UNKNOWN.upper(), "\x00" * 68],
    ids=repr,
)
async def test_a_malformed_key_costs_no_digest_and_no_look_up(text: str) -> None:
    """
    The checksum refuses typing errors before any work is done for them.
    """
    bench = Bench()
    assert outcome(await bench.keys.authenticate(text)) is DenialReason.MALFORMED
    assert await bench.keys.get_api_key_info(text) is None
    assert bench.journal == []


async def _work_of(bench: Bench, keys: ApiKeyService, text: str) -> list[str]:
    bench.journal.clear()
    keys.forget()
    await keys.authenticate(text)
    return [entry.partition(" ")[0] for entry in bench.journal]


@pytest.mark.parametrize("peppers", [1, 2, 9])
async def test_known_and_unknown_ids_cost_the_same_work(peppers: int) -> None:
    """
    One look-up and two digests each: right, wrong or unknown, rotated or not, its pepper gone or
    not, and however many peppers there are.
    """
    bench = Bench()
    key, key_id = await bench.created()
    rotated, rotated_id = await bench.created("bob")
    await bench.keys.rotate_api_key(rotated_id)
    lost, lost_id = await bench.created("cid")
    bench.store.keys[lost_id] = replace(bench.store.keys[lost_id], pepper_id=77)
    known = {1: b"p" * 32} | {number: bytes([number]) * 32 for number in range(2, peppers + 1)}
    keys = bench.service(known, current=1)
    shown = [key, compose_key(key_id, b"w" * 32), UNKNOWN, rotated, lost]
    shown.append(compose_key(rotated_id, b"w" * 32))
    works = [await _work_of(bench, keys, text) for text in shown]
    # The digest under a pepper that is gone is none; the one in its place is the third entry.
    assert works[4] == ["find", "digest", "digest", "digest"]
    assert works[:4] + works[5:] == [["find", "digest", "digest"]] * 5


async def test_a_wrong_secret_looks_like_an_unknown_id() -> None:
    """
    Ids cannot be tried out: both refusals are equal, whatever became of the key.
    """
    bench = Bench()
    _, key_id = await bench.created()
    wrong = compose_key(key_id, b"w" * 32)
    unknown = await bench.keys.authenticate(UNKNOWN)
    assert await bench.keys.authenticate(wrong) == unknown
    await bench.keys.revoke_api_key(key_id)
    assert await bench.keys.authenticate(wrong) == unknown
    assert outcome(unknown) is DenialReason.UNKNOWN


@pytest.mark.parametrize(
    ("status", "reason"),
    [(KeyStatus.REVOKED, DenialReason.REVOKED), (KeyStatus.DISABLED, DenialReason.DISABLED)],
)
async def test_the_holder_is_told_why_a_key_is_refused(
    status: KeyStatus, reason: DenialReason
) -> None:
    """
    Who shows the whole secret learns what became of the key.
    """
    bench = Bench()
    key, key_id = await bench.created()
    bench.store.keys[key_id] = replace(bench.store.keys[key_id], status=status)
    assert outcome(await bench.keys.authenticate(key)) is reason


async def test_a_cached_key_expires_on_time() -> None:
    """
    Expiry follows the clock at each request, not the cache: valid before the hour, not from it on.
    """
    bench = Bench()
    key = await bench.keys.create_api_key("ann", ttl_hours=1)
    bench.now = NOON + timedelta(hours=1) - timedelta(microseconds=1)
    assert outcome(await bench.keys.authenticate(key)) is None
    bench.now = NOON + timedelta(hours=1)
    assert outcome(await bench.keys.authenticate(key)) is DenialReason.EXPIRED


async def test_an_older_pepper_still_opens_its_keys() -> None:
    """
    After a new pepper came, keys made under the old one stay valid; new ones are under the new.
    """
    bench = Bench()
    old_key, _ = await bench.created()
    rotated = bench.service({1: b"p" * 32, 2: b"q" * 32})
    assert outcome(await rotated.authenticate(old_key)) is None
    new_key = await rotated.create_api_key("bob")
    assert bench.store.keys[KeyId(new_key[6:18])].pepper_id == 2
    assert outcome(await rotated.authenticate(new_key)) is None


async def test_a_pepper_may_be_known_before_it_is_in_use() -> None:
    """
    Replicas that learn of the next pepper one after the other all open what any of them makes.
    """
    bench = Bench()
    early = bench.service({1: b"p" * 32, 2: b"q" * 32}, current=1)
    switched = bench.service({1: b"p" * 32, 2: b"q" * 32}, current=2)
    made = await early.create_api_key("ann"), await switched.create_api_key("bob")
    assert [bench.store.keys[KeyId(key[6:18])].pepper_id for key in made] == [1, 2]
    for keys in (early, switched):
        assert [outcome(await keys.authenticate(key)) for key in made] == [None, None]


async def test_a_key_under_a_lost_pepper_is_unknown() -> None:
    """
    Without its pepper a key can be neither proved nor faked: even an empty digest opens nothing.
    """
    bench = Bench()
    key, key_id = await bench.created()
    without = bench.service({2: b"q" * 32})
    assert outcome(await without.authenticate(key)) is DenialReason.UNKNOWN
    assert await without.get_api_key_info(key) is None
    assert bench.store.keys[key_id].pepper_id == 1


async def test_revoking_is_for_good_and_can_be_repeated() -> None:
    """
    The key is refused at once in this process; revoking again changes nothing.
    """
    bench = Bench()
    key, key_id = await bench.created()
    assert outcome(await bench.keys.authenticate(key)) is None
    info = await bench.keys.revoke_api_key(key_id)
    bench.now += timedelta(hours=1)
    assert await bench.keys.revoke_api_key(key_id) == info
    assert (info.status, info.revoked_at) == (KeyStatus.REVOKED, NOON)
    assert outcome(await bench.keys.authenticate(key)) is DenialReason.REVOKED


async def test_what_is_not_there_cannot_be_revoked_or_shown() -> None:
    """
    An unknown id is an error that names it.
    """
    bench = Bench()
    for act in (bench.keys.revoke_api_key, bench.keys.find_api_key):
        with pytest.raises(ApiKeyNotFoundError, match="nobody000000"):
            await act(KeyId("nobody000000"))


async def test_the_last_admin_key_stays() -> None:
    """
    Nobody may lock everybody out.
    """
    bench = Bench()
    key = await bench.keys.create_first_key("admin")
    assert key is not None
    with pytest.raises(LastAdminKeyError):
        await bench.keys.revoke_api_key(KeyId(key[6:18]))
    assert await bench.keys.validate_api_key(key)


async def test_keys_are_listed_oldest_first() -> None:
    """
    All of them, or those of one user.
    """
    bench = Bench()
    for minutes, user in enumerate(("cid", "ann", "bob", "ann")):
        bench.now = NOON + timedelta(minutes=minutes)
        await bench.keys.create_api_key(user)
    users = [info.user_id for info in await bench.keys.list_api_keys()]
    of_ann = [info.created_at for info in await bench.keys.list_user_api_keys("ann")]
    assert users == ["cid", "ann", "bob", "ann"]
    assert of_ann == [NOON + timedelta(minutes=1), NOON + timedelta(minutes=3)]


async def test_a_key_finds_what_is_known_of_it() -> None:
    """
    Only with the right secret; by its id without one.
    """
    bench = Bench()
    key, key_id = await bench.created()
    info = await bench.keys.find_api_key(key_id)
    assert await bench.keys.get_api_key_info(key) == info
    assert await bench.keys.get_api_key_info(compose_key(key_id, b"w" * 32)) is None
    assert await bench.keys.get_api_key_info(UNKNOWN) is None


async def test_the_first_key_comes_once() -> None:
    """
    Into an empty store an admin key is put, into any other nothing.
    """
    bench = Bench()
    first = await bench.keys.create_first_key("admin")
    assert first is not None
    decision = await bench.keys.authenticate(first)
    assert isinstance(decision, Granted)
    assert (decision.principal.scope, decision.principal.user_id) == (Scope.ADMIN, "admin")
    assert await bench.keys.create_first_key("admin") is None
    assert len(bench.store.keys) == 1


async def test_a_bootstrap_key_is_taken_as_it_is() -> None:
    """
    A key set from outside opens the server, and is refused like any other once it is not first.
    """
    bench = Bench()
    assert await bench.keys.create_first_key("ops", UNKNOWN) == UNKNOWN
    assert await bench.keys.validate_api_key(UNKNOWN)
    other = compose_key(KeyId("other0000000"), b"o" * 32)
    assert await bench.keys.create_first_key("ops", other) is None
    assert not await bench.keys.validate_api_key(other)


@pytest.mark.parametrize("user", [" ", "a\x00b", "a" * 201])
async def test_the_first_key_too_needs_a_user(user: str) -> None:
    """
    A setting for its owner is checked like a wish.
    """
    bench = Bench()
    with pytest.raises(InvalidKeyRequestError):
        await bench.keys.create_first_key(user)
    assert bench.store.keys == {}


async def test_an_outage_is_no_refusal() -> None:
    """
    A store out of reach says nothing about a key.
    """
    bench = Bench()
    key, _ = await bench.created()
    bench.store.outage = OUTAGE
    for act in (bench.keys.authenticate, bench.keys.validate_api_key, bench.keys.get_api_key_info):
        with pytest.raises(UnavailableError):
            await act(key)


async def test_the_secret_is_kept_nowhere() -> None:
    """
    Not in the store, in no text form, in no log: only the digest, and that is not shown either.
    """
    bench = Bench()
    key, key_id = await bench.created()
    decision = await bench.keys.authenticate(key)
    await bench.keys.authenticate(compose_key(key_id, b"w" * 32))
    info = bench.store.keys[key_id]
    parsed = parse_key(key)
    assert parsed is not None
    seen = repr((info, bench.store, bench.keys.__dict__, decision, parsed, bench.logging.__dict__))
    for secret in (key, parsed.secret, base64.b64encode(key.encode()).decode(), info.api_key):
        assert secret not in seen
