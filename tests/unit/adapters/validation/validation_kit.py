"""
What the tests of the validator share.
"""

from collections.abc import Mapping

from ctxfy.adapters.validation.schema_validator import SchemaValidator
from ctxfy.core.models.prompt_models import ArgumentType, PromptArgument, PromptTemplate


VALIDATOR = SchemaValidator()
KINDS: Mapping[str, tuple[ArgumentType, ArgumentType | None]] = {
    kind.value: (kind, None) for kind in ArgumentType if kind is not ArgumentType.LIST
} | {
    f"list[{kind}]": (ArgumentType.LIST, kind)
    for kind in (
        ArgumentType.STRING,
        ArgumentType.INTEGER,
        ArgumentType.NUMBER,
        ArgumentType.BOOLEAN,
    )
}


def make_argument(kind: str, *, name: str = "a", required: bool = False) -> PromptArgument:
    """
    Make an argument of a type as its author would write it.
    """
    main, items = KINDS[kind]
    choices = ("x", "y") if kind == "enum" else ()
    return PromptArgument(name=name, type=main, items=items, required=required, choices=choices)


def template_of(*arguments: PromptArgument) -> PromptTemplate:
    """
    Make a template of nothing but arguments.
    """
    return PromptTemplate(name="t", version="1", arguments=arguments)
