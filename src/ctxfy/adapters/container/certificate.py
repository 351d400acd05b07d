"""
The certificate that the server shows: checked before it is used, loaded anew when its files change.
"""

import os
import ssl
import stat
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Never

from ctxfy.core.exceptions import ConfigurationError


_EXPIRED = 10  # X509_V_ERR_CERT_HAS_EXPIRED
_NOT_YET_VALID = 9  # X509_V_ERR_CERT_NOT_YET_VALID
MAX_FILE_BYTES = 1_000_000


class ServerCertificate:
    """
    A chain of certificates with its key, as PEM files, behind one context that servers keep.

    Attributes:
        context: TLS 1.3 alone; connections made after a reload show the new certificate.
        not_after: When the certificate that is shown now expires.

    Raises:
        ConfigurationError: A file is missing or not what it should be, the key does not fit, or
            the certificate is not valid now.
    """

    def __init__(self, certificate: Path, key: Path) -> None:
        self._certificate = certificate
        self._key = key
        self._seen = self._signature()
        self.context, self.not_after = self._checked()

    def reload(self) -> bool:
        """
        Show what is in the files now, if they have changed; tells whether they had.

        Raises:
            ConfigurationError: They cannot be used; the old certificate is shown on.
        """
        signature = self._signature()
        if signature == self._seen:
            return False
        self._seen = signature
        # Tried aside: half of a pair that does not fit would break the context in use.
        _, not_after = self._checked()
        self.context.load_cert_chain(self._certificate, self._key, password=_refuse_passphrase)
        self.not_after = not_after
        return True

    def _signature(self) -> tuple[tuple[int, int, int] | None, ...]:
        return tuple(_signature_of(path) for path in (self._certificate, self._key))

    def _checked(self) -> tuple[ssl.SSLContext, datetime]:
        _require_pem(self._certificate, b"CERTIFICATE-----", "tls.certificate")
        _require_private(self._key)
        _require_pem(self._key, b"PRIVATE KEY-----", "tls.key")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.set_alpn_protocols(["http/1.1"])
        try:
            context.load_cert_chain(self._certificate, self._key, password=_refuse_passphrase)
        except ssl.SSLError as error:
            raise ConfigurationError(self._explain(error)) from error
        try:
            shown = _shown_by(context, self._certificate)
        except ssl.SSLError as error:
            raise ConfigurationError(self._explain(error)) from error
        return context, datetime.fromtimestamp(ssl.cert_time_to_seconds(shown["notAfter"]), UTC)

    def _explain(self, error: ssl.SSLError) -> str:
        name = f"The certificate '{self._certificate}'"
        if isinstance(error, ssl.SSLCertVerificationError):
            if error.verify_code == _EXPIRED:
                return f"{name} has expired; renew it."
            if error.verify_code == _NOT_YET_VALID:
                return f"{name} is not valid yet; is the clock of this machine right?"
            return f"{name} would be refused by clients: {error.verify_message}."
        if error.reason in {"KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH"}:
            return f"{name} is not that of the key '{self._key}'; name the pair that fits."
        return f"{name} and the key '{self._key}' cannot be used: {error.reason or 'damaged'}."


def _signature_of(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino, status.st_size


def _require_pem(path: Path, marker: bytes, setting: str) -> None:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES)
    except OSError as error:
        raise ConfigurationError(
            f"The file '{path}' of {setting} cannot be read: {(error.strerror or '').lower()}."
        ) from error
    if marker not in content:
        raise ConfigurationError(
            f"The file '{path}' of {setting} is no PEM file: it holds no '{marker.decode()}'."
        )


def _require_private(path: Path) -> None:
    """
    Refuse a key that others can read.

    A link is taken: Kubernetes mounts secrets as links. So is a key of root's that our group may
    read, which is how it mounts them for a user who is not root.
    """
    try:
        status = path.stat()
    except OSError:
        return  # told when it is read
    mode = stat.S_IMODE(status.st_mode)
    if status.st_uid not in {os.geteuid(), 0}:
        raise ConfigurationError(
            f"The key '{path}' belongs to another user; run: chown {os.geteuid()} '{path}'."
        )
    forbidden = 0o077 if status.st_uid == os.geteuid() else 0o037
    if mode & forbidden:
        raise ConfigurationError(
            f"The key '{path}' can be read by others; run: chmod 600 '{path}'."
        )


def _refuse_passphrase() -> Never:
    # Else OpenSSL would ask on the terminal.
    raise ConfigurationError(
        "The key of tls.key is locked with a passphrase; store it without, for its owner's eyes "
        "only: openssl pkey -in LOCKED -out KEY."
    )


def _shown_by(context: ssl.SSLContext, certificate: Path) -> Mapping[str, Any]:
    """
    Shake hands with ourselves in memory: what a client sees, judged by what a client judges.

    Raises:
        ssl.SSLError: The hands were not shaken.
    """
    believing = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    believing.check_hostname = False
    believing.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    believing.load_verify_locations(certificate)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = believing.wrap_bio(to_client, to_server)
    server = context.wrap_bio(to_server, to_client, server_side=True)
    for side in (client, server, client, server):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
    return client.getpeercert() or {}
