"""
A file as a place for lines, which begins anew when it is full.
"""

import os
import stat
from collections.abc import Callable
from pathlib import Path


_PRIVATE = 0o600


class FileSink:
    """
    Appends to a file that only its owner reads; `NAME.1` is the one before it, and so on.

    Nothing is opened before the first line. A file that somebody moves or removes is made anew, and
    what is no file (a pipe, `/dev/stderr`) never begins anew.

    Args:
        path: Where it is.
        max_bytes: How large it may grow.
        keep: How many full ones are kept.
        complain: Is told once, in a sentence, when lines begin to be lost.
    """

    def __init__(
        self, path: Path, *, max_bytes: int, keep: int, complain: Callable[[str], None]
    ) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._keep = keep
        self._complain = complain
        self._file: int | None = None
        self._is_torn = False
        self._fails = False

    def write(self, lines: str) -> None:
        """
        Write them.

        Raises:
            OSError: They, or some of them, could not be written.
        """
        content = lines.encode("utf-8", "backslashreplace")
        try:
            self._append(content)
        except OSError as error:
            if not self._fails:
                self._complain(
                    f"The log file '{self._path}' cannot be written"
                    f" ({(error.strerror or str(error)).lower()}); lines are lost until it can."
                )
            self._fails = True
            raise
        self._fails = False

    def close(self) -> None:
        """
        Close the file; the next line opens it again.
        """
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _append(self, content: bytes) -> None:
        file = self._ready_for(len(content))
        # What a full disk cut off must not spoil the next line.
        rest = memoryview(b"\n" + content if self._is_torn else content)
        while rest:
            rest = rest[os.write(file, rest) :]
            self._is_torn = bool(rest)

    def _ready_for(self, size: int) -> int:
        file = self._opened()
        now = os.fstat(file)
        is_full = now.st_size > 0 and now.st_size + size > self._max_bytes
        if not (is_full and stat.S_ISREG(now.st_mode)):
            return file
        self.close()
        self._move_along()
        return self._opened()

    def _opened(self) -> int:
        if self._file is not None and not self._is_still_there(self._file):
            self.close()
        if self._file is None:
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
            self._file = os.open(self._path, flags, _PRIVATE)
            self._is_torn = False
            if stat.S_ISREG(os.fstat(self._file).st_mode):
                os.fchmod(self._file, _PRIVATE)
        return self._file

    def _is_still_there(self, file: int) -> bool:
        try:
            return os.path.samestat(self._path.stat(), os.fstat(file))
        except FileNotFoundError:
            return False

    def _move_along(self) -> None:
        numbered = [self._path, *(self._numbered(number + 1) for number in range(self._keep))]
        for older, newer in zip(numbered[:0:-1], numbered[-2::-1], strict=True):
            if newer.exists():
                newer.replace(older)

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")
