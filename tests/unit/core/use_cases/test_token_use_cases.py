"""
The judgement about tokens: what is not of the form expected, not said, or said twice, is refused.
"""

import json
from base64 import urlsafe_b64encode
from copy import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctxfy.core.models.auth_models import DenialReason, Denied, Scope
from ctxfy.core.models.token_models import TokenGrant, TokenHeader, TokenRules
from ctxfy.core.use_cases.token_use_cases import (
    ASYMMETRIC_ALGORITHMS,
    decide_token,
    key_kind,
    looks_like_token,
    protected_resource,
    read_claims,
    read_token_header,
    scopes_to_ask_for,
)
from tests.strategies import JSON_VALUES, TEXTS


NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
AT = int(NOW.timestamp())
RULES = TokenRules(
    issuer="https://issuer",
    audiences=("https://here/mcp", "other"),
    algorithms=("RS256", "ES256"),
    scopes={Scope.READ: ("read", "see"), Scope.WRITE: ("write",), Scope.ADMIN: ()},
)
CLAIMS: dict[str, Any] = {
    "iss": "https://issuer",
    "aud": "https://here/mcp",
    "sub": "ann",
    "scope": "openid read",
    "iat": AT,
    "exp": AT + 600,
}


def decided(rules: TokenRules = RULES, **changed: Any) -> TokenGrant | Denied:  # noqa: ANN401 - claims of any kind
    """
    Decide about claims, some of them changed; those that are None are left out.
    """
    said = {name: value for name, value in (CLAIMS | changed).items() if value is not None}
    return decide_token(said, rules, NOW)


def reason(decision: TokenGrant | Denied) -> DenialReason | None:
    """
    Why a token is refused; None if it is not.
    """
    return decision.reason if isinstance(decision, Denied) else None


def header_of(said: bytes) -> TokenHeader | Denied:
    """
    Read a header.
    """
    return read_token_header(urlsafe_b64encode(said).decode().rstrip("=") + ".e30.eA", RULES)


def test_a_good_token_is_worth_what_it_says() -> None:
    """
    User, scope, all prompts, and its end.
    """
    granted = decided()
    assert granted == TokenGrant(
        user_id="ann", scope=Scope.READ, prompts=("*",), expires_at=NOW + timedelta(seconds=600)
    )


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": None},
        {"iss": "https://issuer/"},
        {"iss": ["https://issuer"]},
        {"aud": None},
        {"aud": "https://here"},
        {"aud": "other https://here/mcp"},
        {"aud": []},
        {"aud": ["nobody", 1, "other"]},
        {"aud": {"other": 1}},
        {"aud": ["other"] * 101},
        {"exp": None},
        {"iat": None},
        {"exp": str(AT + 600)},
        {"exp": True},
        {"exp": 10**400},
        {"exp": -1},
        {"nbf": "now"},
        {"nbf": AT + 31},
        {"iat": AT + 31},
        {"sub": None},
        {"sub": ""},
        {"sub": "  "},
        {"sub": 7},
        {"sub": "a\nb"},
        {"sub": "x" * 201},
    ],
)
def test_a_token_that_does_not_say_it_all_is_refused(changed: dict[str, Any]) -> None:
    """
    For another issuer or audience, without times, or for nobody.
    """
    assert reason(decided(**changed)) is DenialReason.TOKEN


@pytest.mark.parametrize(
    ("changed", "refused"),
    [
        ({"exp": AT - 29}, None),
        ({"exp": AT - 30}, DenialReason.EXPIRED),
        ({"iat": AT - 86_400, "exp": AT + 10**9}, None),
        ({"iat": AT - 86_431, "exp": AT + 10**9}, DenialReason.EXPIRED),
        ({"nbf": AT + 30, "iat": AT + 30}, None),
        ({"nbf": 1.5}, None),
        ({"aud": ["nobody", "other"]}, None),
    ],
)
def test_times_are_kept_with_some_leeway(
    changed: dict[str, Any], refused: DenialReason | None
) -> None:
    """
    However far away its end is, a token has a greatest age.
    """
    assert reason(decided(**changed)) is refused


@pytest.mark.parametrize(
    ("said", "scope"),
    [
        ("read", Scope.READ),
        (["see", "write"], Scope.WRITE),
        ("write", Scope.WRITE),
        ("admin", None),
        ("READ", None),
        ("", None),
        (None, None),
        (["read", None], None),
        ({"read": True}, None),
    ],
)
def test_only_scopes_that_are_set_count(said: object, scope: Scope | None) -> None:
    """
    A token without any is valid, and good for nothing here.
    """
    decision = decided(scope=said)
    if scope is None:
        assert reason(decision) is DenialReason.SCOPE
    else:
        assert isinstance(decision, TokenGrant)
        assert decision.scope is scope


@pytest.mark.parametrize(
    ("said", "prompts"),
    [
        ("review-* docs", ("review-*", "docs")),
        (["*"], ("*",)),
        (None, None),
        ("", None),
        ([], None),
        (["a/b"], None),
        (["x"] * 51, None),
        (7, None),
    ],
)
def test_prompts_come_from_their_claim_or_not_at_all(
    said: object, prompts: tuple[str, ...] | None
) -> None:
    """
    Where the claim is set, a token without it sees nothing, not everything.
    """
    decision = decided(replace(RULES, prompts_claim="prompts"), prompts=said)
    if prompts is None:
        assert reason(decision) is DenialReason.NARROWED
    else:
        assert isinstance(decision, TokenGrant)
        assert decision.prompts == prompts


def test_a_blocked_user_is_refused() -> None:
    """
    The one way to end a token that was issued elsewhere.
    """
    blocked = replace(RULES, blocked_users=frozenset({"ann"}))
    assert reason(decided(blocked)) is DenialReason.REVOKED
    assert reason(decided(blocked, sub="bob")) is None


@given(st.dictionaries(st.sampled_from([*CLAIMS, "nbf", "other"]), JSON_VALUES))
def test_any_claims_come_to_a_decision(said: dict[str, Any]) -> None:
    """
    Whatever they hold, and never to a grant but for our own issuer and audience.
    """
    decision = decide_token(said, RULES, NOW)
    assert isinstance(decision, Denied)


@pytest.mark.parametrize(
    ("said", "name"),
    [
        (b'{"alg":"RS256"}', None),
        (b'{"alg":"ES256","kid":"k","typ":"at+JWT"}', "k"),
        (b'{"alg":"RS256","kid":"../passwd","jku":"https://evil","x5u":"x"}', "../passwd"),
    ],
)
def test_a_header_names_an_algorithm_and_a_key(said: bytes, name: str | None) -> None:
    """
    A name is compared with names and is nothing else; what would fetch keys is not looked at.
    """
    header = header_of(said)
    assert isinstance(header, TokenHeader)
    assert header.key_name == name


@pytest.mark.parametrize(
    "said",
    [
        b"{}",
        b'{"alg":"none"}',
        b'{"alg":"None"}',
        b'{"alg":"HS256"}',
        b'{"alg":"RS384"}',
        b'{"alg":["RS256"]}',
        b'{"alg":"RS256","alg":"none"}',
        b'{"alg":"RS256","crit":["exp"]}',
        b'{"alg":"RS256","typ":"logout+jwt"}',
        b'{"alg":"RS256","typ":1}',
        b'{"alg":"RS256","kid":1}',
        b'{"alg":"RS256","kid":"' + b"k" * 201 + b'"}',
        b'{"alg":"RS256","x5c":"' + b"k" * 2000 + b'"}',
        b'["RS256"]',
        b'{"alg":"RS256"',
        b'{"alg":"RS256","n":NaN}',
        b"\xff\xfe",
        b"[" * 1500,
    ],
)
def test_a_header_that_wants_something_else_is_refused(said: bytes) -> None:
    """
    No signature, a secret in place of a public key, another algorithm, twice, too long.
    """
    assert isinstance(header_of(said), Denied)


def test_a_header_that_is_no_base64_is_refused() -> None:
    """
    As any other that cannot be read.
    """
    assert isinstance(read_token_header("a.e30.eA", RULES), Denied)


@given(TEXTS)
def test_only_three_parts_are_a_token(text: str) -> None:
    """
    No key is one, and nothing with another character in it.
    """
    assert looks_like_token("aA0_-.b.c")
    assert not looks_like_token("ctxfy_0123456789ab_" + "x" * 49)
    assert not looks_like_token(f"a.{text} .c")
    assert not looks_like_token("a..c")
    assert not looks_like_token("a.b.c.d.e")


@given(JSON_VALUES)
def test_claims_are_one_plain_object(value: object) -> None:
    """
    Each name once.
    """
    read = read_claims(json.dumps(value).encode())
    assert read == (value if isinstance(value, dict) else None)
    assert read_claims(b'{"sub": "ann", "sub": "admin"}') is None
    assert read_claims(b'{"a": {"b": 1, "b": 2}}') is None


@pytest.mark.parametrize("algorithm", ASYMMETRIC_ALGORITHMS)
def test_every_algorithm_has_a_kind_of_key_that_is_no_secret(algorithm: str) -> None:
    """
    So none of them can be verified with a public key in place of a secret.
    """
    assert key_kind(algorithm) in {"RSA", "EC", "OKP"}


def test_clients_are_told_whom_to_ask_and_for_what() -> None:
    """
    In the issuer's words, as little as will do.
    """
    told = protected_resource("https://here/mcp", RULES, name="here")
    assert told["authorization_servers"] == ["https://issuer"]
    assert told["scopes_supported"] == ["read", "see", "write"]
    assert scopes_to_ask_for(RULES.scopes, Scope.READ) == ("read", "see")
    assert scopes_to_ask_for(RULES.scopes, Scope.WRITE) == ("write",)
    assert scopes_to_ask_for(RULES.scopes, Scope.ADMIN) == ()
