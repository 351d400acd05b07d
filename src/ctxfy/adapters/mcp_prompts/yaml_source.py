"""
YAML that remembers on which line each value stands.

Read by the core schema of YAML 1.2: `no` and `on` are words, not booleans, and dates stay text.
Duplicate keys and aliases are refused: the first hide mistakes, the second can grow without bound.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import yaml


type YamlPath = tuple[str | int, ...]

# Below these keys a plain scalar stays as typed: version 2.10 is not the number 2.1.
_TEXT_KEYS = frozenset(
    {"name", "title", "description", "version", "changes", "owner", "model", "tags", "enum"}
    | {"complete", "pattern", "contains", "not_contains", "equals", "text", "uri", "type"}
)
_MAX_DEPTH = 20


class YamlError(Exception):
    """
    The text is no YAML that can be taken; `line` counts from the start of the file.
    """

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line
        self.message = message


@dataclass(frozen=True, slots=True, kw_only=True)
class YamlSource:
    """
    Plain data and the line of every value in it, by path.
    """

    data: object
    lines: Mapping[YamlPath, int] = field(default_factory=dict[YamlPath, int])
    text_lines: Mapping[YamlPath, int] = field(default_factory=dict[YamlPath, int])

    def line_of(self, path: YamlPath) -> int:
        """
        Find the line of a value, or of the nearest thing around it that has one.
        """
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def text_line_of(self, path: YamlPath) -> int:
        """
        Find the line where a text itself begins: after `|` or `>` that is the next one.
        """
        return self.text_lines.get(path, self.line_of(path))


class _Loader(yaml.CSafeLoader):
    """
    The safe loader with the scalars of YAML 1.2's core schema.
    """

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's own attribute


for _tag, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9]+", list("-+0123456789")),
    ("float", r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", list("-+.0123456789")),
):
    _Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(f"(?:{_pattern})\\Z"), _first
    )


def read_yaml(text: str, first_line: int = 1) -> YamlSource:
    """
    Read one YAML document whose first line is line `first_line` of its file.

    Raises:
        YamlError: With the line and a sentence.
    """
    try:
        node = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = first_line + (mark.line if mark else 0)
        raise YamlError(line, _explain(error)) from error
    except yaml.YAMLError as error:
        raise YamlError(first_line, "this is not valid YAML: a character is not allowed") from error
    builder = _Builder(first_line)
    return YamlSource(
        data=None if node is None else builder.build(node, (), as_text=False),
        lines=builder.lines,
        text_lines=builder.text_lines,
    )


def _explain(error: yaml.MarkedYAMLError) -> str:
    problem = error.problem or "it cannot be read"
    hint = ""
    if "mapping values are not allowed" in problem:
        hint = "; the line above lacks a colon after its key, or a text holds ': ' and needs quotes"
    elif "could not find expected ':'" in problem:
        hint = "; a key needs a colon and a space after it"
    elif "did not find expected" in problem:
        hint = "; put a text that begins with {, [, * or & between quotes"
    elif "\\t" in problem or "found a tab" in problem or "cannot start any token" in problem:
        hint = "; indent with spaces, not tabs, and put texts that begin with @, ` or % into quotes"
    return f"this is not valid YAML: {problem}{hint}"


class _Builder:
    """
    Turns nodes into plain data and notes their lines.
    """

    def __init__(self, first_line: int) -> None:
        self.lines: dict[YamlPath, int] = {}
        self.text_lines: dict[YamlPath, int] = {}
        self._first_line = first_line
        self._seen: set[int] = set()

    def build(self, node: yaml.Node, path: YamlPath, *, as_text: bool) -> object:
        line = self._first_line + node.start_mark.line
        if id(node) in self._seen:
            raise YamlError(line, "YAML aliases (*name) are not allowed here; repeat the value")
        if len(path) > _MAX_DEPTH:
            raise YamlError(line, f"this is nested more than {_MAX_DEPTH} levels deep")
        self._seen.add(id(node))
        self.lines.setdefault(path, line)
        match node:
            case yaml.MappingNode():
                return self._mapping(node, path)
            case yaml.SequenceNode():
                return [
                    self.build(item, (*path, index), as_text=as_text)
                    for index, item in enumerate(node.value)
                ]
            case _:
                is_block = isinstance(node, yaml.ScalarNode) and node.style in {"|", ">"}
                self.text_lines[path] = line + is_block
                return self._scalar(node, line, as_text=as_text)

    def _mapping(self, node: yaml.MappingNode, path: YamlPath) -> dict[str, object]:
        result: dict[str, object] = {}
        for key_node, value_node in node.value:
            line = self._first_line + key_node.start_mark.line
            if not isinstance(key_node, yaml.ScalarNode):
                raise YamlError(line, "a key must be a plain word; put { and [ between quotes")
            key = str(key_node.value)
            if key in result:
                raise YamlError(line, f"the key '{key}' stands here twice")
            self.lines[(*path, key)] = line
            result[key] = self.build(value_node, (*path, key), as_text=key in _TEXT_KEYS)
        return result

    def _scalar(self, node: yaml.Node, line: int, *, as_text: bool) -> object:
        raw = str(node.value)
        kind = node.tag.rpartition(":")[2]
        if kind == "null":
            return None
        if as_text or kind == "str":
            return raw
        if kind == "bool":
            return raw.lower() == "true"
        try:
            return int(raw) if kind == "int" else float(raw)
        except ValueError as error:
            # An explicit tag (`!!int x`), a foreign tag (`!!binary`) or a number of 5000 digits.
            raise YamlError(line, f"the tag or number '{raw[:40]}' is not allowed here") from error
