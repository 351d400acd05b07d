"""
`ctxfy db`: the database from the command line, of either kind.
"""

import asyncio
import gzip
import json
import sqlite3
from base64 import b64encode
from pathlib import Path

import pytest

from ctxfy.adapters.storage import migrate
from ctxfy.core.use_cases.auth_use_cases import parse_key
from tests.integration.app.cli_kit import Shell
from tests.postgres_kit import TestServer


@pytest.fixture
def server_url(postgres: TestServer) -> str:
    """
    An empty database on a server.
    """
    return postgres.url(asyncio.run(postgres.create()))


@pytest.fixture
def patient(ctxfy: Shell) -> Shell:
    """
    A terminal whose settings leave a busy machine its time.
    """
    for name in ("POOL", "CONNECT", "STATEMENT"):
        ctxfy.set(f"CTXFY_STORAGE__{name}_SECONDS", "20")
    return ctxfy


def test_tables_are_moved_up_and_down(patient: Shell, server_url: str) -> None:
    """
    Each command says where the tables are after it, for people and for programs.
    """
    for url, name in ((None, "var/ctxfy.db"), (server_url, server_url.rpartition("/")[2])):
        if url is not None:
            patient.set("CTXFY_STORAGE__URL", url)
        assert "is upgraded to revision 0001." in patient("db", "upgrade", "0001").out
        assert patient.fails("db", "check").endswith(
            "start the server once with CTXFY_STORAGE__MIGRATE=auto."
        )
        upgraded = patient("db", "upgrade", "--json").json()
        assert upgraded["revision"] == migrate.HEAD
        assert name in upgraded["database"]
        assert f"is already at revision {migrate.HEAD}." in patient("db", "upgrade").out
        assert "answers and is at" in patient("db", "check").out
        assert "taken back to revision 0001." in patient("db", "downgrade", "0001").out
        assert patient("db", "downgrade", "base", "--json").json()["revision"] is None
        assert "does not know revision 7777" in patient.fails("db", "upgrade", "7777")


def test_keys_move_from_sqlite_to_a_server(patient: Shell, server_url: str) -> None:
    """
    Backed up from a file and restored into a server, with its key file the key is still found.
    """
    key = patient("keys", "create", "--user", "ann").out.strip()
    told = patient("db", "backup", "keys.backup").out
    assert "Not in it, and needed to use it: the key file 'var/ctxfy.keys'." in told
    patient.set("CTXFY_STORAGE__URL", server_url)
    refusal = patient.fails("db", "restore", "keys.backup")
    assert "is sealed under the master key number 1, which is not here" in refusal
    patient.set("CTXFY_AUTH__KEY_FILE", "var/ctxfy.keys")
    assert "rows are restored from 'keys.backup'.\n" in patient("db", "restore", "keys.backup").out
    parsed = parse_key(key)
    assert parsed is not None
    assert patient("keys", "show", parsed.key_id, "--json").json()["user_id"] == "ann"
    assert "is not empty" in patient.fails("db", "restore", "keys.backup")


def test_a_backup_tells_programs_what_it_is(patient: Shell) -> None:
    """
    The rows and the revision come as JSON; no file is ever written over, and none is made in vain.
    """
    assert "There is no database" in patient.fails("db", "backup", "b.gz")
    patient("keys", "create", "--user", "ann")
    made = patient("db", "backup", "b.gz", "--json").json()
    assert (made["file"], made["revision"]) == ("b.gz", migrate.HEAD)
    assert "There is a file 'b.gz' already" in patient.fails("db", "backup", "b.gz")
    patient.set("CTXFY_STORAGE__URL", "sqlite:///other.db")
    patient.set("CTXFY_AUTH__KEY_FILE", "var/ctxfy.keys")
    restored = patient("db", "restore", "b.gz", "--json").json()
    assert restored == {name: made[name] for name in ("file", "rows", "revision")}
    Path("b.gz").write_bytes(b"notes")
    assert "is no backup of ctxfy" in patient.fails("db", "restore", "b.gz")
    assert "'c.gz' cannot be used: no such file" in patient.fails("db", "restore", "c.gz")


def test_a_backup_is_verified_without_a_database(patient: Shell) -> None:
    """
    To its last event, by who has the master key; without it, a sealed one cannot even be read.
    """
    patient("keys", "create", "--user", "ann")
    made = patient("db", "backup", "b.backup", "--json").json()
    assert made["trail"]["valid"]
    assert made["trail"]["events"] == made["tables"]["audit_events"] == 1
    patient.set("CTXFY_AUTH__KEY_FILE", "var/ctxfy.keys")
    patient.set("CTXFY_STORAGE__URL", "sqlite:///nowhere.db")
    assert patient("db", "verify", "b.backup", "--json").json() == made
    told = patient("db", "verify", "b.backup").out
    assert "'b.backup' is whole: " in told
    assert "people 1" in told
    assert "The audit trail: 1 event in 1 chain, all as they were written." in told
    patient.set("CTXFY_AUTH__KEY_FILE", "elsewhere.keys")
    assert "which is not here" in patient.fails("db", "verify", "b.backup")
    assert not Path("elsewhere.keys").exists()


def test_a_backup_without_a_seal_is_made_when_asked_for(patient: Shell) -> None:
    """
    And when there is no other way it says so; it is restored like any other.
    """
    patient("keys", "create", "--user", "ann")
    patient("db", "backup", "sealed.backup")
    Path("var/ctxfy.keys").rename("away.keys")
    assert "or --plain for one without a seal" in patient.fails("db", "backup", "b.backup")
    made = patient("db", "backup", "b.backup", "--plain", "--json")
    assert made.json()["trail"] is None
    assert "was not looked at" in made.err
    assert gzip.decompress(Path("b.backup").read_bytes()).startswith(b'{"format":"ctxfy backup"')
    patient.set("CTXFY_STORAGE__URL", "sqlite:///other.db")
    assert "put back what belongs to them" in patient("db", "restore", "b.backup").out


def test_a_backup_of_a_broken_trail_is_made_and_told_of(patient: Shell) -> None:
    """
    It is evidence; `verify` says of it what is wrong, and ends with 1.
    """
    patient("keys", "create", "--user", "ann")
    with sqlite3.connect("var/ctxfy.db") as raw:
        raw.execute("UPDATE audit_events SET target = 'x'")
    raw.close()
    told = patient("db", "backup", "evidence.backup")
    assert "The audit trail is not whole: chain main, event 1: the event is not as" in told.err
    verified = patient("db", "verify", "evidence.backup")
    assert (verified.code, "is whole" in verified.out) == (1, True)
    assert "chain main, event 1" in verified.err


def test_the_master_key_is_changed(patient: Shell) -> None:
    """
    Rewrapped under the new one, the old one can go; forgotten too early, it is asked for by number.
    """
    patient("keys", "create", "--user", "ann")
    patient("db", "backup", "old.backup")
    file = patient.folder / "var" / "ctxfy.keys"
    kept = json.loads(file.read_text())
    old, new = kept["master_key"], b64encode(b"0123456789abcdef" * 2).decode()
    without = {**kept, "master_key": new, "master_key_id": 2}
    file.write_text(json.dumps(without))
    assert "number 1, which is not set" in patient.fails("keys", "list")
    assert "number 1, which is not here" in patient.fails("db", "verify", "old.backup")
    file.write_text(json.dumps({**without, "other_master_keys": {"1": old}}))
    assert "is whole" in patient("db", "verify", "old.backup").out
    told = patient("db", "rewrap")
    assert "1 name, 1 key of months, 1 chain of the audit trail." in told.out
    file.write_text(json.dumps(without))
    assert patient("keys", "list", "--json").json()[0]["user_id"] == "ann"
    assert "all as they were written" in patient("audit", "verify").out
    assert "master_key_changed" in patient("audit", "tail").out
    assert patient("db", "rewrap", "--json").json() == {
        "people": 0, "months": 0, "chains": 0, "doubted": [], "answers": 0,
    }  # fmt: skip


def test_secrets_that_are_set_are_named(patient: Shell) -> None:
    """
    Without a key file, what is needed with a backup are the values of two settings.
    """
    patient.set("CTXFY_AUTH__PEPPER", "cGVwcGVyIHBlcHBlciBwZXBwZXIgcGVwcGVyIHBlcHBlcg==")
    patient.set("CTXFY_AUTH__MASTER_KEY", "bWFzdGVya2V5bWFzdGVya2V5bWFzdGVya2V5bWFzdGU=")
    patient("keys", "create", "--user", "ann")
    told = patient("db", "backup", "b.gz").out
    assert "the values of CTXFY_AUTH__PEPPER and CTXFY_AUTH__MASTER_KEY" in told


def test_a_password_is_shown_nowhere(patient: Shell, server_url: str) -> None:
    """
    Neither the effective settings nor a refusal repeat the password of the URL.
    """
    patient.set("CTXFY_STORAGE__URL", server_url.replace("p%40ss", "hunter2"))
    shown = patient("config", "show")
    assert "postgresql://ctxfy@127.0.0.1" in shown.out
    refusal = patient.fails("db", "check")
    assert "refuses this user" in refusal
    assert "hunter2" not in shown.out + refusal


def test_what_was_kept_too_long_is_pruned_by_hand(patient: Shell) -> None:
    """
    What went is counted by kind; called again, nothing did.
    """
    ended = patient("keys", "create", "--user", "ann", "--ttl-hours", "1", "--json").json()
    over = "UPDATE api_keys SET expires_at = 1 WHERE key_id = ?"
    with sqlite3.connect("var/ctxfy.db") as raw:
        raw.execute(over, [ended["key_id"]])
    raw.close()
    assert patient("db", "prune").out == "Taken away: keys: 1.\n"
    assert patient("db", "prune").out == "Nothing was kept for too long.\n"
    assert set(patient("db", "prune", "--json").json().values()) == {0}
    assert "data_pruned" in patient("audit", "tail").out
