"""
One operation for each prompt: its own path, with what its author declared.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import cast

from ctxfy.adapters.api_docs.operations import Json
from ctxfy.adapters.api_docs.schema_conversion import COMPONENTS, UnsupportedSchemaError, convert
from ctxfy.core.models.prompt_models import PromptArgument, PromptTemplate
from ctxfy.core.ports.prompt_ports import ArgumentValidatorPort
from ctxfy.core.use_cases.validation_use_cases import thaw


type RenderExample = Callable[[PromptTemplate, Mapping[str, object]], Mapping[str, object] | None]
"""
Render a prompt with arguments; None if it cannot be done or is too long to be shown.
"""

TAG = "executions"
RESPONSES = "#/components/responses/Execution"


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptPart:
    """
    What the document says of one prompt.

    Attributes:
        slug: Tells it apart in names of operations and schemas.
        example: Arguments and what comes of them, if they could be rendered.
    """

    slug: str
    template: PromptTemplate
    operation: Json
    schemas: Json
    example: tuple[Mapping[str, object], Mapping[str, object]] | None


def slugs_of(names: Iterable[str]) -> Mapping[str, str]:
    """
    Make names that every programming language takes, one for each prompt.

    `a-b` and `a.b` would both be `a_b`; the second is `a_b_2`.
    """
    taken: dict[str, str] = {}
    for name in names:
        plain = re.sub("[^0-9a-z]+", "_", name.lower()).strip("_") or "prompt"
        slug, number = plain, 2
        while slug in taken:
            slug, number = f"{plain}_{number}", number + 1
        taken[slug] = name
    return {name: slug for slug, name in taken.items()}


class PromptOperations:
    """
    Describes prompts.

    Args:
        template_operation: The operation of any prompt, whose refusals and keys are the same.
        render: Makes the answer of an example.
    """

    def __init__(
        self,
        template_operation: Json,
        validator: ArgumentValidatorPort,
        render: RenderExample,
    ) -> None:
        self._any = template_operation
        self._validator = validator
        self._render = render

    def part(self, template: PromptTemplate, slug: str) -> PromptPart:
        """
        Describe one prompt.
        """
        pascal = "".join(word.capitalize() for word in slug.split("_"))
        arguments, body = f"{pascal}Arguments", f"{pascal}Body"
        examples = typed_examples(template, self._validator)
        rendered = self._rendered(template, examples)
        return PromptPart(
            slug=slug,
            template=template,
            operation=self._operation(template, slug, body, examples, rendered),
            schemas={
                arguments: self._arguments_schema(template),
                body: _body_schema(template, arguments),
            },
            example=rendered,
        )

    def shared_responses(self) -> Json:
        """
        Give the refusals that all prompts have, for `components/responses`.
        """
        return {
            RESPONSES.rpartition("/")[2] + status: response
            for status, response in self._any["responses"].items()
            if status != "200"
        }

    def _rendered(
        self, template: PromptTemplate, examples: Mapping[str, Mapping[str, object]]
    ) -> tuple[Mapping[str, object], Mapping[str, object]] | None:
        for given in examples.values():
            answer = self._render(template, given)
            return None if answer is None else (given, answer)
        return None

    def _arguments_schema(self, template: PromptTemplate) -> Json:
        source = self._validator.json_schema(template)
        properties = cast("Mapping[str, Json]", source["properties"])
        schema = convert({**source, "properties": {}}) | {
            "properties": {name: _as_near_as_can_be(place) for name, place in properties.items()}
        }
        for argument in template.arguments:
            place = schema["properties"][argument.name]
            if argument.example is not None:
                place["example"] = thaw(argument.example)
        return {**schema, "description": f"The arguments of {template.name} {template.version}."}

    def _operation(
        self,
        template: PromptTemplate,
        slug: str,
        body: str,
        examples: Mapping[str, Mapping[str, object]],
        rendered: tuple[Mapping[str, object], Mapping[str, object]] | None,
    ) -> Json:
        media: Json = {"schema": {"$ref": COMPONENTS + body}}
        if examples:
            media["examples"] = {
                name: {"value": {"arguments": dict(given)}} for name, given in examples.items()
            }
        written: Json = {
            key: value for key, value in self._any.items() if key not in {"parameters", "responses"}
        }
        return written | {
            "operationId": f"execute_{slug}",
            "tags": [TAG],
            "summary": template.title or template.description or f"Execute {template.name}.",
            "description": _description(template, self._any["description"]),
            "requestBody": {
                "required": True,
                "content": {"application/json": media},
            },
            "responses": self._responses(rendered),
        }

    def _responses(
        self, rendered: tuple[Mapping[str, object], Mapping[str, object]] | None
    ) -> Json:
        responses = {status: {"$ref": RESPONSES + status} for status in self._any["responses"]}
        done = self._any["responses"]["200"]
        media = {**done["content"]["application/json"]}
        media.pop("examples", None)  # those of another prompt
        if rendered is not None:
            media["example"] = dict(rendered[1])
        return responses | {"200": {**done, "content": {"application/json": media}}}


def typed_examples(
    template: PromptTemplate, validator: ArgumentValidatorPort
) -> dict[str, Mapping[str, object]]:
    """
    Give the examples by name, with what an author wrote as text in the type the argument has.
    """
    found: dict[str, Mapping[str, object]] = {}
    for name, given in example_arguments(template):
        values = validator.validate(template, given).values
        found[name] = {key: thaw(values[key]) if key in values else given[key] for key in given}
    return found


def example_arguments(template: PromptTemplate) -> Iterator[tuple[str, Mapping[str, object]]]:
    """
    Give the author's examples by name, or one made of the examples of single arguments.
    """
    for number, example in enumerate(template.examples, start=1):
        yield (
            example.name or f"example {number}",
            {name: thaw(value) for name, value in example.arguments.items()},
        )
    if template.examples:
        return
    if all(argument.example is not None for argument in template.arguments if argument.required):
        yield (
            "example",
            {
                argument.name: thaw(argument.example)
                for argument in template.arguments
                if argument.example is not None
            },
        )


def _as_near_as_can_be(schema: Json) -> Json:
    try:
        return convert(schema)
    except UnsupportedSchemaError:
        # Of a function's annotation. /prompts/{name} has the whole schema, and it is enforced.
        return {key: schema[key] for key in ("description", "default") if key in schema}


def _body_schema(template: PromptTemplate, arguments: str) -> Json:
    written: Json = {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "arguments": {"$ref": COMPONENTS + arguments},
            "version": {
                "type": "string",
                "nullable": True,
                "enum": [template.version, None],
                "description": "Keeps to the version that these arguments are of.",
            },
        },
    }
    if any(argument.required for argument in template.arguments):
        written["required"] = ["arguments"]
    return written


def _description(template: PromptTemplate, needed: str) -> str:
    facts = [f"Version {template.version}"]
    if template.owner:
        facts.append(f"owned by {template.owner}")
    if template.tags:
        facts.append(f"tagged {', '.join(template.tags)}")
    arguments = "\n".join(map(_argument_line, template.arguments))
    parts = (template.description, "; ".join(facts) + ".", arguments, needed)
    return "\n\n".join(part for part in parts if part)


def _argument_line(argument: PromptArgument) -> str:
    need = "required" if argument.required else "optional"
    text = f": {argument.description}" if argument.description else ""
    return f"- `{argument.name}` ({need}){text}"
