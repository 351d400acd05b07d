"""
What loads prompts, put together: used by the server, by commands and by the checking child.
"""

from datetime import UTC, datetime
from pathlib import Path

from ctxfy.adapters.mcp_prompts.loader import FolderLoader
from ctxfy.adapters.mcp_prompts.template_engine import MiniJinjaEngine
from ctxfy.adapters.validation.schema_validator import ArgumentLimits, SchemaValidator
from ctxfy.core.ports.prompt_ports import ArgumentValidatorPort


def utc_now() -> datetime:
    """
    The clock of this process.
    """
    return datetime.now(UTC)


def make_validator(argument_bytes: int, arguments_bytes: int) -> SchemaValidator:
    """
    The validator of arguments, given what one of them and all together may bring.
    """
    return SchemaValidator(
        ArgumentLimits(argument_bytes=argument_bytes, total_bytes=arguments_bytes)
    )


def make_loader(folder: Path, validator: ArgumentValidatorPort) -> FolderLoader:
    """
    The loader of a prompt folder.
    """
    return FolderLoader(folder, engine=MiniJinjaEngine(), validator=validator, now=utc_now)
