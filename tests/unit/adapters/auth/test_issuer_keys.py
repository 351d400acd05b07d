"""
The keys of an issuer: which are used, how often they are read, and how long they are believed.
"""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from ctxfy.adapters.auth.issuer_keys import IssuerKeys, read_key_set
from ctxfy.app.background import running
from ctxfy.core.exceptions import UnavailableError
from ctxfy.core.models.monitoring_models import HealthStatus
from ctxfy.core.models.token_models import TokenHeader
from tests.fakes.auth_fakes import FakeKeySetSource
from tests.fakes.monitoring_fakes import FakeClock, RecordingLogging
from tests.issuer_kit import key_named, key_set


FIRST = TokenHeader(algorithm="RS256", key_name="first")
OTHER = TokenHeader(algorithm="RS256", key_name="other")
AWAY = UnavailableError("issuer of tokens", "it is away.")


class Bench:
    """
    Keys, and everything around them.
    """

    def __init__(self, *, refresh: float = 60.0, max_stale: float = 100.0) -> None:
        self.source = FakeKeySetSource(body=key_set(key_named("first")))
        self.clock = FakeClock()
        self.logging = RecordingLogging()
        self.keys = IssuerKeys(
            self.source,
            monotonic=self.clock,
            logging=self.logging,
            refresh_seconds=refresh,
            lifetime_seconds=600.0,
            max_stale=max_stale,
        )


@asynccontextmanager
async def kept(bench: Bench) -> AsyncGenerator[IssuerKeys]:
    """
    Keep keys up to date.
    """
    async with running(bench.keys.run()):
        yield bench.keys


async def rested(keys: IssuerKeys) -> None:
    """
    Wait until they may be read again.
    """
    while keys.is_resting:  # noqa: ASYNC110 - nobody but a test waits for it
        await asyncio.sleep(0)


async def test_unknown_keys_ask_the_issuer_once_in_a_while() -> None:
    """
    However many tokens name them, and at once; those that are known never ask.
    """
    bench = Bench(refresh=0.01)
    async with kept(bench) as keys:
        assert await keys.find(FIRST) is not None
        assert bench.source.fetches == 1
        await rested(keys)
        assert set(await asyncio.gather(*(keys.find(OTHER) for _ in range(200)))) == {None}
        assert bench.source.fetches == 2
        assert await keys.find(FIRST) is not None
        assert bench.source.fetches == 2


async def test_within_the_pause_nothing_is_asked() -> None:
    """
    An unknown key is refused then, without a wait.
    """
    bench = Bench()
    async with kept(bench) as keys:
        await keys.find(FIRST)
        for _ in range(100):
            assert await keys.find(OTHER) is None
        assert bench.source.fetches == 1


async def test_keys_are_believed_for_as_long_as_is_set() -> None:
    """
    Then no token is taken, and none is refused either: nothing is known of it.
    """
    bench = Bench(max_stale=100.0)
    async with kept(bench) as keys:
        await keys.find(FIRST)
        bench.clock.now += 100.0
        assert await keys.find(FIRST) is not None
        bench.clock.now += 1.0
        with pytest.raises(UnavailableError):
            await keys.find(FIRST)


@pytest.mark.parametrize("outage", [AWAY, RuntimeError("a defect")])
async def test_an_issuer_that_is_away_is_told_once_and_tried_again(outage: Exception) -> None:
    """
    Whatever goes wrong while its keys are read.
    """
    bench = Bench(refresh=0.01)
    bench.source.outage = outage
    async with kept(bench) as keys:
        with pytest.raises(UnavailableError):
            await keys.find(FIRST)
        assert (await keys.check()).status is HealthStatus.WARN
        bench.source.outage = None
        await rested(keys)
        assert await keys.find(FIRST) is not None
        assert (await keys.check()).status is HealthStatus.PASS


async def test_without_a_name_there_must_be_one_key_alone() -> None:
    """
    Of the kind that the algorithm works with.
    """
    bench = Bench()
    nameless = TokenHeader(algorithm="RS256", key_name=None)
    elliptic = TokenHeader(algorithm="ES256", key_name=None)
    bench.source.body = key_set(key_named("first"), key_named("curve", "EC"))
    async with kept(bench) as keys:
        assert await keys.find(nameless) is not None
        assert await keys.find(elliptic) is not None
    bench = Bench()
    bench.source.body = key_set(key_named("first"), key_named("other"))
    async with kept(bench) as keys:
        assert await keys.find(nameless) is None


@pytest.mark.parametrize(
    "changed",
    [
        {"kty": "oct", "k": "c2VjcmV0"},
        {"kty": "EC"},
        {"use": "enc"},
        {"kid": 7},
        {"kid": "x" * 201},
        {"n": "AQAB"},
        {"n": None},
        {"d": "AQAB"},
        {"alg": "RS512"},
    ],
)
def test_a_key_for_something_else_is_left_out(changed: dict[str, object]) -> None:
    """
    A secret, a pair with its private half, one too short, or of another algorithm.
    """
    odd = key_named("first").as_dict(private=False) | changed
    good = key_named("other").as_dict(private=False)
    found = read_key_set(json.dumps({"keys": [odd, good, "no key"]}).encode())
    assert [key.name for key in found if key.fits(FIRST) or key.fits(OTHER)] == ["other"]


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"{}", b'{"keys": {}}', b'{"keys": [1]}', b'{"keys": []}', b"[" * 99_999,
             json.dumps({"keys": [{}] * 101}).encode()],
)  # fmt: skip
def test_what_is_no_set_of_keys_is_refused(text: bytes) -> None:
    """
    Also if it is nested without end, or holds more than anybody has.
    """
    with pytest.raises(ValueError, match="keys"):
        read_key_set(text)
