"""
A look at a template's tags without rendering it: what MiniJinja's Python binding does not tell.

It finds the files a template includes, the names it assigns, its longest literal inside a loop,
and constructs whose cost nothing would bound at run time.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass


_OPEN = re.compile(r"\{\{|\{%|\{#")
_RAW = re.compile(r"\{%[-+]?\s*raw\s*[-+]?%\}")
_END_RAW = re.compile(r"\{%[-+]?\s*endraw\s*[-+]?%\}")
_TEXT = re.compile(r"'[^'\\]*(?:\\.[^'\\]*)*'|\"[^\"\\]*(?:\\.[^\"\\]*)*\"", re.DOTALL)
_DELIMITER = re.compile(r"['\"(\[{)\]}]|%\}")
_INCLUDE = re.compile(r"^(include|import|from|extends)\b\s*(.*)$", re.DOTALL)
_PATH = re.compile(r"^(['\"])([^'\"]+)\1")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_CALL = re.compile(r"\b([A-Za-z_][A-Za-z0-9_]*+)\s*+\(")
_GROWING = re.compile(r"~|\*|\+")
# A text plus a number is an error, so these only count.
_COUNTING = re.compile(r"\b[0-9]+\s*\+|\+\s*[0-9]+\b")
_FILTER = re.compile(r"\|\s*([A-Za-z_][A-Za-z0-9_]*)")
_LOOPS = {"for": 1, "macro": 1, "call": 1, "block": 1} | {
    "endfor": -1,
    "endmacro": -1,
    "endcall": -1,
    "endblock": -1,
}
_ASSIGNING = frozenset({"set", "for", "with", "macro", "call", "import", "from"})
_CARRYING = frozenset({"set", "with", "call", "do", "for"})
_BLANKS = " \t\r\n\f\v"

MAX_GROWTH = 4
MAX_TAG = 5_000
MAX_ELIF = 500

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
        outputs: The names that it puts out, in order; None if it does anything else.
    """

    includes: tuple[Include, ...]
    assigned: frozenset[str]
    literal: int
    loop_literal: int
    filters: tuple[tuple[str, int], ...]
    refusals: tuple[tuple[int, str], ...]
    outputs: tuple[str, ...] | None


def scan_template(source: str, texts: Iterable[str] = ()) -> TemplateFacts:
    """
    Read the facts of one template. A template with broken syntax yields what can be seen of it.

    `texts` names the variables that hold strings or lists, which may not be multiplied.
    """
    pieces = tuple(_pieces(source))
    tags = tuple(_tags(pieces))
    refusals = list(_too_deep(tags)) or [
        *_dynamic_includes(tags),
        *_recursions(tags),
        *_growth(tags),
        *_multiplications(tags, texts),
    ]
    literals = tuple(_literals(pieces))
    return TemplateFacts(
        includes=tuple(_includes(tags)),
        assigned=frozenset(_assigned(tags)),
        literal=max((size for size, _ in literals), default=0),
        filters=tuple((word, tag.line) for tag in tags for word in _FILTER.findall(tag.code)),
        loop_literal=max((size for size, repeated in literals if repeated), default=0),
        refusals=tuple(sorted(refusals)),
        outputs=tuple(tag.source for tag in tags) if all(map(_is_plain, tags)) else None,
    )


def includes_of(source: str) -> tuple[Include, ...]:
    """
    Read of one template only which files it includes.
    """
    return tuple(_includes(tuple(_tags(_pieces(source)))))


type Piece = tuple[str, str, int]


def _pieces(source: str) -> Iterator[Piece]:
    """
    Cut a template into (`text` | `{{` | `{%`, content, line) in order; comments are dropped.

    One pass, whatever stands in it: where a template is broken, the rest is not looked at again.
    """
    position, line = 0, 1
    while position < len(source):
        opening = _OPEN.match(source, position)
        if opening is None:
            found = _OPEN.search(source, position)
            end = found.start() if found else len(source)
            yield "text", source[position:end], line
        elif raw := _RAW.match(source, position):
            closing = _END_RAW.search(source, raw.end())
            yield "text", source[raw.end() : closing.start() if closing else None], line
            end = closing.end() if closing else len(source)
        elif opening[0] == "{#":
            closing_at = source.find("#}", position + 2)
            end = len(source) if closing_at < 0 else closing_at + 2
        else:
            close, end = _close(source, position + 2, "}}" if opening[0] == "{{" else "%}")
            yield opening[0], source[position + 2 : close], line
        line += source.count("\n", position, end)
        position = end


def _close(source: str, position: int, mark: str) -> tuple[int, int]:
    """
    Find where the inside of a tag ends, and where the text goes on, as MiniJinja does.

    Inside texts and brackets the mark does not count. A text without an end ends the inside.
    """
    depth = 0
    while found := _DELIMITER.search(source, position):
        start = found.start()
        if not depth and source.startswith(mark, start):
            return start, start + 2
        position = found.end()
        if found[0] in "'\"":
            text = _TEXT.match(source, start)
            if text is None:
                return start, len(source)
            position = text.end()
        else:
            # `%}` closes a bracket too where it is not the mark.
            depth = depth + 1 if found[0] in "([{" else max(0, depth - 1)
    return len(source), len(source)


def _bare(content: str) -> str:
    # One sign on each side belongs to the mark, as in {%- -%}; a second one is an operator.
    start, end = content[:1] in {"-", "+"}, content[-1:] in {"-", "+"}
    return content[start : len(content) - end].strip(_BLANKS)


def _tags(pieces: Iterable[Piece]) -> Iterator[Tag]:
    for mark, content, line in pieces:
        if mark == "text":
            continue
        inner = _bare(content)
        word = _NAME.match(inner)
        kind = "output" if mark == "{{" else (word[0] if word else "")
        yield Tag(kind=kind, code=_TEXT.sub("''", inner), source=inner, line=line)


def _is_plain(tag: Tag) -> bool:
    return tag.kind == "output" and _NAME.fullmatch(tag.source) is not None


def _too_deep(tags: tuple[Tag, ...]) -> Iterator[tuple[int, str]]:
    """
    Refuse what MiniJinja's parser would overflow its stack on, which ends the whole process.
    """
    chains: list[int] = []
    for tag in tags:
        if len(tag.code) > MAX_TAG:
            yield tag.line, f"a tag is longer than {MAX_TAG} characters; split it"
        if tag.kind == "if":
            chains.append(0)
        elif tag.kind == "endif" and chains:
            chains.pop()
        elif tag.kind == "elif" and chains:
            chains[-1] += 1
            if chains[-1] == MAX_ELIF:
                yield tag.line, f"more than {MAX_ELIF} elif in one if; use a list or an object"


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
            inside.append("".join(_NAME.findall(tag.code)[1:2]))
        elif tag.kind == "endmacro" and inside:
            inside.pop()
        elif inside and (called := set(_CALL.findall(tag.code)).intersection(inside)):
            yield tag.line, f"the macro '{min(called)}' may not call itself"


def _growth(tags: tuple[Tag, ...]) -> Iterator[tuple[int, str]]:
    """
    Refuse values that are built up by operators and kept: each step could double a string.

    Output is counted byte by byte, so `{{ a ~ b }}` is free, and `{% set x %}...{% endset %}` too.
    """
    count = 0
    for tag in tags:
        kept = tag.code if tag.kind in _CARRYING else "".join(_in_calls(tag.code))
        count += len(_GROWING.findall(_COUNTING.sub("", kept)))
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


def _literals(pieces: Iterable[Piece]) -> Iterator[tuple[int, bool]]:
    depth = 0
    for mark, content, _ in pieces:
        if mark == "{%":
            word = _NAME.match(_bare(content))
            depth += _LOOPS.get(word[0], 0) if word else 0
        elif mark == "text":
            yield len(content.encode("utf-8", "surrogatepass")), depth > 0
