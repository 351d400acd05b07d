"""
A process that writes keys: `key_writer.py DATABASE NAME first|COUNT`, a line for each key kept.
"""

import asyncio
import sys

from ctxfy.adapters.storage.engine import open_database
from tests.builders import told
from tests.integration.adapters.storage.storage_kit import key, key_store


async def write(path: str, name: str, task: str) -> None:
    """
    Keep keys and say so, each as soon as it is kept.
    """
    database = open_database(f"sqlite:///{path}")
    store = key_store(database)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    if task == "first":
        sys.stdout.write(f"{await store.add_first(key(name), told())}\n")
        task = "0"
    for number in range(int(task)):
        info = key(f"{name}{number}x", user_id=f"user {number % 3}")
        await store.add(info, told())
        sys.stdout.write(f"{info.key_id}\n")
        sys.stdout.flush()
    await database.aclose()


if __name__ == "__main__":
    asyncio.run(write(*sys.argv[1:]))
