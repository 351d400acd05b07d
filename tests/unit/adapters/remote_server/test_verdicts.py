"""
What answers of a server are judged to be.
"""

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx2
import pytest

from ctxfy.adapters.remote_server import verdicts
from ctxfy.adapters.remote_server.checkup import check_transport


NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
KEY = {
    "key_id": "reader000000",
    "user_id": "ann",
    "scope": "read",
    "prompts": ["hello*", "bye"],
    "expires_at": None,
}


def answer(status: int, body: object = None, **headers: str) -> httpx2.Response:
    """
    Make an answer: JSON, or text if it is a text.
    """
    text = body if isinstance(body, str) else json.dumps(body)
    return httpx2.Response(status, text=text, headers=headers)


@pytest.mark.parametrize(
    ("status", "body", "verdict", "words"),
    [
        (404, {"error": "not_found"}, "pass", "there is none"),
        (200, {"authorization_servers": ["https://x"]}, "pass", "OAuth metadata"),
        (404, "Not Found", "fail", "answers 404 and not JSON"),
        (200, "<html>", "fail", "Let the proxy"),
        (200, {}, "fail", "some clients then refuse"),
        (404, [], "fail", "not JSON"),
    ],
)
def test_what_breaks_clients_that_look_for_oauth(
    status: int, body: object, verdict: str, words: str
) -> None:
    """
    Anything but a 404 in JSON, or the real thing.
    """
    result = verdicts.judge_well_known(answer(status, body))
    assert (result.status, words in result.detail) == (verdict, True)


@pytest.mark.parametrize(
    ("status", "body", "verdict", "words"),
    [
        (200, {"status": "pass", "checks": {}}, "pass", "All parts"),
        (
            200,
            {"status": "warn", "checks": {"a": [{"status": "warn", "output": "Old."}]}},
            "warn",
            "a: Old.",
        ),
        (503, {"status": "fail", "checks": {"a": [{"status": "fail"}]}}, "fail", "a: fail."),
        (200, "<html>", "fail", "no health report"),
        (200, {"status": "fine", "checks": {}}, "fail", "no health report"),
        (200, [], "fail", "no health report"),
    ],
)
def test_health_is_passed_on(status: int, body: object, verdict: str, words: str) -> None:
    """
    With the parts that are not well.
    """
    result = verdicts.judge_health(answer(status, body))
    assert (result.status, words in result.detail) == (verdict, True)


@pytest.mark.parametrize(
    ("status", "body", "verdict", "words"),
    [
        (200, KEY, "pass", "Key reader000000 of ann: scope read, prompts hello*, bye, without"),
        (200, KEY | {"expires_at": "2027-01-01T00:00:00Z"}, "pass", "until 2027-01-01T00:00:00Z"),
        (401, {"detail": "The API key was revoked."}, "fail", "The API key was revoked."),
        (502, "<html>", "fail", "answers 502, and not in JSON"),
        (200, {}, "fail", "answers 200"),
    ],
)
def test_the_key_is_told(status: int, body: object, verdict: str, words: str) -> None:
    """
    What it may do, or why it may nothing; the key itself is not there to be shown.
    """
    result = verdicts.judge_key(answer(status, body))
    assert (result.status, words in result.detail) == (verdict, True)


@pytest.mark.parametrize(
    ("seconds", "verdict", "words"),
    [
        (0, "pass", "agrees"),
        (29, "pass", "agrees"),
        (90, "warn", "90 s ahead of ours"),
        (-90, "warn", "90 s behind ours"),
    ],
)
def test_clocks_are_compared(seconds: int, verdict: str, words: str) -> None:
    """
    A server that is ahead ends keys early, one that is behind lets them live.
    """
    date = format_datetime(NOON + timedelta(seconds=seconds), usegmt=True)
    result = verdicts.judge_clock(answer(200, {}, date=date), NOON)
    assert (result.status, words in result.detail) == (verdict, True)


@pytest.mark.parametrize("headers", [{}, {"date": "yesterday"}])
def test_a_server_need_not_tell_its_time(headers: dict[str, str]) -> None:
    """
    A proxy may have taken it out.
    """
    assert verdicts.judge_clock(answer(200, {}, **headers), NOON).status == "pass"


@pytest.mark.parametrize(
    ("base", "verdict"),
    [("http://127.0.0.1:1", "pass"), ("http://[::1]:1", "pass"), ("http://x.example", "warn")],
)
async def test_a_key_in_clear_on_a_network_is_told(base: str, verdict: str) -> None:
    """
    On this machine nobody else listens.
    """
    assert (await check_transport(base, NOON)).status == verdict


def test_an_error_in_groups_is_told_by_its_cause() -> None:
    """
    The libraries wrap what happened in groups of groups.
    """
    inner = ValueError("It broke.")
    assert verdicts.innermost(ExceptionGroup("a", [ExceptionGroup("b", [inner])])) == "It broke"
    assert verdicts.innermost(TimeoutError()) == "TimeoutError"


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (httpx2.ConnectTimeout("x"), "it does not answer in time"),
        (httpx2.ConnectError("All connection attempts failed"), "nothing answers there"),
        (httpx2.ConnectError("certificate verify failed."), "certificate verify failed"),
        (httpx2.ReadError(""), "ReadError"),
    ],
)
def test_why_a_server_cannot_be_reached(error: httpx2.TransportError, told: str) -> None:
    """
    In words for people where we have them.
    """
    assert verdicts.reason_of(error) == told
