"""
Who holds a token, and what of it goes further.
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from ctxfy.adapters.auth.issuer_keys import IssuerKeys
from ctxfy.adapters.auth.token_service import TokenService
from ctxfy.app.background import running
from ctxfy.app.loading import utc_now
from ctxfy.core.exceptions import UnavailableError
from ctxfy.core.models.auth_models import DenialReason, Denied, Granted, Scope
from ctxfy.core.models.token_models import TokenRules
from tests.fakes.auth_fakes import FakeKeySetSource, FakePersonDirectory
from tests.fakes.monitoring_fakes import FakeClock, RecordingLogging
from tests.issuer_kit import AUDIENCE, ISSUER, claims, key_named, key_set, signed


RULES = TokenRules(
    issuer=ISSUER,
    audiences=(AUDIENCE,),
    algorithms=("RS256",),
    scopes={Scope.READ: ("ctxfy:read",)},
)
PEOPLE = FakePersonDirectory()


@pytest.fixture
async def tokens() -> AsyncIterator[TokenService]:
    """
    A service whose issuer publishes one key.
    """
    keys = IssuerKeys(
        FakeKeySetSource(body=key_set(key_named("first"))),
        monotonic=FakeClock(),
        logging=RecordingLogging(),
        refresh_seconds=60,
        lifetime_seconds=600,
        max_stale=600,
    )
    async with running(keys.run()):
        yield TokenService(
            RULES,
            keys,
            PEOPLE,
            caller_id=lambda name: f"jwt_{name}",
            now=utc_now,
        )


async def test_a_caller_has_an_id_of_issuer_and_user(tokens: TokenService) -> None:
    """
    And the person that keys of the same user have.
    """
    said = claims()
    decision = await tokens.authenticate(signed(said))
    assert isinstance(decision, Granted)
    principal = decision.principal
    assert principal.key_id == f"jwt_{ISSUER} ann"
    assert (principal.by_token, principal.person_id) == (True, PEOPLE.people["ann"])
    assert principal.expires_at == datetime.fromtimestamp(said["exp"], UTC)


async def test_tokens_are_read_while_the_store_is_away(tokens: TokenService) -> None:
    """
    Nothing but the person is missing, for whoever was not seen before.
    """
    PEOPLE.outage = UnavailableError("storage", "it is away.")
    decision = await tokens.authenticate(signed(claims(sub="newcomer")))
    PEOPLE.outage = None
    assert isinstance(decision, Granted)
    assert decision.principal.person_id is None


async def test_where_keys_come_from_is_never_the_tokens_to_say(tokens: TokenService) -> None:
    """
    A good token that names places is good, for its key is ours; a bad one is bad.
    """
    place = "https://127.0.0.1:9/keys"
    good = await tokens.authenticate(signed(claims(), jku=place, x5u=place))
    bad = await tokens.authenticate(
        signed(claims(), key=key_named("other"), kid="first", jku=place, x5u=place)
    )
    assert isinstance(good, Granted)
    assert isinstance(bad, Denied)
    assert bad.reason is DenialReason.TOKEN


@pytest.mark.parametrize("position", [5, -5, -400])
async def test_no_character_of_a_token_can_be_changed(tokens: TokenService, position: int) -> None:
    """
    Not of its header, its claims or its signature.
    """
    token = signed(claims(exp=claims()["iat"] + int(timedelta(hours=1).total_seconds())))
    other = "A" if token[position] != "A" else "B"
    place = position % len(token)
    decision = await tokens.authenticate(token[:place] + other + token[place + 1 :])
    assert isinstance(decision, Denied)
