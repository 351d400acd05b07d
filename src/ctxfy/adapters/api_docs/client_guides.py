"""
How clients are connected, as the pages show it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientGuide:
    """
    One client.

    Attributes:
        file: Where its configuration is.
        snippet: What stands there, without a key.
        notes: What people stumble over; NAME in it stands for that of a prompt.
        command: What does the same in a terminal, or nothing.
    """

    title: str
    file: str
    snippet: str
    notes: tuple[str, ...]
    command: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guides:
    """
    All of them.

    Attributes:
        clients: Given the server's address, without a slash at the end.
        stdio: Likewise, for clients that only start programs.
        without_prompts: Clients that cannot use any.
    """

    clients: Callable[[str], Sequence[ClientGuide]]
    stdio: Callable[[str], str]
    without_prompts: tuple[str, ...]
