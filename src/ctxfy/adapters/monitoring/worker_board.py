"""
Where the workers of one machine tell each other how they are: a folder with a note of each.
"""

import asyncio
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

import orjson

from ctxfy.core.ports.monitoring_ports import LoggingPort


POST_SECONDS = 1.0
FRESH_SECONDS = 5.0
"""
Who posted nothing for so long does not serve now.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """
    What one worker told last.

    Attributes:
        number: The worker's place.
        age_seconds: How long ago.
        facts: By their names.
    """

    number: int
    age_seconds: float
    facts: Mapping[str, Any]

    @property
    def is_fresh(self) -> bool:
        """
        Whether the worker is there.
        """
        return self.age_seconds < FRESH_SECONDS


class WorkerBoard:
    """
    Posts the note of this worker, and reads those of all.

    A note is replaced whole, and nobody waits for anybody: a worker that hangs has an old one.

    Args:
        folder: Where they are.
        number: The place of this worker, from 1 on.
        count: How many places there are.
        monotonic: Seconds of a clock that all processes of the machine share.
    """

    def __init__(
        self, folder: Path, *, number: int, count: int, monotonic: Callable[[], float]
    ) -> None:
        self.number = number
        self.count = count
        self._folder = folder
        self._monotonic = monotonic
        self._turn = Lock()
        self._sources: dict[str, Callable[[], object]] = {"pid": os.getpid}

    def add(self, name: str, source: Callable[[], object]) -> None:
        """
        Have a source asked for each note, and what it tells put under a name.
        """
        self._sources[name] = source

    def post(self) -> None:
        """
        Post a note now. Blocks for as long as the disk does.
        """
        with self._turn:
            facts = {name: source() for name, source in self._sources.items()}
            fresh = self._folder / f"worker-{self.number}.new"
            fresh.write_bytes(orjson.dumps({"at": self._monotonic(), "facts": facts}))
            fresh.replace(self._file(self.number))

    def notes(self) -> list[Note]:
        """
        Read what each worker told last, in the order of their places.
        """
        notes = (self.note(number) for number in range(1, self.count + 1))
        return [note for note in notes if note is not None]

    def note(self, number: int) -> Note | None:
        """
        Read what one worker told last; None if it never did.
        """
        try:
            told = orjson.loads(self._file(number).read_bytes())
        except (OSError, orjson.JSONDecodeError):
            return None
        age = max(self._monotonic() - told["at"], 0.0)
        return Note(number=number, age_seconds=age, facts=told["facts"])

    async def run(self, logging: LoggingPort) -> None:
        """
        Post a note every second, without end.
        """
        fails = False
        while True:
            try:
                await asyncio.to_thread(self.post)
                fails = False
            except Exception as error:  # noqa: BLE001 - told once, and the next may succeed
                if not fails:
                    logging.log_error(None, error, {"doing": "telling the other workers"})
                fails = True
            await asyncio.sleep(POST_SECONDS)

    def _file(self, number: int) -> Path:
        return self._folder / f"worker-{number}.json"
