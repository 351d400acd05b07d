"""
A process that erases somebody, and is killed in the middle: `person_eraser.py FOLDER NAME`.

It dies when the ledger has the erasure on the disk, and the database has it not.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import override

from ctxfy.adapters.storage.engine import open_database
from ctxfy.adapters.storage.erasure_ledger import ErasureLedger
from ctxfy.core.models.person_models import LedgerEntry
from tests.builders import told
from tests.integration.adapters.storage.storage_kit import PeopleKit


class LastWords(ErasureLedger):
    """
    A ledger after whose first word the process is dead.
    """

    @override
    def add(self, entries: Iterable[LedgerEntry]) -> None:
        super().add(entries)
        os.kill(os.getpid(), signal.SIGKILL)


async def erase(folder: Path, name: str) -> None:
    """
    Begin to erase.
    """
    database = open_database(f"sqlite:///{folder}/ctxfy.db")
    kit = PeopleKit(database, folder, ledger=LastWords(folder / "ctxfy.erasures"))
    await kit.store.erase(name, told())


if __name__ == "__main__":
    asyncio.run(erase(Path(sys.argv[1]), sys.argv[2]))
