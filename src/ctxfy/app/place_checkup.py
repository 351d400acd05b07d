"""
What is wrong with the files a server keeps, and with the disks they are on.
"""

import os
import shutil
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from ctxfy.app.config import Settings
from ctxfy.app.places import database_file, ledger_file, spool_file
from ctxfy.core.exceptions import ConfigurationError
from ctxfy.core.models.monitoring_models import CheckResult
from ctxfy.core.use_cases.health_use_cases import MEGABYTE
from ctxfy.core.use_cases.monitoring_use_cases import bad, doubtful, good


def check_files(settings: Settings) -> Iterator[CheckResult]:
    """
    Look at the spool, the ledger of erasures and the log: whether they can be kept, and by whom.
    """
    places = _places(settings)
    found = [
        each for name, (path, setting) in places.items() for each in _file(name, path, setting)
    ]
    yield from found or [good("files", f"{' and '.join(places).capitalize()} can be kept.")]


def check_disk(settings: Settings) -> CheckResult:
    """
    Compare what is free where anything is written with the threshold of the settings.
    """
    least = settings.monitoring.disk_free_mb
    folders = [_nearest(path.parent) for path, _ in _places(settings).values()]
    if database := _database(settings):
        folders.append(_nearest(database.parent))
    free, folder = min((shutil.disk_usage(each).free // MEGABYTE, each) for each in folders)
    if free < least:
        return doubtful(
            "disk",
            f"{free} MB is free at '{folder}'; make room, or lower CTXFY_MONITORING__DISK_FREE_MB"
            f" ({least}).",
        )
    return good("disk", f"{free} MB is free at '{folder}'.")


def _places(settings: Settings) -> Mapping[str, tuple[Path, str]]:
    places = {
        "the spool": (spool_file(settings), "CTXFY_AUDIT__SPOOL_FILE"),
        "the ledger of erasures": (ledger_file(settings), "CTXFY_PRIVACY__LEDGER_FILE"),
    }
    if settings.logging.file is not None:
        places["the log"] = (settings.logging.file, "CTXFY_LOGGING__FILE")
    return places


def _database(settings: Settings) -> Path | None:
    try:
        return database_file(settings)
    except ConfigurationError:
        return None


def _file(name: str, path: Path, setting: str) -> Iterator[CheckResult]:
    if not _can_write(path):
        yield bad(
            "files",
            f"{name.capitalize()} '{path}' cannot be written; let this user write there, or name"
            f" another place with {setting}.",
        )
    # Whoever gathers the lines of the log reads them on purpose.
    is_ours = setting != "CTXFY_LOGGING__FILE" and path.exists()
    if is_ours and stat.S_IMODE(path.stat().st_mode) & 0o077:
        yield doubtful("files", f"Others can read {name}: chmod 600 '{path}'.")
    for damaged in sorted(path.parent.glob(f"{path.name}*.damaged")):
        yield doubtful(
            "files",
            f"'{damaged}' holds events that could not be taken over; keep it elsewhere, as"
            " evidence.",
        )


def _can_write(path: Path) -> bool:
    if path.exists():
        return path.is_file() and os.access(path, os.W_OK)
    place = _nearest(path.parent)
    return place.is_dir() and os.access(place, os.W_OK)


def _nearest(folder: Path) -> Path:
    """
    Find the folder itself, or what there is of the way to it.
    """
    folder = folder.absolute()
    return next(each for each in (folder, *folder.parents) if each.exists())
