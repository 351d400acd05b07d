"""
Reloads that reach every worker: one tests a set, and all serve it.
"""

import asyncio
from pathlib import Path

from ctxfy.adapters.mcp_prompts.catalog import MemoryCatalog
from ctxfy.adapters.mcp_prompts.reloader import Reloader
from ctxfy.adapters.monitoring.worker_board import WorkerBoard
from ctxfy.core.exceptions import CatalogError, UnavailableError
from ctxfy.core.models.catalog_models import CatalogChange, revision_of_files
from ctxfy.core.ports.monitoring_ports import LoggingPort
from ctxfy.core.ports.prompt_ports import CatalogSnapshot


POLL_SECONDS = 0.25
PATIENCE_SECONDS = 10.0
SERVED = "served"
"""
Under this name each worker tells which prompts of files it serves.
"""


class Announcement:
    """
    Names the set that was tested last, in a file that all workers read.
    """

    def __init__(self, file: Path) -> None:
        self._file = file

    def read(self) -> str | None:
        """
        Return the revision; None before the first.
        """
        try:
            return self._file.read_text(encoding="ascii")
        except FileNotFoundError:
            return None

    def write(self, snapshot: CatalogSnapshot) -> None:
        """
        Announce a set.
        """
        fresh = self._file.with_suffix(".new")
        fresh.write_text(revision_of_files(snapshot.catalog), encoding="ascii")
        fresh.replace(self._file)


class SharedReload:
    """
    Takes another set into service in every worker (CatalogCommandPort).

    Args:
        reloader: Of this worker.
        catalog: What it serves.
        announcement: What it and the others tested.
        board: Where each tells what it serves.
    """

    def __init__(
        self,
        reloader: Reloader,
        catalog: MemoryCatalog,
        announcement: Announcement,
        board: WorkerBoard,
        *,
        logging: LoggingPort,
    ) -> None:
        self._reloader = reloader
        self._catalog = catalog
        self._announcement = announcement
        self._board = board
        self._logging = logging
        board.add(SERVED, self._served)

    async def reload(self) -> CatalogChange:
        """
        Load the folder now; return when every worker serves it.

        Raises:
            CatalogError: The set is not wholly good; all go on serving the old one.
            UnavailableError: A worker does not follow; it will, or another takes its place.
        """
        change = await self._reloader.reload()
        await self._settled()
        return change

    async def follow(self) -> None:
        """
        Serve what another worker has tested, without end.
        """
        seen: str | None = None
        while True:
            await asyncio.sleep(POLL_SECONDS)
            announced = self._announcement.read()
            if announced == seen:
                continue
            try:
                await self._take_over(announced)
                seen = announced
            except CatalogError:
                seen = announced  # whoever watches the folder tells of it
            except Exception as error:  # noqa: BLE001 - or no later set would be served
                self._logging.log_error(None, error, {"doing": "following a reload"})

    async def _take_over(self, announced: str | None) -> None:
        if announced is not None and announced != self._served():
            await self._reloader.adopt(announced)
        await asyncio.to_thread(self._board.post)

    async def _settled(self) -> None:
        await asyncio.to_thread(self._board.post)
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not self._all_serve(self._served()):  # noqa: ASYNC110 - other processes
                    await asyncio.sleep(POLL_SECONDS / 5)
        except TimeoutError as error:
            raise UnavailableError(
                "workers", "this worker serves the new prompts, and another does not follow yet."
            ) from error

    def _all_serve(self, revision: str) -> bool:
        notes = self._board.notes()
        return all(note.facts.get(SERVED) == revision for note in notes if note.is_fresh)

    def _served(self) -> str:
        return revision_of_files(self._catalog.snapshot().catalog)
