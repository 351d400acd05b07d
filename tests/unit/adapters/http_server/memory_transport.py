"""
A transport without a network.
"""

import asyncio
from typing import Any, override


class MemoryTransport(asyncio.Transport):
    """
    Keeps what is written; `unsent` bytes of it wait for the client.
    """

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.unsent = 0
        self.closing = False
        self.aborted = False

    @override
    def write(self, data: Any) -> None:
        self.written += bytes(data)

    @override
    def get_write_buffer_size(self) -> int:
        return self.unsent

    @override
    def is_closing(self) -> bool:
        return self.closing

    @override
    def close(self) -> None:
        self.closing = True

    @override
    def abort(self) -> None:
        self.closing = self.aborted = True

    @override
    def pause_reading(self) -> None:
        """
        Nothing comes anyway.
        """

    @override
    def resume_reading(self) -> None:
        """
        Likewise.
        """

    @property
    def statuses(self) -> list[int]:
        """
        The answers so far.
        """
        heads = self.written.split(b"HTTP/1.1 ")[1:]
        return [int(head[:3]) for head in heads]
