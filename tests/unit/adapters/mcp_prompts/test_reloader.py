"""
Reloading: what is replaced, what is kept, and who is told.
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from ctxfy.adapters.mcp_prompts.catalog import CatalogProbe, MemoryCatalog
from ctxfy.adapters.mcp_prompts.reloader import Reloader
from ctxfy.core.exceptions import CatalogError
from ctxfy.core.models.catalog_models import Catalog, CatalogChange, revision_of_files
from ctxfy.core.models.monitoring_models import HealthStatus
from ctxfy.core.models.prompt_models import PromptProblem, PromptTemplate
from ctxfy.core.ports.prompt_ports import CatalogSnapshot
from tests.fakes.monitoring_fakes import RecordingLogging, RecordingMetrics


NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
MISTAKE = PromptProblem(path="a.prompt.md", line=3, message="it is wrong")


def a_snapshot(*names: str) -> CatalogSnapshot:
    """
    A set of prompts of these names.
    """
    templates = [PromptTemplate(name=name, version="1", digest=name) for name in names]
    return CatalogSnapshot(catalog=Catalog(templates), compiled={}, loaded_at=NOON)


class Bench:
    """
    A reloader over a folder that holds whatever a test says.
    """

    def __init__(self) -> None:
        self.catalog = MemoryCatalog(a_snapshot("a"))
        self.folder: Callable[[], CatalogSnapshot] = lambda: a_snapshot("a")
        self.told = 0
        self.logging = RecordingLogging()
        self.metrics = RecordingMetrics()
        self.reloader = Reloader(
            self.catalog,
            self._load,
            on_change=self._tell,
            logging=self.logging,
            metrics=self.metrics,
        )

    def _load(self) -> CatalogSnapshot:
        return self.folder()

    async def _tell(self, _change: CatalogChange) -> None:
        self.told += 1

    def broken(self) -> CatalogSnapshot:
        """
        Load a folder that holds a mistake.
        """
        raise CatalogError([MISTAKE])


@pytest.fixture
def bench() -> Bench:
    """
    A reloader to try.
    """
    return Bench()


async def test_another_set_replaces_the_old_one_and_is_told_once(bench: Bench) -> None:
    """
    One reload, one new revision, one word to the listeners, however many prompts changed.
    """
    bench.folder = lambda: a_snapshot("a", "b", "c")
    change = await bench.reloader.reload()
    assert (change.added, change.changed, change.removed) == (("b", "c"), (), ())
    assert len(bench.catalog.snapshot().catalog) == 3
    assert (bench.told, bench.metrics.reloads) == (1, ["changed"])
    assert bench.metrics.catalog == (3, bench.catalog.snapshot().catalog.revision)


async def test_a_set_is_got_ready_for_before_it_is_served(bench: Bench) -> None:
    """
    Whoever prepares for it is shown the new set while the old one still is in service.
    """
    seen: list[tuple[int, int]] = []
    bench.reloader.prepare_with(
        lambda new: seen.append((len(new.catalog), len(bench.catalog.snapshot().catalog)))
    )
    bench.folder = lambda: a_snapshot("a", "b")
    await bench.reloader.reload()
    bench.folder = lambda: a_snapshot("a", "b", "c")
    await bench.reloader.adopt(revision_of_files(a_snapshot("a", "b", "c").catalog))
    assert seen == [(2, 1), (3, 2)]


async def test_the_same_set_changes_nothing(bench: Bench) -> None:
    """
    A file that was only touched is no news, and the snapshot stays the very same.
    """
    before = bench.catalog.snapshot()
    assert not await bench.reloader.reload()
    assert bench.catalog.snapshot() is before
    assert (bench.told, bench.metrics.reloads) == (0, ["unchanged"])


async def test_a_set_with_a_mistake_leaves_the_old_one_serving(bench: Bench) -> None:
    """
    Nobody is told, the mistake is logged with its place, and health warns.
    """
    before = bench.catalog.snapshot()
    bench.folder = bench.broken
    with pytest.raises(CatalogError):
        await bench.reloader.reload()
    assert bench.catalog.snapshot() is before
    assert (bench.told, bench.metrics.reloads) == (0, ["refused"])
    health = await CatalogProbe(bench.catalog).check()
    assert health.status is HealthStatus.WARN
    assert "a.prompt.md:3: it is wrong" in health.detail


@pytest.mark.parametrize("names", [("a",), ("a", "b")])
async def test_mending_the_mistake_ends_the_warning(bench: Bench, names: tuple[str, ...]) -> None:
    """
    Whether the folder is as it was or better: health is well again.
    """
    bench.folder = bench.broken
    with pytest.raises(CatalogError):
        await bench.reloader.reload()
    bench.folder = lambda: a_snapshot(*names)
    await bench.reloader.reload()
    assert (await CatalogProbe(bench.catalog).check()).status is HealthStatus.PASS


async def test_reloads_happen_one_after_the_other(bench: Bench) -> None:
    """
    Ten at once load ten times, and tell of the one change there was.
    """
    bench.folder = lambda: a_snapshot("a", "b")
    results = await asyncio.gather(*(bench.reloader.reload() for _ in range(10)))
    assert sorted(map(bool, results)) == [False] * 9 + [True]
    assert bench.told == 1


async def test_what_another_process_tested_is_served_if_it_is_still_there(bench: Bench) -> None:
    """
    Without another test; a folder that has changed since is left to whoever tests it.
    """
    bench.folder = lambda: a_snapshot("a", "b")
    tested = revision_of_files(a_snapshot("a", "b").catalog)
    assert await bench.reloader.adopt("another") == tested
    assert (len(bench.catalog.snapshot().catalog), bench.told) == (1, 0)
    assert await bench.reloader.adopt(tested) == tested
    assert (len(bench.catalog.snapshot().catalog), bench.told) == (2, 1)
