"""
The key file: the server's own secrets, beside the database, for its owner's eyes only.
"""

import errno
import json
import os
import stat
import tempfile
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ctxfy.core.exceptions import ConfigurationError


SECRET_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSecrets:
    """
    What must survive with the database: without these, its keys and names are dead.

    Attributes:
        pepper: Keys the digests of API keys.
        master_key: Wraps the keys that people's data are encrypted with.
        pepper_id: What the pepper is called in the database.
        other_peppers: Those that keys may still be under, or soon, by id.
        master_key_id: What the master key is called in the database.
        other_master_keys: Those that people may still be under, or soon, by id.
    """

    pepper: bytes = field(repr=False)
    master_key: bytes = field(repr=False)
    pepper_id: int = field(default=1, repr=False)
    other_peppers: Mapping[int, bytes] = field(default_factory=dict[int, bytes], repr=False)
    master_key_id: int = field(default=1, repr=False)
    other_master_keys: Mapping[int, bytes] = field(default_factory=dict[int, bytes], repr=False)

    @property
    def peppers(self) -> dict[int, bytes]:
        """
        Every pepper that is known, by id.
        """
        return {**self.other_peppers, self.pepper_id: self.pepper}

    @property
    def master_keys(self) -> dict[int, bytes]:
        """
        Every master key that is known, by id.
        """
        return {**self.other_master_keys, self.master_key_id: self.master_key}


def read_or_create_key_file(path: Path, random_bytes: Callable[[int], bytes]) -> ServerSecrets:
    """
    Read the key file; make it, readable by its owner only, if there is none.

    Raises:
        ConfigurationError: Others can read it, it is a link, or it does not hold what it should.
    """
    try:
        if not path.exists(follow_symlinks=False):
            _create(path, random_bytes)
        return _parse(path, _read_guarded(path))
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise ConfigurationError(
                f"The key file '{path}' is a link; name the file itself with CTXFY_AUTH__KEY_FILE."
            ) from error
        raise ConfigurationError(
            f"The key file '{path}' cannot be used ({error.strerror}); "
            "make its folder writable for this user, or name another with CTXFY_AUTH__KEY_FILE."
        ) from error


def check_secret(name: str, secret: bytes) -> bytes:
    """
    Refuse a secret that protects nothing.

    Raises:
        ConfigurationError: It is too short, or all one byte.
    """
    if len(secret) < SECRET_BYTES or len(set(secret)) == 1:
        raise ConfigurationError(
            f"{name} is no secret: it needs {SECRET_BYTES} random bytes or more; "
            "make one with 'openssl rand -base64 32'."
        )
    return secret


def _create(path: Path, random_bytes: Callable[[int], bytes]) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    content = json.dumps(
        {
            "about": "Secrets of this ctxfy server. Keep them with its database, and secret.",
            "pepper": b64encode(random_bytes(SECRET_BYTES)).decode(),
            "master_key": b64encode(random_bytes(SECRET_BYTES)).decode(),
        },
        indent=2,
    )
    # Written aside and linked into place: of two that start at once, one wins, and neither ever
    # sees half a file. The name aside is a new one each time: in a container every process has the
    # same number, and what one that was killed left behind must not stop the next.
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # mode 0600
    aside = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(content + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            path.hardlink_to(aside)
        except FileExistsError:
            return
    finally:
        aside.unlink()


def _read_guarded(path: Path) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(file.fileno())
        if stat.S_IMODE(status.st_mode) & 0o077:
            raise ConfigurationError(
                f"The key file '{path}' can be read by others; run: chmod 600 '{path}'."
            )
        if status.st_uid != os.geteuid():
            raise ConfigurationError(
                f"The key file '{path}' belongs to another user; "
                f"run: chown {os.geteuid()} '{path}'."
            )
        return file.read(64_000)


def _parse(path: Path, raw: bytes) -> ServerSecrets:
    try:
        content = json.loads(raw)
        pepper = b64decode(content["pepper"], validate=True)
        master_key = b64decode(content["master_key"], validate=True)
        pepper_id = int(content.get("pepper_id", 1))
        others = _decoded(content.get("other_peppers", {}))
        master_key_id = int(content.get("master_key_id", 1))
        other_master_keys = _decoded(content.get("other_master_keys", {}))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ConfigurationError(
            f"The key file '{path}' is damaged; restore it from a backup of this database."
        ) from error
    return ServerSecrets(
        pepper=check_secret(f"The pepper in '{path}'", pepper),
        master_key=check_secret(f"The master key in '{path}'", master_key),
        pepper_id=pepper_id,
        other_peppers={
            number: check_secret(f"The pepper {number} in '{path}'", secret)
            for number, secret in others.items()
        },
        master_key_id=master_key_id,
        other_master_keys={
            number: check_secret(f"The master key {number} in '{path}'", secret)
            for number, secret in other_master_keys.items()
        },
    )


def _decoded(numbered: Mapping[str, str]) -> dict[int, bytes]:
    return {int(number): b64decode(text, validate=True) for number, text in numbered.items()}
