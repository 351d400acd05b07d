"""
What is judged about log fields, request ids, labels and health.
"""

import re
from datetime import UTC, datetime, timedelta, timezone
from itertools import batched, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctxfy.core.models.auth_models import KeyId
from ctxfy.core.models.monitoring_models import CheckResult, HealthStatus, LogEntry, LogLevel
from ctxfy.core.use_cases.auth_use_cases import BASE62, compose_key
from ctxfy.core.use_cases.monitoring_use_cases import (
    REDACTED,
    REQUIRED_LOG_FIELDS,
    accept_request_id,
    assess_health,
    bound_label,
    level_of_status,
    log_fields,
    redact,
    redact_logged_text,
    redact_text,
)


NOON = datetime(2026, 11, 22, 12, 0, 0, 123_999, tzinfo=UTC)
KEY = compose_key(KeyId("abcdefghijkl"), bytes(range(32)))

key_ids = st.text(BASE62, min_size=12, max_size=12).map(KeyId)
keys = st.builds(compose_key, key_ids, st.binary(min_size=32, max_size=32))
plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
values = st.recursive(
    plain, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8
)

around = st.text(st.characters(categories=["P", "Z", "S"], exclude_characters="_.@'-+%"))


def with_check_digit(digits: str) -> str:
    """
    Complete the number of a card.
    """
    return next(
        f"{digits}{last}"
        for last in range(10)
        if sum(
            sum(divmod(int(digit) * (1 + place % 2), 10))
            for place, digit in enumerate(reversed(f"{digits}{last}"))
        )
        % 10
        == 0
    )


cards = st.from_regex(r"[2-68][0-9]{12,17}", fullmatch=True).map(with_check_digit)


# ---- redaction


@given(keys, st.text(), st.text(), st.text(max_size=20))
def test_no_key_survives_in_a_text(key: str, before: str, after: str, name: str) -> None:
    """
    A key's secret is never readable, whatever stands around it and whatever the field is called.
    """
    secret = key.rpartition("_")[2]
    assert secret not in redact_text(f"{before}{key}{after}")
    assert secret not in str(redact(name, f"{before}{key}{after}"))


@given(keys, st.text(max_size=20))
def test_no_key_survives_in_a_structure(key: str, name: str) -> None:
    """
    A key hides nowhere: not in a list, a set, a tuple or a mapping, and not as a mapping's key.
    """
    structure = {name: [key, {key}, (key, frozenset({key})), {key: {"deep": key}}]}
    assert key.rpartition("_")[2] not in str(redact("payload", structure))


@given(keys, st.text())
def test_no_key_survives_in_the_fields_of_a_line(key: str, text: str) -> None:
    """
    Message, extras and even the fields that ctxfy fills itself are searched.
    """
    leaky = LogEntry(
        timestamp=NOON,
        level=LogLevel.INFO,
        message=text + key,
        user_id=key,
        endpoint=f"/x?k={key}",
        llm_model=key,
        extra={"note": text + key, key: 1},
    )
    assert key.rpartition("_")[2] not in str(log_fields(leaky))


@given(st.integers(28, 72))
def test_a_key_cut_short_is_hidden_too(length: int) -> None:
    """
    Half a secret is half a secret too many.
    """
    assert redact_text(f"was {KEY[:length]}") == f"was {REDACTED}"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Authorization: Bearer abc.def-123", "Authorization: [redacted]"),
        ("authorization=Bearer abcdefgh123", "authorization=[redacted]"),
        ("{'authorization': 'Basic dXNlcjpwYXNz'}", "{'authorization': [redacted]}"),
        ("basic dXNlcjpwYXNz==", "[redacted]"),
        ("password=hunter2, user=bob", "password=[redacted], user=bob"),
        ("PASSWORD='a b c' rest", "PASSWORD=[redacted] rest"),
        ('{"token": "a b", "n": 1}', '{"token": [redacted], "n": 1}'),
        ("/x?api_key=abc&y=1", "/x?api_key=[redacted]&y=1"),
        ("{'secret': b'abc'}", "{'secret': b[redacted]}"),
        (
            "postgresql://ctxfy:p4ss@db:5432/ctxfy",
            "postgresql://[redacted]@db:5432/ctxfy",
        ),
        ("redis://:p:4:ss@cache/0", "redis://[redacted]@cache/0"),
        (f"jwt {'eyJhbGciOiJI' + '.eyJzdWIiOiIx' + '.c2lnbmF0dXJl'}!", "jwt [redacted]!"),
        (
            "[type=int_parsing, input_value='my letter', input_type=str]",
            "[type=int_parsing, input_value=[redacted], input_type=str]",
        ),
    ],
)
def test_secrets_are_told_by_their_shape(text: str, shown: str) -> None:
    """
    Credentials, and the values that pydantic quotes, are hidden; what is around them is kept.
    """
    assert redact_text(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "",
        "request_served",
        "code-review 2.1.0",
        "https://example.org:8443/mcp",
        "unexpected token in line 3",
        "the password is too short",
        "key abcdefghijkl was revoked",
        "ctxfy_http_requests_total",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    """
    Redaction does not make logs useless: names, addresses and sentences are left alone.
    """
    assert redact_text(text) == text


@given(st.text())
def test_redaction_is_stable(text: str) -> None:
    """
    Redacting twice changes nothing more.
    """
    assert redact_text(redact_text(text)) == redact_text(text)
    once = redact_logged_text(text)
    assert redact_logged_text(once) == once


@given(cards, st.sampled_from(["", " ", "-"]), around, around)
def test_no_number_of_a_card_survives(card: str, between: str, before: str, after: str) -> None:
    """
    In groups or not, wherever it stands in a text or a structure, as no part of a longer word.
    """
    groups = [card[:4], card[4:10], card[10:]] if len(card) < 16 else batched(card, 4, strict=False)
    written = between.join("".join(group) for group in groups)
    assert written not in redact_logged_text(f"{before}{written}{after}")
    assert card not in redact_logged_text(f"{before}{card}{after}")
    assert written not in str(redact("note", [{written: {"deep": (written,)}}]))


@given(
    st.from_regex(r"[\w.%+'-]{1,64}@([\w-]{1,9}\.){1,4}[a-z]{2,9}", fullmatch=True), around, around
)
def test_no_address_of_mail_survives(address: str, before: str, after: str) -> None:
    """
    Nothing is left of an address, whatever script it is in.
    """
    assert redact_logged_text(f"{before}<{address}>{after}") == f"{before}<{REDACTED}>{after}"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("paid with 4111 1111 1111 1111 12/28", "paid with [redacted] 12/28"),
        ("paid with 4111-1111-1111-1111, once", "paid with [redacted], once"),
        ("card=4111111111111111", "card=[redacted]"),
        ("378282246310005 or 3782 822463 10005", "[redacted] or [redacted]"),
        ("3056 930902 5904; 6304000000000000", "[redacted]; [redacted]"),
        ("mail ann.o'neil+x@mail.example.co.uk.", "mail [redacted]."),
        ("to jörg@bücher.example", "to [redacted]"),
        ("mailto:a@b.example?subject=x", "mailto:[redacted]?subject=x"),
        ("x" * 100 + "@example.org", "[redacted]"),
    ],
)
def test_what_tells_of_people_is_told_by_its_shape(text: str, shown: str) -> None:
    """
    Numbers of cards and addresses of mail are hidden; what is around them is kept.
    """
    assert redact_logged_text(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "4111 1111 1111 1112",  # its check digit is wrong
        "1732450000123456782",  # nanoseconds since 1970
        "took 0.4111111111111111 s",
        "ab4111111111111111cd",  # out of a hash
        "41111111111111111111111111",
        "2026-11-22 13:35:26.899",
        "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
        "fastmcp@4.1.2 and root@localhost",
        "@prompt @ home",
        "a" * 70_000 + "@",
        "4111 " * 20_000,
    ],
    ids=lambda text: text[:24],
)
def test_other_numbers_and_names_stay_readable(text: str) -> None:
    """
    Times, hashes, ids, versions and decimals are not taken for cards, nor packages for people.
    """
    assert redact_logged_text(text) == text


def test_who_may_be_named_is_named() -> None:
    """
    A name that is an address of mail is readable as `user_id`, where it stands by a setting.
    """
    entry = LogEntry(
        timestamp=NOON, level=LogLevel.INFO, message="a@b.example", user_id="a@b.example"
    )
    fields = log_fields(entry)
    assert (fields["user_id"], fields["message"]) == ("a@b.example", REDACTED)


@pytest.mark.parametrize(
    "name",
    [
        "authorization",
        "X-API-Key",
        "api_key",
        "Cookie",
        "set-cookie",
        "db_password",
        "PEPPER",
        "client_secret",
        "access_token",
        "master_key",
        "passwd",
    ],
)
@pytest.mark.parametrize("value", ["x", b"y", ["x"], {"inner": "x"}, object()])
def test_secrets_are_told_by_their_name(name: str, value: object) -> None:
    """
    Whatever is called like a secret is hidden whole, of any type.
    """
    assert redact(name, value) == REDACTED


@pytest.mark.parametrize("value", [None, True, 0, 17, 2.5])
def test_a_number_is_no_secret(value: object) -> None:
    """
    A count of tokens stays readable.
    """
    assert redact("tokens", value) is value


def test_the_public_id_of_a_key_stays_readable() -> None:
    """
    The log says which key it was.
    """
    assert redact("key_id", "abcdefghijkl") == "abcdefghijkl"


def test_other_values_come_back_as_they_are() -> None:
    """
    What is neither text nor a collection is left to whoever writes it.
    """
    assert redact("at", NOON) is NOON


# ---- fields


@given(st.text(), st.dictionaries(st.text(), values))
def test_every_line_has_every_required_field(message: str, extra: dict[str, object]) -> None:
    """
    The required fields come first, in their order, and no extra can take their place.
    """
    entry = LogEntry(timestamp=NOON, level=LogLevel.INFO, message=message, extra=extra)
    fields = log_fields(entry)
    assert tuple(fields)[: len(REQUIRED_LOG_FIELDS)] == REQUIRED_LOG_FIELDS
    assert fields["timestamp"] == "2026-11-22T12:00:00.123Z"
    assert fields["request_id"] is None


@pytest.mark.parametrize("name", [*REQUIRED_LOG_FIELDS, "exception"])
def test_an_extra_cannot_pose_as_a_field_of_ours(name: str) -> None:
    """
    An extra of a required field's name, or called as an exception is, has a name that tells.
    """
    fields = log_fields(LogEntry(timestamp=NOON, level=LogLevel.INFO, message="m", extra={name: 7}))
    assert fields.get(name) != 7
    assert fields[f"extra.{name}"] == 7


def test_the_fields_of_an_entry_are_its_values() -> None:
    """
    What an entry says stands in the line.
    """
    served = LogEntry(
        timestamp=NOON,
        level=LogLevel.WARNING,
        message="request_served",
        request_id="r-1",
        latency_ms=1.5,
        user_id="u",
        endpoint="/prompts/{name}",
        method="GET",
        status_code=404,
        llm_model="m",
        trace_id="a" * 32,
        span_id="b" * 16,
        key_id="k",
        prompt="p",
        prompt_version="1",
        client_name="c",
        client_version="2",
        protocol_version="2026-07-28",
        bytes_in=11,
        bytes_out=12,
        logger="l",
        extra={"render_ms": 0.5},
        exception={"message": KEY},
    )
    assert list(log_fields(served).values())[1:] == [
        "WARNING",
        "request_served",
        "r-1",
        1.5,
        "u",
        "/prompts/{name}",
        "GET",
        404,
        "m",
        "a" * 32,
        "b" * 16,
        "k",
        "p",
        "1",
        "c",
        "2",
        "2026-07-28",
        11,
        12,
        "l",
        0.5,
        {"message": REDACTED},
    ]


@given(st.datetimes(datetime(1971, 1, 1), datetime(9000, 1, 1), timezones=st.timezones()))  # noqa: DTZ001 - bounds
def test_times_are_utc_with_milliseconds_and_z(time: datetime) -> None:
    """
    Whatever zone a time came in, it is written in one form and is the same to the millisecond.
    """
    fields = log_fields(LogEntry(timestamp=time, level=LogLevel.INFO, message=""))
    written = str(fields["timestamp"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", written)
    assert timedelta(0) <= time - datetime.fromisoformat(written) < timedelta(milliseconds=1)


def test_a_time_of_another_zone_is_converted() -> None:
    """
    Two in Berlin is one in UTC.
    """
    berlin = datetime(2026, 1, 1, 2, tzinfo=timezone(timedelta(hours=1)))
    fields = log_fields(LogEntry(timestamp=berlin, level=LogLevel.INFO, message=""))
    assert fields["timestamp"] == "2026-01-01T01:00:00.000Z"


# ---- request ids


@given(st.text())
def test_an_accepted_request_id_is_harmless(proposed: str) -> None:
    """
    What goes into headers and logs has no control characters, no blanks and a bounded length.
    """
    accepted = accept_request_id(proposed)
    assert accepted is None or (
        accepted == proposed
        and accepted.isascii()
        and accepted.isprintable()
        and " " not in accepted
        and len(accepted) <= 128
    )


@given(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9.:-]{0,127}", fullmatch=True))
def test_ordinary_request_ids_are_taken_over(proposed: str) -> None:
    """
    UUIDs, ULIDs and whatever proxies make stay what they are.
    """
    assert accept_request_id(proposed) == proposed


@given(
    st.text(BASE62, max_size=10),
    st.characters(categories=["Cc", "Zs", "Zl", "Zp"]),
    st.text(BASE62, max_size=10),
)
def test_no_control_character_or_blank_gets_through(before: str, bad: str, after: str) -> None:
    """
    Not at the start, not inside and not at the end, where `$` would let a line break pass.
    """
    assert accept_request_id(f"{before}{bad}{after}") is None


@pytest.mark.parametrize("proposed", [None, "", "-x", "a" * 129, "ä", 'a"b', "a,b", "a/b", KEY])
def test_strange_request_ids_are_refused(proposed: str | None) -> None:
    """
    Too long, not ASCII, with separators, or a credential sent by mistake: a new id is made.
    """
    assert accept_request_id(proposed) is None


# ---- levels, labels, health


@pytest.mark.parametrize(
    ("status", "level"),
    [
        (200, LogLevel.INFO),
        (304, LogLevel.INFO),
        (400, LogLevel.INFO),
        (401, LogLevel.WARNING),
        (403, LogLevel.WARNING),
        (404, LogLevel.INFO),
        (422, LogLevel.INFO),
        (429, LogLevel.WARNING),
        (499, LogLevel.INFO),
        (500, LogLevel.ERROR),
        (503, LogLevel.ERROR),
    ],
)
def test_the_level_of_a_request_follows_its_status(status: int, level: LogLevel) -> None:
    """
    Our faults are errors, refusals are warnings, a caller's mistakes are everyday.
    """
    assert level_of_status(status) is level


@given(st.text(), st.sets(st.text()))
def test_a_label_is_known_or_other(value: str, known: set[str]) -> None:
    """
    A label's values are those known and `other`, whatever comes.
    """
    assert bound_label(value, known) == (value if value in known else "other")


@pytest.mark.parametrize("statuses", list(permutations(HealthStatus)))
def test_the_worst_check_decides(statuses: tuple[HealthStatus, ...]) -> None:
    """
    One failed part means fail, one warning means warn, in whatever order they come.
    """
    checks = [CheckResult(name=status, status=status) for status in statuses]
    assert assess_health(checks).status is HealthStatus.FAIL
    mild = [check for check in checks if check.status is not HealthStatus.FAIL]
    assert assess_health(mild).status is HealthStatus.WARN


def test_the_report_keeps_its_checks() -> None:
    """
    A report holds what it was judged by, also when given an iterator; no checks is a pass.
    """
    check = CheckResult(name="catalog", status=HealthStatus.PASS)
    assert assess_health(iter([check])).checks == (check,)
    assert assess_health([]).status is HealthStatus.PASS
