"""
The beginning and the end of the whole application, on real files.
"""

import asyncio
import os
import sqlite3
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from subprocess import run
from threading import Event
from typing import override

import pytest

from ctxfy.adapters.container.secrets import read_or_create_key_file
from ctxfy.app.auth_settings import AuthSettings
from ctxfy.app.config import PromptsSettings, Settings
from ctxfy.app.main import create_app
from ctxfy.app.prompt_check import CheckReport, PromptCheck, load_checked
from ctxfy.app.storage_settings import StorageSettings
from ctxfy.app.wiring import Wiring
from ctxfy.core.exceptions import (
    CatalogError,
    ConfigurationError,
    InvalidKeyRequestError,
    UnavailableError,
)
from tests.integration.app.app_kit import GREET, running, settings_in


def _announcing(shown: list[str]) -> Callable[[Wiring], Wiring]:
    return lambda wiring: replace(wiring, announce=lambda _settings, key: shown.append(key))


async def test_the_first_key_is_shown_once(tmp_path: Path) -> None:
    """
    It opens the server; the second start shows none, and the key still opens it.
    """
    shown: list[str] = []
    settings = settings_in(tmp_path, auth=AuthSettings())
    for _ in range(2):
        async with running(create_app(settings, override=_announcing(shown))) as client:
            (key,) = shown
            assert (await replace(client, key=key).get("/metrics", key=True)).status_code == 200


async def test_a_bootstrap_key_is_not_shown(tmp_path: Path) -> None:
    """
    Who set it knows it.
    """
    shown: list[str] = []
    app = create_app(settings_in(tmp_path), override=_announcing(shown))
    async with running(app) as client:
        assert (await client.get("/metrics", key=True)).status_code == 200
    assert shown == []


@pytest.mark.parametrize(
    ("auth", "kind", "sentence"),
    [
        ({"bootstrap_key": "ctxfy_nonsense"}, ConfigurationError, "BOOTSTRAP_KEY is malformed"),
        ({"bootstrap_user": "  "}, InvalidKeyRequestError, "A key needs a user"),
    ],
    ids=["key", "user"],
)
async def test_a_first_key_that_cannot_be_stops_the_start(
    tmp_path: Path, auth: dict[str, object], kind: type[Exception], sentence: str
) -> None:
    """
    As one sentence, not as a group of errors from inside the libraries.
    """
    app = create_app(settings_in(tmp_path, auth=AuthSettings.model_validate(auth)))
    with pytest.raises(kind, match=sentence):
        async with running(app):
            pytest.fail("it started")


def _storage(folder: Path, **storage: object) -> Settings:
    given = {"url": f"sqlite:///{folder}/var/ctxfy.db"} | storage
    return settings_in(folder, storage=StorageSettings.model_validate(given))


async def test_a_database_that_is_none_stops_the_start(tmp_path: Path) -> None:
    """
    The sentence names the file.
    """
    async with running(create_app(_storage(tmp_path))):
        pass
    for file in (tmp_path / "var").glob("ctxfy.db*"):
        file.unlink()
    (tmp_path / "var" / "ctxfy.db").write_text("this is no database, but long enough for one " * 9)
    with pytest.raises(UnavailableError, match=r"ctxfy\.db is not a SQLite database"):
        async with running(create_app(_storage(tmp_path))):
            pytest.fail("it started")


async def test_tables_are_only_looked_at_by_setting(tmp_path: Path) -> None:
    """
    With `storage.migrate = check` an empty database stops the start.
    """
    with pytest.raises(UnavailableError):
        async with running(create_app(_storage(tmp_path, migrate="check"))):
            pytest.fail("it started")


async def test_a_database_and_a_key_file_that_do_not_belong_together(tmp_path: Path) -> None:
    """
    Restoring one without the other stops the start instead of refusing every key.
    """
    async with running(create_app(_storage(tmp_path))):
        pass
    own, other = tmp_path / "var" / "ctxfy.keys", tmp_path / "other.keys"
    read_or_create_key_file(other, os.urandom)
    for change, sentence in (
        (own.unlink, "is missing, but its database"),
        (lambda: other.rename(own), "does not fit this database"),
    ):
        change()
        with pytest.raises((ConfigurationError, UnavailableError), match=sentence):
            async with running(create_app(_storage(tmp_path))):
                pytest.fail("it started")


def test_prompts_with_mistakes_stop_the_start(tmp_path: Path) -> None:
    """
    Before anything is opened, with every mistake at once.
    """
    settings = settings_in(tmp_path)
    (tmp_path / "prompts" / "a.prompt.md").write_text("---\nscope: nobody\n---\n{{ missing }}\n")
    (tmp_path / "prompts" / "b.prompt.md").write_text("{% if %}\n")
    with pytest.raises(CatalogError) as caught:
        create_app(settings)
    assert {problem.path for problem in caught.value.problems} == {"a.prompt.md", "b.prompt.md"}
    missing = settings.model_copy(update={"prompts": PromptsSettings(folder=tmp_path / "nowhere")})
    with pytest.raises(CatalogError, match="does not exist"):
        create_app(missing)


def test_what_is_served_is_what_was_checked(tmp_path: Path) -> None:
    """
    A file saved after the check makes another check, and mistakes in it stop the start.
    """

    class Outdated(PromptCheck):
        @override
        def __init__(self) -> None:  # pyright: ignore[reportMissingSuperCall] - starts no child
            self.revision = "000000000000"

        @override
        def result(self, ending: Event | None = None) -> CheckReport:
            return CheckReport(problems=(), revision=self.revision)

    settings = settings_in(tmp_path)
    assert len(load_checked(settings, Outdated(), functions=()).catalog) == 4
    bad = GREET + "---\n"
    bad = bad.replace("title:", "tests: [{arguments: {}, expect: {contains: [x]}}]\ntitle:")
    (settings.prompts.folder / "greet.prompt.md").write_text(bad)
    with pytest.raises(CatalogError, match=r"greet\.prompt\.md"):
        load_checked(settings, Outdated(), functions=())


async def test_what_is_kept_is_for_its_owner_alone(tmp_path: Path) -> None:
    """
    Neither the database nor the key file can be read by others, and no secret is in the database.
    """
    async with running(create_app(settings_in(tmp_path))) as client:
        ann = await client.with_key("canary.user@example.com")
    for file in (tmp_path / "var").iterdir():
        assert file.stat().st_mode & 0o077 == 0, file
        assert b"canary" not in file.read_bytes()
        assert ann.key[19:62].encode() not in file.read_bytes()
    with sqlite3.connect(tmp_path / "var" / "ctxfy.db") as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    database.close()


async def test_an_application_can_be_left_and_begun_again(tmp_path: Path) -> None:
    """
    What was kept is there after a restart: keys, and when they were last used.
    """
    settings = settings_in(tmp_path)
    async with running(create_app(settings)) as client:
        ann = await client.with_key("ann")
        assert (await ann.get("/health", key=True)).status_code == 200
    async with running(create_app(settings)) as client:
        assert (await replace(client, key=ann.key).get("/metrics", key=True)).status_code == 200
        (info,) = await client.app.wiring.keys.list_user_api_keys("ann")
        assert info.last_used_at is not None


LATE = ("alembic", "asyncpg", "fastapi", "opentelemetry.sdk", "sqlalchemy.orm", "valkey")
IMPORTED = """
import asyncio, sys
from pathlib import Path
from subprocess import run
import ctxfy.app.http_server
from ctxfy.app.config import PromptsSettings, Settings
from ctxfy.app.main import create_app
from ctxfy.app.storage_settings import StorageSettings

async def start(folder):
    database = StorageSettings(url=f"sqlite:///{folder}/var/ctxfy.db")
    prompts = PromptsSettings(folder=folder / "prompts")
    app = create_app(Settings(prompts=prompts, storage=database))
    async with app._context():
        print(*sys.modules)

asyncio.run(start(Path(sys.argv[1])))
"""


async def test_a_start_imports_nothing_that_it_does_not_need(tmp_path: Path) -> None:
    """
    What other databases, the pages, REST or traces need comes with them.
    """
    async with running(create_app(settings_in(tmp_path))):
        pass  # so that the database is there already
    command = [sys.executable, "-c", IMPORTED, str(tmp_path)]
    started = await asyncio.to_thread(run, command, capture_output=True, check=True)
    imported = started.stdout.decode().split()
    assert "fastmcp" in imported
    assert {*LATE} & {*imported} == set()
