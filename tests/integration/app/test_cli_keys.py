"""
`ctxfy keys`, on a real store.
"""

import fcntl
import json
import sqlite3
import stat
from pathlib import Path

from ctxfy.core.use_cases.auth_use_cases import parse_key
from tests.integration.app.cli_kit import Shell


def _created(ctxfy: Shell, *words: str) -> str:
    ran = ctxfy("keys", "create", *words)
    assert ran.code == 0
    return ran.out.strip()


def test_a_key_is_written_to_standard_output_alone(ctxfy: Shell) -> None:
    """
    So that it can be piped; what is for people goes to standard error and does not repeat it.
    """
    ran = ctxfy("keys", "create", "--user", "ann", "--scope", "write")
    key = ran.out.removesuffix("\n")
    assert parse_key(key) is not None
    assert f"Key {key[6:18]} for ann, scope write" in ran.err
    assert key not in ran.err
    for file in (ctxfy.folder / "var").iterdir():
        assert stat.S_IMODE(file.stat().st_mode) & 0o077 == 0


def test_a_key_is_shown_as_it_was_wished_for(ctxfy: Shell) -> None:
    """
    `create --json` and `show --json` agree, but for the key itself.
    """
    made = ctxfy(
        "keys", "create", "--user", "ann", "--ttl-hours", "2", "--prompts", "code-*",
        "--prompts", "docs", "--network", "10.0.0.0/8", "--network", "::1",
        "--rate-limit", "10/second", "--name", "Ünïcode", "--json",
    ).json()  # fmt: skip
    key = made.pop("api_key")
    assert parse_key(key) is not None
    shown = ctxfy("keys", "show", made["key_id"], "--json").json()
    none = {"requests": 0, "refusals": 0, "bytes_in": 0, "bytes_out": 0, "render_ms": 0.0}
    assert shown.pop("usage_30_days") == none
    assert shown == made
    usage = ctxfy("keys", "usage", made["key_id"], "--days", "3", "--json").json()
    assert usage == {"key_id": made["key_id"], "days": [], "total": none}
    assert "0 requests, 0 refused" in ctxfy("keys", "usage", key).out
    assert "nobody000000" in ctxfy.fails("keys", "usage", "nobody000000")
    assert (shown["prompts"], shown["rate_limit"]) == (["code-*", "docs"], "10/second")
    assert (shown["scope"], shown["status"], shown["name"]) == ("read", "active", "Ünïcode")
    assert shown["expires_at"] > shown["created_at"]
    table = ctxfy("keys", "show", key).out
    assert "code-*, docs" in table
    assert "10.0.0.0/8, ::1/128" in table
    assert key not in table


def test_keys_are_listed(ctxfy: Shell) -> None:
    """
    As a table without digests, or as JSON; all, or those of one user.
    """
    for user in ("ann", "bob"):
        _created(ctxfy, "--user", user)
    users = [key["user_id"] for key in ctxfy("keys", "list", "--json").json()]
    assert users == ["ann", "bob"]
    assert len(ctxfy("keys", "list", "--user", "bob", "--json").json()) == 1
    table = ctxfy("keys", "list")
    assert (table.code, table.err) == (0, "")
    assert "KEY ID" in table.out


def test_a_key_is_revoked_by_its_id_or_by_itself(ctxfy: Shell) -> None:
    """
    Twice does no harm; a whole key pasted by mistake means its id and is not repeated.
    """
    key = _created(ctxfy, "--user", "ann")
    first = ctxfy("keys", "revoke", key)
    assert first.out == f"Key {key[6:18]} of ann is revoked.\n"
    again = ctxfy("keys", "revoke", key[6:18], "--json").json()
    assert (again["status"], again["key_id"]) == ("revoked", key[6:18])
    assert key not in first.out + first.err


def test_the_last_admin_key_is_kept(ctxfy: Shell) -> None:
    """
    Nobody may lock everybody out; with a second one the first can go.
    """
    first = _created(ctxfy, "--user", "ann", "--scope", "admin")
    assert "last" in ctxfy.fails("keys", "revoke", first)
    _created(ctxfy, "--user", "bob", "--scope", "admin")
    assert ctxfy("keys", "revoke", first).code == 0


def test_a_wish_that_cannot_be_granted_is_one_sentence(ctxfy: Shell) -> None:
    """
    Nothing is kept then.
    """
    for words, said in (
        (("--user", " "), "needs a user"),
        (("--user", "a\nb"), "control characters"),
        (("--user", "ann", "--rate-limit", "fast"), "'fast' is no rate"),
        (("--user", "ann", "--rate-limit", "0/day"), "at least 1 request"),
        (("--user", "ann", "--ttl-hours", "0"), "lives from 1"),
        (("--user", "ann", "--prompts", "a/b"), "is not a glob over"),
    ):
        assert said in ctxfy.fails("keys", "create", *words)
    assert ctxfy("keys", "list", "--json").json() == []


def test_looking_makes_no_database(ctxfy: Shell) -> None:
    """
    In a folder where no server ran, there is nothing to list, and nothing is left behind.
    """
    assert "run this where the server runs" in ctxfy.fails("keys", "list")
    assert not (ctxfy.folder / "var").exists()


def test_a_life_in_parts_of_an_hour_is_refused(ctxfy: Shell) -> None:
    """
    1.5 hours are not silently two.
    """
    said = ctxfy("keys", "create", "--user", "ann", "--ttl-hours", "1.5")
    assert said.code == 2
    assert not (ctxfy.folder / "var").exists()


def test_an_unknown_key_is_named(ctxfy: Shell) -> None:
    """
    For `show` and for `revoke`.
    """
    _created(ctxfy, "--user", "ann")
    for command in ("show", "revoke"):
        assert ctxfy.fails("keys", command, "nobody000000") == (
            "There is no API key with the id 'nobody000000'."
        )


def test_a_dry_run_keeps_nothing(ctxfy: Shell) -> None:
    """
    It makes a key that a bootstrap setting takes, and touches no file.
    """
    key = _created(ctxfy, "--user", "ops", "--dry-run")
    assert parse_key(key) is not None
    assert not (ctxfy.folder / "var").exists()


def test_a_database_that_is_busy_is_told(ctxfy: Shell) -> None:
    """
    By another server that holds the write lock, and by a program that knows nothing of it.
    """
    _created(ctxfy, "--user", "ann")
    ctxfy.set("CTXFY_STORAGE__LOCK_SECONDS", "0.2")
    with (ctxfy.folder / "var" / "ctxfy.db.lock").open("r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert "locked by another process" in ctxfy.fails("keys", "create", "--user", "bob")
    database = sqlite3.connect(ctxfy.folder / "var" / "ctxfy.db")
    database.execute("BEGIN IMMEDIATE")
    assert "locked by another process" in ctxfy.fails("keys", "create", "--user", "bob")
    assert len(ctxfy("keys", "list", "--json").json()) == 1
    database.close()


def test_a_database_that_is_none_is_told(ctxfy: Shell) -> None:
    """
    Another file in its place is named, and left as it is.
    """
    _created(ctxfy, "--user", "ann")
    for file in (ctxfy.folder / "var").glob("ctxfy.db*"):
        file.unlink()
    database = ctxfy.folder / "var" / "ctxfy.db"
    database.write_text("these are my holiday notes, and they are quite long " * 20)
    before = database.read_bytes()
    assert "is not a SQLite database" in ctxfy.fails("keys", "list")
    assert database.read_bytes() == before


def test_a_place_that_cannot_be_written_is_told(ctxfy: Shell) -> None:
    """
    A folder where nothing can be made, a file in the folder's place, another kind of URL.
    """
    (ctxfy.folder / "file").touch()
    for url in ("sqlite:////proc/nowhere/ctxfy.db", "sqlite:///file/ctxfy.db"):
        ctxfy.set("CTXFY_STORAGE__URL", url)
        assert "cannot be used" in ctxfy.fails("keys", "create", "--user", "ann")
    ctxfy.set("CTXFY_STORAGE__URL", "mysql://ann:hunter2@db/ctxfy")
    assert ctxfy.fails("keys", "list") == (
        "The storage URL must be sqlite:///PATH or postgresql://USER:PASSWORD@HOST:PORT/DATABASE."
    )
    assert sorted(file.name for file in ctxfy.folder.iterdir()) == ["file", "prompts"]


def test_a_key_file_that_others_can_read_is_told(ctxfy: Shell) -> None:
    """
    The sentence is the command that mends it.
    """
    _created(ctxfy, "--user", "ann")
    file = Path("var") / "ctxfy.keys"
    file.chmod(0o644)
    assert ctxfy.fails("keys", "list") == (
        f"The key file '{file}' can be read by others; run: chmod 600 '{file}'."
    )


def test_a_key_is_rotated_disabled_and_enabled(ctxfy: Shell) -> None:
    """
    The id stays, the new secret is written alone; a disabled key cannot be rotated.
    """
    key = _created(ctxfy, "--user", "ann")
    rotated = ctxfy("keys", "rotate", key[6:18], "--grace-hours", "0")
    new = rotated.out.strip()
    assert (new[:18], new == key) == (key[:18], False)
    assert new not in rotated.err
    assert ctxfy("keys", "rotate", key[6:18], "--json").json()["api_key"] not in {key, new}
    assert "is disabled" in ctxfy("keys", "disable", key[6:18]).out
    assert "only a live key" in ctxfy.fails("keys", "rotate", key[6:18])
    assert ctxfy("keys", "enable", key[6:18], "--json").json()["status"] == "active"
    assert "from 0 to 720 hours" in ctxfy.fails("keys", "rotate", key[6:18], "--grace-hours", "721")


def test_a_key_for_the_settings_is_kept_nowhere(ctxfy: Shell) -> None:
    """
    The key and its entry go two ways, and the entry is taken as it is; no database is made.
    """
    words = ("keys", "digest", "--user", "ci", "--network", "::1", "--rate-limit", "9/minute")
    ran = ctxfy(*words)
    key, entry = ran.out.strip(), json.loads(ran.err)
    assert (parse_key(key) is not None, entry["key_id"]) == (True, key[6:18])
    assert (entry["networks"], key[19:] in ran.err) == (["::1/128"], False)
    ctxfy.set("CTXFY_AUTH__STATIC_KEYS", json.dumps([entry]))
    assert key[6:18] in ctxfy("config", "show").out
    assert ctxfy(*words, "--json").json()["static_key"]["user_id"] == "ci"
    assert "no end" in ctxfy.fails(*words, "--ttl-hours", "5")
    assert not (ctxfy.folder / "var").exists()


def test_an_admin_key_in_the_settings_lets_the_last_one_go(ctxfy: Shell) -> None:
    """
    By revocation and by erasure of its person, as over HTTP; itself it is changed there alone.
    """
    made = ctxfy("keys", "digest", "--user", "ci", "--scope", "admin", "--json").json()
    first, _ = (
        ctxfy("keys", "create", "--user", user, "--scope", "admin", "--json").json()
        for user in ("ann", "ben")
    )
    ctxfy("keys", "revoke", first["key_id"])
    assert "create an admin key for somebody else" in ctxfy.fails(
        "privacy", "erase", "ben", "--yes"
    )
    ctxfy.set("CTXFY_AUTH__STATIC_KEYS", json.dumps([made["static_key"]]))
    assert "Ended: 1 key" in ctxfy("privacy", "erase", "ben", "--yes").out
    static = made["static_key"]["key_id"]
    assert "auth.static_keys" in ctxfy.fails("keys", "revoke", static)
    assert "0 requests" in ctxfy("keys", "usage", static).out
    assert "last 30 days:" in ctxfy("keys", "show", static).out
