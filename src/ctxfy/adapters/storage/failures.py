"""
What went wrong with the database, in a sentence for the person who must mend it.
"""

import errno
import sqlite3
from collections.abc import Mapping

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from ctxfy.core.exceptions import UnavailableError


# What a driver or the operating system may raise. Not here on purpose: StatementError and the like
# tell of a mistake in our own code, which must not look like an outage.
DRIVER_ERRORS = (DBAPIError, PoolTimeoutError, OSError)

LOCKED = (
    "the database {file} is locked by another process;"
    " wait for that process or end it, then try again."
)
READ_ONLY = (
    "the database {file} is read-only; give this process the right to write to the file"
    " and to the folder it is in."
)
UNREACHABLE = (
    "the database {file} cannot be opened; check that its folder exists and that this process"
    " may use it."
)
FULL = "there is no space left for the database {file}; make room on its disk."
DAMAGED = "the database {file} is damaged; restore it from a backup."
FOREIGN = "the file {file} is not a SQLite database; name another file, or restore it."
UNREADABLE = "the disk failed under the database {file}; check the disk, then restore a backup."
UNPREPARED = (
    "the database {file} lacks tables; run 'ctxfy db upgrade', or start the server once with"
    " CTXFY_STORAGE__MIGRATE=auto."
)
OTHER = "the database {file} refused the request ({reason})."

_BY_SQLITE_CODE: Mapping[int, str] = {
    sqlite3.SQLITE_BUSY: LOCKED,
    sqlite3.SQLITE_LOCKED: LOCKED,
    sqlite3.SQLITE_PROTOCOL: LOCKED,
    sqlite3.SQLITE_READONLY: READ_ONLY,
    sqlite3.SQLITE_PERM: READ_ONLY,
    sqlite3.SQLITE_CANTOPEN: UNREACHABLE,
    sqlite3.SQLITE_FULL: FULL,
    sqlite3.SQLITE_CORRUPT: DAMAGED,
    sqlite3.SQLITE_NOTADB: FOREIGN,
    sqlite3.SQLITE_IOERR: UNREADABLE,
}
_BY_ERRNO: Mapping[int, str] = {
    errno.EACCES: READ_ONLY,
    errno.EPERM: READ_ONLY,
    errno.EROFS: READ_ONLY,
    errno.ENOSPC: FULL,
    errno.EDQUOT: FULL,
}


def unavailable(sentence: str, **facts: str) -> UnavailableError:
    """
    Make the error from one of the sentences above.
    """
    return UnavailableError("storage", sentence.format_map(facts))


def explain(error: BaseException, file: str) -> UnavailableError:
    """
    Turn a driver's error into ours: names the file and the remedy, never SQL or values.
    """
    cause = getattr(error, "orig", None) or error
    if isinstance(cause, OSError):
        return unavailable(_BY_ERRNO.get(cause.errno or 0, UNREACHABLE), file=file)
    if str(cause).startswith("no such table"):
        return unavailable(UNPREPARED, file=file)
    # The low byte is the kind, the rest a refinement of it.
    code = getattr(cause, "sqlite_errorcode", 0) & 0xFF
    reason = getattr(cause, "sqlite_errorname", type(cause).__name__)
    return unavailable(_BY_SQLITE_CODE.get(code, OTHER), file=file, reason=reason)
