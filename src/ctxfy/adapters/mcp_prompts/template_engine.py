"""
MiniJinja, bounded: TemplateEnginePort.

Values are not trusted at all. They never become template source; fuel bounds the steps, a counter
in the finalizer bounds what is put out (inside captures too), filters that can make a value larger
are checked, accumulators are removed, and what no hook can see (string operators, literals in
loops) is refused or paid for at load, from the scan of the template.
"""

import re
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import cached_property, partial
from threading import Lock

from minijinja import Environment, TemplateError

from ctxfy.adapters.mcp_prompts.plain_texts import PlainText, find_plain_text
from ctxfy.adapters.mcp_prompts.template_filters import FILTERS, finalize
from ctxfy.adapters.mcp_prompts.template_includes import circular_includes, repeated_includes
from ctxfy.adapters.mcp_prompts.template_scan import scan_template
from ctxfy.adapters.mcp_prompts.template_spending import (
    RENDER_SECONDS,
    RUNNING,
    OutputLimitError,
    Spending,
    TimeLimitError,
)
from ctxfy.core.exceptions import CatalogError, RenderError
from ctxfy.core.models.prompt_models import (
    ArgumentType,
    Message,
    PromptProblem,
    PromptTemplate,
    TextContent,
    Value,
)
from ctxfy.core.use_cases.validation_use_cases import did_you_mean


FUEL = 100_000
"""
Steps of MiniJinja's machine for one text; a turn of a small loop takes about five.
"""

LITERAL_BUDGET = 32 * 1024 * 1024
"""
Bytes that literal text in loops may come to; fuel is lowered so that it cannot be passed.
"""

WORK_BUDGET = 1_000_000_000
"""
Steps times characters of all values: 5,000 steps with 200 kB of code, since a step may be a search
through all of it. Fuel is lowered so that it cannot be passed.
"""

_REMOVED_GLOBALS = ("debug", "namespace", "cycler", "joiner")
_REMOVED_FILTERS = ("batch", "format", "lines", "pprint", "slice", "striptags", "wordwrap")
_GLOBALS = frozenset({"range", "dict", "loop", "caller", "self", "super"})


class MiniJinjaEngine:
    """
    Compiles templates into prompts that render within their limits.

    Args:
        monotonic: Seconds of a clock that never goes back.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic

    def compile(self, template: PromptTemplate) -> "MiniJinjaPrompt":
        """
        Make a template ready.

        Raises:
            CatalogError: With every mistake in its text, by file and line.
        """
        compiled = MiniJinjaPrompt(template, self._monotonic)
        problems = compiled.problems()
        if problems:
            raise CatalogError(problems)
        return compiled


class MiniJinjaPrompt:
    """
    One prompt's texts in an environment of their own.
    """

    def __init__(self, template: PromptTemplate, monotonic: Callable[[], float]) -> None:
        self._template = template
        self._spending = Spending(monotonic, template.max_output_bytes)
        self._texts = {
            f"{index}.txt": message.content
            for index, message in enumerate(template.messages)
            if isinstance(message.content, TextContent)
        }
        # Partials are found by path; the ending keeps a *.html partial from being auto-escaped.
        self._partials = {f"{partial.path}.txt": partial for partial in template.partials}
        lists_and_texts = [
            argument.name
            for argument in template.arguments
            if argument.type in (ArgumentType.STRING, ArgumentType.ENUM, ArgumentType.LIST)
        ]
        self._sources = {name: content.text for name, content in self._texts.items()}
        self._sources |= {name: partial.text for name, partial in self._partials.items()}
        self._facts = {
            name: scan_template(source, lists_and_texts) for name, source in self._sources.items()
        }
        self._lock = Lock()
        self._errors: dict[str, TemplateError] = {}
        self._fuel = self._allowed_fuel()
        self._environment = self._build()

    def render(self, values: Mapping[str, Value]) -> tuple[Message, ...]:
        """
        Render every message; their number and roles are the template's, whatever the values.

        Raises:
            RenderError: The template failed or passed a limit.
        """
        # Fuel belongs to the environment, and there is one account: one rendering at a time.
        with self._lock:
            if len(self._plain) < len(self._texts):
                self._allow(values)
            self._spending.left = self._template.max_output_bytes
            return tuple(
                [
                    self._message(index, message, values)
                    for index, message in enumerate(self._template.messages)
                ]
            )

    def problems(self) -> list[PromptProblem]:
        """
        Say everything that is wrong with the texts.
        """
        found = [
            self._problem(name, line, sentence)
            for name, facts in self._facts.items()
            for line, sentence in facts.refusals
        ]
        found += [
            self._problem(name, error.line or 1, _syntax_sentence(error))
            for name, error in self._errors.items()
        ]
        found += [
            self._problem(name, line, f"'{path}' includes itself, directly or through others")
            for name, line, path in circular_includes(self._facts)
        ]
        for name, facts in self._facts.items():
            if name not in self._errors and not facts.refusals:
                found += [*self._undefined(name), *self._unknown_filters(name)]
        return sorted(found, key=lambda problem: (problem.path, problem.line or 0))

    def _build(self) -> Environment:
        environment = Environment(
            undefined_behavior="strict",
            keep_trailing_newline=True,
            auto_escape_callback=_escapes,
            path_join_callback=_name_of_partial,
            fuel=self._fuel,
            finalizer=finalize,
            # Without the Python methods of strings: those could grow a value unchecked.
            pycompat=False,
        )
        for name in _REMOVED_GLOBALS:
            environment.remove_global(name)
        for name in _REMOVED_FILTERS:
            environment.remove_filter(name)
        for name, function in FILTERS.items():
            environment.add_filter(name, function)
        for name, source in self._sources.items():
            if self._facts[name].refusals:
                continue
            try:
                environment.add_template(name, source)
            except TemplateError as error:
                self._errors[name] = error
        return environment

    def _allowed_fuel(self) -> int:
        repeated = repeated_includes(self._facts)
        literal = max(
            (
                facts.literal if name in repeated else facts.loop_literal
                for name, facts in self._facts.items()
            ),
            default=0,
        )
        return min(FUEL, LITERAL_BUDGET // max(1, literal))

    @cached_property
    def _plain(self) -> Mapping[int, PlainText]:
        """
        The texts that only put values between what is written; found out at the first rendering.
        """
        self._spending.left = sys.maxsize
        declared = {argument.name for argument in self._template.arguments}
        found: dict[int, PlainText] = {}
        for index in range(len(self._template.messages)):
            name = f"{index}.txt"
            outputs = self._facts[name].outputs if name in self._facts else None
            if outputs is not None and declared.issuperset(outputs):
                with suppress(TemplateError):  # whatever it is, it will be told when it is rendered
                    plain = find_plain_text(outputs, partial(self._write, name))
                    found |= {index: plain} if plain else {}
        return found

    def _write(self, name: str, values: Mapping[str, Value]) -> str:
        token = RUNNING.set(self._spending)
        try:
            return self._environment.render_template(name, **values)
        finally:
            RUNNING.reset(token)

    def _allow(self, values: Mapping[str, Value]) -> None:
        """
        Allow a rendering so much time, and so many steps.
        """
        self._spending.begin()
        # A step may cost as much as the values are large: a search, a comparison.
        share = WORK_BUDGET // max(1, _weight(values)) // max(1, len(self._texts))
        self._environment.fuel = min(self._fuel, share)

    def _message(self, index: int, message: Message, values: Mapping[str, Value]) -> Message:
        if not isinstance(message.content, TextContent):
            return message
        before = self._spending.left
        filled = None if (plain := self._plain.get(index)) is None else plain.fill(values, before)
        text, size = filled or self._run(f"{index}.txt", message.content, values)
        # Literal text does not pass the finalizer, and characters are not bytes: count again.
        self._spending.left = before - size
        if self._spending.left < 0:
            raise self._too_large()
        return Message(role=message.role, content=TextContent(text=text, line=message.content.line))

    def _run(self, name: str, content: TextContent, values: Mapping[str, Value]) -> tuple[str, int]:
        """
        Have the engine render a text, and count its bytes.
        """
        try:
            text = self._write(name, values)
        except OutputLimitError as error:
            raise self._too_large() from error
        except TimeLimitError as error:
            raise self._too_slow() from error
        except TemplateError as error:
            raise self._failure(error, name) from error
        except Exception as error:  # a filter or a method in Python may raise anything
            raise self._misuse(error, content.line) from error
        return text, len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))

    def _too_slow(self) -> RenderError:
        return RenderError(
            self._template.name, "time", f"it took longer than {RENDER_SECONDS:g} s."
        )

    def _too_large(self) -> RenderError:
        limit = self._template.max_output_bytes
        return RenderError(
            self._template.name, "output", f"its text passes the limit of {limit} bytes."
        )

    def _failure(self, error: TemplateError, name: str) -> RenderError:
        kind, name, line = error.kind, error.name or name, error.line or 1
        detail = error.detail or ""
        if kind == "BadInclude":
            # What went wrong inside the included file stands only in the text of the error.
            for words, text, at in _CAUSES.findall(str(error)):
                if text in self._sources:
                    kind, name, line = _KINDS_BY_WORDS.get(words, ""), text, int(at)
                    detail = words
        if kind == "OutOfFuel":
            return RenderError(
                self._template.name,
                "fuel",
                "it took more steps than a rendering may; shorten a loop.",
            )
        path, place = self._place(name, line)
        # MiniJinja's detail may quote argument values: it goes to the author's terminal only.
        return RenderError(
            self._template.name,
            "template",
            f"its template failed ({_KINDS.get(kind, 'an error')}).",
            place=f"{path}:{place}",
            detail=detail,
        )

    def _misuse(self, error: Exception, line: int) -> RenderError:
        # MiniJinja does not tell the line of these: the text's first one must do.
        return RenderError(
            self._template.name,
            "template",
            "its template failed (a filter or method that does not take these values).",
            place=f"{self._template.source}:{line}",
            detail=str(error),
        )

    def _undefined(self, name: str) -> Iterable[PromptProblem]:
        arguments = {argument.name for argument in self._template.arguments}
        assigned = frozenset[str]().union(*(facts.assigned for facts in self._facts.values()))
        known = arguments | _GLOBALS
        # A partial may use what the text around its include assigns; a text only what it assigns
        # itself, and MiniJinja has already taken that away.
        if name in self._partials:
            known |= assigned
        source = self._sources[name]
        for variable in sorted(self._environment.undeclared_variables_in_template(name) - known):
            hint = did_you_mean(variable, arguments) or "declare it under 'arguments:'"
            yield self._problem(
                name, _line_of(variable, source), f"'{variable}' is not an argument; {hint}"
            )

    def _unknown_filters(self, name: str) -> Iterable[PromptProblem]:
        # MiniJinja looks filters up when they run, which may be in a branch no test reaches.
        for word, line in self._facts[name].filters:
            if not self._environment.eval_expr("word is filter", word=word):
                yield self._problem(name, line, f"there is no filter '{word}'")

    def _problem(self, name: str, line: int, sentence: str) -> PromptProblem:
        path, place = self._place(name, line)
        return PromptProblem(path=path, line=place, message=sentence)

    def _place(self, name: str, line: int) -> tuple[str, int]:
        content = self._texts.get(name)
        if content is not None:
            return self._template.source, content.line + line - 1
        return name.removesuffix(".txt"), line


_KINDS: Mapping[str, str] = {
    "UndefinedError": "an undefined value",
    "InvalidOperation": "an operation that these values do not allow",
    "BadSerialization": "a value that cannot be written",
    "UnknownMethod": "an unknown method",
    "UnknownFilter": "an unknown filter",
    "UnknownTest": "an unknown test",
    "UnknownFunction": "an unknown function",
    "TemplateNotFound": "an include that is missing",
    "MissingArgument": "a missing argument of a filter",
    "TooManyArguments": "too many arguments of a filter",
}


_CAUSES = re.compile(r"^caused by: ([a-z ]+?)(?::.*)? \(in (.+):([0-9]+)\)$", re.MULTILINE)
_KINDS_BY_WORDS: Mapping[str, str] = {
    "undefined value": "UndefinedError",
    "engine ran out of fuel": "OutOfFuel",
    "invalid operation": "InvalidOperation",
    "unknown method": "UnknownMethod",
    "unknown function": "UnknownFunction",
    "template not found": "TemplateNotFound",
}


def _escapes(_name: str) -> bool:
    return False


def _name_of_partial(path: str, _parent: str) -> str:
    return f"{path}.txt"


def _syntax_sentence(error: TemplateError) -> str:
    detail = error.detail or "it cannot be read"
    return f"the template has a mistake: {detail}"


def _line_of(variable: str, source: str) -> int:
    """
    Find the first tag that uses a name: a guess, but a good one.
    """
    used = re.compile(rf"\{{[{{%][^}}]*?\b{re.escape(variable)}\b")
    found = used.search(source)
    return source.count("\n", 0, found.end()) + 1 if found else 1


def _weight(value: object) -> int:
    """
    Count the characters of a value, and of everything in it.
    """
    if isinstance(value, str):
        return len(value)
    if isinstance(value, Mapping):
        return sum(len(str(name)) + _weight(item) for name, item in value.items())
    return sum(map(_weight, value)) if isinstance(value, tuple) else 8
