"""
Sessions: how long they live, what a page may ask for, and where a log-in may lead.
"""

from copy import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctxfy.core.models.auth_models import DenialReason, Denied, KeyId
from ctxfy.core.models.session_models import SessionLifetimes, TokenDigest
from ctxfy.core.use_cases.session_use_cases import (
    MAX_NEXT_LENGTH,
    begin_session,
    decide_session,
    decide_unsafe_request,
    is_live,
    local_path,
    renew,
)


NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
LIFETIMES = SessionLifetimes(idle=timedelta(minutes=30), absolute=timedelta(hours=12))
SESSION = begin_session(TokenDigest("d" * 64), KeyId("reader000000"), LIFETIMES, NOON)
INSTANT = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("after", "live"),
    [
        (timedelta(0), True),
        (LIFETIMES.idle - INSTANT, True),
        (LIFETIMES.idle, False),
        (LIFETIMES.absolute, False),
    ],
)
def test_a_session_that_nobody_uses_ends_with_its_idle_life(after: timedelta, live: bool) -> None:
    """
    The moment in which a life ends is no longer part of it.
    """
    assert is_live(SESSION, NOON + after) is live
    decision = decide_session(SESSION, NOON + after)
    assert decision == SESSION if live else isinstance(decision, Denied)


def test_a_session_in_use_ends_with_its_absolute_life() -> None:
    """
    However often it is renewed, its last moment stays where it was.
    """
    session, now = SESSION, NOON
    while is_live(session, now):
        session = renew(session, LIFETIMES, now) or session
        now += timedelta(minutes=7)
    assert now - NOON == timedelta(hours=12, minutes=1)
    assert session.expires_at == SESSION.expires_at


def test_no_session_and_an_ended_one_look_alike() -> None:
    """
    Both are refused with the same reason and sentence.
    """
    ended = decide_session(SESSION, NOON + LIFETIMES.idle)
    assert ended == decide_session(None, NOON)
    assert isinstance(ended, Denied)
    assert ended.reason is DenialReason.SESSION


@pytest.mark.parametrize(("seconds", "seen"), [(0, False), (29, False), (30, True), (1000, True)])
def test_not_every_use_is_worth_a_write(seconds: int, seen: bool) -> None:
    """
    A use is noted once a sixtieth of the idle life has passed since the last one that was.
    """
    now = NOON + timedelta(seconds=seconds)
    wanted = replace(SESSION, last_seen_at=now, idle_expires_at=now + LIFETIMES.idle)
    assert renew(SESSION, LIFETIMES, now) == (wanted if seen else None)


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_what_changes_nothing_needs_no_proof(method: str) -> None:
    """
    A link to a page must work from anywhere.
    """
    assert decide_unsafe_request(method, own_page=False, token_matches=False) is None


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "TRACE", "get", "QUERY", ""])
@pytest.mark.parametrize("own_page", [True, False])
@pytest.mark.parametrize("token_matches", [True, False])
def test_what_may_change_something_needs_both_proofs(
    method: str, own_page: bool, token_matches: bool
) -> None:
    """
    The same Origin and the token, and any method that is not known to be harmless counts.
    """
    denied = decide_unsafe_request(method, own_page=own_page, token_matches=token_matches)
    assert (denied is None) == (own_page and token_matches)
    assert denied is None or denied.reason is DenialReason.FORGED


@pytest.mark.parametrize(
    "path", ["/", "/docs", "/docs/prompts/a.b?x=%2F&y=//z#part", "/a//b", "/~me", "/a:b@c"]
)
def test_a_path_of_this_server_is_taken(path: str) -> None:
    """
    With its query and fragment, and with what is encoded in it.
    """
    assert local_path(path) == path


@pytest.mark.parametrize(
    "text",
    [
        "",
        "docs",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/docs\\..",
        "https://evil.example",
        "https:evil.example",
        "javascript:alert(1)",
        " /docs",
        "/ docs",
        "/\tevil",
        "/\t/evil.example",
        "\n//evil.example",
        "/docs\r\nset-cookie: a=b",
        "/docs\n",
        "/docs\x00",
        "/docs\x7f",
        "/döcs",
        "/" + "a" * MAX_NEXT_LENGTH,
    ],
    ids=ascii,
)
def test_what_could_lead_elsewhere_is_no_path(text: str) -> None:
    """
    Nothing with a host, a scheme, a backslash, a blank or a control character; nothing endless.
    """
    assert local_path(text) is None


@given(st.text(alphabet="/\\:.@?#%ae \t\n", max_size=20) | st.text(max_size=20))
def test_no_local_path_leads_to_another_host(text: str) -> None:
    """
    Whatever is taken, an address that is made from it is one of this server.
    """
    path = local_path(text)
    if path is not None:
        found = urlsplit(urljoin("https://here.example/login", path))
        assert (found.scheme, found.netloc) == ("https", "here.example")
