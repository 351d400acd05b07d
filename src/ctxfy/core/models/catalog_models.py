"""
A set of prompts as one immutable value, and the order of versions.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256

from ctxfy.core.models.prompt_models import PromptTemplate
from ctxfy.core.models.resource_models import resources_of


# `[0-9]`, not `\d`, which takes the digits of every alphabet.
_VERSION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9}){0,3})(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?")

type VersionKey = tuple[tuple[int, ...], int, tuple[tuple[int, int, str], ...]]


def is_version(text: str) -> bool:
    """
    Whether the text can be ordered: up to four numbers between dots, perhaps `-prerelease`.
    """
    return _VERSION.fullmatch(text) is not None


def version_key(version: str) -> VersionKey:
    """
    Order versions as Semantic Versioning 2.0.0, section 11, does; missing numbers count as 0.

    Raises:
        ValueError: If the text is no version.
    """
    match = _VERSION.fullmatch(version)
    if match is None:
        message = f"{version!r} is not a version"
        raise ValueError(message)
    numbers = [int(part) for part in match[1].split(".")]
    release = tuple(numbers + [0] * (4 - len(numbers)))
    if match[2] is None:
        return release, 1, ()
    marks = tuple(
        (0, int(mark), "") if mark.isdigit() else (1, 0, mark) for mark in match[2].split(".")
    )
    return release, 0, marks


class Catalog:
    """
    An immutable set of prompts; look-ups do not depend on how many there are.

    Attributes:
        templates: Every version of every prompt, by name, highest version first.
        resources: What they embed, by URI.
        revision: Names this very set; changes when any prompt does.
    """

    __slots__ = ("_served", "_versions", "resources", "revision", "templates")

    def __init__(self, templates: Iterable[PromptTemplate]) -> None:
        by_name: dict[str, list[PromptTemplate]] = {}
        for template in templates:
            by_name.setdefault(template.name, []).append(template)
        self._versions = {
            name: tuple(sorted(found, key=lambda item: version_key(item.version), reverse=True))
            for name, found in sorted(by_name.items())
        }
        self._served = {name: found[0] for name, found in self._versions.items()}
        self.templates = tuple(item for found in self._versions.values() for item in found)
        self.resources = resources_of(self.templates)
        self.revision = revision_of(self.templates)

    def __len__(self) -> int:
        return len(self._served)

    def __iter__(self) -> Iterator[PromptTemplate]:
        return iter(self._served.values())

    def find(self, name: str, version: str | None = None) -> PromptTemplate | None:
        """
        Look a prompt up: the highest version, or the one that is named.
        """
        served = self._served.get(name)
        if version is None or served is None or served.version == version:
            return served
        return next((item for item in self.versions(name) if item.version == version), None)

    def versions(self, name: str) -> tuple[PromptTemplate, ...]:
        """
        List all versions of a prompt, highest first.
        """
        return self._versions.get(name, ())


def revision_of(templates: Iterable[PromptTemplate]) -> str:
    """
    Name a set of prompts by its content: 12 hex characters.
    """
    lines = sorted(f"{item.name} {item.version} {item.digest}" for item in templates)
    return sha256("\n".join(lines).encode()).hexdigest()[:12]


def revision_of_files(catalog: Catalog) -> str:
    """
    Name the prompts of files alone; those of functions stay as they are while a server runs.
    """
    return revision_of(item for item in catalog.templates if not item.is_function)


def duplicates_of(templates: Iterable[PromptTemplate]) -> tuple[tuple[PromptTemplate, ...], ...]:
    """
    Group templates that claim the same name and version; `1.0` and `1.0.0` are the same.
    """
    groups: dict[tuple[str, VersionKey], list[PromptTemplate]] = {}
    for template in templates:
        groups.setdefault((template.name, version_key(template.version)), []).append(template)
    return tuple(tuple(group) for group in groups.values() if len(group) > 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogChange:
    """
    How one set of prompts differs from another, by names.

    Attributes:
        changed: Prompts of which any version was added, removed or altered.
        resources_listed: Whether the list of resources is another.
        resources_updated: URIs of resources that were there and hold something else now.
    """

    revision: str
    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    resources_listed: bool = False
    resources_updated: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed)


def changes_between(before: Catalog, after: Catalog) -> CatalogChange:
    """
    Compare two sets of prompts.
    """
    old, new = _contents(before), _contents(after)
    return CatalogChange(
        revision=after.revision,
        added=tuple(sorted(new.keys() - old.keys())),
        changed=tuple(sorted(name for name in new.keys() & old.keys() if new[name] != old[name])),
        removed=tuple(sorted(old.keys() - new.keys())),
        resources_listed=_listing(before) != _listing(after),
        resources_updated=tuple(
            uri
            for uri, resource in after.resources.items()
            if uri in before.resources and before.resources[uri].content != resource.content
        ),
    )


def _contents(catalog: Catalog) -> dict[str, list[tuple[str, str]]]:
    return {
        item.name: [(each.version, each.digest) for each in catalog.versions(item.name)]
        for item in catalog
    }


def _listing(catalog: Catalog) -> list[tuple[str, str, str]]:
    contents = (resource.content for resource in catalog.resources.values())
    return [(item.uri, item.path, item.mime_type) for item in contents]
