"""
What one process takes of what there is.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessSizes:
    """
    Sizes that are not set, for one process.

    Attributes:
        pool: Connections to PostgreSQL.
        cached_keys: API keys remembered.
        check_memory_mb: What the tests of prompts may take, megabytes.
    """

    pool: int
    cached_keys: int
    check_memory_mb: int
