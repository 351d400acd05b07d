"""
The section `audit`.
"""

from pathlib import Path
from typing import Literal

from pydantic import Field

from ctxfy.app.setting_section import Section


class AuditSettings(Section):
    """
    What is remembered of who did what.
    """

    durability: Literal["strict", "relaxed"] = Field(
        default="strict",
        description="strict answers once the event is on the disk; relaxed before, and may lose"
        " the last tenth of a second.",
    )
    retention_days: int = Field(
        default=90, ge=0, le=36500, description="How long events are kept, days; 0 is for ever."
    )
    chain: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$",
        description="Name of this process's chain of events; default: main on SQLite, where all"
        " processes share one, else the name of the machine.",
    )
    spool_file: Path | None = Field(
        default=None,
        description="Where events wait while the database is away; default: beside SQLite's file,"
        " or the key file, else var/ctxfy.spool.",
    )
    spool_mb: int = Field(
        default=64, ge=1, le=10_000, description="How large that file may grow, megabytes."
    )
    verify_hours: int = Field(
        default=24,
        ge=0,
        le=8760,
        description="How often the running server verifies the whole trail, hours; 0 is never.",
    )
    log: Literal["off", "acts", "all"] = Field(
        default="acts",
        description="Which events have a line in the log too: acts on keys, people, prompts and"
        " the trail, all, or none (off).",
    )
