"""
The certificate: what is taken, what is refused and how, and renewal without a restart.
"""

import datetime as dt
import ssl
from pathlib import Path

import pytest

from ctxfy.adapters.container.certificate import ServerCertificate
from ctxfy.core.exceptions import ConfigurationError
from tests.certificates import BEGIN, LIFE, server_context
from tests.self_signed import FAR_AHEAD, LONG_AGO, Pair, write_pair


SOON = LONG_AGO + dt.timedelta(days=1)


def _refusal(pair: Pair) -> str:
    with pytest.raises(ConfigurationError) as caught:
        ServerCertificate(pair.certificate, pair.key)
    sentence = str(caught.value)
    assert "\n" not in sentence
    return sentence


def _serial_shown(context: ssl.SSLContext, trusted: Path, newest: ssl.TLSVersion) -> int:
    """
    Shake hands in memory, as a client that believes in one certificate.
    """
    client_context = ssl.create_default_context(cafile=str(trusted))
    client_context.maximum_version = newest
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_context.wrap_bio(to_client, to_server, server_hostname="localhost")
    server = context.wrap_bio(to_server, to_client, server_side=True)
    for side in (client, server, client, server):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
    shown = client.getpeercert()
    assert shown is not None
    assert client.version() == "TLSv1.3"
    assert client.selected_alpn_protocol() is None
    return int(str(shown["serialNumber"]), 16)


def test_a_good_pair_is_shown_over_tls_1_3_alone(tmp_path: Path) -> None:
    """
    A client of TLS 1.2 is refused by the handshake.
    """
    pair = write_pair(tmp_path)
    shown = ServerCertificate(pair.certificate, pair.key)
    newest = ssl.TLSVersion.TLSv1_3
    assert _serial_shown(shown.context, pair.certificate, newest) == pair.serial
    assert shown.not_after == FAR_AHEAD
    with pytest.raises(ssl.SSLError, match=r"(?i)protocol"):
        _serial_shown(shown.context, pair.certificate, ssl.TLSVersion.TLSv1_2)


def test_a_certificate_of_an_authority_may_share_a_file_with_its_key(tmp_path: Path) -> None:
    """
    The root need not be known here: it is clients who must believe in it.
    """
    server_context(tmp_path)
    file = tmp_path / "server.pem"
    file.chmod(0o600)
    assert ServerCertificate(file, file).not_after == BEGIN + LIFE


def test_a_renewed_pair_is_shown_without_a_restart(tmp_path: Path) -> None:
    """
    By the same context; files that did not change are not read again.
    """
    old = write_pair(tmp_path)
    shown = ServerCertificate(old.certificate, old.key)
    assert shown.reload() is False
    new = write_pair(tmp_path)
    context = shown.context
    assert shown.reload() is True
    assert shown.reload() is False
    assert _serial_shown(context, new.certificate, ssl.TLSVersion.TLSv1_3) == new.serial


def test_a_renewal_that_cannot_be_used_leaves_the_old_pair(tmp_path: Path) -> None:
    """
    Half written, expired or gone: it is told once, and clients see what they saw before.
    """
    pair = write_pair(tmp_path)
    trusted = tmp_path / "trusted.pem"
    trusted.write_bytes(pair.certificate.read_bytes())
    shown = ServerCertificate(pair.certificate, pair.key)
    other = tmp_path / "other"
    other.mkdir()
    write_pair(other).key.rename(pair.key)
    for spoil in (
        lambda: None,
        lambda: write_pair(tmp_path, ends=SOON),
        pair.certificate.unlink,
    ):
        spoil()
        with pytest.raises(ConfigurationError):
            shown.reload()
        assert shown.reload() is False
        assert _serial_shown(shown.context, trusted, ssl.TLSVersion.TLSv1_3) == pair.serial
    assert shown.not_after == FAR_AHEAD
    new = write_pair(tmp_path)
    assert shown.reload() is True
    assert _serial_shown(shown.context, new.certificate, ssl.TLSVersion.TLSv1_3) == new.serial


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    """
    With the setting that names it.
    """
    pair = write_pair(tmp_path)
    pair.key.unlink()
    assert _refusal(pair) == (
        f"The file '{pair.key}' of tls.key cannot be read: no such file or directory."
    )
    pair.certificate.unlink()
    assert _refusal(pair).startswith(f"The file '{pair.certificate}' of tls.certificate cannot be")


def test_files_that_hold_something_else_are_named(tmp_path: Path) -> None:
    """
    The two exchanged, another key, damaged text, a key with a passphrase.
    """
    pair = write_pair(tmp_path)
    exchanged = Pair(certificate=pair.key, key=pair.certificate, serial=0)
    assert "is no PEM file: it holds no 'CERTIFICATE-----'" in _refusal(exchanged)
    other = tmp_path / "other"
    other.mkdir()
    foreign = write_pair(other)
    mixed = Pair(certificate=pair.certificate, key=foreign.key, serial=0)
    assert _refusal(mixed) == (
        f"The certificate '{pair.certificate}' is not that of the key '{foreign.key}'; "
        "name the pair that fits."
    )
    foreign.key.write_text("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
    assert "cannot be used" in _refusal(foreign)
    locked = write_pair(other, passphrase=b"hunter2")
    assert _refusal(locked).startswith("The key of tls.key is locked with a passphrase; ")


def test_a_certificate_that_is_not_valid_now_is_refused(tmp_path: Path) -> None:
    """
    Expired, or not valid yet.
    """
    expired = write_pair(tmp_path, ends=SOON)
    assert _refusal(expired) == (f"The certificate '{expired.certificate}' has expired; renew it.")
    early = write_pair(tmp_path, begins=FAR_AHEAD - dt.timedelta(days=1))
    assert _refusal(early) == (
        f"The certificate '{early.certificate}' is not valid yet; "
        "is the clock of this machine right?"
    )


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_a_key_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    """
    With the command that mends it.
    """
    pair = write_pair(tmp_path)
    pair.key.chmod(mode)
    assert _refusal(pair) == (
        f"The key '{pair.key}' can be read by others; run: chmod 600 '{pair.key}'."
    )


def test_a_key_may_be_a_link(tmp_path: Path) -> None:
    """
    Kubernetes mounts secrets as links, and turns the link to renew them.
    """
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    old, new = write_pair(tmp_path / "one"), write_pair(tmp_path / "two")
    (tmp_path / "..data").symlink_to("one")
    for name in ("tls.crt", "tls.key"):
        (tmp_path / name).symlink_to(f"..data/{name}")
    shown = ServerCertificate(tmp_path / "tls.crt", tmp_path / "tls.key")
    newest = ssl.TLSVersion.TLSv1_3
    assert _serial_shown(shown.context, old.certificate, newest) == old.serial
    (tmp_path / "turned").symlink_to("two")
    (tmp_path / "turned").rename(tmp_path / "..data")
    assert shown.reload() is True
    assert _serial_shown(shown.context, new.certificate, newest) == new.serial
