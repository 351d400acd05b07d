"""
What a request may bring before anybody looks at what it asks for.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestBounds:
    """
    The largest head of a request.

    Attributes:
        headers: How many header fields.
        header_bytes: All names and values together.
        header_value_bytes: One value.
        address_bytes: Path and query together.
    """

    headers: int = 100
    header_bytes: int = 32 * 1024
    header_value_bytes: int = 16 * 1024
    address_bytes: int = 8 * 1024
