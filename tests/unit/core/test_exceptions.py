"""
Every error has a code for programs and a sentence for people.
"""

from collections.abc import Iterator

import pytest

from ctxfy.core import exceptions
from ctxfy.core.exceptions import CtxfyError
from ctxfy.core.models.auth_models import RateLimit
from ctxfy.core.models.limit_models import LimitDecision, LimitPolicy, Quota
from ctxfy.core.models.prompt_models import PromptProblem
from ctxfy.core.models.validation_models import ErrorCode, ValidationError, ValidationResult


def _all_errors(kind: type[CtxfyError] = CtxfyError) -> Iterator[type[CtxfyError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _all_errors(child)


ERRORS = list(_all_errors())
INVALID = ValidationResult(
    errors=(
        ValidationError(field="a", message="Argument 'a' is required.", code=ErrorCode.MISSING),
        ValidationError(field="b", message="Argument 'b' is bad.", code=ErrorCode.PATTERN),
    )
)


def quota(policy: LimitPolicy, retry_after: float = 0.0) -> Quota:
    """
    Make a quota of six a minute: refused if there is a time to wait.
    """
    decision = LimitDecision(
        allowed=not retry_after,
        remaining=0,
        retry_after=retry_after,
        reset_after=60.0,
        arrival=0,
    )
    return Quota(policy=policy, limit=RateLimit(requests=6, seconds=60), decision=decision)


PROBLEM = PromptProblem(path="a.prompt.md", line=3, message="unknown key 'x'")


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__name__)
def test_codes(kind: type[CtxfyError]) -> None:
    """
    Each class has a code of its own, dotted below that of its family.
    """
    assert sum(other.code == kind.code for other in ERRORS) == 1
    parent = kind.__mro__[1]
    if issubclass(parent, CtxfyError) and parent is not CtxfyError:
        assert kind.code.startswith(f"{parent.code}.")


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__name__)
def test_drawn_in_the_tree(kind: type[CtxfyError]) -> None:
    """
    The docstring of the module draws every class.
    """
    assert kind.__name__ in (exceptions.__doc__ or "")


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (exceptions.PromptNotFoundError("a b"), "Unknown prompt: 'a b'."),
        (
            exceptions.PromptNotFoundError("a", "2.0"),
            "Unknown prompt: 'a' in version '2.0'.",
        ),
        (
            exceptions.PromptNotFoundError("a", hint="did you mean 'b'?"),
            "Unknown prompt: 'a'; did you mean 'b'?",
        ),
        (
            exceptions.InvalidArgumentsError("p", INVALID),
            "Invalid arguments for prompt 'p': Argument 'a' is required. Argument 'b' is bad.",
        ),
        (
            exceptions.RenderError("p", "fuel", "too many steps.", detail="secret"),
            "Prompt 'p' could not be rendered: too many steps.",
        ),
        (
            exceptions.CatalogError([PROBLEM]),
            "1 problem in the prompts:\n  a.prompt.md:3: unknown key 'x'",
        ),
        (
            exceptions.CatalogError([PROBLEM, PromptProblem(path="b", line=None, message="bad")]),
            "2 problems in the prompts:\n  a.prompt.md:3: unknown key 'x'\n  b: bad",
        ),
        (exceptions.NotAuthenticatedError("Who?", presented=False), "Who?"),
        (exceptions.NotAuthorizedError("No.", required="admin"), "No."),
        (exceptions.ForeignNetworkError("Not here."), "Not here."),
        (
            exceptions.StaticKeyError("a1"),
            (
                "The key 'a1' lives in the setting auth.static_keys; take it out there, and"
                " restart the servers."
            ),
        ),
        (
            exceptions.BodyTooLargeError(10),
            "The request body is larger than the 10 bytes allowed here.",
        ),
        (exceptions.HeadersTooLargeError("Too many."), "Too many."),
        (
            exceptions.AddressTooLongError(10),
            "The address is longer than the 10 bytes allowed here.",
        ),
        (exceptions.MalformedRequestError("Two slashes."), "Two slashes."),
        (
            exceptions.MethodNotAllowedError("PUT", ["GET", "POST"]),
            "PUT is not allowed here; use GET or POST.",
        ),
        (exceptions.ResourceNotFoundError("a:b"), "Unknown resource: 'a:b'."),
        (exceptions.ApiKeyNotFoundError("x"), "There is no API key with the id 'x'."),
        (exceptions.PersonNotFoundError(), "There is nobody of this name here."),
        (
            exceptions.UnavailableError("database", "no answer"),
            "The database is not available: no answer",
        ),
        (exceptions.ConfigurationError("Bad setting."), "Bad setting."),
        (
            exceptions.RateLimitedError([quota(LimitPolicy.KEY, 2.1)]),
            "This key may come 6 times in 60 seconds, and did; try again in 3 seconds.",
        ),
        (
            exceptions.RateLimitedError([quota(LimitPolicy.KEY), quota(LimitPolicy.USER, 0.1)]),
            (
                "The keys of this user may come 6 times in 60 seconds, and did; "
                "try again in 1 seconds."
            ),
        ),
        (
            exceptions.RateLimitedError([quota(LimitPolicy.BYTES, 9)]),
            (
                "This key may send 6 bytes in 60 seconds, and this would be more; "
                "try again in 9 seconds."
            ),
        ),
        (
            exceptions.RateLimitedError([quota(LimitPolicy.ADDRESS, 9)]),
            (
                "From this address came 6 credentials in 60 seconds that are not known here; "
                "a valid one is still let in; try again in 9 seconds."
            ),
        ),
        (
            exceptions.ConcurrencyLimitedError(4),
            (
                "This key may have 4 requests open at the same time, and has; "
                "wait until one has ended."
            ),
        ),
        (
            exceptions.OverloadedError(2000),
            "The server has too much to do right now; try again in a second.",
        ),
    ],
)
def test_sentences(error: CtxfyError, sentence: str) -> None:
    """
    The text of an error is its sentence, and the detail for authors is not in it.
    """
    assert str(error) == error.sentence == sentence


def test_data() -> None:
    """
    What a program needs of an error is in its fields.
    """
    assert exceptions.NotAuthenticatedError("x", presented=True).presented
    assert exceptions.NotAuthorizedError("x", required="admin").required == "admin"
    assert exceptions.BodyTooLargeError(10).limit == 10
    assert exceptions.MethodNotAllowedError("PUT", ["GET"]).allowed == ("GET",)
    assert exceptions.CatalogError([PROBLEM]).problems == (PROBLEM,)
    assert exceptions.InvalidArgumentsError("p", INVALID).result is INVALID
    assert exceptions.UnavailableError("x", "y").retry_after == 5
    assert exceptions.RenderError("p", "fuel", "x", detail="d").detail == "d"
    assert exceptions.ApiKeyNotFoundError("k").key_id == "k"
    limited = exceptions.RateLimitedError(
        [quota(LimitPolicy.KEY, 3.5), quota(LimitPolicy.USER), quota(LimitPolicy.BYTES, 8.5)]
    )
    assert limited.policies == (LimitPolicy.KEY, LimitPolicy.BYTES)
    assert (limited.retry_after, len(limited.quotas)) == (9, 3)
    found = exceptions.PromptNotFoundError("a", "1")
    assert (found.name, found.version) == ("a", "1")
