"""
Envelope encryption: data under a key of its own, that key under the master key, AES-256-GCM both.

A blob reads `version byte | nonce, 12 bytes | ciphertext and tag`. It is bound to its place: moved
to another row, column or key, it does not open. Nonces are random; a data key seals a few values
in its life, far from the 2^32 at which that would end being safe.
"""

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ctxfy.adapters.storage.sealed_file import SealingKeys
from ctxfy.core.exceptions import ConfigurationError, UnavailableError


KEY_BYTES = 32
NONCE_BYTES = 12
VERSION = b"\x01"

_MISFIT = (
    "the master key does not fit this database; set the one the database was made with,"
    " or restore the database that belongs to this key."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MasterKey:
    """
    A key from the settings, and the number under which the database remembers it.
    """

    id: int
    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) != KEY_BYTES:
            raise ConfigurationError(
                f"Master key {self.id} must have {KEY_BYTES} bytes; it has {len(self.secret)}."
            )


class Place(NamedTuple):
    """
    Where a sealed value is kept; names and ids only, none holds a `|`.
    """

    table: str
    column: str
    row: str

    def under(self, key: str) -> bytes:
        """
        What the seal is bound to when made with that key.
        """
        return f"{self.table}|{self.column}|{self.row}|{key}".encode()


class DataKey:
    """
    A data key made ready to seal and open many values.
    """

    def __init__(self, secret: bytes, random_bytes: Callable[[int], bytes]) -> None:
        self._cipher = AESGCM(secret)
        self._random_bytes = random_bytes

    def seal(self, text: bytes, place: Place, nonce: bytes | None = None) -> bytes:
        """
        Seal a text, in UTF-8.

        Args:
            text: The text.
            place: Where it will be kept.
            nonce: Fresh randomness, if whoever seals many fetched it for all of them at once.
        """
        # Bound to the row's own key, whatever wraps it: a new master key wraps data keys anew, and
        # leaves the data alone.
        nonce = nonce or self._random_bytes(NONCE_BYTES)
        return VERSION + nonce + self._cipher.encrypt(nonce, text, place.under("data"))

    def open(self, blob: bytes, place: Place) -> bytes:
        """
        Open a text.

        Raises:
            UnavailableError: It was sealed under another key or for another place.
        """
        return _open(self._cipher, blob, place.under("data"))


class Envelope:
    """
    Seals and opens under the master keys; what is new is sealed under the one in use.

    Args:
        masters: All that are known.
        random_bytes: Randomness.
        current: The number of the one in use; the highest if not given.
    """

    def __init__(
        self,
        masters: Sequence[MasterKey],
        *,
        random_bytes: Callable[[int], bytes],
        current: int | None = None,
    ) -> None:
        if not masters:
            raise ConfigurationError("The storage needs a master key.")
        current_first = sorted(
            masters, key=lambda master: (master.id == current, master.id), reverse=True
        )
        self._wrapping = {each.id: _derive(each, b"wrap") for each in current_first}
        self._lookups = {each.id: _derive(each, b"lookup") for each in current_first}
        self._erasures = {each.id: _derive(each, b"erasure") for each in current_first}
        self._audit = {each.id: _derive(each, b"audit") for each in current_first}
        self._replay = {each.id: _derive(each, b"replay") for each in current_first}
        self._spool = {each.id: _derive(each, b"spool") for each in current_first}
        self._backups = {each.id: _derive(each, b"backup") for each in current_first}
        self._signing = {each.id: _derive(each, b"checkpoint") for each in current_first}
        if len(self._wrapping) != len(masters):
            raise ConfigurationError("Two master keys have the same id.")
        self._random_bytes = random_bytes
        self.master_id = current_first[0].id

    def random_bytes(self, count: int) -> bytes:
        """
        Fresh randomness, for keys and ids.
        """
        return self._random_bytes(count)

    def require_master(self, master_id: int) -> None:
        """
        Refuse to go on without a master key that something is under.

        Raises:
            UnavailableError: It is not here.
        """
        self._of(self._wrapping, master_id)

    def lookups(self, text: str) -> list[bytes]:
        """
        Under which values a text may be found again, that of the master key in use first.
        """
        return [hmac.digest(key, text.encode(), hashlib.sha256) for key in self._lookups.values()]

    def erasure_marks(self, text: str) -> tuple[bytes, ...]:
        """
        What a ledger of erasures holds in place of a name, that of the master key in use first.

        Not the values names are found by: those, in older backups, must not match it.
        """
        keys = self._erasures.values()
        return tuple(hmac.digest(key, text.encode(), hashlib.sha256) for key in keys)

    def wrap(self, data_key: bytes, place: Place) -> bytes:
        """
        Seal a data key under the master key in use.
        """
        bound = place.under(f"master:{self.master_id}")
        nonce = self._random_bytes(NONCE_BYTES)
        cipher = AESGCM(self._wrapping[self.master_id])
        return VERSION + nonce + cipher.encrypt(nonce, data_key, bound)

    def unwrap(self, blob: bytes, place: Place, *, master_id: int) -> bytes:
        """
        Open a data key that was sealed under the named master key.

        Raises:
            UnavailableError: The master key is not here, or is another one.
        """
        cipher = AESGCM(self._of(self._wrapping, master_id))
        return _open(cipher, blob, place.under(f"master:{master_id}"))

    def data_key(self, secret: bytes) -> DataKey:
        """
        Make a data key ready, for those that seal many values.
        """
        return DataKey(secret, self._random_bytes)

    def seal(self, text: str, place: Place, *, data_key: bytes) -> bytes:
        """
        Seal a text under a data key.
        """
        return self.data_key(data_key).seal(text.encode(), place)

    def open(self, blob: bytes, place: Place, *, data_key: bytes) -> str:
        """
        Open a text.

        Raises:
            UnavailableError: It was sealed under another key or for another place.
        """
        return self.data_key(data_key).open(blob, place).decode()

    def audit_mac(self, data: bytes, *, master_id: int) -> bytes:
        """
        Vouch for the head of an audit chain: HMAC-SHA-256, 32 bytes.

        Raises:
            UnavailableError: The master key is not here.
        """
        return hmac.digest(self._of(self._audit, master_id), data, hashlib.sha256)

    def spool_key(self, master_id: int) -> bytes:
        """
        The data key that a spool file is sealed under, for `seal` and `open`.

        Raises:
            UnavailableError: The master key is not here.
        """
        return self._of(self._spool, master_id)

    def backup_keys(self) -> SealingKeys:
        """
        The keys that backups are sealed under.
        """
        return SealingKeys(current=self.master_id, secrets=self._backups)

    def replay_key(self, idempotency_key: str, *, master_id: int) -> bytes:
        """
        The data key for an answer that only who knows the idempotency key gets again.

        Raises:
            UnavailableError: The master key is not here.
        """
        key = self._of(self._replay, master_id)
        return hmac.digest(key, idempotency_key.encode(), hashlib.sha256)

    def signing_key(self, master_id: int) -> Ed25519PrivateKey:
        """
        The key that checkpoints are signed with under the named master key (RFC 8032).

        Raises:
            UnavailableError: The master key is not here.
        """
        return Ed25519PrivateKey.from_private_bytes(self._of(self._signing, master_id))

    @staticmethod
    def _of(keys: Mapping[int, bytes], master_id: int) -> bytes:
        if master_id not in keys:
            raise UnavailableError(
                "storage",
                f"something in this database is under the master key number {master_id}, which is"
                " not set; name it in CTXFY_AUTH__OTHER_MASTER_KEYS.",
            )
        return keys[master_id]


def _open(cipher: AESGCM, blob: bytes, bound: bytes) -> bytes:
    start = len(VERSION) + NONCE_BYTES
    nonce, sealed = blob[len(VERSION) : start], blob[start:]
    if not blob.startswith(VERSION) or len(nonce) < NONCE_BYTES:
        raise UnavailableError("storage", _MISFIT)
    try:
        return cipher.decrypt(nonce, sealed, bound)
    except InvalidTag as error:
        raise UnavailableError("storage", _MISFIT) from error


def _derive(master: MasterKey, purpose: bytes) -> bytes:
    # One key per purpose: what finds a person must not help to read about them.
    info = b"ctxfy/storage/v1/" + purpose
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info).derive(master.secret)
