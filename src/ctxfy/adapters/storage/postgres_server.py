"""
Which PostgreSQL server is meant, and how it is to be spoken to.
"""

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from sqlalchemy.engine import URL

from ctxfy.core.exceptions import ConfigurationError


PORT = 5432
URL_FORM = "postgresql://USER:PASSWORD@HOST:PORT/DATABASE"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerOptions:
    """
    What the URL does not say.

    Attributes:
        password: Instead of one in the URL.
        pool_size: Connections of this process, at most.
        pool_seconds: How long to wait for one that is free, or for this process's turn to write.
        connect_seconds: How long a new connection may take, TLS and password included.
        statement_seconds: How long a statement may take, and whatever a request does in all.
        lock_seconds: How long a write waits for other processes, within the time of a statement.
        statement_cache: Prepared statements kept for each connection; 0 for poolers that hand one
            connection to many clients.
        tls: In clear, encrypted, or encrypted to a server whose certificate fits its name.
        tls_ca: Whom to believe about that; the system's authorities if not given.
    """

    password: str | None = field(default=None, repr=False)
    pool_size: int = 5
    pool_seconds: float = 0.5
    connect_seconds: float = 1.0
    statement_seconds: float = 1.0
    lock_seconds: float = 5.0
    statement_cache: int = 100
    tls: Literal["off", "require", "verify"] = "off"
    tls_ca: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresServer:
    """
    An address, with the name it has in sentences: never the user, never the password.
    """

    url: URL
    name: str
    on_this_machine: bool


def server_of(parts: URL, options: ServerOptions) -> PostgresServer:
    """
    Read which server a URL means.

    Raises:
        ConfigurationError: It does not say enough, or says what is a setting's to say.
    """
    socket = parts.query.get("host")
    host = socket if isinstance(socket, str) else parts.host
    strange = sorted(set(parts.query) - {"host"})
    if strange:
        raise ConfigurationError(
            f"The storage URL holds {strange[0]!r}, which is none of its own; "
            "the settings CTXFY_STORAGE__... say how to connect."
        )
    # A password with an @ that is not written %40 would end in the host, and so in sentences.
    if not (host and parts.username and parts.database) or "@" in host:
        raise ConfigurationError(
            f"The storage URL must be {URL_FORM}; write @, / and % in a password as %40, %2F, %25."
        )
    port = parts.port or PORT
    return PostgresServer(
        url=URL.create(
            "postgresql+asyncpg",
            username=parts.username,
            password=options.password if options.password is not None else parts.password,
            host=host,
            port=port,
            database=parts.database,
        ),
        name=f"{parts.database} on {host if host.startswith('/') else f'{host}:{port}'}",
        on_this_machine=host.startswith("/") or host in {"localhost", "127.0.0.1", "::1"},
    )


def tls_of(options: ServerOptions) -> ssl.SSLContext | bool:
    """
    Make the driver's `ssl` argument.

    Raises:
        ConfigurationError: The file of authorities cannot be used.
    """
    if options.tls == "off":
        return False
    try:
        context = ssl.create_default_context(cafile=options.tls_ca)
    except OSError as error:  # ssl.SSLError is one
        raise ConfigurationError(
            f"The file '{options.tls_ca}' (CTXFY_STORAGE__TLS_CA) holds no certificates in PEM: "
            f"{(error.strerror or 'it cannot be read').lower()}."
        ) from error
    if options.tls == "require":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
