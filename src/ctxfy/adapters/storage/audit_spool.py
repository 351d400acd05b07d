"""
Where audit events wait while the database is out of reach: a file beside it, sealed and bounded.

Each line is one event, sealed together with its number and the hash of the line before, so that no
line can be read, changed, left out or put elsewhere without it being noticed. A line counts once it
is on the disk.
"""

import errno
import json
import os
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from ctxfy.adapters.storage.envelope import Envelope, Place
from ctxfy.core.exceptions import UnavailableError
from ctxfy.core.models.audit_models import AuditEvent


MAX_BYTES = 64 * 1024 * 1024
_ID_BYTES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Spooled:
    """
    What a spool file holds.

    Attributes:
        name: Of this very file; a new file has another.
        events: In the order they came.
        is_whole: Whether no line is damaged or missing; what follows such a line is not read.
    """

    name: str = ""
    events: tuple[AuditEvent, ...] = ()
    is_whole: bool = True


@dataclass(frozen=True, slots=True)
class _Link:
    """
    What the next line continues: the file's name, how many lines there are, the last one's hash.
    """

    name: str
    count: int = 0
    before: str = ""

    def then(self, line: bytes) -> "_Link":
        return _Link(self.name, self.count + 1, sha256(line).hexdigest())


class AuditSpool:
    """
    One file, written by one process. Its methods block, and are run in a thread.

    Args:
        max_bytes: How much may wait.
        left: Lists files of processes that there are no more.
    """

    def __init__(
        self,
        path: Path,
        *,
        envelope: Envelope,
        max_bytes: int = MAX_BYTES,
        left: Callable[[], Sequence[Path]] = tuple,
    ) -> None:
        self._left = left
        self._path = path
        self._envelope = envelope
        self._max_bytes = max_bytes
        self._link: _Link | None = None

    @property
    def size(self) -> int:
        """
        Bytes that wait.
        """
        try:
            return self._path.stat().st_size
        except FileNotFoundError:
            return 0

    def add(self, events: Sequence[AuditEvent]) -> None:
        """
        Keep events; on return they are on the disk.

        Raises:
            UnavailableError: The file is full, or cannot be written.
        """
        if self.size and self._link is None:
            self.read()  # an earlier process left something: go on behind it
        link = self._link or _Link(self._envelope.random_bytes(_ID_BYTES).hex())
        lines = bytearray()
        for event in events:
            line = self._seal(event, link)
            lines += line + b"\n"
            link = link.then(line)
        if self.size + len(lines) > self._max_bytes:
            raise UnavailableError("audit trail", f"the spool '{self._path}' is full.")
        try:
            _append(self._path, bytes(lines))
        except OSError as error:
            raise _trouble(self._path, error) from error
        self._link = link

    def read(self) -> Spooled:
        """
        Read everything that waits.

        Raises:
            UnavailableError: The file cannot be read.
        """
        try:
            lines = self._path.read_bytes().splitlines() if self.size else []
        except OSError as error:
            raise _trouble(self._path, error) from error
        link, events = _Link(""), list[AuditEvent]()
        for line in lines:
            opened = self._open(line, link)
            if opened is None:
                break
            link = _Link(opened[0], link.count, link.before).then(line)
            events.append(opened[1])
        self._link = link if events else None
        whole = len(events) == len(lines)
        return Spooled(name=link.name, events=tuple(events), is_whole=whole)

    def clear(self) -> None:
        """
        Begin a new file: everything was taken over.
        """
        self._path.unlink(missing_ok=True)
        self._link = None

    def inherit(self) -> None:
        """
        If nothing waits here, take over a file that another process has left.
        """
        if not self.size and (left := self._left()):
            left[0].replace(self._path)
            self._link = None

    def set_aside(self) -> Path:
        """
        Keep a damaged file under another name, for people to look at, and begin a new one.
        """
        aside = self._path.with_name(f"{self._path.name}.damaged")
        self._path.replace(aside)
        self._link = None
        return aside

    def _seal(self, event: AuditEvent, link: _Link) -> bytes:
        record = {"spool": link.name, "before": link.before, "event": _plain(event)}
        master_id = self._envelope.master_id
        key = self._envelope.spool_key(master_id)
        blob = self._envelope.seal(json.dumps(record), _place(link.count), data_key=key)
        return b64encode(master_id.to_bytes(2) + blob)

    def _open(self, line: bytes, link: _Link) -> tuple[str, AuditEvent] | None:
        """
        Open one line: the file's name and the event; None if it is not the line that belongs here.
        """
        try:
            blob = b64decode(line, validate=True)
            key = self._envelope.spool_key(int.from_bytes(blob[:2]))
            text = self._envelope.open(blob[2:], _place(link.count), data_key=key)
        except (ValueError, UnavailableError):
            return None
        record: dict[str, Any] = json.loads(text)
        if record["before"] != link.before or (link.name and record["spool"] != link.name):
            return None
        return record["spool"], _event(record["event"])


def _append(path: Path, lines: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        before = os.fstat(file).st_size
        try:
            if os.write(file, lines) < len(lines):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))  # noqa: TRY301 - undone below
            os.fsync(file)
        except OSError:
            os.ftruncate(file, before)  # half a line would make all that follow unreadable
            raise
    finally:
        os.close(file)


def _trouble(path: Path, error: OSError) -> UnavailableError:
    reason = (error.strerror or str(error)).lower()
    return UnavailableError("audit trail", f"the spool '{path}' cannot be used: {reason}.")


def _place(number: int) -> Place:
    return Place(table="spool", column="line", row=str(number))


def _plain(event: AuditEvent) -> dict[str, object]:
    return {**asdict(event), "at": event.at.isoformat(), "details": dict(event.details)}


def _event(plain: dict[str, Any]) -> AuditEvent:
    fields: dict[str, Any] = {**plain, "at": datetime.fromisoformat(plain["at"])}
    return AuditEvent(**fields)
