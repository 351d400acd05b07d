"""
Limits shared through a real Valkey, and what becomes of them when it is away.
"""

import asyncio
import signal
import ssl
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from ctxfy.adapters.auth.valkey_rate_limiter import SharedLimitsProbe
from ctxfy.core.exceptions import ConfigurationError
from ctxfy.core.models.auth_models import RateLimit
from ctxfy.core.models.limit_models import Charge
from ctxfy.core.models.monitoring_models import HealthStatus
from ctxfy.core.use_cases.breaker_use_cases import FAILURES_TO_OPEN
from tests.integration.valkey_kit import (
    PATIENT,
    Proxy,
    ValkeyProcess,
    limiter_on,
    passed,
    proxy_before,
    take,
    until,
    valkey_process,
)


# In a day, so that nothing comes back while a test runs.
TEN = RateLimit(requests=10, seconds=86400)
HUNDRED = RateLimit(requests=100, seconds=86400)

type Trouble = Callable[[ValkeyProcess, Proxy], AbstractAsyncContextManager[None]]


@pytest.fixture
def server() -> Iterator[ValkeyProcess]:
    """
    Run a Valkey for one test.
    """
    with valkey_process() as running:
        yield running


@pytest.fixture
async def way(server: ValkeyProcess) -> AsyncIterator[tuple[Proxy, str]]:
    """
    Put a proxy before it.
    """
    async with proxy_before(server.port) as both:
        yield both


@asynccontextmanager
async def stopped(server: ValkeyProcess, proxy: Proxy) -> AsyncGenerator[None]:
    """
    Stop the process, and let it go on.
    """
    server.signal(signal.SIGSTOP)
    yield
    server.signal(signal.SIGCONT)


@asynccontextmanager
async def killed(server: ValkeyProcess, proxy: Proxy) -> AsyncGenerator[None]:
    """
    Kill the process, and start it anew, empty, on the same port.
    """
    server.kill()
    yield
    server.start()


@asynccontextmanager
async def swallowed(server: ValkeyProcess, proxy: Proxy) -> AsyncGenerator[None]:
    """
    Let all that is sent vanish, and pass it on again.
    """
    proxy.black_hole = True
    yield
    proxy.black_hole = False


async def test_two_limiters_share_one_limit(server: ValkeyProcess) -> None:
    """
    Of 300 requests at once through two of them, exactly the limit passes.
    """
    url = server.url
    async with limiter_on(url) as one, limiter_on(url) as other:
        found = await asyncio.gather(
            *(passed(each.limiter, "key:a", HUNDRED, 150) for each in (one, other))
        )
        assert sum(found) == 100
        assert [one.limiter.trouble, other.limiter.trouble] == ["", ""]


async def test_what_is_kept_ends_by_itself_and_names_nobody(server: ValkeyProcess) -> None:
    """
    Each key has the prefix and a time to live no longer than its limit needs.
    """
    async with limiter_on(server.url) as shared:
        await take(shared.limiter, "key:AAAAAAAAAAAA", RateLimit(requests=2, seconds=60))
    assert server.ask("KEYS", "*") == [b"ctxfy:limit:key:AAAAAAAAAAAA"]
    assert 30_000 <= server.ask("PTTL", "ctxfy:limit:key:AAAAAAAAAAAA") <= 40_000


async def test_many_requests_are_asked_about_together(way: tuple[Proxy, str]) -> None:
    """
    A hundred requests at once cost a few questions; each is decided for itself.
    """
    proxy, url = way
    async with limiter_on(url) as shared:
        await take(shared.limiter, "key:warm", TEN)
        before = proxy.asked
        assert await passed(shared.limiter, "key:a", TEN, 100) == 10
        # One EVALSHA for each would be 200 bytes and more a request, for its digest alone.
        assert proxy.asked - before < 100 * 120


@pytest.mark.parametrize("trouble", [stopped, killed, swallowed], ids=lambda each: each.__name__)
async def test_each_process_limits_alone_while_valkey_is_away(
    trouble: Trouble, server: ValkeyProcess, way: tuple[Proxy, str]
) -> None:
    """
    With its part of the limit; after five failures without asking; told once, and back by itself.
    """
    proxy, url = way
    async with limiter_on(url, replicas=2) as shared:
        await shared.limiter.probe()
        async with trouble(server, proxy):
            shared.set_patience(0.05)
            found = [await take(shared.limiter, "key:a", TEN) for _ in range(FAILURES_TO_OPEN)]
            asked = proxy.asked
            found += [await take(shared.limiter, "key:a", TEN) for _ in range(20)]
            assert [each.allowed for each in found] == [True] * 5 + [False] * 20
            assert proxy.asked == asked
            assert shared.metrics.degraded == [True]
            assert [event for event, _ in shared.logging.events] == ["limit_store_lost"]
            health = await SharedLimitsProbe(shared.limiter).check()
            assert (health.name, health.status) == ("limits", HealthStatus.WARN)
            await shared.limiter.probe()
            assert shared.metrics.degraded == [True]
        shared.set_patience(PATIENT)
        async with asyncio.timeout(PATIENT):
            while shared.limiter.trouble:
                await shared.limiter.probe()
        assert (await take(shared.limiter, "key:b", TEN)).remaining == 9
        assert shared.metrics.degraded == [True, False]
        assert [event for event, _ in shared.logging.events] == [
            "limit_store_lost",
            "limit_store_found",
        ]
        assert (await SharedLimitsProbe(shared.limiter).check()).status is HealthStatus.PASS


async def test_a_crowd_waits_once(server: ValkeyProcess, way: tuple[Proxy, str]) -> None:
    """
    A hundred requests that meet a black hole together are all decided after one question, and one
    hiccup is no outage.
    """
    proxy, url = way
    async with limiter_on(url, replicas=2) as shared:
        await shared.limiter.probe()
        async with swallowed(server, proxy):
            shared.set_patience(0.05)
            before = proxy.asked
            assert await passed(shared.limiter, "key:a", TEN, 100) == 5
            assert proxy.asked - before < 100 * 120
            assert shared.metrics.degraded == []


async def test_a_busy_loop_is_not_taken_for_a_silent_server(server: ValkeyProcess) -> None:
    """
    An answer that lay in the socket while the process did something else counts.
    """
    async with limiter_on(server.url, replicas=2) as shared:
        await shared.limiter.probe()
        shared.set_patience(0.5)
        server.signal(signal.SIGSTOP)
        waiting = asyncio.create_task(take(shared.limiter, "key:a", TEN))
        await asyncio.sleep(0.1)  # the question is out
        server.signal(signal.SIGCONT)
        time.sleep(0.8)  # noqa: ASYNC251 - the point: the answer comes, and nobody looks
        assert (await waiting).remaining == 9


async def test_it_is_looked_for_in_the_background(server: ValkeyProcess) -> None:
    """
    With nothing there at the start the loss is told at once; it is found without any request.
    """
    server.kill()
    async with limiter_on(server.url) as shared:
        looking = asyncio.create_task(shared.limiter.run())
        try:
            await until(lambda: bool(shared.limiter.trouble))
            assert "127.0.0.1" in shared.limiter.trouble
            server.start()
            await until(lambda: not shared.limiter.trouble)
            assert shared.metrics.degraded == [True, False]
        finally:
            looking.cancel()
            await asyncio.wait({looking})


async def test_a_wrong_password_is_told_and_limits_are_kept(server: ValkeyProcess) -> None:
    """
    Whatever Valkey refuses is a failure like any other, and no secret is in the reason.
    """
    url = server.url.replace("//", "//somebody:hunter2@")
    async with limiter_on(url, replicas=1) as shared:
        found = [await take(shared.limiter, "key:a", TEN) for _ in range(20)]
        assert sum(decision.allowed for decision in found) == 10
        assert shared.limiter.trouble
        assert "hunter2" not in str(shared.logging.events)


async def test_a_request_that_goes_away_leaves_the_others_alone(server: ValkeyProcess) -> None:
    """
    Who is cancelled while it waits is not waited for.
    """
    async with limiter_on(server.url) as shared:
        charges = [Charge(subject="key:a", limit=TEN)]
        waiting = [asyncio.create_task(shared.limiter.take(charges)) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[1].cancel()
        ended = await asyncio.gather(*waiting, return_exceptions=True)
        assert isinstance(ended[1], asyncio.CancelledError)
        assert not isinstance(ended[0], BaseException)
        assert not isinstance(ended[2], BaseException)


async def test_closing_keeps_nobody_waiting(server: ValkeyProcess, way: tuple[Proxy, str]) -> None:
    """
    A request that is out when the limiter is closed is decided here.
    """
    proxy, url = way
    async with limiter_on(url) as shared, swallowed(server, proxy):
        waiting = asyncio.create_task(take(shared.limiter, "key:a", TEN))
        await asyncio.sleep(0.01)
        await shared.limiter.aclose()
        assert (await waiting).allowed


@pytest.mark.parametrize(
    "url", ["valkey://host:port/0", "http://host/0", "valkey://host/0?socket_timeout=soon"]
)
async def test_an_address_that_is_none_is_refused(url: str) -> None:
    """
    In one sentence that does not quote it: it may hold a password.
    """
    with pytest.raises(ConfigurationError, match="CTXFY_LIMITS__URL") as caught:
        async with limiter_on(url):
            pass
    assert "host" not in str(caught.value)


@pytest.mark.parametrize(("name", "is_shared"), [("127.0.0.1", True), ("192.0.2.1", False)])
async def test_tls_takes_only_a_certificate_of_the_host(
    name: str, is_shared: bool, server: ValkeyProcess, tmp_path: Path
) -> None:
    """
    One of a trusted authority for another name is refused; the client library's default takes it.
    """
    certificate = make_certificate(tmp_path, name)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate)
    async with (
        proxy_before(server.port, tls=tls) as (_, url),
        limiter_on(f"{url}?ssl_ca_certs={certificate}") as shared,
    ):
        await shared.limiter.probe()
        assert ("certificate" in shared.limiter.trouble) != is_shared
        assert (await take(shared.limiter, "key:a", TEN)).allowed
        assert bool(server.ask("KEYS", "*")) == is_shared


def make_certificate(folder: Path, address: str) -> Path:
    """
    Write a certificate that vouches for itself, and its key, into one file.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "valkey of a test")])
    began = datetime(2020, 1, 1, tzinfo=UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key())
        .serial_number(1)
        .not_valid_before(began)
        .not_valid_after(began.replace(year=2120))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))]), critical=False
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "certificate.pem"
    file.write_bytes(
        certificate.public_bytes(Encoding.PEM)
        + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    return file
