"""
A file beside the database that tells of every erasure: what a restored backup cannot take back.

Each line is one entry, `{"at": "...", "marks": ["hex", ...]}`. An entry is on the disk before its
erasure is committed. So after a crash in between it tells of an erasure that was not carried out,
and the next start carries it out; never the other way about.
"""

import fcntl
import json
import os
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from ctxfy.core.exceptions import ConfigurationError, UnavailableError
from ctxfy.core.models.person_models import LedgerEntry


MARK_BYTES = 32
_PRIVATE = 0o600


class ErasureLedger:
    """
    One file, which several processes may write. Its methods block, each for a flush of the disk.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> list[LedgerEntry]:
        """
        Read all entries, in the order they were written; none if there is no file.

        Raises:
            ConfigurationError: A line in it is none.
            UnavailableError: It cannot be read.
        """
        try:
            *lines, _torn = self._path.read_bytes().split(b"\n")
        except FileNotFoundError:
            return []
        except OSError as error:
            raise self._trouble(error) from error
        return [self._entry(number, line) for number, line in enumerate(lines, 1)]

    def add(self, entries: Iterable[LedgerEntry]) -> None:
        """
        Write entries; on return they are on the disk.

        Raises:
            UnavailableError: They cannot be written.
        """
        lines = b"".join(map(_line, entries))
        try:
            with self._locked(), self._opened() as file:
                # What a crash left of a line was never said to be written, and is in the way.
                os.ftruncate(file, _whole_bytes(file))
                os.lseek(file, 0, os.SEEK_END)
                _write(file, lines)
        except OSError as error:
            raise self._trouble(error) from error

    def drop(self, *, before: datetime) -> int:
        """
        Leave out what is older; tells how many entries. All at once: the file is written anew.

        Raises:
            ConfigurationError: A line in it is none.
            UnavailableError: It cannot be written.
        """
        try:
            with self._locked():
                found = self.read()
                kept = [entry for entry in found if entry.at >= before]
                if len(kept) < len(found):
                    self._replace(b"".join(map(_line, kept)))
        except OSError as error:
            raise self._trouble(error) from error
        return len(found) - len(kept)

    @contextmanager
    def _locked(self) -> Generator[None]:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = self._path.with_name(self._path.name + ".lock")
        lock = os.open(name, os.O_RDWR | os.O_CREAT, _PRIVATE)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    @contextmanager
    def _opened(self) -> Generator[int]:
        file = os.open(self._path, os.O_RDWR | os.O_CREAT, _PRIVATE)
        try:
            yield file
        finally:
            os.close(file)
        self._flush_folder()  # a new file is nowhere until its name is on the disk too

    def _replace(self, content: bytes) -> None:
        aside = self._path.with_name(self._path.name + ".new")
        file = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _PRIVATE)
        try:
            _write(file, content)
        finally:
            os.close(file)
        aside.replace(self._path)
        self._flush_folder()

    def _flush_folder(self) -> None:
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _entry(self, number: int, line: bytes) -> LedgerEntry:
        try:
            plain: dict[str, Any] = json.loads(line)
            marks = tuple(bytes.fromhex(mark) for mark in plain["marks"])
            at = datetime.fromisoformat(plain["at"])
            if at.tzinfo is None or any(len(mark) != MARK_BYTES for mark in marks):
                raise ValueError  # noqa: TRY301 - told below
        except (ValueError, KeyError, TypeError) as error:
            raise ConfigurationError(
                f"The ledger of erasures '{self._path}' is damaged in line {number}; restore it"
                " from a copy, or take the line out if there is none."
            ) from error
        return LedgerEntry(at=at, marks=marks)

    def _trouble(self, error: OSError) -> UnavailableError:
        reason = (error.strerror or str(error)).lower()
        return UnavailableError("ledger of erasures", f"'{self._path}' cannot be used: {reason}.")


def _line(entry: LedgerEntry) -> bytes:
    plain = {"at": entry.at.isoformat(), "marks": [mark.hex() for mark in entry.marks]}
    return json.dumps(plain).encode() + b"\n"


def _whole_bytes(file: int) -> int:
    """
    Count the bytes up to the last line break.
    """
    with os.fdopen(os.dup(file), "rb") as copy:
        copy.seek(0)
        return copy.read().rfind(b"\n") + 1


def _write(file: int, content: bytes) -> None:
    while content:
        content = content[os.write(file, content) :]
    os.fsync(file)
