"""
The compliance report as a page.
"""

import re
import xml.etree.ElementTree as ET
from base64 import b64decode
from collections.abc import Iterable
from copy import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from ctxfy.adapters.audit.report_page import page_policy, report_page
from ctxfy.core.models.audit_models import AuditEvent, AuditRecord, Fault, Verdict
from ctxfy.core.models.auth_models import ApiKeyDigest, ApiKeyInfo, KeyId, Scope
from ctxfy.core.use_cases.report_use_cases import Tally, compile_report


END = datetime(2026, 11, 22, 12, tzinfo=UTC)
KEY = ApiKeyInfo(
    key_id=KeyId("k"),
    api_key=ApiKeyDigest("d" * 64),
    user_id="ann",
    created_at=END - timedelta(days=8),
)
WHOLE = Verdict(events=1234, chains=2)
NASTY = "<script>alert(1)</script>"


def page(
    records: Iterable[AuditRecord] = (), keys: Iterable[ApiKeyInfo] = (), verdict: Verdict = WHOLE
) -> str:
    """
    Write the page of a month.
    """
    tally = Tally()
    for each in records:
        tally.add(each)
    since = END - timedelta(days=30)
    return report_page(compile_report(tally, keys, verdict, since=since, until=END, pepper_id=1))


def record(action: str, outcome: str = "ok", user_id: str | None = None) -> AuditRecord:
    """
    Make a record of an event.
    """
    event = AuditEvent(action=action, at=END, outcome=outcome)
    return AuditRecord(chain="main", seq=1, hash=b"", event=event, user_id=user_id)


def test_an_empty_month_is_a_page_too() -> None:
    """
    It says of each chart that there is nothing, and draws none.
    """
    text = page()
    assert "2026-10-23 12:00 UTC to 2026-11-22 12:00 UTC" in text
    assert "1,234 events in 2 chains are as they were written" in text
    assert "None in this period." in text
    assert "<svg" not in text
    assert "$" not in text


def test_every_chart_is_whole_and_says_its_numbers() -> None:
    """
    Each is a picture with a name, of bars within it, and its numbers are text.
    """
    records = [record("prompt_executed")] * 3 + [record("prompt_executed", "scope")]
    records += [record(f"act_{number}") for number in range(20)]
    keys = [KEY, replace(KEY, scope=Scope.ADMIN), replace(KEY, created_at=END)]
    drawn = [
        ET.fromstring(svg)  # noqa: S314 - our own page
        for svg in re.findall(r"<svg.*?</svg>", page(records, keys), re.DOTALL)
    ]
    assert [each.attrib["aria-label"] for each in drawn] == [
        "Events by day",
        "Numbers by name",
        "Numbers by name",
        "Live keys by age and scope",
    ]
    for each in drawn:
        _, _, width, height = map(float, each.attrib["viewBox"].split())
        for bar in each.iter("rect"):
            assert 0 <= float(bar.attrib["x"]) + float(bar.attrib["width"]) <= width
            assert 0 <= float(bar.attrib["y"]) + float(bar.attrib["height"]) <= height
    told = [[text.text for text in each.iter("text")] for each in drawn]
    assert "most in a day: 24" in told[0]
    assert told[1] == ["scope", "1"]
    assert "all others" in told[2]
    assert "1 admin, 1 read" in told[3]


def test_what_stands_in_the_report_is_text_on_the_page() -> None:
    """
    Names of people, reasons and ids cannot become markup.
    """
    fault = Fault(chain=NASTY, seq=7, reason=NASTY)
    text = page(
        [record("key_created", user_id=NASTY), record("key_created", NASTY)],
        [replace(KEY, key_id=KeyId(NASTY))],
        Verdict(events=9, chains=1, faults=(fault,)),
    )
    assert "<script" not in text
    assert text.count("&lt;script&gt;") >= 4
    assert "The trail is not as it was written" in text


def test_long_lists_of_keys_are_cut() -> None:
    """
    Their number is told, and the first of them.
    """
    text = page(keys=[replace(KEY, key_id=KeyId(f"key-{number:02}")) for number in range(30)])
    assert "key-19, and 10 more" in text


def test_the_policy_allows_the_style_of_the_page_and_nothing_else() -> None:
    """
    The style is named by its digest; there is no other, no script, and nothing is fetched.
    """
    text = page([record("prompt_executed")], [KEY])
    (style,) = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    match = re.fullmatch(r"style-src 'sha256-(.+)'", page_policy())
    assert match is not None
    assert b64decode(match[1]) == sha256(style.encode()).digest()
    assert not re.search(r"(?i)<script|<link|style=|src=|href=|url\(|@import|\son\w+=", text)
