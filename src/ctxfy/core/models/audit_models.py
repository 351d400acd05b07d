"""
What is remembered of who did what.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ctxfy.core.models.auth_models import KeyId


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEvent:
    """
    One act, or one refusal.

    Attributes:
        action: What was done, past-tense snake case (`key_revoked`).
        outcome: `ok`, or why not.
        target: The key id, prompt name or setting it was done to.
        details: Names and sizes; never the value of an argument, never a secret.
    """

    action: str
    at: datetime
    outcome: str
    request_id: str | None = None
    actor: KeyId | None = None
    user_id: str | None = None
    target: str | None = None
    details: Mapping[str, object] = field(default_factory=dict[str, object])
