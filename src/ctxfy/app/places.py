"""
Where files are, as the settings say or beside the database.
"""

from pathlib import Path

from ctxfy.adapters.storage.engine import database_file_of
from ctxfy.app.config import Settings
from ctxfy.app.worker_place import WorkerPlace
from ctxfy.core.exceptions import ConfigurationError


def key_file(settings: Settings) -> Path:
    """
    Where the key file is: as set, else beside the database.

    Raises:
        ConfigurationError: The storage URL names no file to be beside of.
    """
    if settings.auth.key_file is not None:
        return settings.auth.key_file
    database = database_file(settings)
    if database is None:
        raise ConfigurationError(
            "With PostgreSQL the secrets need a place of their own: set CTXFY_AUTH__PEPPER and "
            "CTXFY_AUTH__MASTER_KEY, or name their file with CTXFY_AUTH__KEY_FILE."
        )
    return database.with_suffix(".keys")


def database_file(settings: Settings) -> Path | None:
    """
    Where the database is; None if it is on a server.

    Raises:
        ConfigurationError: The storage URL is none.
    """
    return database_file_of(settings.storage.url)


def spool_file(settings: Settings, place: WorkerPlace | None = None) -> Path:
    """
    Where events wait while the database is away; each worker has a file of its own.
    """
    file = settings.audit.spool_file or _beside_the_database(settings, ".spool")
    if place is None or place.is_first:
        return file
    return file.with_name(f"{file.name}-{place.number}")


def left_spools(settings: Settings) -> list[Path]:
    """
    List the files of workers that there are no more, since fewer were started.
    """
    first, count = spool_file(settings), settings.server.workers
    numbered = (
        (int(number), file)
        for file in first.parent.glob(f"{first.name}-*")
        if (number := file.name.removeprefix(f"{first.name}-")).isdecimal()
    )
    return [file for number, file in sorted(numbered) if number > count]


def ledger_file(settings: Settings) -> Path:
    """
    Where erasures are told of beside the database.
    """
    return settings.privacy.ledger_file or _beside_the_database(settings, ".erasures")


def _beside_the_database(settings: Settings, suffix: str) -> Path:
    beside = database_file(settings) or settings.auth.key_file or Path("var/ctxfy")
    return beside.with_suffix(suffix)
