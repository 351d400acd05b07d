"""
What loads prompts, put together: used by the server, by commands and by the checking child.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from ctxfy.adapters.mcp_prompts.deferred_engine import DeferredEngine
from ctxfy.adapters.mcp_prompts.loader import FolderLoader
from ctxfy.adapters.mcp_prompts.template_engine import MiniJinjaEngine
from ctxfy.adapters.validation.argument_plan import MAX_ARGUMENTS, ArgumentLimits
from ctxfy.adapters.validation.schema_validator import SchemaValidator
from ctxfy.core.ports.prompt_ports import ArgumentValidatorPort, PromptFunctionPort


def utc_now() -> datetime:
    """
    The clock of this process.
    """
    return datetime.now(UTC)


def make_validator(
    argument_bytes: int,
    arguments_bytes: int,
    argument_count: int = MAX_ARGUMENTS,
) -> SchemaValidator:
    """
    The validator of arguments, given what one of them and all together may bring.
    """
    return SchemaValidator(
        ArgumentLimits(
            argument_bytes=argument_bytes, total_bytes=arguments_bytes, count=argument_count
        )
    )


def make_loader(
    folder: Path,
    validator: ArgumentValidatorPort | None,
    functions: Iterable[PromptFunctionPort] = (),
    *,
    may_be_empty: bool = False,
) -> FolderLoader:
    """
    The loader of a prompt folder; the functions join what it finds.

    Without a validator, for what a checking child has found good, nothing is checked again, and
    each prompt is compiled when it is first asked for.
    """
    engine = MiniJinjaEngine()
    return FolderLoader(
        folder,
        engine=engine if validator is not None else DeferredEngine(engine),
        validator=validator,
        now=utc_now,
        functions=functions,
        may_be_empty=may_be_empty,
    )


def load_functions(modules: Sequence[str], seconds: float) -> tuple[PromptFunctionPort, ...]:
    """
    The prompts of Python modules, each call of which may take that long.

    Raises:
        CatalogError: With all that is wrong with them.
    """
    if not modules:
        return ()
    # Here, since FastMCP takes a second to import, and commands over files do not need it.
    from ctxfy.adapters.auth.fastmcp_verifier import token_of
    from ctxfy.adapters.mcp_prompts import function_loader

    return function_loader.load_functions(modules, seconds=seconds, token_of=token_of)
