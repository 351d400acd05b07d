"""
The order of versions, and a set of prompts as one value.
"""

from copy import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctxfy.core.models.catalog_models import (
    Catalog,
    changes_between,
    duplicates_of,
    is_version,
    revision_of,
    revision_of_files,
    version_key,
)
from ctxfy.core.models.prompt_models import PromptTemplate
from tests.builders import make_template


# Semantic Versioning 2.0.0, section 11, and numbers of other lengths between.
ASCENDING = [
    "0",
    "0.0.1",
    "0.9",
    "0.10",
    "1.0.0-0",
    "1.0.0-1",
    "1.0.0-2",
    "1.0.0-11",
    "1.0.0--",
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-alpha.beta",
    "1.0.0-beta",
    "1.0.0-beta.2",
    "1.0.0-beta.11",
    "1.0.0-rc.1",
    "1",
    "1.0.0.1",
    "1.0.1",
    "1.2",
    "1.9.9",
    "1.10",
    "2.0-a",
    "2",
    "10",
    "2026.11.22",
    "999999999.999999999.999999999.999999999",
]

VERSIONS = st.from_regex(
    r"\A[0-9]{1,3}(\.[0-9]{1,3}){0,3}(-[0-9a-z-]{1,3}(\.[0-9a-z-]{1,3}){0,2})?\Z"
)


@pytest.mark.parametrize(("lower", "higher"), list(pairwise(ASCENDING)))
def test_precedence(lower: str, higher: str) -> None:
    """
    Each version of the list is below the next.
    """
    assert version_key(lower) < version_key(higher)


@given(versions=st.lists(st.sampled_from(ASCENDING), unique=True))
def test_sorting(versions: list[str]) -> None:
    """
    In whatever order versions come, they are sorted the same way.
    """
    assert sorted(versions, key=version_key) == sorted(versions, key=ASCENDING.index)


@given(first=VERSIONS, second=VERSIONS, third=VERSIONS)
def test_total_order(first: str, second: str, third: str) -> None:
    """
    Any two versions can be compared, and the comparison is transitive.
    """
    low, middle, high = sorted(map(version_key, (first, second, third)))
    assert low <= middle <= high
    assert low <= high


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1", "1.0.0"),
        ("1.0", "1.0.0.0"),
        ("1.0-rc.1", "1.0.0-rc.1"),
        ("01.2", "1.02"),
        ("1-a.01", "1-a.1"),
    ],
)
def test_same_version(one: str, other: str) -> None:
    """
    Missing numbers count as 0, and leading zeros do not count.
    """
    assert version_key(one) == version_key(other)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "v1",
        "1.",
        ".1",
        "1..2",
        "1.2.3.4.5",
        "1.0-",
        "1.0-a..b",
        "1.0-a.",
        "1.0+build",
        "1.0 ",
        " 1.0",
        "1.0\n",
        "-1",
        "1.0-ä",
        "\u0661",
        "1.\uff11",
        "1234567890",
        "latest",
        "1,0",
    ],
)
def test_not_a_version(text: str) -> None:
    """
    What cannot be ordered is no version, digits of other alphabets included.
    """
    assert not is_version(text)
    with pytest.raises(ValueError, match="is not a version"):
        version_key(text)


@given(text=st.text())
def test_any_text_as_version(text: str) -> None:
    """
    A text either is a version and has a place, or is refused by name.
    """
    if is_version(text):
        assert len(version_key(text)) == 3
    else:
        with pytest.raises(ValueError, match="is not a version"):
            version_key(text)


def test_highest_is_served() -> None:
    """
    The catalog serves the highest version, a release before its prereleases.
    """
    versions = ["1.9", "1.10-rc.1", "1.10", "1.2"]
    catalog = Catalog(make_template("x", version=version) for version in versions)
    assert [item.version for item in catalog] == ["1.10"]
    assert [item.version for item in catalog.versions("greet")] == [
        "1.10",
        "1.10-rc.1",
        "1.9",
        "1.2",
    ]
    found = catalog.find("greet")
    assert found is not None
    assert found.version == "1.10"


def test_find() -> None:
    """
    A version is found as it is written, and what is not there is not found.
    """
    first = make_template("x", version="1.0")
    catalog = Catalog([first, make_template("x", version="2")])
    assert catalog.find("greet", "1.0") == first
    assert catalog.find("greet", "1.0.0") is None
    assert catalog.find("greet", "3") is None
    assert catalog.find("other") is None
    assert catalog.find("other", "1.0") is None
    assert catalog.versions("other") == ()


def test_order_and_size() -> None:
    """
    Prompts come by name, and the size counts names, not versions.
    """
    catalog = Catalog(
        [
            make_template("x", name="b"),
            make_template("x", name="a", version="1"),
            make_template("x", name="a", version="2"),
        ]
    )
    assert len(catalog) == 2
    assert [item.name for item in catalog] == ["a", "b"]
    assert [(item.name, item.version) for item in catalog.templates] == [
        ("a", "2"),
        ("a", "1"),
        ("b", "1"),
    ]


@given(order=st.permutations(["a", "b", "c", "d"]))
def test_revision_ignores_order(order: list[str]) -> None:
    """
    The same prompts make the same revision, however they were found.
    """
    templates = {name: make_template("x", name=name, digest=name * 64) for name in "abcd"}
    catalog = Catalog(templates[name] for name in order)
    assert catalog.revision == revision_of(templates.values())
    assert len(catalog.revision) == 12


@pytest.mark.parametrize(
    "changed",
    [
        make_template("x", digest="0" * 64, name="other"),
        make_template("x", digest="0" * 64, version="2"),
        make_template("x", digest="f" * 64),
    ],
)
def test_revision_follows_content(changed: PromptTemplate) -> None:
    """
    Another name, version or content makes another revision.
    """
    one = make_template("x", digest="0" * 64)
    assert revision_of([one]) != revision_of([changed])
    assert revision_of([one]) != revision_of([])


def test_functions_are_no_part_of_the_revision_of_files() -> None:
    """
    A folder is compared with what was checked, whatever modules are beside it.
    """
    file = make_template("x", digest="0" * 64)
    function = replace(_of("f"), is_function=True)
    assert revision_of_files(Catalog([file, function])) == revision_of([file])
    assert Catalog([file, function]).revision != revision_of([file])


def test_revision_stays() -> None:
    """
    Where a file lies is no content.
    """
    one = make_template("x", digest="0" * 64)
    assert revision_of([one]) == revision_of([replace(one, source="moved.prompt.md")])


def test_duplicates() -> None:
    """
    The same name with the same version, however written, is a duplicate; nothing else is.
    """
    templates = [
        make_template("x", version="1.0"),
        make_template("x", version="1.0.0"),
        make_template("x", version="1.1"),
        make_template("x", name="other", version="1.0"),
        make_template("x", version="1"),
    ]
    groups = [[item.version for item in group] for group in duplicates_of(templates)]
    assert groups == [["1.0", "1.0.0", "1"]]


def test_what_changed_between_two_sets_is_told_by_name() -> None:
    """
    A prompt has changed if any version of it came, went or became another text.
    """
    before = Catalog([_of("same"), _of("edited"), _of("gone"), _of("grown")])
    after = Catalog(
        [_of("same"), _of("edited", digest="2"), _of("new"), _of("grown"), _of("grown", "2")]
    )
    change = changes_between(before, after)
    assert (change.added, change.changed, change.removed) == (
        ("new",),
        ("edited", "grown"),
        ("gone",),
    )
    assert change.revision == after.revision
    assert change
    assert not changes_between(after, after)


def _of(name: str, version: str = "1", digest: str = "1") -> PromptTemplate:
    return PromptTemplate(name=name, version=version, digest=digest)
