"""
What keys were used for, in figures: per key and day, in UTC.
"""

from dataclasses import dataclass
from datetime import date

from ctxfy.core.models.auth_models import KeyId


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyUse:
    """
    What one request took, or several together.

    Attributes:
        refusals: Requests that were answered with a status of 400 or more; they count as requests.
        bytes_in: Of the bodies of requests.
        bytes_out: Of the bodies of answers.
        render_us: Microseconds spent on executing prompts.
    """

    requests: int = 0
    refusals: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    render_us: int = 0

    def plus(self, other: "KeyUse") -> "KeyUse":
        """
        Add both up.
        """
        return KeyUse(
            requests=self.requests + other.requests,
            refusals=self.refusals + other.refusals,
            bytes_in=self.bytes_in + other.bytes_in,
            bytes_out=self.bytes_out + other.bytes_out,
            render_us=self.render_us + other.render_us,
        )


NO_USE = KeyUse()


@dataclass(frozen=True, slots=True, kw_only=True)
class DayOfKey:
    """
    One day of one key.
    """

    key_id: KeyId
    day: date
    use: KeyUse
