"""
What loads prompts, put together: used by the server, by commands and by the checking child.
"""

from datetime import UTC, datetime
from pathlib import Path

from ctxfy.adapters.mcp_prompts.loader import FolderLoader
from ctxfy.adapters.mcp_prompts.template_engine import MiniJinjaEngine
from ctxfy.core.ports.prompt_ports import ArgumentValidatorPort


def utc_now() -> datetime:
    """
    The clock of this process.
    """
    return datetime.now(UTC)


def make_loader(folder: Path, validator: ArgumentValidatorPort) -> FolderLoader:
    """
    The loader of a prompt folder.
    """
    return FolderLoader(folder, engine=MiniJinjaEngine(), validator=validator, now=utc_now)
