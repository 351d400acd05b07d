"""
What the database's errors become, and which URLs are none of ours.
"""

import errno
import sqlite3

import pytest
from sqlalchemy.exc import OperationalError

from ctxfy.adapters.storage.engine import open_database
from ctxfy.adapters.storage.failures import explain
from ctxfy.core.exceptions import ConfigurationError


def driver_error(name: str, message: str = "") -> OperationalError:
    """
    Make an error as SQLAlchemy hands it on.
    """
    cause = sqlite3.OperationalError(message)
    cause.sqlite_errorcode = getattr(sqlite3, name)
    cause.sqlite_errorname = name
    return OperationalError("SELECT secret", {"a": "secret"}, cause)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("SQLITE_BUSY", "var/x.db is locked by another process; wait"),
        ("SQLITE_BUSY_SNAPSHOT", "var/x.db is locked by another process; wait"),
        ("SQLITE_READONLY_DIRECTORY", "var/x.db is read-only; give"),
        ("SQLITE_CANTOPEN", "var/x.db cannot be opened; check"),
        ("SQLITE_FULL", "no space left for the database var/x.db; make room"),
        ("SQLITE_CORRUPT", "var/x.db is damaged; restore"),
        ("SQLITE_NOTADB", "var/x.db is not a SQLite database; name"),
        ("SQLITE_IOERR_FSYNC", "the disk failed under the database var/x.db; check"),
        ("SQLITE_CONSTRAINT", "var/x.db refused the request (SQLITE_CONSTRAINT)"),
    ],
)
def test_an_error_of_the_driver_becomes_a_sentence(name: str, sentence: str) -> None:
    """
    Each kind of failure names the file and the remedy, and shows neither SQL nor values.
    """
    error = explain(driver_error(name), "var/x.db")
    assert sentence in str(error)
    assert str(error).startswith("The storage is not available: ")
    assert "secret" not in str(error).casefold()


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (errno.EACCES, "is read-only"),
        (errno.EROFS, "is read-only"),
        (errno.ENOSPC, "no space left"),
        (errno.ENOTDIR, "cannot be opened"),
        (None, "cannot be opened"),
    ],
)
def test_an_error_of_the_system_becomes_a_sentence(number: int | None, sentence: str) -> None:
    """
    What the operating system refuses is explained like what SQLite refuses.
    """
    cause = OSError(number, "nope") if number else OSError("nope")
    assert sentence in str(explain(cause, "var/x.db"))


def test_missing_tables_want_an_upgrade() -> None:
    """
    A database that was never migrated is told from a broken one.
    """
    error = explain(driver_error("SQLITE_ERROR", "no such table: api_keys"), "var/x.db")
    assert "lacks tables; run 'ctxfy db upgrade'" in str(error)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "var/ctxfy.db",
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "sqlite:///file:x.db",
        "sqlite://host/x.db",
        "sqlite:///x.db?mode=memory",
        "sqlite+pysqlite:///x.db",
        "mysql://ann:secret@host/ctxfy",
        "postgresql://ann:secret@host:port/ctxfy",
    ],
)
def test_a_url_must_name_a_database(url: str) -> None:
    """
    Another URL stops the start with the right forms, and is not repeated: it may hold secrets.
    """
    with pytest.raises(ConfigurationError) as caught:
        open_database(url)
    assert str(caught.value) == (
        "The storage URL must be sqlite:///PATH or postgresql://USER:PASSWORD@HOST:PORT/DATABASE."
    )
