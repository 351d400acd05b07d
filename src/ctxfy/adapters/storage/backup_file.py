"""
The form of a backup: lines of JSON, compressed with gzip.

    {"format": "ctxfy backup", "version": 1, "revision": "0003"}
    {"table": "people", "columns": {"person_id": "text", "lookup": "bytes", ...}}
    ["4f1c...", "aGk=", ...]            one line for each row; bytes in base64
    ...
    {"rows": 12, "sha256": "..."}                    over every line before this one

Nothing in it belongs to one kind of database. Around it lies a seal, as `sealed_file` tells, unless
it was asked for without.
"""

import gzip
import hashlib
import io
import os
import secrets
import zlib
from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import batched, groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, BinaryIO, Literal

import orjson

from ctxfy.adapters.storage.sealed_file import (
    BEGINNING,
    PIECE,
    SealedReader,
    SealedWriter,
    SealingKeys,
)
from ctxfy.core.exceptions import ConfigurationError


FORMAT = "ctxfy backup"
VERSION = 1
PRIVATE = 0o600
BATCH = 500
# The tightest takes twice as long, and makes hardly less of it.
COMPRESSION = 6

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
        tables: How many rows each table has, by its name.
    """

    revision: str
    rows: int
    sha256: str
    tables: Mapping[str, int] = field(default_factory=dict[str, int])


class BackupWriter:
    """
    Writes the lines of one backup.
    """

    def __init__(self, stream: gzip.GzipFile, *, revision: str) -> None:
        self._stream = stream
        self._revision = revision
        self._digest = hashlib.sha256()
        self._tables = Counter[str]()
        self._write({"format": FORMAT, "version": VERSION, "revision": revision})

    def add_table(self, table: BackupTable, rows: Iterable[Row]) -> None:
        """
        Write a table and its rows.
        """
        self._write({"table": table.name, "columns": dict(table.columns)})
        self._tables[table.name] += 0
        are_bytes = [kind == "bytes" for kind in table.columns.values()]
        for row in rows:
            self._write(
                [
                    b64encode(value).decode() if is_bytes and value is not None else value
                    for value, is_bytes in zip(row, are_bytes, strict=True)
                ]
            )
            self._tables[table.name] += 1

    def summary(self) -> BackupSummary:
        """
        Tell what was written so far, but for the last line.
        """
        return BackupSummary(
            revision=self._revision,
            rows=self._tables.total(),
            sha256=self._digest.hexdigest(),
            tables=dict(self._tables),
        )

    def finish(self) -> None:
        """
        Write the last line.
        """
        told = self.summary()
        self._stream.write(_line({"rows": told.rows, "sha256": told.sha256}))

    def _write(self, value: object) -> None:
        line = _line(value)
        self._digest.update(line)
        self._stream.write(line)


@contextmanager
def new_backup(
    path: Path, *, revision: str, keys: SealingKeys | None = None
) -> Generator[BackupWriter]:
    """
    Write a file that appears whole or not at all, for its owner's eyes only.

    Before it appears it is read to its end, and must hold what was written into it.

    Raises:
        ConfigurationError: There is a file of that name, or it does not read as it was written.
    """
    if path.exists(follow_symlinks=False):
        raise ConfigurationError(f"There is a file '{path}' already; name another, or move it.")
    partial = path.with_name(path.name + ".partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            with _compressed(file, keys) as stream:
                writer = BackupWriter(stream, revision=revision)
                yield writer
                summary = writer.summary()
                writer.finish()
            file.flush()
            os.fsync(file.fileno())
            # So that it is read from the disk below, and not from what the system remembers.
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        if check_backup(partial, keys) != summary:
            raise ConfigurationError(
                f"The backup '{path}' does not read as it was written; its disk may be failing."
            )
        partial.rename(path)
    finally:
        partial.unlink(missing_ok=True)


def check_backup(path: Path, keys: SealingKeys | None = None) -> BackupSummary:
    """
    Read a backup to its end, and see that it is whole.

    Raises:
        ConfigurationError: It is not, or it is no backup, or a newer version wrote it, or it is
            sealed under a key that is not among these.
    """
    lines = _lines(path, keys)
    last = next(lines, b"")
    revision = _revision_of(path, last)
    digest, tables, current = hashlib.sha256(), Counter[str](), ""
    for line in lines:
        digest.update(last)
        if last.startswith(b"["):
            tables[current] += 1
        elif last.startswith(b'{"table"'):
            current = str(orjson.loads(last)["table"])
            tables[current] += 0
        last = line
    summary = BackupSummary(
        revision=revision, rows=tables.total(), sha256=digest.hexdigest(), tables=dict(tables)
    )
    if _parsed(last) != {"rows": summary.rows, "sha256": summary.sha256}:
        raise ConfigurationError(f"The backup '{path}' is damaged or cut off; use another.")
    return summary


def batches_of(
    path: Path, keys: SealingKeys | None = None
) -> Iterator[tuple[BackupTable, list[dict[str, Any]]]]:
    """
    Read the rows of a backup that was checked, some hundred of one table at a time.
    """
    lines = (orjson.loads(line) for line in _lines(path, keys))
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


def _line(value: object) -> bytes:
    return orjson.dumps(value) + b"\n"


def _parsed(line: bytes) -> Any:  # noqa: ANN401 - JSON
    try:
        return orjson.loads(line)
    except ValueError:
        return None


@contextmanager
def _compressed(file: BinaryIO, keys: SealingKeys | None) -> Generator[gzip.GzipFile]:
    sealed = None if keys is None else SealedWriter(file, keys, secrets.token_bytes)
    # Without a name and a time inside: the same rows make the same lines, compressed the same.
    with gzip.GzipFile("", "wb", COMPRESSION, fileobj=sealed or file, mtime=0) as stream:
        yield stream
    if sealed is not None:
        sealed.finish()


def _lines(path: Path, keys: SealingKeys | None) -> Iterator[bytes]:
    try:
        with path.open("rb") as file, gzip.open(_opened(file, keys, str(path))) as stream:
            yield from stream
    except (EOFError, zlib.error, gzip.BadGzipFile):
        return  # what is missing is noticed by who counts and sums


def _opened(file: io.BufferedReader, keys: SealingKeys | None, name: str) -> io.BufferedReader:
    if not file.peek(len(BEGINNING)).startswith(BEGINNING):
        return file
    return io.BufferedReader(SealedReader(file, keys, name), PIECE)
