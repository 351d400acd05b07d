"""
The section `privacy`.
"""

from pathlib import Path

from pydantic import Field

from ctxfy.app.setting_section import Section


class PrivacySettings(Section):
    """
    What is held about people, and for how long.
    """

    ledger_file: Path | None = Field(
        default=None,
        description="Tells of erasures when an older backup is restored; default: beside SQLite's"
        " file, or the key file, else var/ctxfy.erasures.",
    )
    ended_key_days: int = Field(
        default=365,
        ge=0,
        le=36500,
        description="How long API keys are kept that were revoked or expired, days; 0 is for ever.",
    )
    erasure_days: int = Field(
        default=1095,
        ge=0,
        le=36500,
        description="How long erasures are remembered, days, at least as long as the oldest backup"
        " that may be restored; 0 is for ever.",
    )
