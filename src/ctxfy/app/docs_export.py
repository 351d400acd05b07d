"""
The catalog as a folder of Markdown: an index, and a page for each prompt.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ctxfy.adapters.api_docs.catalog_markdown import index_page
from ctxfy.app.api_description import EVERYTHING, make_pages, wire_here
from ctxfy.app.config import Settings
from ctxfy.app.first_key import base_url
from ctxfy.core.exceptions import ConfigurationError
from ctxfy.core.models.prompt_models import PromptTemplate


INDEX = "index.md"
PAGES = "prompts"
LIST = ".ctxfy-docs.json"
"""
What was written, so that it can be replaced and removed, and nothing else.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """
    What an export did, by names below the folder.
    """

    files: list[str]
    removed: list[str]


def export_docs(settings: Settings, folder: Path) -> Export:
    """
    Write the pages of all prompts, and take away those of prompts that are gone.

    Raises:
        CatalogError: The prompts hold mistakes.
        ConfigurationError: A file there is somebody else's, or cannot be written.
    """
    pages = _pages(settings)
    try:
        before = _written_before(folder)
        if foreign := [name for name in pages if name not in before and (folder / name).exists()]:
            raise ConfigurationError(
                f"'{folder / foreign[0]}' is there and was not written by this command; "
                "name another folder, or move it away."
            )
        removed = [name for name in before if name not in pages and (folder / name).is_file()]
        (folder / PAGES).mkdir(parents=True, exist_ok=True)
        _write(folder / LIST, json.dumps(sorted({*before, *pages}), indent=1) + "\n")
        for name, text in pages.items():
            _write(folder / name, text)
        for name in removed:
            (folder / name).unlink()
        _write(folder / LIST, json.dumps(sorted(pages), indent=1) + "\n")
    except OSError as error:
        raise ConfigurationError(
            f"'{error.filename}' cannot be written: {(error.strerror or str(error)).lower()}; "
            "name another folder."
        ) from error
    return Export(files=list(pages), removed=removed)


def file_names(names: Iterable[str]) -> Mapping[str, str]:
    """
    Give each prompt a file; two names that differ in capitals alone would be one on some disks.
    """
    taken: set[str] = set()
    found: dict[str, str] = {}
    for name in names:
        stem, number = name, 2
        while stem.casefold() in taken:
            stem, number = f"{name}-{number}", number + 1
        taken.add(stem.casefold())
        found[name] = f"{stem}.md"
    return found


def _pages(settings: Settings) -> dict[str, str]:
    wiring = wire_here(settings)
    queries = wiring.prompt_queries
    found = queries.list_prompts(EVERYTHING)
    files = file_names(item.name for item in found)
    address = (settings.server.public_url or base_url(settings)).rstrip("/")
    write = partial(make_pages(wiring).write, address=address)

    def place(item: PromptTemplate) -> str:
        return f"{PAGES}/{files[item.name]}"

    return {INDEX: index_page(settings.docs.title, found, address=place)} | {
        place(item): write(item, queries.list_versions(item.name, EVERYTHING)) for item in found
    }


def _written_before(folder: Path) -> list[str]:
    try:
        names = json.loads((folder / LIST).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    except ValueError:
        names = None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ConfigurationError(f"'{folder / LIST}' is damaged; name another folder.")
    return [name for name in names if _is_ours(name)]


def _is_ours(name: str) -> bool:
    # The list may have been changed by anybody: what is removed lies in one place.
    first, _, page = name.partition("/")
    return name == INDEX or (first == PAGES and page.endswith(".md") and "/" not in page)


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")
