"""
What PostgreSQL's errors become, and which servers a URL may mean.
"""

import socket
import ssl
from pathlib import Path

import pytest
from sqlalchemy import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from ctxfy.adapters.storage.engine import (
    database_name_of,
    open_database,
    travels_in_clear,
)
from ctxfy.adapters.storage.postgres_failures import explain
from ctxfy.adapters.storage.postgres_server import ServerOptions, server_of, tls_of
from ctxfy.core.exceptions import ConfigurationError


NAME = "prompts on db.example:5432"
URL = "postgresql://ann:hunter2@db.example/prompts"


class ServerError(Exception):
    """
    An error as the driver hands it on, with SQL's five letters.
    """

    def __init__(self, state: str | None) -> None:
        super().__init__("secret")
        self.sqlstate = state


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        (None, "cannot be reached; check that the server runs"),
        ("08006", "cannot be reached"),
        ("08P01", "set CTXFY_STORAGE__STATEMENT_CACHE=0"),
        ("25006", "takes no writes; name the primary server"),
        ("26000", "set CTXFY_STORAGE__STATEMENT_CACHE=0"),
        ("28P01", "refuses this user; check"),
        ("28000", "refuses this user; check"),
        ("3D000", "the server knows no database prompts on db.example:5432; create it"),
        ("42501", "lacks rights in the database"),
        ("42P01", "lacks tables; run 'ctxfy db upgrade'"),
        ("42P05", "set CTXFY_STORAGE__STATEMENT_CACHE=0"),
        ("53100", "no space left"),
        ("53300", "takes no more connections"),
        ("55P03", "is locked by another process"),
        ("57014", "took too long over a statement"),
        ("57P01", "is starting or stopping"),
        ("57P03", "is starting or stopping"),
        ("23505", "refused the request (23505)"),
    ],
)
def test_a_state_of_sql_becomes_a_sentence(state: str | None, sentence: str) -> None:
    """
    Each names the database and mostly a remedy, and shows neither SQL nor values.
    """
    error = explain(DBAPIError("SELECT secret", {"a": "secret"}, ServerError(state)), NAME)
    assert sentence in str(error)
    assert NAME in str(error)
    assert "secret" not in str(error)


@pytest.mark.parametrize(
    ("cause", "sentence"),
    [
        (ConnectionRefusedError(111, "nope"), "cannot be reached"),
        (socket.gaierror(-2, "nope"), "the host of the database"),
        (TimeoutError(), "does not answer"),
        (PoolTimeoutError("nope"), "all connections to the database"),
        (ConnectionError("PostgreSQL server rejected SSL upgrade"), "does not speak TLS"),
        (ssl.SSLError(1, "nope"), "could not agree on TLS (no reason given)"),
    ],
)
def test_a_failed_connection_becomes_a_sentence(cause: Exception, sentence: str) -> None:
    """
    What the network or TLS refuses is told apart.
    """
    assert sentence in str(explain(cause, NAME))


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("postgresql://ann:hunter2@db.example/prompts", NAME),
        ("postgres://ann@db.example:6432/prompts", "prompts on db.example:6432"),
        ("postgresql://ann@/prompts?host=/run/postgresql", "prompts on /run/postgresql"),
        ("sqlite:///var/ctxfy.db", "var/ctxfy.db"),
    ],
)
def test_a_database_has_a_name_without_secrets(url: str, name: str) -> None:
    """
    The name in sentences holds the database and where it is: neither user nor password.
    """
    assert database_name_of(url) == name


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://db/prompts",
        "postgresql://ann@db",
        "postgresql://ann@/prompts",
        "postgresql://ann:p@b@db/prompts",
    ],
)
def test_a_server_must_be_named_whole(url: str) -> None:
    """
    User, host and database are needed; what is missing is not taken from the environment.
    """
    with pytest.raises(ConfigurationError, match="must be postgresql://USER:PASSWORD@HOST"):
        open_database(url)


def test_a_url_holds_no_settings() -> None:
    """
    What other programs write behind the question mark has a setting here, and the refusal says so.
    """
    with pytest.raises(ConfigurationError, match=r"'sslmode'.*CTXFY_STORAGE__"):
        open_database(f"{URL}?sslmode=require")


def test_a_password_of_its_own_goes_before_the_urls() -> None:
    """
    The password of the options wins, an empty one too; the repr shows none.
    """
    own = server_of(make_url(URL), ServerOptions(password="p@ss"))
    assert (own.url.password, own.url.port) == ("p@ss", 5432)
    assert server_of(make_url(URL), ServerOptions()).url.password == "hunter2"
    assert "p@ss" not in repr(ServerOptions(password="p@ss"))
    assert "hunter2" not in repr(own)


def test_tls_is_what_is_asked_for(tmp_path: Path) -> None:
    """
    `require` believes any certificate, `verify` looks at it and at the name, `off` asks for none.
    """
    assert tls_of(ServerOptions()) is False
    required, verified = tls_of(ServerOptions(tls="require")), tls_of(ServerOptions(tls="verify"))
    assert isinstance(required, ssl.SSLContext)
    assert isinstance(verified, ssl.SSLContext)
    assert (required.verify_mode, required.check_hostname) == (ssl.CERT_NONE, False)
    assert (verified.verify_mode, verified.check_hostname) == (ssl.CERT_REQUIRED, True)
    (tmp_path / "ca.pem").write_text("no certificate")
    for file in ("ca.pem", "missing.pem"):
        with pytest.raises(ConfigurationError, match=f"{file}' .*holds no certificates"):
            tls_of(ServerOptions(tls="verify", tls_ca=tmp_path / file))


@pytest.mark.parametrize(
    ("url", "tls", "in_clear"),
    [
        (URL, "off", True),
        (URL, "require", False),
        ("postgresql://ann@localhost/x", "off", False),
        ("postgresql://ann@/x?host=/run", "off", False),
        ("sqlite:///x.db", "off", False),
    ],
)
def test_what_can_be_heard_is_known(url: str, tls: str, in_clear: bool) -> None:
    """
    Only a server elsewhere without TLS is one that others may listen to.
    """
    options = ServerOptions(tls="off" if tls == "off" else "require")
    assert travels_in_clear(url, options) is in_clear
