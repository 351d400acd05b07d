"""
The table of routes.
"""

import pytest

from ctxfy.adapters.auth.policy import PolicyTable
from ctxfy.core.models.auth_models import RoutePolicy, Scope


TABLE = PolicyTable(
    [
        RoutePolicy(path="/a", methods=("GET",), scope=None),
        RoutePolicy(path="/a", methods=("POST",), scope=Scope.WRITE),
        RoutePolicy(path="/a/{name}", methods=("GET",), scope=Scope.READ),
        RoutePolicy(path="/a/{name}/b", methods=("DELETE",), scope=Scope.ADMIN),
        RoutePolicy(path="/files.d/{rest:path}", methods=("GET",), scope=None),
    ]
)


@pytest.mark.parametrize(
    ("path", "method", "route", "scope"),
    [
        ("/a", "GET", "/a", None),
        ("/a", "HEAD", "/a", None),
        ("/a", "POST", "/a", Scope.WRITE),
        ("/a/x", "GET", "/a/{name}", Scope.READ),
        ("/a/x.y-z", "HEAD", "/a/{name}", Scope.READ),
        ("/a/x/b", "DELETE", "/a/{name}/b", Scope.ADMIN),
        ("/files.d/", "GET", "/files.d/{rest:path}", None),
        ("/files.d/x/y", "GET", "/files.d/{rest:path}", None),
        ("/files.d/x\ny", "GET", "/files.d/{rest:path}", None),
    ],
)
def test_a_path_and_method_find_their_policy(
    path: str, method: str, route: str, scope: Scope | None
) -> None:
    """
    One path may ask for different scopes by method; HEAD is allowed wherever GET is.
    """
    match = TABLE.match(path, method)
    assert match.policy is not None
    assert (match.route, match.policy.scope) == (route, scope)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/A",
        "/a/",
        "/a//",
        "/a//b",
        "/a/x/",
        "/a/x/c",
        "/files_d/x",
        "/files.d",
    ],
    ids=ascii,
)
def test_other_paths_find_nothing(path: str) -> None:
    """
    A name fills exactly one segment, and a dot is a dot.
    """
    assert TABLE.match(path, "GET").route is None


def test_a_wrong_method_learns_the_right_ones() -> None:
    """
    The path is known then, the policy is not, and all its methods are named in order.
    """
    match = TABLE.match("/a", "PATCH")
    assert (match.policy, match.route, match.allowed) == (None, "/a", ("GET", "POST"))


def test_head_needs_a_get() -> None:
    """
    Where there is no GET there is no HEAD.
    """
    assert TABLE.match("/a/x/b", "HEAD").policy is None


CLASHING = PolicyTable(
    [
        RoutePolicy(path="/a/{name}", methods=("GET", "DELETE"), scope=Scope.ADMIN),
        RoutePolicy(path="/a/own", methods=("GET",), scope=Scope.READ),
        RoutePolicy(path="/a/reload", methods=("POST",), scope=Scope.WRITE),
    ]
)


@pytest.mark.parametrize(
    ("path", "method", "route", "scope"),
    [
        ("/a/own", "GET", "/a/own", Scope.READ),
        ("/a/own", "HEAD", "/a/own", Scope.READ),
        ("/a/own", "DELETE", "/a/{name}", Scope.ADMIN),
        ("/a/reload", "POST", "/a/reload", Scope.WRITE),
        ("/a/reload", "GET", "/a/{name}", Scope.ADMIN),
        ("/a/other", "GET", "/a/{name}", Scope.ADMIN),
    ],
)
def test_a_literal_path_goes_first_for_its_own_methods(
    path: str, method: str, route: str, scope: Scope
) -> None:
    """
    A thing that is named like a route hides no route, and is still there by the other methods.
    """
    match = CLASHING.match(path, method)
    assert match.policy is not None
    assert (match.route, match.policy.scope, match.guard) == (route, scope, match.policy)


def test_a_wrong_method_is_told_those_of_all_that_fits() -> None:
    """
    The methods of the literal path and of the template, together; the literal one is the guard.
    """
    match = CLASHING.match("/a/own", "PATCH")
    assert (match.policy, match.route) == (None, "/a/own")
    assert match.allowed == ("DELETE", "GET")
    assert CLASHING.match("/a/other", "POST").policy is None
