"""
A prompt folder into a catalog: what is read, what is not, and what its author is told.
"""

# ruff: noqa: E501 - a row of a table reads best on one line

import os
from pathlib import Path

import pytest

from ctxfy.core.models.prompt_models import ImageContent, ResourceContent
from tests.builders import load, problems_of, write_files


GOOD = "---\nname: {name}\nversion: {version}\n---\nHello"
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 20
ONE = {"a.prompt.md": GOOD.format(name="a", version="1")}


def _md(body: str, front: str = "name: a\n") -> dict[str, str | bytes]:
    return {"a.prompt.md": f"---\n{front}---\n{body}"}


def test_finds_files(tmp_path: Path) -> None:
    """
    Prompt files are found in all folders but those with dot names, and nothing else is.
    """
    prompt = GOOD.format(name="{name}", version="1")
    names = ["a.prompt.md", "x/b.prompt.yaml", "x/y/c.prompt.yml", ".d.prompt.md", ".x/e.prompt.md", "README.md", "f.md", "g.prompt.txt"]  # fmt: skip
    for name in names:
        text = prompt.replace("{name}", name.rpartition("/")[2][0])
        if name.endswith(("yaml", "yml")):
            text = "messages: [{text: Hello}]"
        write_files(tmp_path, {name: text})
    assert [item.source for item in load(tmp_path).catalog] == [
        "a.prompt.md",
        "x/b.prompt.yaml",
        "x/y/c.prompt.yml",
    ]


@pytest.mark.parametrize("content", ["\ufeff", ""])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_encodings(tmp_path: Path, content: str, end: str) -> None:
    """
    A byte order mark and the line breaks of other systems change nothing.
    """
    text = "---\nname: a\narguments: {x: {}}\n---\nOne\n<!-- @assistant -->\nTwo {{ y }}"
    write_files(tmp_path, {"a.prompt.md": (content + text.replace("\n", end)).encode()})
    assert problems_of(tmp_path) == [
        "a.prompt.md:7: 'y' is not an argument; declare it under 'arguments:'"
    ]


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({"a.prompt.md": b"---\nname: a\n---\n\xff\xfe"}, "a.prompt.md: 'a.prompt.md' is not UTF-8 text; save it as UTF-8"),
        ({"a.prompt.md": "x" * 2_000_001}, "a.prompt.md: 'a.prompt.md' is larger than 2000000 bytes"),
        (_md("<!-- @resource gone.md -->"), "a.prompt.md:4: there is no file 'gone.md' in the prompt folder"),
        (_md("x\n{% include 'gone.md' %}"), "a.prompt.md:5: there is no file 'gone.md' in the prompt folder"),
        (_md("{% include 'p' %}") | {"p": "\n{% include 'gone.md' %}"}, "p:2: there is no file 'gone.md' in the prompt folder"),
        (_md("{% include 'p' %}") | {"p": b"\xff"}, "a.prompt.md:4: 'p' is not UTF-8 text; save it as UTF-8"),
        (_md("{% include 'p' %}") | {"p": "{{ zzz }}"}, "p:1: 'zzz' is not an argument; declare it under 'arguments:'"),
        (_md("{% include '../x' %}"), "a.prompt.md:4: '../x' leads out of the prompt folder; name a file inside it"),
        (_md("{% include 'a/../../x' %}"), "a.prompt.md:4: 'a/../../x' leads out of the prompt folder; name a file inside it"),
        (_md("{% include '/etc/passwd' %}"), "a.prompt.md:4: '/etc/passwd' leads out of the prompt folder; name a file inside it"),
        (_md("<!-- @resource /etc/passwd -->"), "a.prompt.md:4: '/etc/passwd' leads out of the prompt folder; name a file inside it"),
        (_md("<!-- @resource a\\b -->"), "a.prompt.md:4: 'a\\b' leads out of the prompt folder; name a file inside it"),
        (_md("<!-- @resource .env -->") | {".env": "x"}, "a.prompt.md:4: '.env' has a name that begins with a dot; those are not read"),
        (_md("<!-- @resource x/.git/y -->"), "a.prompt.md:4: 'x/.git/y' has a name that begins with a dot; those are not read"),
        (_md("<!-- @resource d -->") | {"d/x": ""}, "a.prompt.md:4: 'd' is not a file"),
        (_md(f"<!-- @resource {'n' * 300} -->"), f"a.prompt.md:4: there is no file '{'n' * 300}' in the prompt folder"),
        (_md("<!-- @resource r.md uri=nothing -->") | {"r.md": ""}, "a.prompt.md:4: 'nothing' is no URI; write for example ctxfy://nothing"),
        (_md("<!-- @resource r.md uri=http://a.example -->") | {"r.md": ""}, "a.prompt.md:4: the URI 'http://a.example' is not in its normal form; write 'http://a.example/'"),
    (_md("<!-- @resource r.md uri=x:y -->\n<!-- @resource s.md uri=x:y -->") | {"r.md": "", "s.md": ""}, "a.prompt.md:5: the URI 'x:y' is that of 'r.md' as text/markdown too (a.prompt.md:4); give one of them another 'uri='"),
    (_md("<!-- @resource r.md -->\n<!-- @resource r.md type=text/plain -->") | {"r.md": ""}, "a.prompt.md:5: the URI 'ctxfy://resources/r.md' is that of 'r.md' as text/markdown too (a.prompt.md:4); give one of them another 'uri='"),
    (_md("<!-- @image x.svg -->") | {"x.svg": ""}, "a.prompt.md:4: 'x.svg' is no image that clients show; use one of .png, .jpg, .jpeg, .gif, .webp"),
        (_md("<!-- @image x.png -->") | {"x.png": "no"}, "a.prompt.md:4: 'x.png' does not hold the image/png its name promises"),
        (_md("<!-- @image x.png -->") | {"x.png": PNG * 100_000}, "a.prompt.md:4: 'x.png' is larger than 2000000 bytes"),
        (_md("<!-- @image gone.png -->"), "a.prompt.md:4: there is no file 'gone.png' in the prompt folder"),
        (_md("x", "name: a\narguments: {b: {pattern: '('}}\n"), "a.prompt.md:3: the pattern of 'b' is no regular expression of Rust's dialect: "),
        (_md("x", "name: a\narguments: {b: {pattern: '(?=x)'}}\n"), "a.prompt.md:3: the pattern of 'b' is no regular expression of Rust's dialect: "),
        (_md("x", "name: a\narguments: {b: {enum: [x], default: y}}\n"), "a.prompt.md:3: the default of 'b' is not allowed: Argument 'b' must be one of: x."),
        (_md("x", "name: a\narguments: {b: {type: integer, example: y}}\n"), "a.prompt.md:3: the example of 'b' is not allowed: Argument 'b' must be a whole number, such as 3."),
        (_md("x", "name: a\narguments: {b: {required: true}}\nexamples: [{name: e}]\n"), "a.prompt.md:4: the example 'e' is not allowed: Argument 'b' is required."),
        (_md("x", "name: a\nexamples: [{name: e, arguments: {c: 1}}]\n"), "a.prompt.md:3: the example 'e' is not allowed: There is no argument 'c'. It takes none."),
        (ONE | {"b.prompt.md": GOOD.format(name="a", version="1.0")}, "b.prompt.md: prompt 'a' version 1.0 is in a.prompt.md too; give one of them another name or version"),
    ],
)  # fmt: skip
def test_mistakes(tmp_path: Path, files: dict[str, str | bytes], sentence: str) -> None:
    """
    Each mistake of a folder is told with its file, its line where there is one, and its remedy.
    """
    problems = problems_of(write_files(tmp_path, files))
    assert len(problems) == 1
    assert problems[0].startswith(sentence)


@pytest.mark.parametrize(
    ("files", "told"),
    [
        (
            _md(
                "<!-- @user x -->\n<!-- @sytem -->\n<!-- @image gone.png -->\nHi",
                "nam: a\narguments: {b: {required: yes}}\n",
            ),
            {
                2: "unknown key 'nam'",
                3: "'required' in 'arguments.b'",
                5: "@user takes",
                6: "there is no marker @sytem",
                7: "there is no file 'gone.png'",
            },
        ),
        (
            _md("@ssistant", "version: x y\narguments:\n  b: {type: enum}\n  c: {minimum: 1}\n"),
            {
                2: "'x y' is not a version",
                4: "argument 'b': its type",
                5: "argument 'c': 'minimum:'",
            },
        ),
        (
            {"a.prompt.yaml": "messages:\n- {text: ' '}\n- {}\n- {text: x, uri: y}\n"},
            {2: "the message has no text", 3: "a message has exactly one", 4: "'uri:' and 'type:'"},
        ),
        (
            _md(
                "{{ e }}",
                "arguments:\n  b:\n    type: integer\n    default: x\n    example: y\n"
                "examples:\n- name: one\n  arguments:\n    b: z\n",
            ),
            {
                5: "the default of 'b'",
                6: "the example of 'b'",
                10: "the example 'one'",
                12: "'e' is",
            },
        ),
    ],
    ids=["above-and-below", "contradictions", "yaml", "declarations"],
)
def test_several_mistakes_are_told_at_once(
    tmp_path: Path, files: dict[str, str | bytes], told: dict[int, str]
) -> None:
    """
    What is wrong with the keys does not hide what is wrong with the text, and each has its line.
    """
    found = {}
    for problem in problems_of(write_files(tmp_path, files)):
        place, _, sentence = problem.partition(": ")
        found[int(place.rpartition(":")[2])] = sentence
    assert found.keys() == told.keys()
    assert all(found[line].startswith(words) for line, words in told.items())


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("gone", "the prompts folder '{root}' does not exist; create it, or name another"),
        ("file", "'{root}' is a file; the prompts folder must be a folder"),
        ("empty", "the folder holds no prompts; add a file such as 'hello.prompt.md'"),
        ("loop", "the prompts folder '{root}' does not exist; create it, or name another"),
    ],
)
def test_no_folder(tmp_path: Path, name: str, sentence: str) -> None:
    """
    A folder that is not there, is no folder, or is empty is refused by name.
    """
    (tmp_path / "file").write_text("x")
    (tmp_path / "empty").mkdir()
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    root = tmp_path / name
    assert problems_of(root) == [f"{root}: {sentence.format(root=root)}"]


def test_links_out(tmp_path: Path) -> None:
    """
    A link that leads out of the folder is refused, as a prompt, a resource or a folder on the way.
    """
    outside = write_files(tmp_path / "out", {"secret.md": "top secret"} | ONE)
    root = write_files(tmp_path / "in", _md("<!-- @resource link.md -->"))
    (root / "link.md").symlink_to(outside / "secret.md")
    out = "is a link that leads out of the prompt folder"
    assert problems_of(root) == [f"a.prompt.md:4: 'link.md' {out}"]
    (root / "b.prompt.md").symlink_to(outside / "a.prompt.md")
    assert f"b.prompt.md: 'b.prompt.md' {out}" in problems_of(root)
    (root / "b.prompt.md").unlink()
    (root / "dir").symlink_to(outside)
    write_files(root, _md("{% include 'dir/secret.md' %}"))
    assert problems_of(root) == [f"a.prompt.md:4: 'dir/secret.md' {out}"]


def test_links_inside(tmp_path: Path) -> None:
    """
    A link that stays in the folder is followed; one that leads nowhere or in a circle is missing.
    """
    root = write_files(tmp_path, _md("{% include 'link' %}") | {"p.md": "Partial"})
    (root / "link").symlink_to("p.md")
    assert len(load(root).catalog) == 1
    (root / "link").unlink()
    for target in ("link", "gone"):
        (root / "link").symlink_to(target)
        assert problems_of(root) == ["a.prompt.md:4: there is no file 'link' in the prompt folder"]
        (root / "link").unlink()


def test_special_files(tmp_path: Path) -> None:
    """
    A pipe is no prompt and nobody waits for it.
    """
    os.mkfifo(tmp_path / "a.prompt.md")
    assert problems_of(tmp_path) == ["a.prompt.md: 'a.prompt.md' is not a file"]


def test_mounted_config_map(tmp_path: Path) -> None:
    """
    The links by which Kubernetes swaps a mounted folder are followed, at each load anew.
    """
    for version in ("1", "2"):
        write_files(
            tmp_path / f"..v{version}", {"a.prompt.md": GOOD.format(name="a", version=version)}
        )
    (tmp_path / "..data").symlink_to("..v1")
    (tmp_path / "a.prompt.md").symlink_to("..data/a.prompt.md")
    first = load(tmp_path)
    (tmp_path / "..tmp").symlink_to("..v2")
    (tmp_path / "..tmp").rename(tmp_path / "..data")
    second = load(tmp_path)
    assert [item.version for item in (*first.catalog, *second.catalog)] == ["1", "2"]
    assert first.catalog.revision != second.catalog.revision


def test_root_is_a_link(tmp_path: Path) -> None:
    """
    The folder itself may be a link, and is resolved at each load.
    """
    for name in ("a", "b"):
        write_files(tmp_path / name, {"x.prompt.md": GOOD.format(name=name, version="1")})
    link = tmp_path / "prompts"
    link.symlink_to("a")
    assert [item.name for item in load(link).catalog] == ["a"]
    link.unlink()
    link.symlink_to("b")
    assert [item.name for item in load(link).catalog] == ["b"]


def test_attachments(tmp_path: Path) -> None:
    """
    Resources keep their text or bytes, type and address; images their data.
    """
    body = "<!-- @resource r.md -->\n<!-- @resource d/b.bin uri=x:y type=a/b -->\n<!-- @image i.png -->\n"
    files = _md(body) | {"r.md": "{{ x }}\r\n", "d/b.bin": b"\xff\x00", "i.png": PNG}
    (template,) = load(write_files(tmp_path, files)).catalog
    assert [message.content for message in template.messages] == [
        ResourceContent(uri="ctxfy://resources/r.md", mime_type="text/markdown", text="{{ x }}\n"),
        ResourceContent(uri="x:y", mime_type="a/b", blob=b"\xff\x00"),
        ImageContent(mime_type="image/png", data=PNG),
    ]


def test_address_of_odd_names(tmp_path: Path) -> None:
    """
    A file whose name no URI could hold gets one that can.
    """
    files = {"a.prompt.yaml": "messages: [{resource: 'my \u00e4?.md'}]", "my \u00e4?.md": "x"}
    (template,) = load(write_files(tmp_path, files)).catalog
    content = template.messages[0].content
    assert isinstance(content, ResourceContent)
    assert content.uri == "ctxfy://resources/my%20%C3%A4%3F.md"


@pytest.mark.parametrize("changed", ["a.prompt.md", "p.md", "r.md", "i.png", "q.md"])
def test_digest(tmp_path: Path, changed: str) -> None:
    """
    The digest follows the file and everything it pulls in, and nothing else.
    """
    body = "{% include 'p.md' %}\n<!-- @resource r.md -->\n<!-- @image i.png -->\n"
    files = _md(body) | {"p.md": "{% include 'q.md' %}", "q.md": "x", "r.md": "x", "i.png": PNG}
    before = load(write_files(tmp_path, files | {"unused.md": "x"}))
    write_files(tmp_path, {"unused.md": "y"})
    assert load(tmp_path).catalog.revision == before.catalog.revision
    content = (tmp_path / changed).read_bytes()
    write_files(tmp_path, {changed: content + b" "})
    assert load(tmp_path).catalog.revision != before.catalog.revision


def test_every_problem(tmp_path: Path) -> None:
    """
    All problems of all files are told at once, by file and line.
    """
    files = {
        "a.prompt.md": "---\nname: a\n---\n{{ x }}\n{{ y|nope }}",
        "b.prompt.md": "nothing",
        "c/c.prompt.yaml": "- a",
        "d.prompt.md": GOOD.format(name="d", version="1"),
    }
    places = [problem.split(": ")[0] for problem in problems_of(write_files(tmp_path, files))]
    assert places == [
        "a.prompt.md:4",
        "a.prompt.md:5",
        "a.prompt.md:5",
        "b.prompt.md:1",
        "c/c.prompt.yaml:1",
    ]
