"""
Keys that are kept in the settings.
"""

import json
from copy import replace

import pytest

from ctxfy.adapters.auth.api_key_service import ApiKeyService
from ctxfy.adapters.auth.static_keys import StaticKeys
from ctxfy.app.static_key_settings import StaticKey, read_static_keys, static_infos
from ctxfy.core.exceptions import ConfigurationError, LastAdminKeyError, StaticKeyError
from ctxfy.core.models.auth_models import STATIC, DenialReason, Granted, KeyId, KeyStatus, Scope
from ctxfy.core.use_cases.auth_use_cases import compose_key
from tests.unit.adapters.auth.service_kit import NOON, Bench, RecordingMaterial, outcome


STATIC_ID = KeyId("static000000")
WHOLE = compose_key(STATIC_ID, b"x" * 32)


def _bench(scope: Scope = Scope.READ) -> tuple[Bench, ApiKeyService, RecordingMaterial]:
    bench = Bench()
    material = RecordingMaterial({1: b"p" * 32}, bench.random_bytes, bench.journal)
    key = StaticKey(
        key_id=STATIC_ID, digest=material.static_digest(WHOLE), user_id="ci", scope=scope
    )
    keys = ApiKeyService(
        bench.store,
        material,
        now=lambda: bench.now,
        monotonic=bench.clock,
        logging=bench.logging,
        static=StaticKeys(static_infos([key], NOON)),
    )
    return bench, keys, material


async def test_a_key_of_the_settings_opens_the_server_without_the_store() -> None:
    """
    With its whole secret alone; the store is not asked, and nothing is written there.
    """
    bench, keys, _ = _bench(Scope.WRITE)
    decision = await keys.authenticate(WHOLE)
    assert isinstance(decision, Granted)
    assert (decision.principal.user_id, decision.principal.scope) == ("ci", Scope.WRITE)
    wrong = compose_key(STATIC_ID, b"w" * 32)
    assert outcome(await keys.authenticate(wrong)) is DenialReason.UNKNOWN
    assert outcome(await keys.recognize(STATIC_ID, fresh=True)) is None
    assert (await keys.find_api_key(STATIC_ID)).user_id == "ci"
    await keys.flush()
    assert ("find" in bench.journal, bench.store.keys) == (False, {})


async def test_it_is_changed_in_the_settings_alone() -> None:
    """
    Revoking, disabling and rotating say where it lives.
    """
    _, keys, _ = _bench()
    for act in (keys.revoke_api_key, keys.rotate_api_key):
        with pytest.raises(StaticKeyError, match=r"auth\.static_keys"):
            await act(STATIC_ID)
    with pytest.raises(StaticKeyError):
        await keys.set_api_key_status(STATIC_ID, KeyStatus.DISABLED)
    assert await keys.validate_api_key(WHOLE)


@pytest.mark.parametrize(("scope", "goes"), [(Scope.ADMIN, True), (Scope.WRITE, False)])
async def test_an_admin_key_of_the_settings_is_another_admin(scope: Scope, goes: bool) -> None:
    """
    With it the last one of the database may go.
    """
    _, keys, _ = _bench(scope)
    first = await keys.create_first_key("admin")
    assert first is not None
    key_id = KeyId(first[6:18])
    if goes:
        assert (await keys.revoke_api_key(key_id)).status is KeyStatus.REVOKED
    else:
        with pytest.raises(LastAdminKeyError):
            await keys.revoke_api_key(key_id)
    assert await keys.has_admin()


async def test_no_row_of_the_store_is_believed_without_a_pepper() -> None:
    """
    Everybody can make a digest of the settings' form: who may write to the database could else
    make keys.
    """
    bench, keys, material = _bench()
    made, key_id = await bench.created()
    digest = material.static_digest(made)
    forged = replace(bench.store.keys[key_id], api_key=digest, pepper_id=STATIC)
    bench.store.keys[key_id] = forged
    assert outcome(await keys.authenticate(made)) is DenialReason.UNKNOWN
    bench.store.keys[STATIC_ID] = replace(forged, key_id=STATIC_ID, scope=Scope.ADMIN)
    decision = await keys.authenticate(WHOLE)
    assert isinstance(decision, Granted)
    assert decision.principal.scope is Scope.READ


ENTRY = StaticKey(key_id=STATIC_ID, digest="d" * 64, user_id="ci")


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ([ENTRY, ENTRY], "names static000000 twice"),
        ([ENTRY.model_copy(update={"networks": ("10.0.0.1/8",)})], "is no network"),
        ([ENTRY.model_copy(update={"rate_limit": "often"})], "is no rate"),
        ([ENTRY.model_copy(update={"user_id": " "})], "needs a user"),
    ],
)
def test_an_entry_that_cannot_be_stops_the_start(keys: list[StaticKey], sentence: str) -> None:
    """
    With the id of the key, and why.
    """
    with pytest.raises(ConfigurationError, match=sentence) as caught:
        static_infos(keys, NOON)
    assert STATIC_ID in str(caught.value)


@pytest.mark.parametrize("value", ["", "{}", "null", "x", 7, ["x"] * 101])
def test_what_is_no_list_is_refused(value: object) -> None:
    """
    In a sentence that quotes nothing.
    """
    with pytest.raises(ValueError, match=r"list, in JSON|at most 100"):
        read_static_keys(value)


@pytest.mark.parametrize("as_text", [True, False])
def test_entries_are_read_from_the_environment_and_from_files(as_text: bool) -> None:
    """
    The same list, as a text or as what JSON made of it; a mistake is told with its place.
    """
    entry: dict[str, object] = {
        "key_id": STATIC_ID,
        "digest": "d" * 64,
        "user_id": "ci",
        "prompts": ["a*"],
    }
    entries = [entry]
    (found,) = read_static_keys(json.dumps(entries) if as_text else entries)
    assert (found.prompts, found.scope) == (("a*",), "read")
    assert read_static_keys([found]) == (found,)
    wrong = [entry, {"key_id": STATIC_ID, "digest": "short", "user_id": "ci"}]
    with pytest.raises(ValueError, match=r"entry 2, digest: string should match") as caught:
        read_static_keys(json.dumps(wrong) if as_text else wrong)
    assert "short" not in str(caught.value)
