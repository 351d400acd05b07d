"""
`ctxfy doctor` on setups that are well and that are not.
"""

import json
import os
import socket
import time
from base64 import b64encode
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from tests.integration.app.cli_kit import Shell
from tests.self_signed import write_pair


@pytest.fixture(autouse=True)
def _free_port(ctxfy: Shell) -> None:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    ctxfy.set("CTXFY_SERVER__PORT", str(port))


@contextmanager
def taken_port() -> Generator[str]:
    """
    Listen on a port and answer nothing.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield str(listener.getsockname()[1])


def verdicts(ctxfy: Shell, code: int) -> dict[str, tuple[str, str]]:
    """
    Ask for every check: its status, and its sentence.
    """
    said = ctxfy("doctor", "--json")
    assert (said.code, said.err) == (code, "")
    report = said.json()
    assert report["ok"] is (code == 0)
    return {each["name"]: (each["status"], each["detail"]) for each in report["checks"]}


def test_a_setup_before_its_first_start_is_well(ctxfy: Shell) -> None:
    """
    And nothing is made by looking.
    """
    said = ctxfy("doctor")
    assert said.code == 0
    lines = said.out.splitlines()
    assert [line.split()[:2] for line in lines] == [
        ["ok", name] for name in ("settings", "prompts", "secrets", "storage", "clock", "port")
    ]
    assert not (ctxfy.folder / "var").exists()


def test_a_setup_in_use_is_well(ctxfy: Shell) -> None:
    """
    With an admin key; without one, somebody should make one.
    """
    assert ctxfy("keys", "create", "--user", "ann").code == 0
    found = verdicts(ctxfy, 0)
    assert found["storage"][0] == "pass"
    assert found["admin key"] == (
        "warn",
        "No key can administer the server: 'ctxfy keys create --user NAME --scope admin'.",
    )
    ctxfy("keys", "create", "--user", "ann", "--scope", "admin")
    assert verdicts(ctxfy, 0)["admin key"] == ("pass", "1 key can administer the server.")


def test_keys_are_counted_by_pepper(ctxfy: Shell) -> None:
    """
    After a new pepper came, those left under the old one; without it, those that are lost.
    """
    assert ctxfy("keys", "create", "--user", "ann").code == 0
    assert verdicts(ctxfy, 0)["peppers"] == (
        "pass",
        "1 key under the pepper in use, number 1.",
    )
    old = json.loads((ctxfy.folder / "var" / "ctxfy.keys").read_text())["pepper"]
    ctxfy.set("CTXFY_AUTH__PEPPER", b64encode(bytes(range(32))).decode())
    ctxfy.set("CTXFY_AUTH__PEPPER_ID", "2")
    ctxfy.set("CTXFY_AUTH__OTHER_PEPPERS", f"1:{old}")
    told = "0 keys under the pepper in use, number 2. 1 key under pepper 1,"
    assert verdicts(ctxfy, 0)["peppers"] == ("pass", f"{told} until they are used.")
    named = [len(ctxfy("keys", "list", "--json", "--pepper", each).json()) for each in "12"]
    assert named == [1, 0]
    ctxfy.set("CTXFY_AUTH__OTHER_PEPPERS", "")
    assert verdicts(ctxfy, 0)["peppers"] == (
        "warn",
        f"{told} which is not known here: they are refused.",
    )


def test_the_last_admin_key_is_missed_in_time(ctxfy: Shell) -> None:
    """
    While there is time to make another one; one without an end is enough.
    """
    words = ("keys", "create", "--user", "ann", "--scope", "admin")
    assert ctxfy(*words, "--ttl-hours", "72").code == 0
    status, told = verdicts(ctxfy, 0)["admin key"]
    assert (status, "ends in 2 days" in told) == ("warn", True)
    assert [
        len(ctxfy("keys", "list", "--expiring", each, "--json").json()) for each in ("2d", "3d")
    ] == [0, 1]
    assert ctxfy(*words).code == 0
    assert verdicts(ctxfy, 0)["admin key"] == ("pass", "2 keys can administer the server.")


def test_what_is_wrong_on_the_disk_is_told(ctxfy: Shell) -> None:
    """
    Modes, a lost key file, another one, a clock that went back.
    """
    ctxfy("keys", "create", "--user", "ann", "--scope", "admin")
    keys, database = ctxfy.folder / "var" / "ctxfy.keys", ctxfy.folder / "var" / "ctxfy.db"
    database.chmod(0o644)
    later = time.monotonic() + 4_000_000_000
    os.utime(database, (later, later))
    found = verdicts(ctxfy, 1)
    assert found["storage"] == (
        "warn",
        f"Others can read the database: chmod 600 '{'var/ctxfy.db'}'.",
    )
    assert found["clock"][0] == "fail"
    keys.chmod(0o644)
    found = verdicts(ctxfy, 1)
    assert found["secrets"][0] == "fail"
    assert "chmod 600" in found["secrets"][1]
    assert found["storage"] == ("warn", "Not looked at: it needs the secrets.")
    keys.rename(ctxfy.folder / "lost")
    assert "restore" in verdicts(ctxfy, 1)["secrets"][1]
    assert not keys.exists()


def test_a_database_that_is_none_is_told(ctxfy: Shell) -> None:
    """
    Or a place where none can be.
    """
    ctxfy("keys", "create", "--user", "ann")
    (ctxfy.folder / "var" / "ctxfy.db").write_text("no database at all " * 300)
    assert verdicts(ctxfy, 1)["storage"][0] == "fail"
    ctxfy.set("CTXFY_STORAGE__URL", "sqlite:///var/other.db")
    ctxfy.set("CTXFY_STORAGE__MIGRATE", "check")
    (ctxfy.folder / "var" / "other.db").touch(0o600)
    (ctxfy.folder / "var" / "ctxfy.keys").rename(ctxfy.folder / "var" / "other.keys")
    assert "CTXFY_STORAGE__MIGRATE=auto" in verdicts(ctxfy, 1)["storage"][1]
    ctxfy.set("CTXFY_STORAGE__MIGRATE", "auto")
    assert "the next start brings it up" in verdicts(ctxfy, 0)["storage"][1]
    ctxfy.set("CTXFY_STORAGE__URL", "mysql://x")
    assert verdicts(ctxfy, 1)["secrets"][0] == "fail"


def test_settings_prompts_and_port_are_looked_at(ctxfy: Shell) -> None:
    """
    Each with its remedy.
    """
    (ctxfy.prompts / "bad.prompt.md").write_text("no front matter")
    with taken_port() as port:
        ctxfy.set("CTXFY_SERVER__PORT", port)
        found = verdicts(ctxfy, 1)
    assert found["prompts"][0] == "fail"
    assert "'ctxfy check prompts' names all. The first: bad.prompt.md:1" in found["prompts"][1]
    assert found["port"][0] == "fail"
    assert f"port {port}" in found["port"][1]
    assert f"(process {os.getpid()})" in found["port"][1]
    ctxfy.set("CTXFY_SERVR__PORT", "1")
    (only,) = verdicts(ctxfy, 1).items()
    assert only == ("settings", ("fail", only[1][1]))
    assert "did you mean CTXFY_SERVER__PORT?" in only[1][1]


def test_a_certificate_is_looked_at_as_the_server_would(ctxfy: Shell) -> None:
    """
    Far from its end, near it, and half of it missing.
    """
    soon = datetime.now(UTC) + timedelta(days=3, hours=1)  # noqa: TID251 - a real clock looks at it
    pair = write_pair(ctxfy.folder)
    pair.key.chmod(0o600)
    ctxfy.set("CTXFY_TLS__CERTIFICATE", str(pair.certificate))
    assert verdicts(ctxfy, 1)["tls"][0] == "fail"
    ctxfy.set("CTXFY_TLS__KEY", str(pair.key))
    assert verdicts(ctxfy, 0)["tls"][0] == "pass"
    write_pair(ctxfy.folder, ends=soon).key.chmod(0o600)
    assert verdicts(ctxfy, 0)["tls"] == ("warn", "The certificate ends in 3 days; renew it.")


def test_what_limits_are_shared_through_is_looked_at(ctxfy: Shell) -> None:
    """
    If it is away, limits are kept here alone; an address that is none stops the start.
    """
    with taken_port() as port:
        closed = port
    ctxfy.set("CTXFY_LIMITS__URL", f"valkey://127.0.0.1:{closed}/0")
    assert verdicts(ctxfy, 0)["limits"][0] == "warn"
    ctxfy.set("CTXFY_LIMITS__URL", "valkey://127.0.0.1:port")
    assert verdicts(ctxfy, 1)["limits"][0] == "fail"


def test_a_server_that_is_not_there_is_told(ctxfy: Shell) -> None:
    """
    And nothing else is tried.
    """
    with taken_port() as port:
        closed = port
    said = ctxfy("doctor", "--url", f"http://127.0.0.1:{closed}")
    assert said.code == 1
    assert said.out == (
        f"FAIL  server       http://127.0.0.1:{closed} cannot be reached: nothing answers there.\n"
    )
    assert "no address of a server" in ctxfy.fails("doctor", "--url", "nonsense")
