"""
The file that tells of erasures.
"""

import stat
from datetime import UTC, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctxfy.adapters.storage.erasure_ledger import ErasureLedger
from ctxfy.core.exceptions import ConfigurationError, UnavailableError
from ctxfy.core.models.person_models import LedgerEntry
from tests.builders import NOON


ENTRIES = st.builds(
    LedgerEntry,
    at=st.datetimes(timezones=st.just(UTC)),
    marks=st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=3).map(tuple),
)


def entry(number: int = 0) -> LedgerEntry:
    """
    Make an entry, so many hours after noon.
    """
    return LedgerEntry(at=NOON + timedelta(hours=number), marks=(bytes([number]) * 32,))


@given(batches=st.lists(st.lists(ENTRIES, max_size=3), max_size=4), cut=st.integers(0, 10_000))
def test_what_was_written_is_read_wherever_a_crash_cut(
    batches: list[list[LedgerEntry]], cut: int
) -> None:
    """
    Entries come back as they were, in their order; half a line at the end is nothing, and is
    in nobody's way.
    """
    with TemporaryDirectory() as folder:
        path = Path(folder) / "ledger"
        ledger = ErasureLedger(path)
        for batch in batches:
            ledger.add(batch)
        written = [each for batch in batches for each in batch]
        assert ledger.read() == written
        content = path.read_bytes() if path.exists() else b""
        kept = content[: min(cut, len(content))]
        path.write_bytes(kept)
        whole = written[: kept.count(b"\n")]
        assert ledger.read() == whole
        ledger.add([entry()])
        assert ledger.read() == [*whole, entry()]


def test_it_is_for_its_owner_alone(tmp_path: Path) -> None:
    """
    Made with its folder when there is something to tell; before, there is nothing.
    """
    ledger = ErasureLedger(tmp_path / "var" / "ledger")
    assert ledger.read() == []
    assert not (tmp_path / "var").exists()
    ledger.add([entry()])
    assert stat.S_IMODE((tmp_path / "var" / "ledger").stat().st_mode) == 0o600


def test_what_is_old_is_left_out(tmp_path: Path) -> None:
    """
    What is as old as the moment stays, and so does the file's mode.
    """
    ledger = ErasureLedger(tmp_path / "ledger")
    assert ledger.drop(before=NOON) == 0
    ledger.add([entry(1), entry(0), entry(2)])
    assert ledger.drop(before=entry(1).at) == 1
    assert ledger.read() == [entry(1), entry(2)]
    assert stat.S_IMODE((tmp_path / "ledger").stat().st_mode) == 0o600
    assert ledger.drop(before=entry(1).at) == 0


@pytest.mark.parametrize(
    "line",
    [
        "nonsense",
        "[]",
        '{"at": "2026-11-22T12:00:00+00:00"}',
        '{"at": "2026-11-22T12:00:00", "marks": []}',
        '{"at": "2026-11-22T12:00:00+00:00", "marks": ["00"]}',
        '{"at": 7, "marks": []}',
    ],
)
def test_a_damaged_line_is_told_of(tmp_path: Path, line: str) -> None:
    """
    With its number: to leave it out silently would bring somebody back.
    """
    ledger = ErasureLedger(tmp_path / "ledger")
    ledger.add([entry()])
    with (tmp_path / "ledger").open("a") as file:
        file.write(f"{line}\n")
    with pytest.raises(ConfigurationError, match="damaged in line 2"):
        ledger.read()


def test_what_is_no_file_is_told_of(tmp_path: Path) -> None:
    """
    In one sentence, whether it is read, written or cut.
    """
    ledger = ErasureLedger(tmp_path)
    for act in (
        ledger.read,
        lambda: ledger.add([entry()]),
        lambda: ledger.drop(before=NOON),
    ):
        with pytest.raises(UnavailableError, match="ledger of erasures"):
            act()
