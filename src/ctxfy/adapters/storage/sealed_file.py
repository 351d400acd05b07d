"""
A file under a key: it is read exactly as it was written, or refused.

    {"format":"ctxfy sealed","version":1,"master_key":1,"salt":"..."}    one line of JSON
    16 bytes                           vouch for that line
    65552 bytes, again and again       65536 bytes under AES-256-GCM, with their tag

Each file has a key of its own: HKDF-SHA-256 of the named key, with the file's random salt, bound to
that line. The nonce of a piece is its number in 11 bytes, and in one more whether it is the last,
which may be shorter. So no piece can be changed, left out, moved, repeated, cut off, added or taken
from another file, and nothing of a piece is given out before all of it was proven. That is the
STREAM construction (Hoang, Reyhanitabar, Rogaway and Vizar, 2015).
"""

import io
import json
from base64 import b64decode, b64encode
from collections.abc import Buffer, Callable, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ctxfy.core.exceptions import ConfigurationError


FORMAT = "ctxfy sealed"
VERSION = 1
BEGINNING = f'{{"format":"{FORMAT}"'.encode()
PIECE = 65536
TAG = 16

_KEY_BYTES = 32
_SALT_BYTES = 32
_LONGEST_HEAD = 500
_HEAD_NONCE = b"\xff" * 12  # no piece has it: theirs end with 0 or 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SealingKeys:
    """
    The keys that files are sealed under.

    Attributes:
        current: The number of the one that new files are under.
        secrets: All that are known, by number.
    """

    current: int
    secrets: Mapping[int, bytes] = field(repr=False)


class SealedWriter:
    """
    Seals what is written to it, piece by piece; `finish` must follow.
    """

    def __init__(
        self, stream: BinaryIO, keys: SealingKeys, random_bytes: Callable[[int], bytes]
    ) -> None:
        salt = random_bytes(_SALT_BYTES)
        head = _head(keys.current, salt)
        self._stream = stream
        self._cipher = _cipher(keys.secrets[keys.current], salt, head)
        self._number = 0
        self._waiting = bytearray()
        stream.write(head + self._cipher.encrypt(_HEAD_NONCE, b"", head))

    def write(self, data: Buffer) -> int:
        """
        Take some more; a piece goes out when there is something behind it.
        """
        size = len(memoryview(data).cast("B"))
        self._waiting += data
        while len(self._waiting) > PIECE:
            self._seal(bytes(self._waiting[:PIECE]), is_last=False)
            del self._waiting[:PIECE]
        return size

    def flush(self) -> None:
        """
        Do nothing: a piece that is not full is written at the end only.
        """

    def finish(self) -> None:
        """
        Write the last piece.
        """
        self._seal(bytes(self._waiting), is_last=True)

    def _seal(self, piece: bytes, *, is_last: bool) -> None:
        self._stream.write(self._cipher.encrypt(_nonce(self._number, is_last), piece, None))
        self._number += 1


class SealedReader(io.RawIOBase):
    """
    Reads what was sealed; every byte that it gives out was proven.

    Args:
        stream: The sealed file, at its beginning.
        keys: Those that it may be under; None if there are none here.
        name: What to call the file in a sentence.

    Raises:
        ConfigurationError: Here or while reading: the key is another, or the file is not whole.
    """

    def __init__(self, stream: BinaryIO, keys: SealingKeys | None, name: str) -> None:
        super().__init__()
        self._stream = stream
        self._name = name
        self._cipher = self._opened(keys)
        self._number = 0
        self._sealed = stream.read(PIECE + TAG)
        self._open = memoryview(b"")

    def readable(self) -> bool:
        """
        Tell that it is.
        """
        return True

    def readinto(self, buffer: Buffer) -> int:
        """
        Give out some bytes; none at the end alone.
        """
        target = memoryview(buffer).cast("B")
        if not self._open and self._cipher is not None:
            self._open = memoryview(self._next())
        count = min(len(target), len(self._open))
        target[:count] = self._open[:count]
        self._open = self._open[count:]
        return count

    def _next(self) -> bytes:
        assert self._cipher is not None  # noqa: S101 - asked of before # nosec B101
        following = self._stream.read(PIECE + TAG)
        try:
            piece = self._cipher.decrypt(
                _nonce(self._number, is_last=not following), self._sealed, None
            )
        except (InvalidTag, ValueError) as error:
            raise ConfigurationError(
                f"The file '{self._name}' is damaged, cut off or was changed, after"
                f" {self._number * PIECE} bytes of what is in it; use another."
            ) from error
        self._number += 1
        self._sealed = following
        if not following:
            self._cipher = None
        return piece

    def _opened(self, keys: SealingKeys | None) -> AESGCM | None:
        head = self._stream.readline(_LONGEST_HEAD)
        number, salt = _read_head(head, self._name)
        if keys is None or number not in keys.secrets:
            raise ConfigurationError(
                f"The file '{self._name}' is sealed under the master key number {number}, which is"
                " not here; put back the key file, or set CTXFY_AUTH__MASTER_KEY (an older one in"
                " CTXFY_AUTH__OTHER_MASTER_KEYS)."
            )
        cipher = _cipher(keys.secrets[number], salt, head)
        try:
            cipher.decrypt(_HEAD_NONCE, self._stream.read(TAG), head)
        except (InvalidTag, ValueError) as error:
            raise ConfigurationError(
                f"The file '{self._name}' does not open: the master key number {number} here is not"
                " the one it was sealed under, or its beginning was changed."
            ) from error
        return cipher


def _head(number: int, salt: bytes) -> bytes:
    told = {
        "format": FORMAT,
        "version": VERSION,
        "master_key": number,
        "salt": b64encode(salt).decode(),
    }
    return json.dumps(told, separators=(",", ":")).encode() + b"\n"


def _read_head(line: bytes, name: str) -> tuple[int, bytes]:
    try:
        told = json.loads(line)
        version, number = int(told["version"]), int(told["master_key"])
        salt = b64decode(told["salt"], validate=True)
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(
            f"The file '{name}' is damaged at its beginning; use another."
        ) from error
    if version != VERSION:
        raise ConfigurationError(
            f"The file '{name}' is sealed in a way that this version of ctxfy does not know;"
            " use the version that made it, or a newer one."
        )
    return number, salt


def _cipher(secret: bytes, salt: bytes, head: bytes) -> AESGCM:
    derived = HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=salt, info=b"ctxfy/sealed/" + head)
    return AESGCM(derived.derive(secret))


def _nonce(number: int, is_last: bool) -> bytes:  # noqa: FBT001 - a bit of the nonce
    return number.to_bytes(11, "big") + bytes([is_last])
