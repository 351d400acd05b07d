"""
One prompt file: what it becomes, and what its author is told.
"""

# ruff: noqa: E501 - a row of a table reads best on one line

import pytest
from hypothesis import given

from ctxfy.adapters.mcp_prompts.prompt_file import Attachment, PromptFileError, read_prompt
from ctxfy.core.models.prompt_models import (
    ArgumentType,
    Content,
    PromptTemplate,
    ResourceContent,
    TextContent,
)
from tests.strategies import TEXTS


def _read(wish: Attachment) -> Content:
    if wish.path == "gone.md":
        raise PromptFileError(None, "there is no file 'gone.md' in the prompt folder")
    return ResourceContent(uri=wish.uri or "ctxfy://x", mime_type=wish.media_type or "", text="")


def _md(front: str = "", body: str = "Hello") -> PromptTemplate | list[str]:
    return _outcome("dir/greet.prompt.md", f"---\n{front}---\n{body}")


def _outcome(path: str, text: str) -> PromptTemplate | list[str]:
    found = read_prompt(path, text, _read)
    return found if isinstance(found, PromptTemplate) else [str(item) for item in found]


def _good(front: str = "", body: str = "Hello") -> PromptTemplate:
    template = _md(front, body)
    assert isinstance(template, PromptTemplate), template
    return template


def test_least() -> None:
    """
    A file needs nothing but front matter, even empty, and a text.
    """
    template = _good("description: x\n")
    assert (template.name, template.version, template.source) == (
        "greet",
        "1",
        "dir/greet.prompt.md",
    )
    assert template.messages[0].content == TextContent(text="Hello", line=4)


@pytest.mark.parametrize(
    ("version", "read"), [("2.10", "2.10"), ("1", "1"), ("1.0", "1.0"), ("'3'", "3"), ("1.0-rc.1", "1.0-rc.1"), ("010", "010")]
)  # fmt: skip
def test_versions(version: str, read: str) -> None:
    """
    A version is what was typed, not the number it looks like.
    """
    assert _good(f"version: {version}\n").version == read


def test_words() -> None:
    """
    Values such as `no` and `on` in an enum stay words.
    """
    template = _good("arguments:\n  a: {enum: [no, on, yes, 1.0, true]}\n")
    assert template.arguments[0].choices == ("no", "on", "yes", "1.0", "true")
    assert template.arguments[0].type is ArgumentType.ENUM


def test_argument_names() -> None:
    """
    An argument keeps its name as written; one with a capital is another.
    """
    template = _good("arguments: {codeUri: {}, codeuri: {}, X_1: {}}\n", "{{ codeUri }}")
    assert [argument.name for argument in template.arguments] == ["codeUri", "codeuri", "X_1"]


@pytest.mark.parametrize(
    ("written", "kind", "items"),
    [
        ("string", "string", None),
        ("enum, enum: [x]", "enum", None),
        ("string, enum: [x]", "enum", None),
        ("integer", "integer", None),
        ("object", "object", None),
        ("list", "list", "string"),
        ('"list[string]"', "list", "string"),
        ('"list[integer]"', "list", "integer"),
        ('"list[number]"', "list", "number"),
        ('"list[boolean]"', "list", "boolean"),
    ],
)
def test_types(written: str, kind: str, items: str | None) -> None:
    """
    Every type that may be written becomes one.
    """
    argument = _good(f"arguments:\n  a: {{type: {written}}}\n").arguments[0]
    assert (argument.type, argument.items) == (kind, items)


BROKEN = [
    ("name: [", "dir/greet.prompt.md:3: this is not valid YAML: "),
    ("a:\n\tb: 1", "dir/greet.prompt.md:3: this is not valid YAML: "),
    ("title: x\ntitle: y", "dir/greet.prompt.md:3: the key 'title' stands here twice"),
    ("tags: &a [x]\nowner: *a", "dir/greet.prompt.md:2: YAML aliases (*name) are not allowed here; repeat the value"),
    ("verson: 1", "dir/greet.prompt.md:2: unknown key 'verson'; did you mean 'version'?"),
    ("zzz: 1", "dir/greet.prompt.md:2: unknown key 'zzz'"),
    ("messages: []", "dir/greet.prompt.md:2: unknown key 'messages'"),
    ("arguments:\n  a:\n    requird: true", "dir/greet.prompt.md:4: unknown key 'requird' in 'arguments.a'; did you mean 'required'?"),
    ("arguments: {a: {items: string}}", "dir/greet.prompt.md:2: unknown key 'items' in 'arguments.a'"),
    ("tests:\n  - argumets: {}", "dir/greet.prompt.md:3: unknown key 'argumets' in 'tests.0'; did you mean 'arguments'?"),
    ("tests:\n  - expect:\n      contain: [x]", "dir/greet.prompt.md:4: unknown key 'contain' in 'tests.0.expect'; did you mean 'contains'?"),
    ("tests:\n  - error: {code: missing, argment: x}", "dir/greet.prompt.md:3: unknown key 'argment' in 'tests.0.error'; did you mean 'argument'?"),
    ("limits: {max_output_byte: 1}", "dir/greet.prompt.md:2: unknown key 'max_output_byte' in 'limits'; did you mean 'max_output_bytes'?"),
    ("metrics: {count: [a]}", "dir/greet.prompt.md:2: unknown key 'count' in 'metrics'; did you mean 'count_by'?"),
    ("examples: [{nme: x, name: y}]", "dir/greet.prompt.md:2: unknown key 'nme' in 'examples.0'; did you mean 'name'?"),
    ("examples: [{arguments: {}}]", "dir/greet.prompt.md:2: the key 'name' is missing in 'examples.0'"),
    ("arguments: {_a: {}}", "dir/greet.prompt.md:2: '_a' cannot be an argument's name; use letters, digits and _, beginning with a letter"),
    ("arguments: {a-b: {}}", "dir/greet.prompt.md:2: 'a-b' cannot be an argument's name; use letters, digits and _, beginning with a letter"),
    ("arguments: {1a: {}}", "dir/greet.prompt.md:2: '1a' cannot be an argument's name; use letters, digits and _, beginning with a letter"),
    ("arguments:\n  true: {}", "dir/greet.prompt.md:3: 'true' is a word of the template language; rename it"),
    ("arguments:\n  None: {}", "dir/greet.prompt.md:3: 'None' is a word of the template language; rename it"),
    ("arguments:\n  self: {}", "dir/greet.prompt.md:3: 'self' is a word of the template language; rename it"),
    ("name: a b", "dir/greet.prompt.md:2: a name has letters, digits, '_', '.' and '-' only, and begins with a letter or digit"),
    ("name: -a", "dir/greet.prompt.md:2: a name has letters, digits, '_', '.' and '-' only, and begins with a letter or digit"),
    ("version: v1", "dir/greet.prompt.md:2: 'v1' is not a version; write for example 2.1.0"),
    ("version: 1.2.3.4.5", "dir/greet.prompt.md:2: '1.2.3.4.5' is not a version; write for example 2.1.0"),
    ("scope: root", "dir/greet.prompt.md:2: 'scope': input should be 'read', 'write' or 'admin'"),
    ("title: [x]", "dir/greet.prompt.md:2: 'title': input should be a valid string"),
    ("tags: x", "dir/greet.prompt.md:2: 'tags': input should be a valid list"),
    ("arguments: {a: {type: text}}", "dir/greet.prompt.md:2: 'type' in 'arguments.a': input should be 'string', "),
    ("arguments: {a: {required: yes}}", "dir/greet.prompt.md:2: 'required' in 'arguments.a': input should be a valid boolean"),
    ("arguments:\n  a: {required: true, default: x}", "dir/greet.prompt.md:3: argument 'a': it is required, so it cannot have a default"),
    ("arguments:\n  a: {type: enum}", "dir/greet.prompt.md:3: argument 'a': its type is enum, so it needs 'enum:' with the values allowed"),
    ("arguments:\n  a: {type: integer, enum: [x]}", "dir/greet.prompt.md:3: argument 'a': 'enum:' is for texts and lists of texts, not for integer"),
    ("arguments:\n  a: {type: integer, pattern: x}", "dir/greet.prompt.md:3: argument 'a': 'pattern:' is for type string"),
    ("arguments:\n  a: {minimum: 1}", "dir/greet.prompt.md:3: argument 'a': 'minimum:' and 'maximum:' are for integer and number"),
    ("arguments:\n  a: {type: object, max_length: 1}", "dir/greet.prompt.md:3: argument 'a': 'min_length:' and 'max_length:' are for strings and lists"),
    ("arguments:\n  a: {min_length: 2, max_length: 1}", "dir/greet.prompt.md:3: argument 'a': 'min_length:' is above 'max_length:', so nothing could be given"),
    ("arguments:\n  a: {type: number, minimum: 2, maximum: 1.5}", "dir/greet.prompt.md:3: argument 'a': 'minimum:' is above 'maximum:', so nothing could be given"),
    ("arguments: {a: {type: number, maximum: 1e999}}", "dir/greet.prompt.md:2: 'maximum' in 'arguments.a': input should be a finite number"),
    ("arguments: {a: {min_length: -1}}", "dir/greet.prompt.md:2: 'min_length' in 'arguments.a': input should be greater than or equal to 0"),
    ("tests:\n  - {}", "dir/greet.prompt.md:3: a test has either 'expect:' or 'error:'"),
    ("tests:\n  - {expect: {}, error: {code: missing}}", "dir/greet.prompt.md:3: a test has either 'expect:' or 'error:'"),
    ("tests: [{error: {code: nope}}]", "dir/greet.prompt.md:2: 'code' in 'tests.0.error': input should be 'missing', "),
    ("metrics: {count_by: [a]}", "dir/greet.prompt.md:2: count_by takes arguments with an enum; 'a' has none"),
    ("arguments: {a: {}}\nmetrics: {count_by: [a]}", "dir/greet.prompt.md:3: count_by takes arguments with an enum; 'a' has none"),
    ("limits: {max_output_bytes: 0}", "dir/greet.prompt.md:2: 'max_output_bytes' in 'limits': input should be greater than or equal to 1"),
    ("limits: {max_output_bytes: 4000001}", "dir/greet.prompt.md:2: 'max_output_bytes' in 'limits': input should be less than or equal to 4000000"),
    ("- a", "dir/greet.prompt.md:1: the keys of the prompt (name, description, ...) are missing"),
    ("just words", "dir/greet.prompt.md:1: the keys of the prompt (name, description, ...) are missing"),
    ("", "dir/greet.prompt.md:1: the keys of the prompt (name, description, ...) are missing"),
]  # fmt: skip


@pytest.mark.parametrize(("front", "sentence"), BROKEN)
def test_front_matter(front: str, sentence: str) -> None:
    """
    Each mistake in front matter is told with its line and its remedy.
    """
    problems = _md(f"{front}\n")
    assert isinstance(problems, list)
    assert problems[0].startswith(sentence)


def test_all_at_once() -> None:
    """
    All mistakes of one kind are told together, in the order of the file.
    """
    problems = _md("versoin: 1\narguments:\n  a: {requird: true}\n  _b: {}\nscope: root\n")
    assert isinstance(problems, list)
    assert [problem.split(":")[1] for problem in problems] == ["2", "4", "5", "6"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "1: the file must begin with '---' and its front matter (name, description, ...)"),
        ("Hello", "1: the file must begin with '---' and its front matter (name, description, ...)"),
        ("\n---\n---\nx", "1: the file must begin with '---' and its front matter (name, description, ...)"),
        (" ---\na: b\n---\nx", "1: the file must begin with '---' and its front matter (name, description, ...)"),
        ("---\nname: a\nHello", "1: the front matter has no end: a line '---' is missing after it"),
        ("---\nname: a\n ---\nHello", "1: the front matter has no end: a line '---' is missing after it"),
        ("---\nname: a\n---\n", "4: the prompt has no text below its front matter"),
        ("---\nname: a\n---\n \n\t\n", "4: the prompt has no text below its front matter"),
        ("---\nname: a\n---\n<!-- @user -->\n", "4: the prompt has no text below its front matter"),
        ("---\nname: a\n---", "4: the prompt has no text below its front matter"),
        ("---\nname: a\n---\nx\n<!-- @system -->\ny", "5: there is no marker @system; use @user, @assistant, @resource or @image (MCP prompts have no system role)"),
        ("---\nname: a\n---\nx\n\n<!-- @todo x -->\ny", "6: there is no marker @todo; use @user, @assistant, @resource or @image"),
        ("---\nname: a\n---\n<!-- @user now -->\ny", "4: @user takes nothing after it"),
        ("---\nname: a\n---\n<!-- @assistant --> y -->", "4: @assistant takes nothing after it"),
        ("---\nname: a\n---\n<!-- @resource -->\ny", "4: @resource needs the path of a file below the prompt folder"),
        ("---\nname: a\n---\n<!-- @image -->\ny", "4: @image needs the path of a file below the prompt folder"),
        ("---\nname: a\n---\n<!-- @resource a b -->\ny", "4: @resource: 'b' is not of the form key=value"),
        ("---\nname: a\n---\n<!-- @resource a mime=x -->\ny", "4: @resource does not know 'mime='"),
        ("---\nname: a\n---\n<!-- @image a.png uri=x:y -->\ny", "4: @image does not know 'uri='"),
        ("---\nname: a\n---\nx\n<!-- @resource gone.md -->", "5: there is no file 'gone.md' in the prompt folder"),
    ],
)  # fmt: skip
def test_bodies(text: str, sentence: str) -> None:
    """
    Each mistake in a body is told with its line and its remedy.
    """
    assert _outcome("a.prompt.md", text) == [f"a.prompt.md:{sentence}"]


YAML = "name: a\nmessages:\n"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("name: a", "1: the key 'messages' is missing"),
        ("name: a\nmessages: []", "2: 'messages': list should have at least 1 item"),
        (YAML + "  - {role: system, text: x}", "3: 'role' in 'messages.0': input should be 'user' or 'assistant'"),
        (YAML + "  - {role: user}", "3: a message has exactly one of text, resource and image"),
        (YAML + "  - {text: x}\n  - {text: x, image: y}", "4: a message has exactly one of text, resource and image"),
        (YAML + "  - {txt: x}", "3: unknown key 'txt' in 'messages.0'; did you mean 'text'?"),
        (YAML + "  - {text: x, uri: 'a:b'}", "3: 'uri:' and 'type:' are for resources"),
        (YAML + "  - {image: x, type: a/b}", "3: 'uri:' and 'type:' are for resources"),
        (YAML + "  - role: user\n    text: ''", "4: the message has no text"),
        (YAML + "  - text: |\n      \n", "3: the message has no text"),
        (YAML + "  - {resource: gone.md}", "3: there is no file 'gone.md' in the prompt folder"),
        (YAML + "  - {resource: ''}", "3: @resource needs the path of a file below the prompt folder"),
        (YAML + "  - text: {{ x }}", "3: a key must be a plain word; put { and [ between quotes"),
    ],
)  # fmt: skip
def test_yaml_form(text: str, sentence: str) -> None:
    """
    Each mistake of the YAML form is told with its line and its remedy.
    """
    found = _outcome("a.prompt.yaml", text)
    assert isinstance(found, list)
    assert found[0].startswith(f"a.prompt.yaml:{sentence}")


def test_lines_of_texts() -> None:
    """
    It is known where the text of each message begins, in both forms and all styles.
    """
    body = "\none\n<!-- @assistant -->\n\n\ntwo\n"
    assert [m.content.line for m in _good("name: a\n", body).messages if isinstance(m.content, TextContent)] == [5, 9]  # fmt: skip
    yaml = (
        YAML
        + '  - text: |\n\n      one\n  - text: two\n  - text: "three"\n  - role: user\n    text: >-\n      four\n'
    )
    found = _outcome("a.prompt.yml", yaml)
    assert isinstance(found, PromptTemplate)
    texts = [m.content for m in found.messages if isinstance(m.content, TextContent)]
    assert [(t.text, t.line) for t in texts] == [
        ("\none\n", 4),
        ("two", 6),
        ("three", 7),
        ("four", 10),
    ]


def test_roles() -> None:
    """
    An attachment takes the role it stands in, and the text after it goes on in that role.
    """
    body = (
        "a\n<!-- @assistant -->\nb\n<!-- @resource r.md uri=x:y type=a/b -->\nc\n<!-- @user -->\nd"
    )
    template = _good("name: a\n", body)
    assert [str(message.role) for message in template.messages] == [
        "user",
        *["assistant"] * 3,
        "user",
    ]
    assert template.messages[2].content == ResourceContent(uri="x:y", mime_type="a/b", text="")


@pytest.mark.parametrize(
    ("path", "name"),
    [("a.prompt.md", "a"), ("x/y/b.c.prompt.md", "b.c"), ("a b.prompt.md", None), ("-.prompt.md", None)],
)  # fmt: skip
def test_default_name(path: str, name: str | None) -> None:
    """
    Without a name the file's is taken, if it can be one.
    """
    found = _outcome(path, "---\ntitle: x\n---\nHello")
    if name is None:
        assert isinstance(found, list)
        assert "cannot be a prompt's name; give one under 'name:'" in found[0]
    else:
        assert isinstance(found, PromptTemplate)
        assert found.name == name


@given(front=TEXTS, body=TEXTS)
def test_any_file(front: str, body: str) -> None:
    """
    Any text becomes a prompt or a list of problems, never an exception.
    """
    for path in ("a.prompt.md", "a.prompt.yaml"):
        found = read_prompt(path, f"---\n{front}\n---\n{body}", _read)
        assert isinstance(found, PromptTemplate) or found
