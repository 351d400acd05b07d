"""
Opens databases, by their URL.
"""

from functools import partial
from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError

from ctxfy.adapters.storage.database import Database, Opening
from ctxfy.adapters.storage.postgres_server import URL_FORM, ServerOptions, server_of
from ctxfy.adapters.storage.sqlite import SqliteOpening
from ctxfy.adapters.storage.traced_opening import TracedOpening
from ctxfy.core.exceptions import ConfigurationError
from ctxfy.core.models.trace_models import Step
from ctxfy.core.ports.monitoring_ports import TracerPort


LOCK_PATIENCE_SECONDS = 5.0
BUSY_SECONDS = 1.0
URL_FORMS = f"sqlite:///PATH or {URL_FORM}"


def open_database(
    url: str,
    *,
    lock_patience_seconds: float = LOCK_PATIENCE_SECONDS,
    busy_seconds: float = BUSY_SECONDS,
    server: ServerOptions | None = None,
    tracer: TracerPort | None = None,
) -> Database:
    """
    Make a database ready for use; it is first touched by what is asked of it.

    Args:
        url: `sqlite:///PATH` or `postgresql://USER:PASSWORD@HOST:PORT/DATABASE`.
        lock_patience_seconds: How long a write to SQLite waits for its turn.
        busy_seconds: How long a statement of SQLite waits for a program that knows nothing of the
            lock file.
        server: How to speak to PostgreSQL.
        tracer: Is told where the time goes, if anybody wants to know.

    Raises:
        ConfigurationError: The URL is not one this version can use.
    """
    parts = _parse(url)
    opening: Opening
    if parts.drivername in _POSTGRES:
        # SQLAlchemy's asynchronous engine brings the whole ORM, and SQLite needs neither.
        from ctxfy.adapters.storage.postgres import PostgresOpening  # noqa: PLC0415 - as said

        options = server or ServerOptions()
        opening, system = PostgresOpening(server_of(parts, options), options), "postgresql"
    else:
        opening, system = (
            SqliteOpening(
                _file_of(parts),
                lock_patience_seconds=lock_patience_seconds,
                busy_seconds=busy_seconds,
            ),
            "sqlite",
        )
    if tracer is None:
        return Database(opening)
    return Database(
        TracedOpening(opening, tracer, system=system),
        waiting_for_change=partial(tracer.span, Step.CHANGE),
    )


def database_file_of(url: str) -> Path | None:
    """
    Read where the database is; None if it is no file of ours.

    Raises:
        ConfigurationError: The URL is not one this version can use.
    """
    parts = _parse(url)
    return None if parts.drivername in _POSTGRES else _file_of(parts)


def database_name_of(url: str) -> str:
    """
    Read what to call the database in a sentence.

    Raises:
        ConfigurationError: The URL is not one this version can use.
    """
    parts = _parse(url)
    if parts.drivername in _POSTGRES:
        return server_of(parts, ServerOptions()).name
    return str(_file_of(parts))


def travels_in_clear(url: str, server: ServerOptions) -> bool:
    """
    Tell whether what is said to the database can be heard on a network.

    Raises:
        ConfigurationError: The URL is not one this version can use.
    """
    parts = _parse(url)
    if parts.drivername not in _POSTGRES or server.tls != "off":
        return False
    return not server_of(parts, server).on_this_machine


_POSTGRES = frozenset({"postgresql", "postgres"})


def _parse(url: str) -> URL:
    # Whatever is wrong, the URL itself is not shown: it may carry a password.
    try:
        return make_url(url)
    except (ArgumentError, ValueError) as error:
        raise ConfigurationError(f"The storage URL must be {URL_FORMS}.") from error


def _file_of(parts: URL) -> Path:
    path = parts.database
    strange = parts.drivername != "sqlite" or parts.host or parts.query
    if strange or not path or path.startswith((":memory:", "file:")):
        raise ConfigurationError(f"The storage URL must be {URL_FORMS}.")
    return Path(path)
