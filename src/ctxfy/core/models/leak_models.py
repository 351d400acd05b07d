"""
Keys that were found where anybody may have read them.
"""

from dataclasses import dataclass
from enum import StrEnum

from ctxfy.core.models.auth_models import KeyId


class LeakProof(StrEnum):
    """
    What a report holds of a key.
    """

    SECRET = "secret"  # noqa: S105 - a word # nosec B105
    """
    The whole key, as it is now.
    """
    OLD_SECRET = "old_secret"  # noqa: S105 - a word # nosec B105
    """
    The whole key, with a secret that was rotated away and is still good.
    """
    OVER = "over"
    """
    The whole key, with a secret that was rotated away and is over.
    """
    KEY_ID = "key_id"
    """
    Its public id alone, which proves nothing: whoever reports it is believed.
    """


class LeakOutcome(StrEnum):
    """
    What came of a report about one key.
    """

    DISABLED = "disabled"
    ALREADY_GONE = "already_gone"
    ROTATED_AWAY = "rotated_away"
    LAST_ADMIN = "last_admin"
    STATIC = "static"
    """
    It lives in the settings and stays good until it is taken out there.
    """
    UNKNOWN = "unknown"
    MALFORMED = "malformed"


@dataclass(frozen=True, slots=True, kw_only=True)
class LeakFinding:
    """
    One key of a report.

    Attributes:
        key_id: Its public id; None if no key is known by what was found.
    """

    outcome: LeakOutcome
    key_id: KeyId | None = None
