"""
The first start: one admin key, made and shown once, or set from outside and not shown.
"""

import sys
from shutil import which
from typing import TextIO

from ctxfy.adapters.auth.api_key_service import ApiKeyService
from ctxfy.app.config import Settings
from ctxfy.core.exceptions import ConfigurationError
from ctxfy.core.use_cases.auth_use_cases import parse_key


_EVERYWHERE = frozenset({"0.0.0.0", "::", ""})  # noqa: S104 - compared, not bound # nosec B104


async def ensure_first_key(settings: Settings, keys: ApiKeyService) -> str | None:
    """
    Create the first admin key if the store holds no key. Returns it if it is to be shown.

    Raises:
        ConfigurationError: `auth.bootstrap_key` is no key.
        UnavailableError: The store is out of reach.
    """
    wanted = settings.auth.bootstrap_key
    if wanted is None:
        return await keys.create_first_key(settings.auth.bootstrap_user)
    secret = wanted.get_secret_value().strip()
    if parse_key(secret) is None:
        raise ConfigurationError(
            "CTXFY_AUTH__BOOTSTRAP_KEY is malformed; "
            "make one with 'ctxfy keys create --user NAME --dry-run'."
        )
    await keys.create_first_key(settings.auth.bootstrap_user, secret)
    return None


def announce_first_key(settings: Settings, api_key: str, stream: TextIO | None = None) -> None:
    """
    Show the first key, the address, and how to connect clients. To stderr: logs go to stdout.
    """
    url = base_url(settings)
    pages = f"\nSee and try them in a browser: {url}/docs\n" if settings.docs.enabled else ""
    print(
        f"""
ctxfy serves your prompts at {url}/mcp
{pages}
This is your admin key. It is shown this once; keep it safe:

    {api_key}

Connect Claude Code:

    claude mcp add --transport http ctxfy {url}/mcp --header "Authorization: Bearer {api_key}"

Connect Cursor, or vscode or gemini-cli in its place:

    {command()} connect cursor --url {url}

Make narrower keys for people and programs: {command()} keys create --user NAME
""",
        file=stream or sys.stderr,
        flush=True,
    )


def command() -> str:
    """
    How this person can call ctxfy from where they are.
    """
    return "ctxfy" if which("ctxfy") else sys.argv[0]


def base_url(settings: Settings) -> str:
    """
    The address to show to a person on this machine.
    """
    host = settings.server.host
    shown = "127.0.0.1" if host in _EVERYWHERE else host
    scheme = "http" if settings.tls.certificate is None else "https"
    return f"{scheme}://{f'[{shown}]' if ':' in shown else shown}:{settings.server.port}"
