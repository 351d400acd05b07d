"""
The judgement about what is seen from outside: request ids, log fields, labels, health.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from ctxfy.core.models.monitoring_models import (
    CheckResult,
    HealthReport,
    HealthStatus,
    LogEntry,
    LogLevel,
)


REQUIRED_LOG_FIELDS: tuple[str, ...] = (
    "timestamp",
    "level",
    "message",
    "request_id",
    "latency_ms",
    "user_id",
    "endpoint",
    "method",
    "status_code",
    "llm_model",
    "trace_id",
    "span_id",
    "key_id",
    "prompt",
    "prompt_version",
    "client_name",
    "client_version",
    "protocol_version",
    "bytes_in",
    "bytes_out",
    "logger",
)
"""
What every log line holds, null where it does not apply (specification 5.1).
"""

OTHER = "other"
"""
The label that all names without a bound of their own are folded into.
"""

_REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")
# Every repetition is bounded or has one place to begin, so that no text makes the search slow.
_SECRETS = re.compile(
    # Our own keys, whole or cut short.
    r"ctxfy_[0-9A-Za-z]{12}_[0-9A-Za-z]{8,}"
    # JSON web tokens: the header of each begins with `{"`.
    r"|(?<![0-9A-Za-z_-])eyJ[0-9A-Za-z_-]{8,}\.[0-9A-Za-z_-]{8,}\.[0-9A-Za-z_-]*"
    r"|(?i:\b(?:bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,})"
    # User and password in the address of a database, or of a proxy.
    r"|(?<=://)[^\s/@:]*:[^\s/@]{1,200}(?=@)"
    # pydantic quotes the value it refuses, and that is somebody's argument.
    r"|(?<=input_value=)[^\n]{0,200}(?=, input_type=)"
    # password=..., "token": "...", 'api_key': '...': what stands before the value is kept.
    r"""|((?i:password|passwd|secret|token|api[-_]?key|pepper|cookie|authorization)"""
    r"""(?:=|["']\s*:\s*)b?)"""
    r"""(?:"[^"\n]*"|'[^'\n]*'|(?:(?i:bearer|basic)\s+)?[^\s"',;&]+)"""
)
_EVERY_SECRET_HAS = re.compile(r"[_.:=\s]")
_SHORTEST = len("://:x@")
_SECRET_NAMES = re.compile(
    r"(?i)(authorization|api[-_]?key$|cookie|password|passwd|secret|token|pepper|master[-_]?key)"
)
# Groups as they are printed on cards, or none. Not within a word, since a hash has runs of digits,
# nor behind a decimal point. No card begins with 0, 1, 7 or 9, but times since 1970 do.
_CARDS = re.compile(
    r"(?<![0-9A-Za-z_])(?<![0-9]\.)[2-68][0-9]{3}"
    r"(?:(?:[ -]?[0-9]{4}){2}[ -]?(?:[0-9]{4}(?:[ -]?[0-9]{1,3})?|[0-9]{1,3})"
    r"|[ -]?[0-9]{6}[ -]?[0-9]{4,5})"
    r"(?![0-9A-Za-z_])"
)
_SHORTEST_CARD = 13
_FOUR_GROUPS = len("4111 1111 1111 1111")
# The last part begins with a letter: name@1.2.3 is a package.
_ADDRESSES = re.compile(
    r"(?<![\w.%+'-])[\w.%+'-]++@[\w-]{1,63}+(?:\.[\w-]{1,63}+){0,8}\.[^\W\d_][\w-]{0,62}+"
)
REDACTED = "[redacted]"
_REQUIRED = frozenset(REQUIRED_LOG_FIELDS)
_EXCEPTION = "exception"
LONGEST_LABEL = 128
_SUSPICIOUS = frozenset({401, 403, 429})
_WORST = (HealthStatus.FAIL, HealthStatus.WARN, HealthStatus.PASS)


def accept_request_id(proposed: str | None) -> str | None:
    """
    Take over a caller's request id if it is sane, else None: it goes into logs and headers.

    A credential sent by mistake is not sane.
    """
    if not proposed or not _REQUEST_ID.fullmatch(proposed) or _SECRETS.search(proposed):
        return None
    return proposed


def redact(name: str, value: object) -> object:
    """
    Hide what was about to be logged and must not be: by the name of its field, or by its shape.

    Walks through collections and mappings. A key's public id stays readable, and so do numbers,
    since what a secret's name has with a number is a count (`tokens`). Values of other types come
    back as they are: whoever writes them as text redacts that text.
    """
    if value is None or isinstance(value, int | float):
        return value
    if _is_secret_name(name):
        return REDACTED
    if isinstance(value, str):
        return redact_logged_text(value)
    if isinstance(value, Mapping):
        return _redact_mapping(value)
    if isinstance(value, list | tuple | set | frozenset):
        return [redact(name, item) for item in value]
    return value


def redact_text(text: str) -> str:
    """
    Hide whatever looks like a credential in a text.
    """
    # Most texts are names and numbers; a look at their characters costs a twentieth of the search.
    if len(text) < _SHORTEST or not _EVERY_SECRET_HAS.search(text):
        return text
    return _SECRETS.sub(rf"\g<1>{REDACTED}", text)


def redact_logged_text(text: str) -> str:
    """
    Hide credentials, and what tells of people too: numbers of cards, addresses of mail.
    """
    text = redact_text(text)
    if "@" in text:
        text = _ADDRESSES.sub(REDACTED, text)
    return text if len(text) < _SHORTEST_CARD else _CARDS.sub(_hide_card, text)


def _hide_card(found: re.Match[str]) -> str:
    text = found[0]
    # What follows a number of four groups may be another: the month in which the card ends.
    for number in (text, text[:_FOUR_GROUPS]):
        if _has_check_digit(number):
            return REDACTED + text[len(number) :]
    return text


def _has_check_digit(number: str) -> bool:
    # ISO/IEC 7812-1, annex B (Luhn).
    digits = [int(digit) for digit in reversed(number) if digit.isdigit()]
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[1::2])
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0


def _redact_mapping(values: Mapping[Any, object]) -> dict[str, object]:
    return {redact_again(str(key)): redact(str(key), item) for key, item in values.items()}


# The same few names of fields, routes, keys, prompts and clients come with every request.
redact_again = lru_cache(maxsize=1024)(redact_logged_text)


def redact_label(text: str | None) -> str | None:
    """
    Redact a text that is likely to come again. Long ones are not remembered.
    """
    if text is None:
        return None
    return redact_again(text) if len(text) <= LONGEST_LABEL else redact_logged_text(text)


@lru_cache(maxsize=1024)
def redact_user(user_id: str) -> str:
    """
    Hide credentials alone: who wishes to read names may, though most are addresses of mail.
    """
    return redact_text(user_id)


@lru_cache(maxsize=1024)
def extra_name(name: str) -> str:
    """
    Return the name of a field beside the required ones, as none of which it can pose.
    """
    shown = redact_logged_text(name)
    return f"extra.{shown}" if shown in _REQUIRED or shown == _EXCEPTION else shown


@lru_cache(maxsize=1024)
def _is_secret_name(name: str) -> bool:
    return _SECRET_NAMES.search(name) is not None


def log_fields(entry: LogEntry) -> dict[str, object]:
    """
    Lay a log entry out as the fields of one line: the required ones first, every one present.

    Secrets are hidden in all of it. An extra cannot pose as a required field.
    """
    fields: dict[str, object] = {
        "timestamp": utc_text(entry.timestamp),
        "level": entry.level.value,
        "message": redact_label(entry.message),
        "request_id": entry.request_id,
        "latency_ms": entry.latency_ms,
        "user_id": None if entry.user_id is None else redact_user(entry.user_id),
        "endpoint": redact_label(entry.endpoint),
        "method": entry.method,
        "status_code": entry.status_code,
        "llm_model": redact_label(entry.llm_model),
        "trace_id": entry.trace_id,
        "span_id": entry.span_id,
        "key_id": redact_label(entry.key_id),
        "prompt": redact_label(entry.prompt),
        "prompt_version": redact_label(entry.prompt_version),
        "client_name": redact_label(entry.client_name),
        "client_version": redact_label(entry.client_version),
        "protocol_version": redact_label(entry.protocol_version),
        "bytes_in": entry.bytes_in,
        "bytes_out": entry.bytes_out,
        "logger": redact_label(entry.logger),
    }
    for name, value in entry.extra.items():
        fields[extra_name(str(name))] = redact(str(name), value)
    if entry.exception is not None:
        fields[_EXCEPTION] = _redact_mapping(entry.exception)
    return fields


def utc_text(time: datetime) -> str:
    """
    Write a time with milliseconds and Z, the form that every log store reads without being told.
    """
    if time.tzinfo is not UTC:
        time = time.astimezone(UTC)
    # The offset is taken off first, since it takes longer to write than all the rest.
    return time.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def level_of_status(status_code: int) -> LogLevel:
    """
    Decide how much a finished request matters: our faults, then what may be an attack.
    """
    if status_code >= 500:  # noqa: PLR2004 - where the server's faults begin
        return LogLevel.ERROR
    return LogLevel.WARNING if status_code in _SUSPICIOUS else LogLevel.INFO


def bound_label(value: str, known: Iterable[str]) -> str:
    """
    Keep a label's values bounded: what is not known becomes `other`.
    """
    return value if value in known else OTHER


def assess_health(checks: Iterable[CheckResult]) -> HealthReport:
    """
    Judge the whole by its worst part.
    """
    results = tuple(checks)
    found = {check.status for check in results}
    status = next((status for status in _WORST if status in found), HealthStatus.PASS)
    return HealthReport(status=status, checks=results)


def good(name: str, sentence: str) -> CheckResult:
    """
    Say that a part is well.
    """
    return CheckResult(name=name, status=HealthStatus.PASS, detail=sentence)


def doubtful(name: str, sentence: str) -> CheckResult:
    """
    Say that a part works, and that somebody should look at it.
    """
    return CheckResult(name=name, status=HealthStatus.WARN, detail=sentence)


def bad(name: str, sentence: str) -> CheckResult:
    """
    Say that a part does not work; the sentence tells what to do.
    """
    return CheckResult(name=name, status=HealthStatus.FAIL, detail=sentence)
