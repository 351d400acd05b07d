"""
How full a pool of connections is.
"""

from sqlalchemy.pool import Pool, QueuePool


def connections_of(pool: Pool) -> tuple[int, int]:
    """
    Count the connections in use, and tell how many there may be.
    """
    return (pool.checkedout(), pool.size()) if isinstance(pool, QueuePool) else (0, 0)
