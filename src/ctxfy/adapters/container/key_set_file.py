"""
The keys of a token's issuer, read from a file (KeySetSourcePort).
"""

import asyncio
from pathlib import Path

from ctxfy.core.exceptions import UnavailableError


MAX_BYTES = 256 * 1024
DEPENDENCY = "issuer of tokens"


class KeySetFile:
    """
    Reads a file each time anew, so that it can be replaced while the server runs.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    async def fetch(self) -> bytes:
        """
        Read the whole set.

        Raises:
            UnavailableError: The file cannot be read, or is too large.
        """
        try:
            return await asyncio.to_thread(self._read)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise UnavailableError(
                DEPENDENCY, f"the file '{self._path}' cannot be read: {reason}."
            ) from error

    def _read(self) -> bytes:
        with self._path.open("rb") as file:
            text = file.read(MAX_BYTES + 1)
        if len(text) > MAX_BYTES:
            raise UnavailableError(DEPENDENCY, f"the file '{self._path}' is too large.")
        return text
