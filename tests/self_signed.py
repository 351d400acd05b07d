"""
Certificates that sign themselves, made for one test.
"""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID


LONG_AGO = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
FAR_AHEAD = dt.datetime(2120, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """
    A certificate for localhost that signs itself, and its key, in files.
    """

    certificate: Path
    key: Path
    serial: int


def write_pair(
    folder: Path,
    *,
    begins: dt.datetime = LONG_AGO,
    ends: dt.datetime = FAR_AHEAD,
    passphrase: bytes | None = None,
) -> Pair:
    """
    Make a new pair in a folder, over the old one if there is one, as tools for renewal do.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    serial = x509.random_serial_number()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(begins)
        .not_valid_after(ends)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, SHA256())
    )
    files = Pair(certificate=folder / "tls.crt", key=folder / "tls.key", serial=serial)
    lock = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    aside = folder / "aside"
    aside.touch(mode=0o600)
    aside.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock))
    aside.rename(files.key)
    aside.write_bytes(certificate.public_bytes(Encoding.PEM))
    aside.rename(files.certificate)
    return files
