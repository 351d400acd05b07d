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
