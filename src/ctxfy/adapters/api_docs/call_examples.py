"""
A call of a prompt as people copy it: for a shell, for Python, and as a message of MCP.

Each has a place for the arguments, written in its own form; the script of the page fills it anew
with what is typed. No key stands in any of them.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from ctxfy.core.models.prompt_models import (
    ArgumentType,
    Privacy,
    PromptArgument,
    PromptTemplate,
)


KEY_VARIABLE = "CTXFY_API_KEY"
_INDENT = "    "


@dataclass(frozen=True, slots=True, kw_only=True)
class CallExample:
    """
    One of them: the text before, the arguments, the text after.

    Attributes:
        form: How the arguments are written, for the script.
    """

    title: str
    form: str
    before: str
    arguments: str
    after: str


def call_examples(
    template: PromptTemplate, address: str, given: Mapping[str, object], *, is_served: bool
) -> tuple[CallExample, ...]:
    """
    Write the calls.

    Args:
        template: The prompt, in one version.
        address: Where the server is found, without a slash at the end.
        given: The arguments, as JSON data.
        is_served: Whether this version is meant if none is named.
    """
    url = f"{address}/prompts/{template.name}/execute"
    version = "" if is_served else json.dumps(template.version)
    calls = [_curl(url, given, version), _python(url, given, version)]
    # A client of MCP cannot name a version.
    return (*calls, _message(template.name, given)) if is_served else tuple(calls)


def example_values(template: PromptTemplate, given: Mapping[str, object]) -> Mapping[str, object]:
    """
    Complete the arguments of an example: what is required has a value, and nothing is secret.
    """
    arguments = {item.name: item for item in template.arguments}
    missing = {
        name: _stand_in(item)
        for name, item in arguments.items()
        if item.required and name not in given
    }
    return {
        name: stand_in_for_secret(name) if _is_secret(arguments.get(name)) else value
        for name, value in {**given, **missing}.items()
    }


def stand_in_for_secret(name: str) -> str:
    """
    Say what stands in a call in place of a secret argument.
    """
    return f"<{name}>"


def shell_json(value: object) -> str:
    """
    Write JSON for a shell's single quotes.
    """
    return json.dumps(value, ensure_ascii=False).replace("'", "'\\''")


def python_literal(value: object, indent: str = "") -> str:
    """
    Write JSON data as Python does.
    """
    inner = indent + _INDENT
    match value:
        case dict() if value:
            parts = [
                f"{json.dumps(name, ensure_ascii=False)}: {python_literal(item, inner)}"
                for name, item in value.items()
            ]
            return _lines("{", parts, "}", indent)
        case list() if value:
            return _lines("[", [python_literal(item, inner) for item in value], "]", indent)
        case None | bool():
            return str(value)
        case _:
            return json.dumps(value, ensure_ascii=False)


def mcp_text(value: object) -> str:
    """
    Write a value as a client of MCP sends it: as text.
    """
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _lines(first: str, parts: list[str], last: str, indent: str) -> str:
    inner = "".join(f"{indent}{_INDENT}{part},\n" for part in parts)
    return f"{first}\n{inner}{indent}{last}"


def _curl(url: str, given: Mapping[str, object], version: str) -> CallExample:
    wanted = f', "version": {version}' if version else ""
    return CallExample(
        title="curl",
        form="shell",
        before=f"curl -s '{url}' \\\n"
        f'  -H "Authorization: Bearer ${KEY_VARIABLE}" \\\n'
        '  -H "Content-Type: application/json" \\\n'
        '  -d \'{"arguments": ',
        arguments=shell_json(dict(given)),
        after=f"{wanted}}}'",
    )


def _python(url: str, given: Mapping[str, object], version: str) -> CallExample:
    wanted = f', "version": {version}' if version else ""
    return CallExample(
        title="Python",
        form="python",
        before="import os\n\nimport requests\n\n"
        "answer = requests.post(\n"
        f'{_INDENT}"{url}",\n'
        f'{_INDENT}headers={{"Authorization": f"Bearer {{os.environ[\'{KEY_VARIABLE}\']}}"}},\n'
        f'{_INDENT}json={{"arguments": ',
        arguments=python_literal(dict(given), _INDENT),
        after=f"{wanted}}},\n{_INDENT}timeout=30,\n)\n"
        'answer.raise_for_status()\nprint(answer.json()["result"])',
    )


def _message(name: str, given: Mapping[str, object]) -> CallExample:
    texts = {key: mcp_text(value) for key, value in given.items()}
    return CallExample(
        title="MCP",
        form="mcp",
        before='{\n  "jsonrpc": "2.0",\n  "id": 1,\n  "method": "prompts/get",\n  "params": {\n'
        f'    "name": "{name}",\n    "arguments": ',
        arguments=json.dumps(texts, ensure_ascii=False, indent=2).replace("\n", "\n    "),
        after="\n  }\n}",
    )


def _is_secret(argument: PromptArgument | None) -> bool:
    return argument is not None and argument.privacy is Privacy.SECRET


def _stand_in(argument: PromptArgument) -> object:
    if argument.choices:
        first = argument.choices[0]
        return [first] if argument.type is ArgumentType.LIST else first
    text = f"<{argument.name}>"
    return [text] if argument.type is ArgumentType.LIST else _STAND_INS.get(argument.type, text)


_STAND_INS: Mapping[ArgumentType, object] = {
    ArgumentType.INTEGER: 1,
    ArgumentType.NUMBER: 1.5,
    ArgumentType.BOOLEAN: True,
    ArgumentType.OBJECT: {},
}
