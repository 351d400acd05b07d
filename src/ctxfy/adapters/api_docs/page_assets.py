"""
The files that the pages are made of: a closed list, each known by its name and its content.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable


HASH_LENGTH = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """
    One file.

    Attributes:
        name: As it is asked for: with a piece of its hash in it, so that it never changes.
    """

    name: str
    media_type: str
    content: bytes


@cache
def assets() -> Mapping[str, Asset]:
    """
    Read all of them, by the names they are asked for.
    """
    return {asset.name: asset for asset in _by_file().values()}


def asset_name(file: str) -> str:
    """
    Say what a file is asked for by.

    Raises:
        KeyError: It is none of the list.
    """
    return _by_file()[file].name


@cache
def _by_file() -> Mapping[str, Asset]:
    return {file: _asset(file, folder) for file, folder in _sources().items()}


def _asset(name: str, folder: Traversable) -> Asset:
    content = (folder / name).read_bytes()
    stem, _, ending = name.rpartition(".")
    return Asset(
        name=f"{stem}.{sha256(content).hexdigest()[:HASH_LENGTH]}.{ending}",
        media_type=_MEDIA_TYPES[ending],
        content=content,
    )


def _sources() -> Mapping[str, Traversable]:
    # The package names its folder after the version inside.
    (swagger,) = (files("swagger_ui_bundle") / "vendor").iterdir()
    ours = files("ctxfy.adapters.api_docs") / "assets"
    return dict.fromkeys(_FROM_SWAGGER, swagger) | dict.fromkeys(_OURS, ours)


_FROM_SWAGGER: tuple[str, ...] = ("swagger-ui-bundle.js", "swagger-ui.css")
_OURS: tuple[str, ...] = (
    "audit.js",
    "catalog.js",
    "explorer.css",
    "explorer.js",
    "favicon.svg",
    "keys.js",
    "pages.css",
    "pages.js",
    "prompt.js",
)
_MEDIA_TYPES: Mapping[str, str] = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
