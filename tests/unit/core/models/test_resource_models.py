"""
The files that prompts embed, by URI.
"""

from ctxfy.core.models.catalog_models import Catalog, changes_between
from ctxfy.core.models.prompt_models import (
    Message,
    PromptTemplate,
    ResourceContent,
    Role,
    TextContent,
)
from ctxfy.core.models.resource_models import resource_clashes, resources_of


def embedding(name: str, *files: tuple[str, str, str], version: str = "1") -> PromptTemplate:
    """
    A prompt that embeds files, each a URI, a path and a text.
    """
    contents = [
        ResourceContent(uri=uri, mime_type="text/plain", text=text, path=path, line=number)
        for number, (uri, path, text) in enumerate(files, start=4)
    ]
    return PromptTemplate(
        name=name,
        version=version,
        messages=(
            Message(role=Role.USER, content=TextContent(text="x")),
            *(Message(role=Role.USER, content=content) for content in contents),
        ),
    )


def test_each_uri_is_one_resource_with_all_its_holders() -> None:
    """
    Twice in one prompt and once in two others: one resource, three holders, in order of the URI.
    """
    file = ("a:b", "b.md", "text")
    templates = [
        embedding("one", file, file),
        embedding("two", file, ("a:a", "a.md", "other")),
        embedding("two", file, version="2"),
    ]
    found = resources_of(templates)
    assert list(found) == ["a:a", "a:b"]
    assert [item.version for item in found["a:b"].holders] == ["1", "1", "2"]
    assert found["a:a"].holders == (templates[1],)
    assert resource_clashes(templates) == ()


def test_a_uri_for_two_files_is_a_clash() -> None:
    """
    Found where it comes the second time, whatever the files hold.
    """
    first, second = embedding("one", ("a:b", "x.md", "t")), embedding("two", ("a:b", "y.md", "t"))
    (clash,) = resource_clashes([first, second])
    assert (clash.first[0], clash.other[0], clash.other[1].path) == (first, second, "y.md")


def test_what_changes_of_resources_is_told_apart() -> None:
    """
    Another list is one thing, other contents under a URI are another.
    """
    before = Catalog([embedding("p", ("a:a", "a.md", "1"), ("a:b", "b.md", "1"))])
    edited = Catalog([embedding("p", ("a:a", "a.md", "2"), ("a:b", "b.md", "1"))])
    shorter = Catalog([embedding("p", ("a:a", "a.md", "1"))])
    renamed = Catalog([embedding("p", ("a:a", "z.md", "1"), ("a:b", "b.md", "1"))])
    changes = [changes_between(before, after) for after in (before, edited, shorter, renamed)]
    assert [change.resources_listed for change in changes] == [False, False, True, True]
    assert [change.resources_updated for change in changes] == [(), ("a:a",), (), ()]
