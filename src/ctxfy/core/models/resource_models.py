"""
The files that prompts embed, as resources of their own: one for each URI.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ctxfy.core.models.prompt_models import PromptTemplate, ResourceContent


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """
    One file under one URI.

    Attributes:
        holders: The prompts that embed it, every version; whoever may use one of them may read it.
    """

    content: ResourceContent
    holders: tuple[PromptTemplate, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceClash:
    """
    Two places that give one URI to different files, or one file two types under it.
    """

    first: tuple[PromptTemplate, ResourceContent]
    other: tuple[PromptTemplate, ResourceContent]


def resources_of(templates: Iterable[PromptTemplate]) -> Mapping[str, Resource]:
    """
    Gather what prompts embed, by URI, in the order of the URIs.
    """
    contents: dict[str, ResourceContent] = {}
    holders: dict[str, dict[int, PromptTemplate]] = {}
    for template, content in _embedded(templates):
        contents.setdefault(content.uri, content)
        holders.setdefault(content.uri, {})[id(template)] = template
    return MappingProxyType(
        {
            uri: Resource(content=contents[uri], holders=tuple(holders[uri].values()))
            for uri in sorted(contents)
        }
    )


def resource_clashes(templates: Iterable[PromptTemplate]) -> tuple[ResourceClash, ...]:
    """
    Find the places where a URI is given to another file, or type, than it was before.
    """
    first: dict[str, tuple[PromptTemplate, ResourceContent]] = {}
    clashes: list[ResourceClash] = []
    for template, content in _embedded(templates):
        known = first.setdefault(content.uri, (template, content))
        if _file_of(known[1]) != _file_of(content):
            clashes.append(ResourceClash(first=known, other=(template, content)))
    return tuple(clashes)


def _embedded(
    templates: Iterable[PromptTemplate],
) -> Iterator[tuple[PromptTemplate, ResourceContent]]:
    for template in templates:
        for message in template.messages:
            if isinstance(message.content, ResourceContent):
                yield template, message.content


def _file_of(content: ResourceContent) -> tuple[str, str]:
    return content.path, content.mime_type
