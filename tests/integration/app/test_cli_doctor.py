"""
`ctxfy doctor` on setups that are well and that are not.
"""

import asyncio
import json
import os
import socket
import time
from base64 import b64encode
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from ctxfy.app.checkup import judge_difference
from ctxfy.core.models.monitoring_models import HealthStatus
from tests.integration.app.cli_kit import Shell
from tests.issuer_kit import key_named, key_set
from tests.otlp_receiver import collecting
from tests.postgres_kit import TestServer
from tests.self_signed import write_pair


NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


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
        ["ok", name]
        for name in (
            "settings",
            "prompts",
            "secrets",
            "storage",
            "files",
            "disk",
            "clock",
            "port",
            "connections",
        )
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


def test_files_and_disks_are_looked_at(ctxfy: Shell) -> None:
    """
    Whether they can be kept, who can read them, what was set aside, and how much room there is.
    """
    var = ctxfy.folder / "var"
    var.mkdir()
    assert verdicts(ctxfy, 0)["files"][0] == "pass"
    (var / "ctxfy.erasures").touch(0o644)
    assert verdicts(ctxfy, 0)["files"] == (
        "warn",
        "Others can read the ledger of erasures: chmod 600 'var/ctxfy.erasures'.",
    )
    (var / "ctxfy.erasures").chmod(0o600)
    (var / "ctxfy.spool.damaged").touch(0o600)
    assert "keep it elsewhere, as evidence" in verdicts(ctxfy, 0)["files"][1]
    ctxfy.set("CTXFY_LOGGING__FILE", "var/ctxfy.erasures/ctxfy.log")
    ctxfy.set("CTXFY_MONITORING__DISK_FREE_MB", str(10**9))
    (var / "ctxfy.spool.damaged").unlink()
    found = verdicts(ctxfy, 1)
    assert found["files"][0] == "fail"
    assert "name another place with CTXFY_LOGGING__FILE." in found["files"][1]
    assert found["disk"][0] == "warn"
    assert "make room, or lower CTXFY_MONITORING__DISK_FREE_MB" in found["disk"][1]


def test_those_that_are_asked_are_looked_at(ctxfy: Shell) -> None:
    """
    The issuer of tokens and the collector of traces, there and away; nothing secret is repeated.
    """
    keys = ctxfy.folder / "keys.json"
    keys.write_bytes(key_set(key_named("first")))
    ctxfy.set("CTXFY_JWT__ISSUER", "https://issuer.example")
    ctxfy.set("CTXFY_JWT__JWKS_FILE", str(keys))
    with collecting() as collector:
        ctxfy.set("CTXFY_MONITORING__TRACES_URL", f"http://127.0.0.1:{collector.port}")
        ctxfy.set("CTXFY_MONITORING__TRACES_HEADERS", "x-token=hunter2")
        found = verdicts(ctxfy, 0)
        assert found["token_keys"] == ("pass", "Known: 1 key of the issuer.")
        assert found["traces"] == ("pass", "The collector of traces takes what it is sent.")
        assert collector.headers[-1]["x-token"] == "hunter2"
        keys.write_text("{}")
        collector.status = 403
        found = verdicts(ctxfy, 0)
        assert found["token_keys"][0] == "warn"
        assert "no set of keys" in found["token_keys"][1]
        assert found["traces"][0] == "warn"
        assert "answers 403; look at CTXFY_MONITORING__TRACES_URL" in found["traces"][1]
    ctxfy.set("CTXFY_JWT__JWKS_FILE", "")
    with taken_port() as port:
        ctxfy.set("CTXFY_MONITORING__TRACES_URL", f"http://127.0.0.1:{port}")
    found = verdicts(ctxfy, 1)
    assert found["token_keys"][0] == "fail"
    assert "cannot be reached (ConnectionError)" in found["traces"][1]
    ctxfy.set("CTXFY_MONITORING__TRACES_HEADERS", "nonsense")
    assert verdicts(ctxfy, 1)["traces"][0] == "fail"


def test_a_server_of_databases_is_looked_at(ctxfy: Shell, postgres: TestServer) -> None:
    """
    Whether it answers, and whether its clock and ours agree.
    """
    ctxfy.set("CTXFY_STORAGE__URL", postgres.url(asyncio.run(postgres.create())))
    ctxfy.set("CTXFY_AUTH__KEY_FILE", "ctxfy.keys")
    for name in ("POOL", "CONNECT", "STATEMENT"):
        ctxfy.set(f"CTXFY_STORAGE__{name}_SECONDS", "20")
    assert "the next start brings it up" in verdicts(ctxfy, 0)["storage"][1]
    ctxfy("db", "upgrade")
    found = verdicts(ctxfy, 0)
    assert found["storage"][0] == "pass"
    assert found["clocks"][0] == "pass"


@pytest.mark.parametrize(
    ("seconds", "told"), [(90, "is 90 s ahead of us"), (-90, "is 90 s behind us")]
)
def test_clocks_that_differ_are_told(seconds: int, told: str) -> None:
    """
    Whichever of them is right.
    """
    verdict = judge_difference(NOON + timedelta(seconds=seconds), NOON)
    assert (verdict.status, told in verdict.detail) == (HealthStatus.WARN, True)
    assert judge_difference(NOON + timedelta(seconds=seconds / 2), NOON).status == "pass"


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
