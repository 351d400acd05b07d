"""
The files that the explorer is made of: a closed list, each known by its name and its content.
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
    found = [_asset(name, folder) for name, folder in _sources().items()]
    return {asset.name: asset for asset in found}


@cache
def page() -> bytes:
    """
    Write the page, which names the files as they are now.
    """
    text = (_pages() / "explorer.html").read_text(encoding="utf-8")
    for asset in assets().values():
        stem, _, ending = asset.name.rsplit(".", 2)
        text = text.replace(f"docs/assets/{stem}.{ending}", f"docs/assets/{asset.name}")
    return text.encode()


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
    return dict.fromkeys(_FROM_SWAGGER, swagger) | {name: _pages() for name in _OURS}


def _pages() -> Traversable:
    return files("ctxfy.adapters.api_docs") / "pages"


_FROM_SWAGGER: tuple[str, ...] = ("swagger-ui-bundle.js", "swagger-ui.css", "favicon-32x32.png")
_OURS: tuple[str, ...] = ("explorer.js", "explorer.css")
_MEDIA_TYPES: Mapping[str, str] = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "png": "image/png",
}
