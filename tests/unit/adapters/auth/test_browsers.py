"""
Who is a browser, and where it is sent.
"""

from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Scope

from ctxfy.adapters.auth.browsers import asks_for_a_page
from ctxfy.adapters.auth.policy import PolicyTable
from ctxfy.core.exceptions import NotAuthenticatedError
from ctxfy.core.use_cases.session_use_cases import local_path
from tests.unit.adapters.auth.gate_kit import DOORS, POLICIES


TABLE = PolicyTable(POLICIES)
NOTHING = NotAuthenticatedError("An API key is needed.", presented=False)


def get(path: str = "/prompts", query: bytes = b"", *accept: str, method: str = "GET") -> Scope:
    """
    Make a request.
    """
    headers = [(b"accept", text.encode("latin-1")) for text in accept]
    return {"method": method, "path": path, "query_string": query, "headers": headers}


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        ("text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8", True),
        ("text/html", True),
        ("TEXT/HTML; charset=utf-8", True),
        ("text/html;q=0.5, application/json;q=0.4", True),
        ("text/html;q=0.4, application/json;q=0.5", False),
        ("text/html, application/json", False),
        ("text/html, application/problem+json", False),
        ("text/html;q=0", False),
        ("text/html;q=x", False),
        ("text/html;q=nan", False),
        ("text/html;q=-1", False),
        ("application/json", False),
        ("*/*", False),
        ("text/*", False),
        ("application/json, text/event-stream", False),
        ("", False),
        (",;=,;q=", False),
    ],
)
def test_a_browser_wants_a_page_more_than_data(accept: str, wanted: bool) -> None:
    """
    It names text/html, and JSON less or not at all; what cannot be read is no wish.
    """
    assert asks_for_a_page(get("/", b"", accept)) is wanted
    assert not asks_for_a_page(get("/", b"", accept, method="POST"))


def test_no_wish_and_two_headers_are_no_browsers() -> None:
    """
    A program that sends no Accept, and a request that sends two, are told and not sent.
    """
    assert not asks_for_a_page(get())
    assert not asks_for_a_page(get("/", b"", "text/html", "text/html"))


@given(path=st.text(max_size=30), query=st.binary(max_size=30))
def test_the_way_back_is_where_it_came_from(path: str, query: bytes) -> None:
    """
    Whatever was asked for, the log-in page is our own, and its `next` names that very address, or
    is none that a log-in may lead to.
    """
    scope = get("/" + path, query, "text/html")
    way = DOORS.way_in(scope, TABLE.match("/prompts", "GET"), NOTHING)
    assert way is not None
    parts = urlsplit(way)
    assert (parts.scheme, parts.netloc, parts.path, parts.fragment) == ("", "", "/login", "")
    (wanted,) = parse_qs(parts.query)["next"]
    target = local_path(wanted)
    if target is not None:
        assert unquote(target.partition("?")[0]) == "/" + path
        assert target.partition("?")[2] == query.decode("latin-1")
