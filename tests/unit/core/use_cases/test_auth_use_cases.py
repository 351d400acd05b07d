"""
What a key may do, and what may be created.
"""

from copy import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctxfy.core.exceptions import InvalidKeyRequestError, ScopeNotGrantableError
from ctxfy.core.models.auth_models import (
    ApiKeyRequest,
    Denied,
    Granted,
    KeyStatus,
    RateLimit,
    RoutePolicy,
    Scope,
)
from ctxfy.core.use_cases.auth_use_cases import (
    MAX_PROMPT_GLOBS,
    MAX_TTL_HOURS,
    check_grantable,
    check_key_request,
    decide_authentication,
    decide_authorization,
    expiry_of,
    is_expired,
    is_live_admin,
    matches_any,
    may_use_prompt,
    parse_rate,
    show_rate,
)
from tests.builders import NOW, make_key_info, make_principal


HOUR = timedelta(hours=1)


@pytest.mark.parametrize("status", KeyStatus)
@pytest.mark.parametrize("expires_at", [None, NOW - HOUR, NOW + HOUR])
def test_wrong_secret(status: KeyStatus, expires_at: datetime | None) -> None:
    """
    A wrong secret is answered exactly as an id that does not exist, whatever the key's state.
    """
    info = make_key_info(status=status, expires_at=expires_at)
    unknown = decide_authentication(None, digest_matches=False, now=NOW)
    assert decide_authentication(info, digest_matches=False, now=NOW) == unknown
    assert decide_authentication(None, digest_matches=True, now=NOW) == unknown


@pytest.mark.parametrize(
    ("status", "expires_at", "reason", "sentence"),
    [
        (KeyStatus.REVOKED, None, "revoked", "The API key was revoked."),
        (KeyStatus.REVOKED, NOW - HOUR, "revoked", "The API key was revoked."),
        (KeyStatus.DISABLED, None, "disabled", "The API key is disabled."),
        (KeyStatus.DISABLED, NOW - HOUR, "disabled", "The API key is disabled."),
        (KeyStatus.ACTIVE, NOW - HOUR, "expired", "The API key has expired."),
        (KeyStatus.ACTIVE, NOW, "expired", "The API key has expired."),
    ],
)
def test_order_of_reasons(
    status: KeyStatus, expires_at: datetime | None, reason: str, sentence: str
) -> None:
    """
    To whoever holds the secret, revoked comes before disabled, and disabled before expired.
    """
    info = make_key_info(status=status, expires_at=expires_at)
    decision = decide_authentication(info, digest_matches=True, now=NOW)
    assert isinstance(decision, Denied)
    assert (decision.reason, decision.sentence) == (reason, sentence)


@pytest.mark.parametrize("expires_at", [None, NOW + timedelta(microseconds=1)])
def test_granted(expires_at: datetime | None) -> None:
    """
    A live key makes a principal with all that was known of it.
    """
    info = make_key_info(scope=Scope.WRITE, expires_at=expires_at, prompts=("a-*",))
    decision = decide_authentication(info, digest_matches=True, now=NOW)
    assert isinstance(decision, Granted)
    who = decision.principal
    assert (who.key_id, who.user_id, who.scope) == (info.key_id, "ada", Scope.WRITE)
    assert (who.prompts, who.expires_at, who.name) == (("a-*",), expires_at, "laptop")
    assert who.is_narrowed


@given(first=st.sampled_from(Scope), second=st.sampled_from(Scope), third=st.sampled_from(Scope))
def test_scopes_are_ordered(first: Scope, second: Scope, third: Scope) -> None:
    """
    Scopes form a chain: one covers the other, itself, and what the other covers.
    """
    assert first.covers(second) or second.covers(first)
    assert first.covers(first)
    assert not (first.covers(second) and second.covers(third)) or first.covers(third)
    assert (first == second) == (first.covers(second) and second.covers(first))


@pytest.mark.parametrize(
    ("has", "needs", "allowed"),
    [
        ("read", "read", True),
        ("read", "write", False),
        ("read", "admin", False),
        ("write", "read", True),
        ("write", "write", True),
        ("write", "admin", False),
        ("admin", "read", True),
        ("admin", "write", True),
        ("admin", "admin", True),
    ],
)
def test_scope_of_a_route(has: str, needs: str, allowed: bool) -> None:
    """
    A route is open to its scope and those above, and the refusal names both.
    """
    policy = RoutePolicy(path="/x", methods=("GET",), scope=Scope(needs))
    denied = decide_authorization(policy, make_principal(Scope(has)))
    assert (denied is None) == allowed
    if denied is not None:
        assert denied.reason == "scope"
        assert denied.sentence == f"This needs a key of scope {needs}; yours has scope {has}."


def test_public_route() -> None:
    """
    A public route asks for nothing, even if narrowed keys could not use it otherwise.
    """
    policy = RoutePolicy(path="/x", methods=("GET",), scope=None, narrowed=False)
    assert decide_authorization(policy, make_principal(prompts=("a",))) is None


@pytest.mark.parametrize(
    ("prompts", "allowed"), [(("*",), True), (("a", "*"), True), (("a*",), False), ((), False)]
)
def test_narrowed_keys(prompts: tuple[str, ...], allowed: bool) -> None:
    """
    A route that shows all prompts is closed to keys that see only some.
    """
    policy = RoutePolicy(path="/x", methods=("GET",), scope=Scope.READ, narrowed=False)
    denied = decide_authorization(policy, make_principal(prompts=prompts))
    assert (denied is None) == allowed
    assert denied is None or denied.reason == "narrowed"


@pytest.mark.parametrize(
    ("name", "globs", "matches"),
    [
        ("code-review", ("*",), True),
        ("code-review", ("code-*",), True),
        ("code-review", ("code-review",), True),
        ("code-review", ("review",), False),
        ("code-review", ("Code-*",), False),
        ("code-review", ("code?review",), True),
        ("code-review", ("cod[ef]-review",), True),
        ("code-review", ("cod[!ef]-review",), False),
        ("code-review", (), False),
        ("code-review", ("x", "y", "*view"), True),
        ("a.b", ("a?b",), True),
        ("ab", ("a.b",), False),
        ("[x]", ("[[]x]",), True),
        ("", ("*",), True),
        ("a" * 100 + "c", ("a*" * 60 + "b",), False),
    ],
)
def test_globs(name: str, globs: tuple[str, ...], matches: bool) -> None:
    """
    A name is matched by any of the globs, whole and case-sensitively.
    """
    assert matches_any(name, globs) == matches


def test_scope_and_glob_together() -> None:
    """
    A prompt may be used only if both its scope and its name are allowed.
    """
    who = make_principal(Scope.WRITE, ("a-*",))
    assert may_use_prompt(who, "a-1", Scope.WRITE)
    assert not may_use_prompt(who, "a-1", Scope.ADMIN)
    assert not may_use_prompt(who, "b-1", Scope.READ)


WISH = ApiKeyRequest(user_id="ada")


@pytest.mark.parametrize(
    ("wish", "sentence"),
    [
        (replace(WISH, user_id=""), "A key needs a user: a name that is not empty."),
        (replace(WISH, user_id=" \t"), "A key needs a user: a name that is not empty."),
        (replace(WISH, user_id="a" * 201), "The user of a key has at most 200 characters."),
        (replace(WISH, name="a" * 201), "The name of a key has at most 200 characters."),
        (replace(WISH, user_id="a\nb"), "The user of a key may not hold control characters."),
        (replace(WISH, user_id="a\x00"), "The user of a key may not hold control characters."),
        (replace(WISH, name="\u202e"), "The name of a key may not hold control characters."),
        (replace(WISH, ttl_hours=0), "A key lives from 1 to 87840 hours."),
        (replace(WISH, ttl_hours=-5), "A key lives from 1 to 87840 hours."),
        (replace(WISH, ttl_hours=MAX_TTL_HOURS + 1), "A key lives from 1 to 87840 hours."),
        (replace(WISH, prompts=()), "A key has from 1 to 50 prompt globs."),
        (replace(WISH, prompts=("a",) * 51), "A key has from 1 to 50 prompt globs."),
        (
            replace(WISH, prompts=("a", "b c")),
            "One of the prompts is not a glob over prompt names; write for example 'review-*'.",
        ),
        (
            replace(WISH, prompts=("",)),
            "One of the prompts is not a glob over prompt names; write for example 'review-*'.",
        ),
        (
            replace(WISH, prompts=("a/b\n",)),
            "One of the prompts is not a glob over prompt names; write for example 'review-*'.",
        ),
        (
            replace(WISH, rate_limit=RateLimit(requests=0, seconds=1)),
            "A rate limit allows at least 1 request in at least 1 second.",
        ),
        (
            replace(WISH, rate_limit=RateLimit(requests=1, seconds=0)),
            "A rate limit allows at least 1 request in at least 1 second.",
        ),
    ],
)
def test_refused_wishes(wish: ApiKeyRequest, sentence: str) -> None:
    """
    A wish that nobody could be granted is refused with the reason.
    """
    with pytest.raises(InvalidKeyRequestError) as caught:
        check_key_request(wish)
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    "wish",
    [
        WISH,
        replace(WISH, user_id="Ada Lovelace <ada@example.org>", name="Büro 3"),
        replace(WISH, user_id="a" * 200, name="b" * 200),
        replace(WISH, ttl_hours=1),
        replace(WISH, ttl_hours=MAX_TTL_HOURS),
        replace(WISH, prompts=("a-*",) * MAX_PROMPT_GLOBS),
        replace(WISH, prompts=("a.b_c-[d]?!*",)),
        replace(WISH, rate_limit=RateLimit(requests=1, seconds=1)),
    ],
)
def test_wishes_at_the_limits(wish: ApiKeyRequest) -> None:
    """
    What is just allowed is allowed.
    """
    check_key_request(wish)
    assert wish.user_id


@pytest.mark.parametrize("has", Scope)
@pytest.mark.parametrize("wanted", Scope)
def test_scope_of_a_new_key(has: Scope, wanted: Scope) -> None:
    """
    A key creates keys of its own scope and below, no others.
    """
    wish = replace(WISH, scope=wanted)
    if has.covers(wanted):
        check_grantable(wish, make_principal(has))
        return
    with pytest.raises(ScopeNotGrantableError) as caught:
        check_grantable(wish, make_principal(has))
    assert str(caught.value) == f"A key of scope {has} cannot create one of scope {wanted}."


@pytest.mark.parametrize("prompts", [("*",), ("a-1",), ("a-*", "b"), ("?",)])
def test_prompts_of_a_new_key(prompts: tuple[str, ...]) -> None:
    """
    A narrowed key hands on none but its own globs, even where another would match less.
    """
    issuer = make_principal(Scope.ADMIN, ("a-*", "c"))
    with pytest.raises(ScopeNotGrantableError) as caught:
        check_grantable(replace(WISH, prompts=prompts), issuer)
    assert str(caught.value) == (
        "A key that is narrowed to some prompts can only create keys for the same globs."
    )


@pytest.mark.parametrize("prompts", [("c",), ("a-*",), ("c", "a-*")])
def test_prompts_handed_on(prompts: tuple[str, ...]) -> None:
    """
    Some or all of the issuer's globs may be handed on.
    """
    issuer = make_principal(Scope.ADMIN, ("a-*", "c"))
    check_grantable(replace(WISH, prompts=prompts), issuer)
    assert issuer.is_narrowed


def test_expiry() -> None:
    """
    A life in hours begins now; without one there is no end.
    """
    assert expiry_of(replace(WISH, ttl_hours=2), NOW) == NOW + 2 * HOUR
    assert expiry_of(WISH, NOW) is None


@given(hours=st.integers(-1000, 1000))
def test_is_expired(hours: int) -> None:
    """
    A key is over from its very moment of expiry on.
    """
    info = make_key_info(expires_at=NOW + hours * HOUR)
    assert is_expired(info, NOW) == (hours <= 0)


@pytest.mark.parametrize("scope", Scope)
@pytest.mark.parametrize("status", KeyStatus)
@pytest.mark.parametrize("expires_at", [None, NOW - HOUR, NOW + HOUR])
@pytest.mark.parametrize("prompts", [("*",), ("a", "*"), ("a*",)])
def test_live_admin(
    scope: Scope, status: KeyStatus, expires_at: datetime | None, prompts: tuple[str, ...]
) -> None:
    """
    Only an active, unexpired admin key that sees all prompts can administer the server.
    """
    info = make_key_info(scope=scope, status=status, expires_at=expires_at, prompts=prompts)
    expected = (scope, status) == (Scope.ADMIN, KeyStatus.ACTIVE) and (
        expires_at != NOW - HOUR and "*" in prompts
    )
    assert is_live_admin(info, NOW) == expected


@pytest.mark.parametrize(
    ("text", "requests", "seconds"),
    [("5/second", 5, 1), ("600/minute", 600, 60), (" 1/HOUR ", 1, 3600), ("9/day", 9, 86400)],
)
def test_rates(text: str, requests: int, seconds: int) -> None:
    """
    A rate is a number of requests in a unit of time.
    """
    assert parse_rate(text) == RateLimit(requests=requests, seconds=seconds)


@pytest.mark.parametrize(
    "text",
    ["", "600", "/minute", "600/week", "-1/day", "1.5/day", "\u0663/day", "6/day x", "9" * 5000],
)
def test_not_a_rate(text: str) -> None:
    """
    Anything else is refused with an example.
    """
    with pytest.raises(InvalidKeyRequestError, match="is no rate; write for example 600/minute"):
        parse_rate(text)


@pytest.mark.parametrize("text", ["600/minute", "1/second", "20/hour", "5000/day"])
def test_a_rate_is_written_as_it_is_read(text: str) -> None:
    """
    So that what is shown of a key can be typed again.
    """
    assert show_rate(parse_rate(text)) == text


def test_a_rate_over_another_span_says_its_seconds() -> None:
    """
    Nobody can ask for one, but a store may hold it.
    """
    assert show_rate(RateLimit(requests=3, seconds=90)) == "3/90s"
