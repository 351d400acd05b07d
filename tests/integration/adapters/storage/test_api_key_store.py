"""
What the store of keys does beyond its contract: it keeps secrets, and survives other processes.
"""

import asyncio
import fcntl
import os
import secrets
import sqlite3
import subprocess
import sys
from collections.abc import Generator
from contextlib import closing, contextmanager
from copy import replace
from pathlib import Path

import pytest

from ctxfy.adapters.storage.database import Database
from ctxfy.adapters.storage.envelope import Envelope, MasterKey
from ctxfy.adapters.storage.people import check_master_key
from ctxfy.core.exceptions import UnavailableError
from tests.builders import told
from tests.integration.adapters.storage import key_writer
from tests.integration.adapters.storage.storage_kit import (
    ENVELOPE,
    MASTER,
    key,
    key_store,
    open_copy,
)


ROOT = Path(__file__).parents[4]


@contextmanager
def writer(database: Database, name: str, task: str) -> Generator[subprocess.Popen[str]]:
    """
    Run a process that writes keys, and see that it ends.
    """
    command = [sys.executable, key_writer.__file__, database.name, name, task]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            yield process
        finally:
            process.kill()


def line(process: subprocess.Popen[str]) -> str:
    """
    Read the next line a process writes.
    """
    assert process.stdout
    return process.stdout.readline().strip()


async def test_a_name_is_nowhere_on_the_disk(database: Database, tmp_path: Path) -> None:
    """
    The user's name is in no file of the database, open or closed; what is not secret is.
    """
    info = replace(key("a", user_id="canary-bird"), name="visible")
    await key_store(database).add(info, told())

    def everything() -> bytes:
        return b"".join(path.read_bytes() for path in tmp_path.iterdir())

    assert (tmp_path / "ctxfy.db-wal").stat().st_size
    assert (b"visible" in everything(), b"canary" in everything()) == (True, False)
    await database.aclose()
    assert (b"visible" in everything(), b"canary" in everything()) == (True, False)


async def test_one_user_is_one_person(database: Database) -> None:
    """
    All keys of a user belong to one row of people.
    """
    store = key_store(database)
    await asyncio.gather(*(store.add(key(name), told()) for name in "abc"))
    with closing(sqlite3.connect(database.name)) as raw:
        assert raw.execute("SELECT count(*) FROM people").fetchone() == (1,)


async def test_a_refused_key_leaves_no_person(database: Database) -> None:
    """
    A key and its owner are kept together or not at all.
    """
    store = key_store(database)
    await store.add(key("a"), told())
    with pytest.raises(Exception, match="already"):
        await store.add(key("a", user_id="ben"), told())
    with closing(sqlite3.connect(database.name)) as raw:
        assert raw.execute("SELECT count(*) FROM people").fetchone() == (1,)


async def test_the_keys_of_an_erased_person_stay_without_a_name(database: Database) -> None:
    """
    A key whose person is gone can still be looked at and listed.
    """
    store = key_store(database)
    await store.add(key("a"), told())
    with closing(sqlite3.connect(database.name)) as raw, raw:
        raw.execute("UPDATE api_keys SET person_id = NULL")
        raw.execute("DELETE FROM people")
    assert await store.list_keys() == [key("a", user_id="")]
    assert await store.list_keys(user_id="ann") == []


async def test_a_wrong_master_key_is_told(database: Database) -> None:
    """
    Another master key with the same number neither reads nor writes, and is found out at the start.
    """
    await key_store(database).add(key("a"), told())
    wrong = Envelope([replace(MASTER, secret=b"w" * 32)], random_bytes=secrets.token_bytes)
    store = key_store(database, wrong)
    for act in (
        store.find(key("a").key_id),
        store.add(key("b"), told()),
        check_master_key(database, wrong),
    ):
        with pytest.raises(UnavailableError, match="master key does not fit"):
            await act
    await check_master_key(database, ENVELOPE)
    assert await key_store(database).list_keys() == [key("a")]


async def test_people_outlive_a_new_master_key(database: Database) -> None:
    """
    With a new master key beside the old one, whoever came before stays the same person.
    """
    await key_store(database).add(key("a"), told())
    second = MasterKey(id=2, secret=b"n" * 32)
    both = Envelope([MASTER, second], random_bytes=secrets.token_bytes)
    store = key_store(database, both)
    await store.add(key("b"), told())
    await store.add(key("c", user_id="ben"), told())
    assert await store.list_keys(user_id="ann") == [key("a"), key("b")]
    only_new = Envelope([second], random_bytes=secrets.token_bytes)
    with pytest.raises(UnavailableError, match="number 1, which is not set"):
        await check_master_key(database, only_new)


async def test_processes_write_side_by_side(template: Path, tmp_path: Path) -> None:
    """
    Three processes that write without pause lose nothing and fail at nothing.
    """
    database = open_copy(template, tmp_path)
    store = key_store(database)
    with writer(database, "a", "20") as one, writer(database, "b", "20") as two:
        assert (line(one), line(two)) == ("ready", "ready")
        for number in range(20):
            await store.add(key(f"c{number}x"), told())
        outputs = [process.communicate()[0].split() for process in (one, two)]
    assert [len(output) for output in outputs] == [20, 20]
    assert len(await store.list_keys()) == await store.epoch() == 60
    await database.aclose()


async def test_only_one_process_is_first(template: Path, tmp_path: Path) -> None:
    """
    Of processes that all add the first key at the same moment, one succeeds.
    """
    database = open_copy(template, tmp_path)
    with (
        (tmp_path / "ctxfy.db.lock").open("w") as lock,
        writer(database, "a", "first") as one,
        writer(database, "b", "first") as two,
    ):
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert (line(one), line(two)) == ("ready", "ready")
        fcntl.flock(lock, fcntl.LOCK_UN)
        answers = sorted([line(one), line(two)])
    assert answers == ["False", "True"]
    assert len(await key_store(database).list_keys()) == 1
    await database.aclose()


async def test_a_killed_process_loses_nothing_it_acknowledged(
    template: Path, tmp_path: Path
) -> None:
    """
    Killed while it writes, a process leaves every key it spoke of, and no lock behind.
    """
    database = open_copy(template, tmp_path)
    store = key_store(database)
    acknowledged: set[str] = set()
    for name in "abc":
        with writer(database, name, "1000000") as process:
            assert line(process) == "ready"
            acknowledged.update(line(process) for _ in range(7))
            process.kill()
            acknowledged.update(process.communicate()[0].split())
        await store.add(key(f"{name}after"), told())
    kept = {info.key_id for info in await store.list_keys()}
    assert kept >= acknowledged
    assert len(kept) == await store.epoch()
    await database.aclose()
