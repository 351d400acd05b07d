"""
A look at a template's tags without rendering it: what MiniJinja's Python binding does not tell.

It finds the files a template includes, the names it assigns, its longest literal inside a loop,
and constructs whose cost nothing would bound at run time.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass


_OPEN = re.compile(r"\{\{|\{%|\{#")
_RAW = re.compile(r"\{%-?\s*raw\s*-?%\}(.*?)\{%-?\s*endraw\s*-?%\}", re.DOTALL)
_TEXT = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"", re.DOTALL)
_INCLUDE = re.compile(r"^(include|import|from|extends)\b\s*(.*)$", re.DOTALL)
_PATH = re.compile(r"^(['\"])([^'\"]+)\1")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_GROWING = re.compile(r"~|\*|\+")
_JOINING = re.compile(r"~")
_FILTER = re.compile(r"\|\s*([A-Za-z_][A-Za-z0-9_]*)")
_LOOPS = {"for": 1, "macro": 1, "call": 1, "endfor": -1, "endmacro": -1, "endcall": -1}
_ASSIGNING = frozenset({"set", "for", "with", "macro", "call", "import", "from"})
_CARRYING = frozenset({"set", "with", "call", "do"})

MAX_GROWTH = 4

_GROWTH_REFUSED = (
    f"more than {MAX_GROWTH} of the operators ~ + * build up values here, and each can double a "
    "string; write {% set x %}...{% endset %} with the parts inside instead"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """
    One tag of a template.

    Attributes:
        kind: `output` for {{ }}, else the first word of {% %}.
        code: What stands inside, string literals emptied (so that operators in texts do not count).
        source: What stands inside, as written.
        line: Counted from the start of the template, from 1.
    """

    kind: str
    code: str
    source: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Include:
    """
    A file that a template pulls in.

    Attributes:
        repeated: Whether it stands inside a loop or macro.
    """

    path: str
    line: int
    repeated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateFacts:
    """
    What a template's tags tell.

    Attributes:
        includes: Files named by include and its kin.
        assigned: Names the template gives values to itself.
        literal: Bytes of the longest literal text.
        loop_literal: Bytes of the longest literal text inside a loop or macro.
        filters: Names of filters, each with its line.
        refusals: Constructs that may not be used, each with its line and a sentence.
    """

    includes: tuple[Include, ...]
    assigned: frozenset[str]
    literal: int
    loop_literal: int
    filters: tuple[tuple[str, int], ...]
    refusals: tuple[tuple[int, str], ...]


def scan_template(source: str, texts: Iterable[str] = ()) -> TemplateFacts:
    """
    Read the facts of one template. A template with broken syntax yields what can be seen of it.

    `texts` names the variables that hold strings or lists, which may not be multiplied.
    """
    tags = tuple(_tags(source))
    refusals = [
        *_dynamic_includes(tags),
        *_recursions(tags),
        *_growth(tags),
        *_multiplications(tags, texts),
    ]
    literals = tuple(_literals(source))
    return TemplateFacts(
        includes=tuple(_includes(tags)),
        assigned=frozenset(_assigned(tags)),
        literal=max((size for size, _ in literals), default=0),
        filters=tuple((word, tag.line) for tag in tags for word in _FILTER.findall(tag.code)),
        loop_literal=max((size for size, repeated in literals if repeated), default=0),
        refusals=tuple(sorted(refusals)),
    )


def _pieces(source: str) -> Iterator[tuple[str, str, int]]:
    """
    Cut a template into (`text` | `{{` | `{%`, content, line) in order; comments are dropped.
    """
    position = 0
    while position < len(source):
        raw = _RAW.match(source, position)
        if raw is not None:
            yield "text", raw[1], _line(source, position)
            position = raw.end()
            continue
        start = _OPEN.search(source, position + (0 if _OPEN.match(source, position) else 1))
        if _OPEN.match(source, position) is None:
            end = start.start() if start else len(source)
            yield "text", source[position:end], _line(source, position)
            position = end
            continue
        mark = source[position : position + 2]
        end = _close(source, position + 2, {"{{": "}}", "{%": "%}", "{#": "#}"}[mark])
        if mark != "{#":
            yield mark, source[position + 2 : end - 2], _line(source, position)
        position = end


def _close(source: str, position: int, mark: str) -> int:
    while position < len(source):
        if mark != "#}" and (text := _TEXT.match(source, position)):
            position = text.end()
        elif source.startswith(mark, position):
            return position + 2
        else:
            position += 1
    return len(source) + 2


def _line(source: str, position: int) -> int:
    return source.count("\n", 0, position) + 1


def _tags(source: str) -> Iterator[Tag]:
    for mark, content, line in _pieces(source):
        if mark == "text":
            continue
        inner = content.strip("-+ \t\r\n")
        word = _NAME.match(inner)
        kind = "output" if mark == "{{" else (word[0] if word else "")
        yield Tag(kind=kind, code=_TEXT.sub("''", inner), source=inner, line=line)


def _includes(tags: tuple[Tag, ...]) -> Iterator[Include]:
    depth = 0
    for tag in tags:
        depth += _LOOPS.get(tag.kind, 0)
        if (found := _INCLUDE.match(tag.source)) and (path := _PATH.match(found[2])):
            yield Include(path=path[2], line=tag.line, repeated=depth > 0)


def _dynamic_includes(tags: tuple[Tag, ...]) -> Iterator[tuple[int, str]]:
    for tag in tags:
        found = _INCLUDE.match(tag.source) if tag.kind != "output" else None
        if found and not _PATH.match(found[2]):
            yield tag.line, f'{found[1]} needs a path between quotes, such as "partials/rules.md"'


def _assigned(tags: tuple[Tag, ...]) -> Iterator[str]:
    for tag in tags:
        if tag.kind in _ASSIGNING:
            yield from _NAME.findall(tag.code)


def _recursions(tags: tuple[Tag, ...]) -> Iterator[tuple[int, str]]:
    """
    Refuse recursion: with it a value can double at every level, which no byte counter sees.
    """
    inside: list[str] = []
    for tag in tags:
        if tag.kind == "for" and re.search(r"\brecursive$", tag.code):
            yield tag.line, "a recursive loop is not allowed; unroll it"
        if tag.kind == "macro":
            inside.append(_NAME.findall(tag.code)[1:2][0] if _NAME.findall(tag.code)[1:] else "")
        elif tag.kind == "endmacro" and inside:
            inside.pop()
        elif inside and any(re.search(rf"\b{name}\s*\(", tag.code) for name in inside if name):
            yield tag.line, f"the macro '{inside[-1]}' may not call itself"


def _growth(tags: tuple[Tag, ...]) -> Iterator[tuple[int, str]]:
    """
    Refuse values that are built up by operators and kept: each step could double a string.

    Output is counted byte by byte, so `{{ a ~ b }}` is free, and `{% set x %}...{% endset %}` too.
    """
    count = 0
    for tag in tags:
        if tag.kind in _CARRYING:
            count += len(_GROWING.findall(tag.code))
        elif tag.kind == "for":
            count += len(_JOINING.findall(tag.code))
        else:
            count += len(_JOINING.findall("".join(_in_calls(tag.code))))
        if count > MAX_GROWTH:
            yield tag.line, _GROWTH_REFUSED
            return


def _in_calls(code: str) -> Iterator[str]:
    depth = 0
    for index, char in enumerate(code):
        if char == "(" and (
            depth or (index and (code[index - 1].isalnum() or code[index - 1] == "_"))
        ):
            depth += 1
        elif char == ")" and depth:
            depth -= 1
        elif depth:
            yield char


def _multiplications(tags: tuple[Tag, ...], texts: Iterable[str]) -> Iterator[tuple[int, str]]:
    """
    Refuse texts times numbers: the number may come from a caller, and 100 MB is one step away.
    """
    operand = "|".join(["''", *(rf"\b{re.escape(name)}\b" for name in texts)])
    times = re.compile(rf"(?:{operand})\s*\*(?!\*)|(?<!\*)\*\s*(?:{operand})")
    for tag in tags:
        if times.search(tag.code):
            yield tag.line, "a text or list may not be multiplied; write a loop over range(...)"


def _literals(source: str) -> Iterator[tuple[int, bool]]:
    depth = 0
    for mark, content, _ in _pieces(source):
        if mark == "{%":
            word = _NAME.match(content.strip("-+ \t\r\n"))
            depth += _LOOPS.get(word[0], 0) if word else 0
        elif mark == "text":
            yield len(content.encode()), depth > 0
