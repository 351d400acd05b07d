"""
Reloads of several workers, lived through in one process.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

import pytest

from ctxfy.adapters.mcp_prompts.catalog import MemoryCatalog
from ctxfy.adapters.mcp_prompts.reloader import Reloader
from ctxfy.adapters.monitoring.worker_board import WorkerBoard
from ctxfy.app import shared_reload
from ctxfy.app.background import running
from ctxfy.app.loading import utc_now
from ctxfy.app.shared_reload import Announcement, SharedReload
from ctxfy.core.exceptions import CatalogError, UnavailableError
from ctxfy.core.models.catalog_models import Catalog, CatalogChange
from ctxfy.core.models.prompt_models import PromptProblem, PromptTemplate
from ctxfy.core.ports.prompt_ports import CatalogSnapshot
from tests.fakes.monitoring_fakes import RecordingLogging, RecordingMetrics


def a_snapshot(*names: str) -> CatalogSnapshot:
    """
    A set of prompts of these names.
    """
    templates = [PromptTemplate(name=name, version="1", digest=name) for name in names]
    return CatalogSnapshot(catalog=Catalog(templates), compiled={}, loaded_at=utc_now())


@dataclass
class Worker:
    """
    One of two workers over a folder that holds whatever a test says.
    """

    place: Path
    number: int
    folder: Callable[[], CatalogSnapshot]
    tests: int = 0
    catalog: MemoryCatalog = field(default_factory=lambda: MemoryCatalog(a_snapshot("a")))
    board: WorkerBoard = field(init=False)
    reload: SharedReload = field(init=False)

    def __post_init__(self) -> None:
        self.board = WorkerBoard(self.place, number=self.number, count=2, monotonic=monotonic)
        announcement = Announcement(self.place, self.number)
        logging = RecordingLogging()
        reloader = Reloader(
            self.catalog,
            self._test,
            on_change=self._told,
            logging=logging,
            metrics=RecordingMetrics(),
            load_known=self.folder,
            announce=announcement.write,
        )
        self.reload = SharedReload(
            reloader, self.catalog, announcement, self.board, logging=logging
        )

    def _test(self) -> CatalogSnapshot:
        self.tests += 1
        return self.folder()

    async def _told(self, _change: CatalogChange) -> None:
        pass

    @asynccontextmanager
    async def serving(self) -> AsyncGenerator[None]:
        """
        Follow the other one.
        """
        self.board.post()
        async with running(self.reload.follow()):
            yield

    @property
    def serves(self) -> list[str]:
        """
        The prompts it serves.
        """
        return [template.name for template in self.catalog.snapshot().catalog.templates]


class Folder:
    """
    What the folder holds.
    """

    def __init__(self) -> None:
        self.names: tuple[str, ...] = ("a",)

    def __call__(self) -> CatalogSnapshot:
        """
        Load it.
        """
        if not self.names:
            raise CatalogError([PromptProblem(path="a.prompt.md", line=1, message="it is wrong")])
        return a_snapshot(*self.names)


@pytest.fixture
def folder() -> Folder:
    """
    A folder with one prompt.
    """
    return Folder()


@pytest.fixture
def pair(tmp_path: Path, folder: Folder) -> tuple[Worker, Worker]:
    """
    Two workers over the folder.
    """
    one, other = (Worker(tmp_path, number, folder) for number in (1, 2))
    return one, other


async def test_a_reload_is_over_when_the_other_has_followed(
    pair: tuple[Worker, Worker], folder: Folder
) -> None:
    """
    One of them tests the set, both serve it then.
    """
    one, other = pair
    async with one.serving(), other.serving():
        folder.names = ("a", "b")
        assert (await other.reload.reload()).added == ("b",)
        assert one.serves == other.serves == ["a", "b"]
    assert (one.tests, other.tests) == (0, 1)


async def test_two_reloads_at_once_end_in_one_set(
    pair: tuple[Worker, Worker], folder: Folder
) -> None:
    """
    Whoever was asked, and whoever spoke last: both serve what the folder holds.
    """
    async with AsyncExitStack() as stack:
        for worker in pair:
            await stack.enter_async_context(worker.serving())
        for names in (("a", "b"), ("b",), ("c", "d")):
            folder.names = names
            await asyncio.gather(*(worker.reload.reload() for worker in pair))
            assert [worker.serves for worker in pair] == [list(names)] * 2


async def test_a_mistake_that_one_has_met_is_over_when_the_folder_is_mended(
    pair: tuple[Worker, Worker], folder: Folder
) -> None:
    """
    Also by the other, and also if what is served is the same as before.
    """
    one, other = pair
    async with one.serving(), other.serving():
        folder.names = ()
        with pytest.raises(CatalogError):
            await other.reload.reload()
        assert other.catalog.problems
        folder.names = ("a",)
        await one.reload.reload()
        async with asyncio.timeout(20):
            while other.catalog.problems:  # noqa: ASYNC110 - a thread sets no event of ours
                await asyncio.sleep(0.05)
    assert other.serves == ["a"]


async def test_one_that_does_not_follow_is_told_of(
    pair: tuple[Worker, Worker], folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    The new set is served by whoever was asked, and the answer says that it is not by all.
    """
    one, other = pair
    monkeypatch.setattr(shared_reload, "PATIENCE_SECONDS", 0.5)
    other.board.post()
    folder.names = ("a", "b")
    async with one.serving():
        with pytest.raises(UnavailableError, match="another does not follow yet"):
            await one.reload.reload()
    assert (one.serves, other.serves) == (["a", "b"], ["a"])
