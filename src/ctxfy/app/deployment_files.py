"""
The files to deploy with, which ship inside the package.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from ctxfy.core.exceptions import ConfigurationError


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedFiles:
    """
    What became of a folder; names are relative to it.

    Attributes:
        written: Files that were made, or made anew.
        same: Files that were there as they are here.
        kept: Files that are different there, and were left.
    """

    written: list[str]
    same: list[str]
    kept: list[str]


def deployment_files() -> dict[str, bytes]:
    """
    Read every file that ships, by its path.
    """
    return dict(_below(files("ctxfy.app") / "deployment", ""))


def export_deployment(folder: Path, *, force: bool = False) -> ExportedFiles:
    """
    Write the files of this version into a folder; a changed one there is kept unless forced.

    Raises:
        ConfigurationError: The folder is a file, or may not be written to.
    """
    done = ExportedFiles(written=[], same=[], kept=[])
    try:
        for name, content in sorted(deployment_files().items()):
            file = folder / name
            if file.is_file() and file.read_bytes() == content:
                done.same.append(name)
            elif file.exists() and not force:
                done.kept.append(name)
            else:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content)
                done.written.append(name)
    except OSError as error:
        raise ConfigurationError(
            f"'{error.filename}' cannot be written: {(error.strerror or str(error)).lower()}; "
            "name another folder."
        ) from error
    return done


def _below(place: Traversable, path: str) -> Iterator[tuple[str, bytes]]:
    for entry in place.iterdir():
        name = f"{path}{entry.name}"
        if entry.is_dir():
            if entry.name != "__pycache__":
                yield from _below(entry, f"{name}/")
        else:
            yield name, entry.read_bytes()
