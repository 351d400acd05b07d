"""
Several secrets for one purpose, each with a number: the one in use, and those before and after it.

The number is what the database keeps beside everything that was made with the secret.
"""

import re
from collections.abc import Mapping

from pydantic import SecretStr

from ctxfy.adapters.container.secrets import check_secret
from ctxfy.app.auth_settings import MAX_SECRET_ID
from ctxfy.app.config import decode_secret
from ctxfy.core.exceptions import ConfigurationError


FIRST_ID = 1
MAX_SECRETS = 16

_ENTRY = re.compile(r"([1-9][0-9]{0,3}):(.+)")


def numbered_secrets(name: str, secret: SecretStr | None) -> dict[int, bytes]:
    """
    Read secrets written as `NUMBER:BASE64`, with commas, blanks or lines between; none of nothing.

    Args:
        name: What to call the setting in a sentence.
        secret: As it was written.

    Raises:
        ConfigurationError: One is not of that form or protects nothing, or they are too many.
    """
    found: dict[int, bytes] = {}
    entries = [] if secret is None else re.split(r"[,\s]+", secret.get_secret_value())
    for entry in filter(None, entries):
        match = _ENTRY.fullmatch(entry)
        if match is None:
            # What was written stays out of the sentence: it is a secret.
            raise ConfigurationError(
                f"{name} holds something that is not NUMBER:BASE64, with a number from 1 to"
                f" {MAX_SECRET_ID}; write for example 1:BASE64,3:BASE64."
            )
        number = int(match[1])
        own = f"Number {number} of {name}"
        raw = check_secret(own, decode_secret(own, SecretStr(match[2])))
        found = join_secrets(name, found, {number: raw})
    if len(found) > MAX_SECRETS:
        raise ConfigurationError(f"{name} holds more than {MAX_SECRETS} secrets.")
    return found


def join_secrets(
    name: str, these: Mapping[int, bytes], those: Mapping[int, bytes]
) -> dict[int, bytes]:
    """
    Put secrets together.

    Raises:
        ConfigurationError: A number stands for two of them.
    """
    twice = these.keys() & those.keys()
    if twice:
        raise ConfigurationError(
            f"{name} names the number {min(twice)}, which another secret has already; each needs"
            " a number of its own."
        )
    return {**these, **those}
