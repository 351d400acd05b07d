"""
The filters that can make a value larger, each with its size known before it is built.
"""

import json
import threading
from collections.abc import Callable, ItemsView, Iterable, KeysView, Mapping, ValuesView
from typing import cast

from minijinja import Environment, TemplateError

from ctxfy.adapters.mcp_prompts.template_spending import RUNNING
from ctxfy.core.models.prompt_models import Value
from ctxfy.core.use_cases.validation_use_cases import thaw


_COPYING = (
    "capitalize",
    "dictsort",
    "list",
    "lower",
    "reverse",
    "sort",
    "split",
    "title",
    "trim",
    "unique",
    "upper",
    "urlencode",
)


def show(value: object) -> str:
    """
    Write a value into a prompt: text as it is, everything else as JSON.

    `true` and `["a", "b"]` are what people and models expect, not Python's `True` and `('a', 'b')`.

    Raises:
        TypeError: If it is no data, such as a method that was not called.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, KeysView | ValuesView | ItemsView):
        value = tuple(value)
    return json.dumps(thaw(cast("Value", value)), ensure_ascii=False)


def finalize(value: object) -> str:
    """
    Write a value into a prompt, and count it.

    Raises:
        OutputLimitError: It is too much.
    """
    text = show(value)
    RUNNING.get().put_out(len(text))
    return text


def _replace(value: object, old: object, new: object) -> str:
    """
    Replace every occurrence of a text.
    """
    text, before, after = show(value), show(old), show(new)
    _check(len(text) + text.count(before) * (len(after) - len(before)))
    return text.replace(before, after)


def _join(value: Iterable[object], separator: object = "") -> str:
    """
    Join the items of a list, or the characters of a text.
    """
    between, parts, size = show(separator), list[str](), 0
    for item in value:
        parts.append(show(item))
        size += len(parts[-1]) + len(between)
        _check(size)
    return between.join(parts)


# The names and defaults of the parameters are Jinja's.
def _indent(value: object, width: int = 4, first: bool = False, blank: bool = False) -> str:  # noqa: FBT001, FBT002 - as in Jinja
    """
    Indent every line but the first (unless `first`) and blank ones (unless `blank`).
    """
    lines = show(value).split("\n")
    _check(sum(map(len, lines)) + len(lines) * max(0, width))
    pad = " " * width
    indented = [pad + line if line.strip() or blank else line for line in lines]
    return "\n".join(indented if first else [lines[0], *indented[1:]])


def _tojson(value: object, indent: int | None = None) -> str:
    """
    Write JSON for people and models: no HTML escapes, no ASCII escapes.
    """
    width = None if indent is None else min(max(int(indent), 0), 8)
    text = json.dumps(thaw(cast("Value", value)), ensure_ascii=False, indent=width)
    _check(len(text))
    return text


def _check(size: int) -> None:
    RUNNING.get().check_size(size)


class _Plain(threading.local):
    """
    An environment for each thread: one that works must not be asked by another.
    """

    def __init__(self) -> None:
        self.environment = Environment(pycompat=False)


_PLAIN = _Plain()


def _timed(name: str) -> Callable[..., object]:
    """
    Wrap one of MiniJinja's filters that copy their whole value: time is looked at before.

    One of its steps may cost a hundred thousand times what another step costs, and fuel counts all
    steps alike.
    """

    def run(value: object, *given: object, **named: object) -> object:
        RUNNING.get().check_time()
        places = {f"given{index}": item for index, item in enumerate(given)}
        words = [*places, *(f"{key}=named_{key}" for key in named)]
        named_places = {f"named_{key}": item for key, item in named.items()}
        try:
            result = _PLAIN.environment.eval_expr(
                f"value|{name}({', '.join(words)})", value=value, **places, **named_places
            )
        except TemplateError as error:
            raise ValueError(error.detail or error.kind) from error
        # Python's lists have methods that change them; a template gets none of those.
        return tuple(result) if isinstance(result, list) else result

    return run


FILTERS: Mapping[str, Callable[..., object]] = {
    **{name: _timed(name) for name in _COPYING},
    "indent": _indent,
    "join": _join,
    "replace": _replace,
    "tojson": _tojson,
}
"""
In place of MiniJinja's: they neither build more than a prompt may put out, nor begin too late.
"""
