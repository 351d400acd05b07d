"""
The form of a backup: lines of JSON, compressed with gzip.

    {"format": "ctxfy backup", "version": 1, "revision": "0003"}
    {"table": "people", "columns": {"person_id": "text", "lookup": "bytes", ...}}
    ["4f1c...", "aGk=", ...]            one line for each row; bytes in base64
    ...
    {"rows": 12, "sha256": "..."}                    over every line before this one

Nothing in it belongs to one kind of database.
"""

import gzip
import hashlib
import json
import os
import zlib
from base64 import b64decode, b64encode
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import batched, groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, BinaryIO, Literal

from ctxfy.core.exceptions import ConfigurationError


FORMAT = "ctxfy backup"
VERSION = 1
PRIVATE = 0o600
BATCH = 500

type Kind = Literal["text", "integer", "bytes"]
type Columns = Mapping[str, Kind]
type Row = Sequence[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupTable:
    """
    A table's columns, in the order of its rows' values.
    """

    name: str
    columns: Columns


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupSummary:
    """
    What a backup is.

    Attributes:
        revision: Of the tables in it.
        rows: How many there are, of all tables.
        sha256: Over its lines, in hexadecimal digits.
    """

    revision: str
    rows: int
    sha256: str


class BackupWriter:
    """
    Writes the lines of one backup.
    """

    def __init__(self, stream: BinaryIO, *, revision: str) -> None:
        self._stream = stream
        self._revision = revision
        self._digest = hashlib.sha256()
        self._rows = 0
        self._write({"format": FORMAT, "version": VERSION, "revision": revision})

    def add_table(self, table: BackupTable, rows: Iterable[Row]) -> None:
        """
        Write a table and its rows.
        """
        self._write({"table": table.name, "columns": dict(table.columns)})
        are_bytes = [kind == "bytes" for kind in table.columns.values()]
        for row in rows:
            self._write(
                [
                    b64encode(value).decode() if is_bytes and value is not None else value
                    for value, is_bytes in zip(row, are_bytes, strict=True)
                ]
            )
            self._rows += 1

    def finish(self) -> BackupSummary:
        """
        Write the last line.
        """
        sha256 = self._digest.hexdigest()
        self._write({"rows": self._rows, "sha256": sha256})
        return BackupSummary(revision=self._revision, rows=self._rows, sha256=sha256)

    def _write(self, value: object) -> None:
        line = json.dumps(value, separators=(",", ":")).encode() + b"\n"
        self._digest.update(line)
        self._stream.write(line)


@contextmanager
def new_backup(path: Path) -> Generator[BinaryIO]:
    """
    Write a file that appears whole or not at all, for its owner's eyes only.

    Raises:
        ConfigurationError: There is a file of that name.
    """
    if path.exists(follow_symlinks=False):
        raise ConfigurationError(f"There is a file '{path}' already; name another, or move it.")
    partial = path.with_name(path.name + ".partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            # Without a name and a time inside: the same rows make the same file.
            with gzip.GzipFile("", "wb", fileobj=file, mtime=0) as stream:
                yield stream  # type: ignore[misc] # pyright: ignore[reportReturnType] - gzip's stream is one
            file.flush()
            os.fsync(file.fileno())
        partial.rename(path)
    finally:
        partial.unlink(missing_ok=True)


def check_backup(path: Path) -> BackupSummary:
    """
    Read a backup to its end, and see that it is whole.

    Raises:
        ConfigurationError: It is not, or it is no backup, or a newer version wrote it.
    """
    lines = _lines(path)
    digest, rows, last = hashlib.sha256(), 0, b""
    revision = _revision_of(path, next(lines, b""))
    for line in _lines(path):
        digest.update(last)
        rows += last.startswith(b"[")
        last = line
    summary = BackupSummary(revision=revision, rows=rows, sha256=digest.hexdigest())
    if _parsed(last) != {"rows": rows, "sha256": summary.sha256}:
        raise ConfigurationError(f"The backup '{path}' is damaged or cut off; use another.")
    return summary


def batches_of(path: Path) -> Iterator[tuple[BackupTable, list[dict[str, Any]]]]:
    """
    Read the rows of a backup that was checked, some hundred of one table at a time.
    """
    lines = (json.loads(line) for line in _lines(path))
    tables = groupby(_with_tables(lines), key=itemgetter(0))
    for table, pairs in tables:
        for batch in batched((row for _, row in pairs), BATCH, strict=False):
            yield table, [_decoded(table, row) for row in batch]


def _with_tables(values: Iterable[Any]) -> Iterator[tuple[BackupTable, Row]]:
    table: BackupTable | None = None
    for value in values:
        if isinstance(value, list):
            assert table is not None  # noqa: S101 - the backup was checked # nosec B101
            yield table, value
        elif "table" in value:
            table = BackupTable(name=value["table"], columns=value["columns"])


def _decoded(table: BackupTable, row: Row) -> dict[str, Any]:
    return {
        name: b64decode(value) if kind == "bytes" and value is not None else value
        for (name, kind), value in zip(table.columns.items(), row, strict=True)
    }


def _revision_of(path: Path, line: bytes) -> str:
    first = _parsed(line)
    if not isinstance(first, dict) or first.get("format") != FORMAT:
        raise ConfigurationError(f"The file '{path}' is no backup of ctxfy.")
    if first.get("version") != VERSION:
        raise ConfigurationError(
            f"The backup '{path}' has a form that this version of ctxfy does not know;"
            " use the version that made it, or a newer one."
        )
    return str(first.get("revision"))


def _parsed(line: bytes) -> Any:  # noqa: ANN401 - JSON
    try:
        return json.loads(line)
    except ValueError:
        return None


def _lines(path: Path) -> Iterator[bytes]:
    try:
        with gzip.open(path) as stream:
            yield from stream
    except (EOFError, zlib.error, gzip.BadGzipFile):
        return  # what is missing is noticed by who counts and sums
