"""
Texts of others in Markdown (CommonMark, with tables as GitHub and MyST have them).

Whatever an author or an example wrote comes out as that very text: no heading, link, HTML or row of
a table is made of it.
"""

import re
from collections.abc import Iterable, Sequence


# What may mean something inside a line. Backslash first: the others are escaped with it.
_INLINE = re.compile(r"([\\`*_{}\[\]<&|~$])")
# What may mean something at its beginning: headings, lists, rules, targets and comments of MyST.
_AT_START = re.compile(r"^([#+\-=%:>(])|^([0-9]{1,9})([.)])(?= |$)")
_BACKTICKS = re.compile(r"`+")
_FEWEST_BACKTICKS = 3


def plain(text: str) -> str:
    """
    Write a text as one line of prose; line breaks and what cannot be printed become blanks.
    """
    line = _INLINE.sub(r"\\\1", one_line(text))
    return _AT_START.sub(lambda found: _escaped_start(found[1], found[2], found[3]), line)


def _escaped_start(mark: str | None, number: str | None, dot: str | None) -> str:
    return f"\\{mark}" if mark else f"{number}\\{dot}"


def paragraphs(text: str) -> str:
    """
    Write a text as prose whose blank lines separate paragraphs.
    """
    parts = (plain(part) for part in re.split(r"\n[ \t\r]*\n", text))
    return "\n\n".join(part for part in parts if part)


def code(text: str) -> str:
    """
    Write a short text letter by letter, between as many backticks as it needs.
    """
    line = one_line(text)
    if not line:
        return ""
    fence = "`" * _more_than_in(line, 0)
    pad = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{pad}{line}{pad}{fence}"


def block(text: str, language: str = "") -> str:
    """
    Write lines as they are, between as many backticks as they need.
    """
    lines = "\n".join(text.replace("\0", "\N{REPLACEMENT CHARACTER}").splitlines())
    fence = "`" * max(_FEWEST_BACKTICKS, _more_than_in(lines, 0))
    return f"{fence}{language}\n{lines}\n{fence}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """
    Write a table of cells that are Markdown already; a bar in code is escaped here.
    """
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def one_line(text: str) -> str:
    """
    Make one line of a text; what cannot be printed becomes a blank, and blanks in a row one.
    """
    printable = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(printable.split())


def _cell(text: str) -> str:
    # A bar ends a cell inside code too. One that has its backslash already keeps it.
    return re.sub(r"(?<!\\)((?:\\\\)*)\|", r"\1\\|", text)


def _more_than_in(text: str, fewest: int) -> int:
    return max((len(found) for found in _BACKTICKS.findall(text)), default=fewest) + 1
