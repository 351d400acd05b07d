"""
How full a pool of connections is.
"""

from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import QueuePool


def connections_of(engine: AsyncEngine) -> tuple[int, int]:
    """
    Count the connections in use, and tell how many there may be.
    """
    pool = engine.pool
    return (pool.checkedout(), pool.size()) if isinstance(pool, QueuePool) else (0, 0)
