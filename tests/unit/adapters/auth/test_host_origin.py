"""
Host and Origin: whom the server answers for, and which pages may call it.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctxfy.adapters.auth.host_origin import HostOriginPolicy, host_name
from ctxfy.core.exceptions import ForeignHostError, ForeignOriginError


HOSTS = ("prompts.example.com", "*.internal.example", "strict.example:8443", "fd00::5")
ODD = st.text(st.sampled_from("ahlost.:[]@/\\%*?#-_ \t\n\x00é\xb2"), max_size=20) | st.text(
    max_size=20
)


def _answers(host: str | None, *hosts: str) -> bool:
    try:
        HostOriginPolicy(hosts=hosts).check(host, None, "http", any_host=False)
    except ForeignHostError:
        return False
    return True


def _takes(origin: str, host: str | None = "localhost:8000", scheme: str = "http") -> bool:
    policy = HostOriginPolicy(hosts=("prompts.example.com",), origins=("https://app.example.com",))
    try:
        policy.check(host, origin, scheme, any_host=True)
    except ForeignOriginError:
        return False
    return True


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LocalHost:8000",
        "127.0.0.1",
        "127.0.0.1:1",
        "[::1]",
        "[::1]:65535",
        "prompts.example.com",
        "PROMPTS.example.com:443",
        "a.internal.example",
        "a.b.internal.example:80",
        "strict.example:8443",
        "[fd00::5]",
        "[FD00::5]:8000",
    ],
)
def test_our_hosts_are_ours(host: str) -> None:
    """
    Loopback and configured names are ours, whatever the case, and the port unless it was named.
    """
    assert _answers(host, *HOSTS)


@pytest.mark.parametrize(
    "host",
    [
        None,
        "",
        " ",
        ":8000",
        "evil.example",
        "localhost.evil.example",
        "localhost.",
        "evil.example:localhost",
        "127.0.0.1.evil.example",
        "127.0.0.1@evil.example",
        "localhost:80@evil.example",
        "localhost:8000/evil.example",
        "localhost:port",
        "evil.example#localhost",
        "evil.example/.internal.example",
        "evil.example?.internal.example",
        "evil@a.internal.example",
        "[::1].evil.example",
        "[::1]evil.example:80",
        "[::1",
        "::1]",
        "[evil.example]",
        "2130706433",
        "0x7f.1",
        "internal.example",
        "a.internal.example.evil",
        "strict.example",
        "strict.example:443",
        "prompts.example.com.evil.example",
        "prompts.example.com, localhost",
        "prompts\tlocalhost",
        "fd00::5",
        "[fd00::6]",
    ],
)
def test_other_hosts_are_foreign(host: str | None) -> None:
    """
    Nothing that only looks like one of our hosts, or holds one, is ours.
    """
    assert not _answers(host, *HOSTS)


@pytest.mark.parametrize(
    ("pattern", "host", "ours"),
    [
        ("*", "anything.example:1", True),
        ("*:8000", "anything.example:8000", True),
        ("*:8000", "anything.example", False),
        ("a.example:*", "a.example:99", True),
        ("[ab].example", "a.example", True),
        ("[ab].example", "c.example", False),
        ("[fd00::5]:8000", "[fd00::5]:8000", True),
        ("[fd00::5]:8000", "[fd00::5]:8001", False),
        ("[fd00::5]", "[fd00::5]:8001", True),
    ],
)
def test_patterns_are_globs_over_name_and_port(pattern: str, host: str, *, ours: bool) -> None:
    """
    A pattern without a port takes any; IPv6 addresses may stand in brackets or without.
    """
    assert _answers(host, pattern) == ours


@pytest.mark.parametrize(
    ("origin", "host", "scheme"),
    [
        ("https://app.example.com", "prompts.example.com", "http"),
        ("https://APP.example.com", "prompts.example.com", "http"),
        ("http://prompts.example.com", "prompts.example.com", "http"),
        ("https://prompts.example.com", "prompts.example.com", "http"),
        ("https://prompts.example.com:8443", "prompts.example.com:8443", "https"),
        ("http://localhost:6274", "127.0.0.1:8000", "http"),
        ("http://[::1]:6274", "localhost:8000", "http"),
    ],
)
def test_known_origins_may_call(origin: str, host: str, scheme: str) -> None:
    """
    Configured pages, pages of the server itself, and pages of this machine to this machine.
    """
    assert _takes(origin, host, scheme)


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("null", "localhost:8000"),
        ("", "localhost:8000"),
        ("https://evil.example", "localhost:8000"),
        ("http://app.example.com", "prompts.example.com"),
        ("https://app.example.com.evil.example", "prompts.example.com"),
        ("https://app.example.com:444", "prompts.example.com"),
        ("https://app.example.com/", "prompts.example.com"),
        ("http://localhost.evil.example", "localhost:8000"),
        ("http://localhost:80@evil.example", "localhost:8000"),
        ("http://localhost@evil.example", "localhost:8000"),
        ("http://[::1].evil.example", "localhost:8000"),
        ("http://[", "localhost:8000"),
        ("http://]", "localhost:8000"),
        ("//localhost", "prompts.example.com"),
        ("http://localhost:3000", "prompts.example.com"),
        ("https://app.example.com", None),
    ],
)
def test_other_origins_may_not(origin: str, host: str | None) -> None:
    """
    Everything else is foreign, whatever it resembles; only a configured one needs no Host.
    """
    assert _takes(origin, host) == (origin == "https://app.example.com")


def test_any_origin_can_be_allowed() -> None:
    """
    With `*` every page may call and read, a sandboxed one too.
    """
    policy = HostOriginPolicy(origins=("*",))
    policy.check("localhost", "null", "http", any_host=False)
    assert policy.allows_cors("https://anything.example")
    assert not policy.allows_cors(None)


@given(host=st.none() | ODD, origin=st.none() | ODD, any_host=st.booleans())
def test_whatever_comes_there_is_an_answer(
    host: str | None, origin: str | None, *, any_host: bool
) -> None:
    """
    No header makes the check fail otherwise than by refusing.
    """
    policy = HostOriginPolicy(hosts=HOSTS, origins=("https://app.example.com",))
    try:
        policy.check(host, origin, "http", any_host=any_host)
    except (ForeignHostError, ForeignOriginError):
        return
    assert any_host or (host is not None and host_name(host))


@given(st.text(max_size=30))
def test_what_ends_in_a_foreign_name_is_foreign(prefix: str) -> None:
    """
    However it begins, a Host that ends in a foreign domain is not ours.
    """
    assert not _answers(f"{prefix}.evil.example", *HOSTS)


@pytest.mark.parametrize(
    ("origin", "host", "scheme", "own"),
    [
        ("http://localhost:8000", "localhost:8000", "http", True),
        ("HTTP://LocalHost:8000", "localhost:8000", "http", True),
        ("https://localhost:8000", "localhost:8000", "http", True),
        ("https://prompts.example.com", "prompts.example.com", "https", True),
        ("http://prompts.example.com", "prompts.example.com", "https", False),
        ("http://localhost:3000", "localhost:8000", "http", False),
        ("http://127.0.0.1:8000", "localhost:8000", "http", False),
        ("https://app.example.com", "prompts.example.com", "https", False),
        ("http://localhost:8000.evil.example", "localhost:8000", "http", False),
        ("http://localhost:8000/", "localhost:8000", "http", False),
        ("null", "localhost:8000", "http", False),
        ("", "", "http", False),
        (None, "localhost:8000", "http", False),
        ("http://localhost:8000", None, "http", False),
    ],
)
def test_a_page_of_ours_has_the_very_origin_of_the_request(
    origin: str | None, host: str | None, scheme: str, own: bool
) -> None:
    """
    Neither an allowed origin nor another port of this machine is one of our own pages.
    """
    policy = HostOriginPolicy(origins=("https://app.example.com", "*"))
    assert policy.is_own_page(host, origin, scheme) is own


@pytest.mark.parametrize(
    ("origin", "own"),
    [
        ("https://prompts.example.com", True),
        ("HTTPS://Prompts.Example.com", True),
        ("http://prompts.example.com", False),
        ("https://prompts.example.com:8443", False),
        ("https://prompts.example.com.evil.example", False),
        ("https://evil.example", False),
        (None, False),
    ],
)
@pytest.mark.parametrize("host", ["10.0.0.7:8000", "backend", None])
def test_our_public_origin_is_ours_whatever_host_a_proxy_sends(
    origin: str | None, own: bool, host: str | None
) -> None:
    """
    It is that very origin alone; what the proxy calls us makes nobody's page ours.
    """
    policy = HostOriginPolicy(public_origin="https://prompts.example.com")
    assert policy.is_own_page(host, origin, "http") is own
