"""
Every error ctxfy raises on purpose.

    CtxfyError
    +-- PromptError
    |   +-- PromptNotFoundError        no such prompt, or not for this key
    |   +-- ResourceNotFoundError      no such resource, or in no prompt for this key
    |   +-- InvalidArgumentsError      carries every ValidationError at once
    |   +-- RenderError                a template or function failed, or passed a limit
    |   +-- CatalogError               a prompt folder holds mistakes; carries all of them
    +-- AccessError
    |   +-- NotAuthenticatedError
    |   +-- NotAuthorizedError
    |   +-- ForeignNetworkError        the key is bound to other networks
    |   +-- RateLimitedError           carries every limit that was looked at
    |   +-- ConcurrencyLimitedError
    +-- RequestError                   the request itself is refused
    |   +-- ForeignHostError
    |   +-- ForeignOriginError
    |   +-- ForgedRequestError
    |   +-- BodyTooLargeError
    |   +-- HeadersTooLargeError
    |   +-- AddressTooLongError
    |   +-- RequestTooSlowError
    |   +-- MalformedRequestError      its address or a header field cannot be read in one way only
    |   +-- UnsupportedMediaTypeError
    |   +-- RouteNotFoundError
    |   +-- MethodNotAllowedError
    |   +-- MalformedBodyError
    |   +-- InvalidRequestError        carries every ValidationError at once
    +-- ApiKeyError
    |   +-- ApiKeyNotFoundError
    |   +-- ScopeNotGrantableError
    |   +-- InvalidKeyRequestError
    |   +-- LastAdminKeyError
    |   +-- KeyNotRotatableError
    |   +-- StaticKeyError             it lives in the settings, and changes there
    +-- AuditError
    |   +-- CheckpointError            what was given is no checkpoint of this trail
    +-- PersonError
    |   +-- PersonNotFoundError        nothing is held about them
    +-- UnavailableError               a dependency is out of reach
    +-- OverloadedError                as many requests are served as may be
    +-- ConfigurationError             start-up only

`code` is stable and for programs, `str(error)` is one sentence for the person who met it. No
error knows its HTTP status: one table in `app` does.
"""

from collections.abc import Mapping, Sequence
from math import ceil
from typing import ClassVar

from ctxfy.core.models.limit_models import LimitPolicy, Quota
from ctxfy.core.models.prompt_models import PromptProblem
from ctxfy.core.models.validation_models import ValidationResult


class CtxfyError(Exception):
    """
    The root: a sentence that may be shown, and a stable dotted code.
    """

    code: ClassVar[str] = "internal"

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class PromptError(CtxfyError):
    """
    Something about a prompt.
    """

    code = "prompt"


class PromptNotFoundError(PromptError):
    """
    No such prompt or version, or this key may not use it: the two look alike on purpose.
    """

    code = "prompt.not_found"

    def __init__(self, name: str, version: str | None = None, *, hint: str = "") -> None:
        # Both came from outside, in any length.
        wanted = repr(name[:128])
        if version is not None:
            wanted += f" in version {version[:64]!r}"
        super().__init__(f"Unknown prompt: {wanted}{f'; {hint}' if hint else '.'}")
        self.name = name
        self.version = version


class ResourceNotFoundError(PromptError):
    """
    No prompt that this key may use embeds a resource with that URI.
    """

    code = "prompt.resource_not_found"

    def __init__(self, uri: str) -> None:
        super().__init__(f"Unknown resource: {uri[:256]!r}.")
        self.uri = uri


class InvalidArgumentsError(PromptError):
    """
    The arguments of a prompt are wrong; `result` holds every mistake.
    """

    code = "prompt.invalid_arguments"

    def __init__(self, prompt: str, result: ValidationResult) -> None:
        mistakes = " ".join(error.message for error in result.errors)
        super().__init__(f"Invalid arguments for prompt {prompt!r}: {mistakes}")
        self.prompt = prompt
        self.result = result


class RenderError(PromptError):
    """
    A template or a function failed while rendering, or passed one of its limits.

    Attributes:
        reason: `template`, `function`, `fuel`, `time` or `output`; safe as a metric label.
        place: File and line, or module and function, for whoever looks after the server; empty if
            there is none.
        detail: The engine's own words, which may quote values: for the author's terminal only.
    """

    code = "prompt.render_failed"

    def __init__(
        self, prompt: str, reason: str, cause: str, *, place: str = "", detail: str = ""
    ) -> None:
        super().__init__(f"Prompt {prompt!r} could not be rendered: {cause}")
        self.prompt = prompt
        self.reason = reason
        self.place = place
        self.detail = detail

    def for_author(self) -> str:
        """
        Tell all there is, to the person who wrote the template.
        """
        return " ".join(part for part in (str(self), self.detail, self._at()) if part)

    def _at(self) -> str:
        return f"(at {self.place})" if self.place else ""


class CatalogError(PromptError):
    """
    A set of prompts cannot be served; `problems` says where and what to mend.
    """

    code = "prompt.catalog"

    def __init__(self, problems: Sequence[PromptProblem]) -> None:
        count = len(problems)
        noun = "problem" if count == 1 else "problems"
        super().__init__(
            f"{count} {noun} in the prompts:\n" + "\n".join(f"  {problem}" for problem in problems)
        )
        self.problems = tuple(problems)


class AccessError(CtxfyError):
    """
    The caller may not do this.
    """

    code = "access"


class NotAuthenticatedError(AccessError):
    """
    No valid credential came with the request.

    `presented` tells whether one came at all (RFC 6750, section 3: no error attribute if not).
    """

    code = "access.not_authenticated"

    def __init__(self, sentence: str, *, presented: bool) -> None:
        super().__init__(sentence)
        self.presented = presented


class NotAuthorizedError(AccessError):
    """
    The key is valid and this is not its to do.

    Attributes:
        required: The scope that would be enough, or None if it is not a matter of scope.
    """

    code = "access.not_authorized"

    def __init__(self, sentence: str, *, required: str | None) -> None:
        super().__init__(sentence)
        self.required = required


class ForeignNetworkError(AccessError):
    """
    The key is valid, and bound to networks of which none is where it came from.
    """

    code = "access.foreign_network"


class RateLimitedError(AccessError):
    """
    The caller came too often, or brought too much.

    Attributes:
        quotas: Every limit that was looked at; those that refused come first in the sentence.
        retry_after: Whole seconds after which this request would pass.
    """

    code = "access.rate_limited"

    def __init__(self, quotas: Sequence[Quota]) -> None:
        refusing = [quota for quota in quotas if not quota.decision.allowed]
        self.quotas = tuple(quotas)
        self.policies = tuple(quota.policy for quota in refusing)
        self.retry_after = max(1, *(ceil(quota.decision.retry_after) for quota in refusing))
        limit = refusing[0].limit
        super().__init__(
            f"{_EXCEEDED[refusing[0].policy].format(limit.requests, limit.seconds)}; "
            f"try again in {self.retry_after} seconds."
        )


_EXCEEDED: Mapping[LimitPolicy, str] = {
    LimitPolicy.KEY: "This key may come {} times in {} seconds, and did",
    LimitPolicy.USER: "The keys of this user may come {} times in {} seconds, and did",
    LimitPolicy.BYTES: "This key may send {} bytes in {} seconds, and this would be more",
    LimitPolicy.ADDRESS: (
        "From this address came {} credentials in {} seconds that are not known here; "
        "a valid one is still let in"
    ),
}


class ConcurrencyLimitedError(AccessError):
    """
    The key has as many requests open as it may, which `limit` holds.
    """

    code = "access.concurrency_limited"

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"This key may have {limit} requests open at the same time, and has; "
            "wait until one has ended."
        )
        self.limit = limit
        self.retry_after = 1


class RequestError(CtxfyError):
    """
    The request is refused for what it is, whoever sent it.
    """

    code = "request"


class ForeignHostError(RequestError):
    """
    The Host header names a host this server does not answer for (DNS rebinding).
    """

    code = "request.foreign_host"


class ForeignOriginError(RequestError):
    """
    A page of another origin sent the request.
    """

    code = "request.foreign_origin"


class ForgedRequestError(RequestError):
    """
    It came with a browser session, but no page of this server can have sent it.
    """

    code = "request.forged"


class BodyTooLargeError(RequestError):
    """
    The body passes the limit, in bytes, that `limit` holds.
    """

    code = "request.body_too_large"

    def __init__(self, limit: int) -> None:
        super().__init__(f"The request body is larger than the {limit} bytes allowed here.")
        self.limit = limit


class HeadersTooLargeError(RequestError):
    """
    The header fields are too many or too large.
    """

    code = "request.headers_too_large"


class AddressTooLongError(RequestError):
    """
    Path and query together pass the limit, in bytes, that `limit` holds.
    """

    code = "request.address_too_long"

    def __init__(self, limit: int) -> None:
        super().__init__(f"The address is longer than the {limit} bytes allowed here.")
        self.limit = limit


class RequestTooSlowError(RequestError):
    """
    The head or the body of the request did not come in time.
    """

    code = "request.too_slow"

    def __init__(self) -> None:
        super().__init__("The request took too long to come; send it again, without pauses.")


class MalformedRequestError(RequestError):
    """
    The address or a header field holds what could be read in two ways, or break a line.
    """

    code = "request.malformed"


class UnsupportedMediaTypeError(RequestError):
    """
    The body is not of the content type the route takes.
    """

    code = "request.unsupported_media_type"


class RouteNotFoundError(RequestError):
    """
    No such path.
    """

    code = "request.not_found"


class MethodNotAllowedError(RequestError):
    """
    The path exists, the method on it does not; `allowed` lists those that do.
    """

    code = "request.method_not_allowed"

    def __init__(self, method: str, allowed: Sequence[str]) -> None:
        super().__init__(f"{method} is not allowed here; use {' or '.join(allowed)}.")
        self.allowed = tuple(allowed)


class MalformedBodyError(RequestError):
    """
    The body is not JSON.
    """

    code = "request.malformed_body"

    def __init__(self) -> None:
        super().__init__("The body is not JSON as RFC 8259 has it, in UTF-8.")


class InvalidRequestError(RequestError):
    """
    Fields of the body or of the query are wrong; `result` holds every mistake.
    """

    code = "request.invalid"

    def __init__(self, result: ValidationResult) -> None:
        mistakes = " ".join(error.message for error in result.errors)
        super().__init__(f"The request is not valid: {mistakes}")
        self.result = result


class ApiKeyError(CtxfyError):
    """
    Something about the administration of keys.
    """

    code = "api_key"


class ApiKeyNotFoundError(ApiKeyError):
    """
    No key has this id.
    """

    code = "api_key.not_found"

    def __init__(self, key_id: str) -> None:
        super().__init__(f"There is no API key with the id {key_id!r}.")
        self.key_id = key_id


class ScopeNotGrantableError(ApiKeyError):
    """
    A key may only create keys within its own scope and prompts.
    """

    code = "api_key.scope_not_grantable"


class InvalidKeyRequestError(ApiKeyError):
    """
    The wish for a key is not one that can be granted: an empty user, a life of no hours.
    """

    code = "api_key.invalid_request"


class LastAdminKeyError(ApiKeyError):
    """
    The act would leave nobody able to administer the server.
    """

    code = "api_key.last_admin"


class AuditError(CtxfyError):
    """
    Something about the audit trail.
    """

    code = "audit"


class CheckpointError(AuditError):
    """
    A checkpoint cannot be read, or its signature is not this server's.
    """

    code = "audit.checkpoint"

    def __init__(
        self, sentence: str = "This is no audit checkpoint; give one that 'ctxfy audit' wrote."
    ) -> None:
        super().__init__(sentence)


class KeyNotRotatableError(ApiKeyError):
    """
    The key is revoked, disabled or expired: a new secret would be good for nothing.
    """

    code = "api_key.not_rotatable"


class StaticKeyError(ApiKeyError):
    """
    The key is kept in the settings: only there can it be changed or ended.
    """

    code = "api_key.static"

    def __init__(self, key_id: str) -> None:
        super().__init__(
            f"The key {key_id!r} lives in the setting auth.static_keys; take it out there, and"
            " restart the servers."
        )
        self.key_id = key_id


class PersonError(CtxfyError):
    """
    Something about a person.
    """

    code = "person"


class PersonNotFoundError(PersonError):
    """
    There is nobody of this name here, or not any more.
    """

    code = "person.not_found"

    def __init__(self) -> None:
        # The name stays out: a sentence goes to whoever reads answers and logs.
        super().__init__("There is nobody of this name here.")


class UnavailableError(CtxfyError):
    """
    A dependency is out of reach; `retry_after` is in seconds.
    """

    code = "unavailable"

    def __init__(self, dependency: str, detail: str, *, retry_after: int = 5) -> None:
        super().__init__(f"The {dependency} is not available: {detail}")
        self.dependency = dependency
        self.detail = detail
        self.retry_after = retry_after


class OverloadedError(CtxfyError):
    """
    As many requests are being served as may be at the same time; `limit` says how many.
    """

    code = "overloaded"

    def __init__(self, limit: int) -> None:
        super().__init__("The server has too much to do right now; try again in a second.")
        self.limit = limit
        self.retry_after = 1


class ConfigurationError(CtxfyError):
    """
    The server cannot start as it is set up.
    """

    code = "configuration"
