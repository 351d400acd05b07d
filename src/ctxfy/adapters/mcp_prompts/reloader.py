"""
Live reload: a folder that changed becomes the set in service, wholly or not at all.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from watchfiles import Change, awatch

from ctxfy.adapters.mcp_prompts.catalog import MemoryCatalog
from ctxfy.core.exceptions import CatalogError, UnavailableError
from ctxfy.core.models.catalog_models import CatalogChange, changes_between, revision_of_files
from ctxfy.core.models.monitoring_models import LogLevel
from ctxfy.core.models.prompt_models import PromptProblem
from ctxfy.core.ports.monitoring_ports import LoggingPort, MetricsPort
from ctxfy.core.ports.prompt_ports import CatalogSnapshot


DEBOUNCE_MS = 300
LOOK_AGAIN_MS = 1000
MAX_PROBLEMS_LOGGED = 20


class Reloader:
    """
    Replaces the set in service.

    Args:
        load: Loads, checks and tests the folder; blocks, and is run in a thread. Raises
            CatalogError if the set is not wholly good.
        on_change: Tells clients what is another; once for each new set.
        load_known: Loads the folder, and checks nothing: for a set that was tested elsewhere.
        announce: Tells other processes what was loaded and tested here.
    """

    def __init__(
        self,
        catalog: MemoryCatalog,
        load: Callable[[], CatalogSnapshot],
        *,
        on_change: Callable[[CatalogChange], Awaitable[None]],
        logging: LoggingPort,
        metrics: MetricsPort,
        load_known: Callable[[], CatalogSnapshot] | None = None,
        announce: Callable[[CatalogSnapshot], None] = lambda _snapshot: None,
    ) -> None:
        self._catalog = catalog
        self._load = load
        self._load_known = load_known or load
        self._announce = announce
        self._on_change = on_change
        self._logging = logging
        self._metrics = metrics
        self._turn = asyncio.Lock()
        self._prepare: Callable[[CatalogSnapshot], None] = lambda _snapshot: None

    def prepare_with(self, prepare: Callable[[CatalogSnapshot], None]) -> None:
        """
        Let somebody get ready for each set before it is served; is run in a thread, too.
        """
        self._prepare = prepare

    async def reload(self) -> CatalogChange:
        """
        Load the folder now; tell what is served differently since.

        Raises:
            CatalogError: The set is not wholly good; the old one goes on being served.
        """
        async with self._turn:
            try:
                snapshot = await asyncio.to_thread(self._load)
            except CatalogError as error:
                self._refused(error.problems)
                raise
            await asyncio.to_thread(self._prepare, snapshot)
            change = self._take(snapshot)
            await asyncio.to_thread(self._announce, snapshot)
        if change:
            await self._on_change(change)
        return change

    async def adopt(self, revision: str) -> str:
        """
        Serve the set that another process has tested; not if the folder holds another by now.

        Returns the revision that the folder holds.

        Args:
            revision: Of the prompts of files.

        Raises:
            CatalogError: The folder cannot be loaded by now.
        """
        async with self._turn:
            snapshot = await asyncio.to_thread(self._load_known)
            if (found := revision_of_files(snapshot.catalog)) != revision:
                return found
            await asyncio.to_thread(self._prepare, snapshot)
            change = self._take(snapshot)
        if change:
            await self._on_change(change)
        return revision

    def _take(self, snapshot: CatalogSnapshot) -> CatalogChange:
        change = changes_between(self._catalog.snapshot().catalog, snapshot.catalog)
        if change:
            self._catalog.replace(snapshot)
            self._accepted(snapshot)
        else:
            self._unchanged()
        return change

    async def follow(self, folder: Path) -> None:
        """
        Reload at every change of a folder, until cancelled.
        """
        async for _ in changes_of(folder):
            try:
                await self.reload()
            except CatalogError:
                continue  # told already; the next change may mend it
            except UnavailableError:
                return  # the server is ending
            except Exception as error:  # noqa: BLE001 - or no later change would be served
                self._metrics.record_reload("failed")
                self._logging.log_error(None, error, {"doing": "reloading prompts"})

    def _accepted(self, snapshot: CatalogSnapshot) -> None:
        catalog = snapshot.catalog
        self._metrics.record_reload("changed")
        self._metrics.record_catalog(len(catalog), catalog.revision, snapshot.loaded_at)
        self._logging.log_event("catalog_reloaded", prompts=len(catalog), revision=catalog.revision)

    def _unchanged(self) -> None:
        self._metrics.record_reload("unchanged")
        if self._catalog.problems:
            self._catalog.mend()
            self._logging.log_event("catalog_mended")

    def _refused(self, problems: tuple[PromptProblem, ...]) -> None:
        self._catalog.note(problems)
        self._metrics.record_reload("refused")
        self._logging.log_event(
            "catalog_reload_refused",
            level=LogLevel.ERROR,
            problems=[str(problem) for problem in problems[:MAX_PROBLEMS_LOGGED]],
            problem_count=len(problems),
        )


async def changes_of(folder: Path) -> AsyncGenerator[None]:
    """
    Yield whenever something below a folder may have changed, until cancelled.

    The folder may be a link that is turned (git-sync), hold one that is (ConfigMap), or be away
    for a while: it is resolved again every second.
    """
    place, is_news = _place_of(folder), False
    while True:
        if place is None:
            await asyncio.sleep(LOOK_AGAIN_MS / 1000)
        else:
            # A new place is told only now, with the watch on it: what changes while whoever is told
            # reads the folder is then heard of too.
            async for changed in _watched(place.path):
                if changed or is_news:
                    is_news = False
                    yield
                if _place_of(folder) != place:
                    break
            else:
                place = None  # gone, even if something of the same name and number is there again
        found = _place_of(folder)
        if found != place:
            place, is_news = found, True
            if found is None:
                yield


async def _watched(place: Path) -> AsyncGenerator[bool]:
    """
    Tell at least once a second whether anything changed, until the folder itself is gone.
    """
    try:
        async for changes in awatch(
            place,
            watch_filter=None,  # the default one leaves out everything below a folder `.venv`
            debounce=DEBOUNCE_MS,
            rust_timeout=LOOK_AGAIN_MS,
            yield_on_timeout=True,
            ignore_permission_denied=True,
        ):
            yield bool(changes)
            if (Change.deleted, str(place)) in changes:
                return
    except OSError:
        return  # the folder went away before the watch was on it


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """
    Which folder a path leads to.

    One that was made anew under the same name is another, and a watch on the old one hears nothing.
    """

    path: Path
    inode: int
    device: int


def _place_of(folder: Path) -> _Place | None:
    try:
        path = folder.resolve(strict=True)
        status = path.stat()
    except OSError:
        return None
    return _Place(path=path, inode=status.st_ino, device=status.st_dev)
