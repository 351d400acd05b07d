"""
Following a real folder: every way in which teams change one.
"""

import asyncio
import shutil
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path

import pytest

from ctxfy.adapters.mcp_prompts.reloader import changes_of


SETTLE_SECONDS = 0.5
PATIENCE_SECONDS = 15


async def after(change: AsyncGenerator[None]) -> None:
    """
    Wait for the next word of a change.
    """
    await asyncio.wait_for(anext(change), PATIENCE_SECONDS)


async def ready(changes: AsyncGenerator[None]) -> asyncio.Task[None]:
    """
    Begin to wait, and give the watch time to be in place.
    """
    waiting = asyncio.create_task(after(changes))
    await asyncio.sleep(SETTLE_SECONDS)
    return waiting


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """
    A folder with one file, below one that holds other things.
    """
    place = tmp_path / "prompts"
    place.mkdir()
    (place / "a.prompt.md").write_text("one")
    return place


async def test_a_saved_file_is_a_change(folder: Path) -> None:
    """
    Editors write in place, or write aside and rename: both are noticed.
    """
    async with aclosing(changes_of(folder)) as changes:
        waiting = await ready(changes)
        (folder / "a.prompt.md").write_text("two")
        await waiting
        waiting = await ready(changes)
        (folder / ".a.tmp").write_text("three")
        (folder / ".a.tmp").rename(folder / "a.prompt.md")
        await waiting
    assert (folder / "a.prompt.md").read_text() == "three"


async def test_a_file_in_a_folder_that_is_new_is_a_change(folder: Path) -> None:
    """
    Folders made later are followed too.
    """
    async with aclosing(changes_of(folder)) as changes:
        waiting = await ready(changes)
        (folder / "team").mkdir()
        (folder / "team" / "b.prompt.md").write_text("one")
        await waiting
    assert waiting.done()


async def test_a_mounted_config_map_is_a_change_when_its_link_turns(tmp_path: Path) -> None:
    """
    Kubernetes writes a new folder, and turns the link `..data` to it in one step.
    """
    mount = tmp_path / "mount"
    for version in ("..1", "..2"):
        (mount / version).mkdir(parents=True)
        (mount / version / "a.prompt.md").write_text(version)
    (mount / "..data").symlink_to("..1")
    (mount / "a.prompt.md").symlink_to("..data/a.prompt.md")
    async with aclosing(changes_of(mount)) as changes:
        waiting = await ready(changes)
        (mount / "..new").symlink_to("..2")
        (mount / "..new").rename(mount / "..data")
        await waiting
    assert (mount / "a.prompt.md").read_text() == "..2"


async def test_a_folder_that_is_a_link_is_a_change_when_it_turns(tmp_path: Path) -> None:
    """
    git-sync checks out aside and turns the link that is the prompt folder; both ends are followed.
    """
    for version in ("first", "second"):
        (tmp_path / version).mkdir()
    link = tmp_path / "current"
    link.symlink_to("first")
    async with aclosing(changes_of(link)) as changes:
        waiting = await ready(changes)
        (tmp_path / "next").symlink_to("second")
        (tmp_path / "next").rename(link)
        await waiting
        waiting = await ready(changes)
        (tmp_path / "second" / "a.prompt.md").write_text("new")
        await waiting
    assert link.resolve().name == "second"


async def test_a_folder_that_goes_and_comes_is_a_change(folder: Path) -> None:
    """
    While it is away nothing breaks; when it is back it is followed again.
    """
    spare = shutil.copytree(folder, folder.with_name("spare"))
    async with aclosing(changes_of(folder)) as changes:
        waiting = await ready(changes)
        shutil.rmtree(folder)
        await waiting
        await asyncio.sleep(SETTLE_SECONDS)
        shutil.copytree(spare, folder)
        await after(changes)
        waiting = await ready(changes)
        (folder / "a.prompt.md").write_text("again")
        await waiting
    assert (folder / "a.prompt.md").read_text() == "again"
