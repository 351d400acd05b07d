"""
The official conformance suite.
"""

from pathlib import Path

from tests.e2e.conformance import PAGE, broken_claims, measure, tables


async def test_what_is_claimed_passes_the_official_suite(tmp_path: Path) -> None:
    """
    No claim is broken under either revision, and the page says what came out.
    """
    outcomes = await measure(tmp_path)
    assert broken_claims(outcomes) == []
    assert tables(outcomes) in PAGE.read_text(encoding="utf-8"), "run `make conformance`"
