"""
The server's own secrets, and the names that are made with them.
"""

import hmac
import secrets
from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from pydantic import SecretStr

from ctxfy.adapters.container.secrets import ServerSecrets, check_secret, read_or_create_key_file
from ctxfy.adapters.storage.envelope import KEY_BYTES
from ctxfy.app.config import Settings, decode_secret
from ctxfy.app.numbered_secrets import FIRST_ID, join_secrets, numbered_secrets
from ctxfy.app.places import database_file, key_file
from ctxfy.core.exceptions import ConfigurationError


_OTHER_PEPPERS = "CTXFY_AUTH__OTHER_PEPPERS"
_OTHER_MASTER_KEYS = "CTXFY_AUTH__OTHER_MASTER_KEYS"


def server_secrets(settings: Settings) -> ServerSecrets:
    """
    Take the pepper and the master key from the settings, or from the key file.

    Raises:
        ConfigurationError: One of them protects nothing, or others can read it.
    """
    auth = settings.auth
    pepper = _decoded("CTXFY_AUTH__PEPPER", auth.pepper)
    pepper_id, others = auth.pepper_id, numbered_secrets(_OTHER_PEPPERS, auth.other_peppers)
    _require_both("CTXFY_AUTH__PEPPER", pepper, pepper_id)
    master_key = _decoded("CTXFY_AUTH__MASTER_KEY", auth.master_key)
    master_id = auth.master_key_id
    other_masters = numbered_secrets(_OTHER_MASTER_KEYS, auth.other_master_keys)
    _require_both("CTXFY_AUTH__MASTER_KEY", master_key, master_id)
    if master_key is not None and len(master_key) != KEY_BYTES:
        raise ConfigurationError(
            f"CTXFY_AUTH__MASTER_KEY must have {KEY_BYTES} bytes; it has {len(master_key)}."
        )
    if pepper is None or master_key is None:
        file = key_file(settings)
        _require_not_lost(file, settings)
        kept = read_or_create_key_file(file, secrets.token_bytes)
        if pepper is None:
            pepper, pepper_id = kept.pepper, kept.pepper_id
            others = join_secrets(_OTHER_PEPPERS, kept.other_peppers, others)
        if master_key is None:
            master_key, master_id = kept.master_key, kept.master_key_id
            other_masters = join_secrets(_OTHER_MASTER_KEYS, kept.other_master_keys, other_masters)
    pepper_id, master_id = pepper_id or FIRST_ID, master_id or FIRST_ID
    join_secrets(_OTHER_PEPPERS, {pepper_id: pepper}, others)
    join_secrets(_OTHER_MASTER_KEYS, {master_id: master_key}, other_masters)
    return ServerSecrets(
        pepper=pepper,
        master_key=master_key,
        pepper_id=pepper_id,
        other_peppers=others,
        master_key_id=master_id,
        other_master_keys=other_masters,
    )


def _require_both(name: str, secret: bytes | None, number: int | None) -> None:
    if secret is None and number is not None:
        raise ConfigurationError(
            f"{name}_ID is the number of {name}, which is not set; set both, or none. The key file"
            " has numbers of its own."
        )


def has_secrets(settings: Settings) -> bool:
    """
    Whether the secrets are here, and none would have to be made.
    """
    auth = settings.auth
    if auth.pepper is not None and auth.master_key is not None:
        return True
    try:
        return key_file(settings).exists()
    except ConfigurationError:
        return False


def _require_not_lost(file: Path, settings: Settings) -> None:
    # A new one would be made, and every key and name in the database would be dead.
    database = database_file(settings)
    if database is not None and database.exists() and not file.exists(follow_symlinks=False):
        raise ConfigurationError(
            f"The key file '{file}' is missing, but its database '{database}' is there; restore "
            "the key file from a backup, or move the database away to begin anew."
        )


def _decoded(name: str, secret: SecretStr | None) -> bytes | None:
    return None if secret is None else check_secret(name, decode_secret(name, secret))


def pseudonymizer(own: ServerSecrets) -> Callable[[str], str]:
    """
    Make the function that names people in logs: stable, and telling nothing without the secret.
    """
    return _keyed(own, b"ctxfy log pseudonyms", prefix="u_", length=16)


def subject_pseudonymizer(own: ServerSecrets) -> Callable[[str], str]:
    """
    Make the function that names people and addresses where requests are counted.

    Not the one for logs: names here and there cannot be matched.
    """
    return _keyed(own, b"ctxfy limit subjects", length=32)


def token_pseudonymizer(own: ServerSecrets) -> Callable[[str], str]:
    """
    Make the function that gives users of an issuer the ids that stand in the place of keys' ids.
    """
    return _keyed(own, b"ctxfy token callers", prefix="jwt_", length=16)


def _keyed(
    own: ServerSecrets, purpose: bytes, *, length: int, prefix: str = ""
) -> Callable[[str], str]:
    key = hmac.digest(own.master_key, purpose, sha256)

    @lru_cache(maxsize=10_000)  # the same people come again and again
    def keyed(name: str) -> str:
        return prefix + hmac.digest(key, name.encode(), sha256).hex()[:length]

    return keyed
