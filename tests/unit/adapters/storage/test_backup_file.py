"""
The form of a backup: what was written is read again, and what is not whole is found out.
"""

import gzip
import json
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ctxfy.adapters.storage.backup_file import (
    BackupSummary,
    BackupTable,
    batches_of,
    check_backup,
    new_backup,
)
from ctxfy.adapters.storage.sealed_file import SealingKeys
from ctxfy.core.exceptions import ConfigurationError


PLACES = BackupTable(
    name="places", columns={"name": "text", "number": "integer", "content": "bytes"}
)
EMPTY = BackupTable(name="nothing", columns={"name": "text"})
ROWS: list[tuple[Any, ...]] = [("a\n\x00ü", 2**62, b"\x00\xff"), (None, None, None), ("", -1, b"")]


KEYS = SealingKeys(current=1, secrets={1: b"k" * 32})


def write(
    path: Path,
    rows: Iterable[tuple[Any, ...]] = ROWS,
    revision: str = "0001",
    keys: SealingKeys | None = None,
) -> BackupSummary:
    """
    Write a backup of two tables.
    """
    with new_backup(path, revision=revision, keys=keys) as writer:
        writer.add_table(EMPTY, [])
        writer.add_table(PLACES, rows)
    return writer.summary()


def read(path: Path, keys: SealingKeys | None = None) -> list[tuple[Any, ...]]:
    """
    Read its rows.
    """
    return [tuple(row.values()) for _, rows in batches_of(path, keys) for row in rows]


def rewrite(path: Path, lines: list[bytes]) -> None:
    """
    Put other lines into a backup.
    """
    path.write_bytes(gzip.compress(b"".join(lines)))


def test_a_backup_is_read_as_it_was_written(tmp_path: Path) -> None:
    """
    Every kind of value survives, the file is its owner's alone, and nothing else is left.
    """
    path = tmp_path / "b.gz"
    summary = write(path)
    assert check_backup(path) == summary
    assert (summary.revision, summary.rows) == ("0001", 3)
    assert summary.tables == {"nothing": 0, "places": 3}
    assert read(path) == ROWS
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["b.gz"]


def test_the_same_rows_make_the_same_file(tmp_path: Path) -> None:
    """
    No time and no name is in it, so that backups can be compared.
    """
    for name in ("one.gz", "two.gz"):
        write(tmp_path / name)
    assert (tmp_path / "one.gz").read_bytes() == (tmp_path / "two.gz").read_bytes()


VALUES = st.tuples(
    st.none() | st.text(st.characters(codec="utf-8"), max_size=20),
    st.none() | st.integers(-(2**63), 2**63 - 1),
    st.none() | st.binary(max_size=20),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(rows=st.lists(VALUES, max_size=8))
def test_any_rows_survive(rows: list[tuple[Any, ...]], tmp_path: Path) -> None:
    """
    Whatever a database can keep comes back, in its order.
    """
    path = tmp_path / "b.gz"
    path.unlink(missing_ok=True)
    summary = write(path, rows)
    assert check_backup(path) == summary
    assert read(path) == rows


def test_many_rows_come_in_batches(tmp_path: Path) -> None:
    """
    No batch holds all, so that a large table needs no large memory.
    """
    path = tmp_path / "b.gz"
    write(path, [("a", number, b"") for number in range(1001)])
    assert [len(rows) for _, rows in batches_of(path)] == [500, 500, 1]


def test_a_file_is_not_overwritten(tmp_path: Path) -> None:
    """
    A backup never takes the place of another file.
    """
    path = tmp_path / "b.gz"
    path.write_text("mine")
    with pytest.raises(ConfigurationError, match=r"There is a file '.*b\.gz' already"):
        write(path)
    assert path.read_text() == "mine"


def test_a_backup_that_fails_leaves_no_file(tmp_path: Path) -> None:
    """
    Half a backup is none.
    """
    with pytest.raises(LookupError), new_backup(tmp_path / "b.gz", revision="0001", keys=KEYS):
        raise LookupError
    assert list(tmp_path.iterdir()) == []


def test_a_backup_that_does_not_read_as_it_was_written_does_not_appear(tmp_path: Path) -> None:
    """
    It is read from the disk before it has its name: what the disk made of it, counts.
    """

    def rows() -> Iterator[tuple[Any, ...]]:
        yield from ROWS
        with (tmp_path / "b.gz.partial").open("ab") as file:
            file.write(b"?" * 1000)  # part of it lies behind all that is written in the end

    with pytest.raises(ConfigurationError, match="damaged, cut off or was changed"):
        write(tmp_path / "b.gz", rows(), keys=KEYS)
    assert list(tmp_path.iterdir()) == []


def test_a_sealed_backup_is_read_with_its_key_alone(tmp_path: Path) -> None:
    """
    The rows are the same as without a seal; without the key nothing of them can be seen.
    """
    plain, sealed = tmp_path / "plain", tmp_path / "sealed"
    rows = [("Zaphod", number, b"") for number in range(2000)]
    assert write(plain, rows) == write(sealed, rows, keys=KEYS) == check_backup(sealed, KEYS)
    assert read(sealed, KEYS) == rows
    assert check_backup(plain, KEYS) == check_backup(plain)
    with pytest.raises(ConfigurationError, match="put back the key file, or set"):
        check_backup(sealed)
    assert b"Zaphod" not in sealed.read_bytes()
    assert not sealed.read_bytes().startswith(b"\x1f\x8b")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(at=st.integers(0, 400), cut=st.booleans())
def test_a_sealed_backup_that_was_touched_is_refused(at: int, cut: bool, tmp_path: Path) -> None:
    """
    Cut or changed anywhere, it is refused with one sentence, whatever the place means.
    """
    path = tmp_path / "b"
    if not path.exists():
        write(path, keys=KEYS)
    content = bytearray(path.read_bytes())
    at = min(at, len(content) - 1)
    content[at] ^= 1
    touched = tmp_path / "touched"
    touched.write_bytes(content[:at] if cut else content)
    with pytest.raises(ConfigurationError):
        check_backup(touched, KEYS)


@pytest.mark.parametrize("missing", [1, 2, 3])
def test_lines_that_are_missing_are_found_out(tmp_path: Path, missing: int) -> None:
    """
    The end, the last row, the head of a table: without any of them it is not whole.
    """
    path = tmp_path / "b.gz"
    write(path)
    lines = gzip.decompress(path.read_bytes()).splitlines(keepends=True)
    rewrite(path, [line for number, line in enumerate(lines) if number != len(lines) - missing])
    with pytest.raises(ConfigurationError, match="damaged or cut off"):
        check_backup(path)


def test_a_changed_value_is_found_out(tmp_path: Path) -> None:
    """
    One other digit in one row is not the sum that was written.
    """
    path = tmp_path / "b.gz"
    write(path)
    lines = gzip.decompress(path.read_bytes()).replace(b"-1", b"-2").splitlines(keepends=True)
    rewrite(path, lines)
    with pytest.raises(ConfigurationError, match="damaged or cut off"):
        check_backup(path)


@pytest.mark.parametrize("at", [20, 60, -20])
def test_a_file_that_was_cut_or_scratched_is_found_out(tmp_path: Path, at: int) -> None:
    """
    What gzip cannot read any more is told like what is missing.
    """
    path = tmp_path / "b.gz"
    write(path)
    content = bytearray(path.read_bytes())
    path.write_bytes(content[:at])
    with pytest.raises(ConfigurationError):
        check_backup(path)
    content[at] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(ConfigurationError):
        check_backup(path)


@pytest.mark.parametrize(
    "content",
    [b"", b"hello", gzip.compress(b'["x"]\n'), gzip.compress(b"")],
    ids=["empty", "notes", "archive", "empty archive"],
)
def test_another_file_is_told_from_a_backup(tmp_path: Path, content: bytes) -> None:
    """
    Notes, other archives and nothing at all are no backups.
    """
    path = tmp_path / "notes"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match="is no backup of ctxfy"):
        check_backup(path)


def test_a_form_of_the_future_is_told(tmp_path: Path) -> None:
    """
    What a newer version writes in another way is not guessed at.
    """
    path = tmp_path / "b.gz"
    head = {"format": "ctxfy backup", "version": 2, "revision": "0099"}
    rewrite(path, [json.dumps(head).encode() + b"\n"])
    with pytest.raises(ConfigurationError, match="does not know"):
        check_backup(path)
