"""
Reloads that reach every worker: one tests a set, and all serve it.
"""

import asyncio
import time
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced:
    """
    A set that was tested.

    Attributes:
        revision: Of the prompts of files.
        at_ns: When, so that a set that is tested again is news.
    """

    revision: str
    at_ns: int


class Announcement:
    """
    Names the set that was tested last, in a file that all workers read.

    Args:
        folder: Where it is.
        number: The place of this worker.
    """

    def __init__(self, folder: Path, number: int) -> None:
        self._file = folder / "catalog"
        self._fresh = folder / f"catalog-{number}.new"

    def read(self) -> Announced | None:
        """
        Return what was announced last; None before the first.
        """
        try:
            revision, at_ns = self._file.read_text(encoding="ascii").split()
        except FileNotFoundError:
            return None
        return Announced(revision=revision, at_ns=int(at_ns))

    def write(self, snapshot: CatalogSnapshot) -> None:
        """
        Announce a set.
        """
        revision = revision_of_files(snapshot.catalog)
        self._fresh.write_text(f"{revision} {time.monotonic_ns()}", encoding="ascii")
        self._fresh.replace(self._file)


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
        seen: Announced | None = None
        while True:
            await asyncio.sleep(POLL_SECONDS)
            announced = self._announcement.read()
            if announced is None or announced == seen:
                continue
            try:
                await self._take_over(announced.revision)
                seen = announced
            except CatalogError:
                seen = announced  # whoever watches the folder tells of it
            except Exception as error:  # noqa: BLE001 - or no later set would be served
                self._logging.log_error(None, error, {"doing": "following a reload"})

    async def _take_over(self, announced: str) -> None:
        if announced != self._served() or self._catalog.problems:
            found = await self._reloader.adopt(announced)
            # Two have tested at the same time, and the later word was about the older set.
            if found != announced and found == self._served():
                await asyncio.to_thread(self._announcement.write, self._catalog.snapshot())
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
