"""
The limiter that the processes of one machine share; what all limiters do is in the contracts.
"""

import subprocess
import sys
import time
from pathlib import Path

from ctxfy.adapters.auth.machine_rate_limiter import PLACES, MachineRateLimiter
from ctxfy.core.models.auth_models import RateLimit
from ctxfy.core.models.limit_models import Charge


HUNDRED_A_DAY = RateLimit(requests=100, seconds=86400)
ASKS = """
import asyncio, sys, time
from pathlib import Path
from ctxfy.adapters.auth.machine_rate_limiter import MachineRateLimiter
from ctxfy.core.models.auth_models import RateLimit
from ctxfy.core.models.limit_models import Charge

async def ask():
    limiter = MachineRateLimiter(Path(sys.argv[1]), time.monotonic_ns)
    charge = Charge(subject="key:a", limit=RateLimit(requests=100, seconds=86400))
    print(sum([(await limiter.take([charge]))[0].allowed for _ in range(2000)]))

asyncio.run(ask())
"""


async def allowed_of(limiter: MachineRateLimiter, subject: str, times: int) -> int:
    """
    Count how many of so many requests are let through.
    """
    charge = Charge(subject=subject, limit=HUNDRED_A_DAY)
    return sum([(await limiter.take([charge]))[0].allowed for _ in range(times)])


async def test_what_one_has_counted_another_knows(tmp_path: Path) -> None:
    """
    Two limiters on one file let through what one of them would.
    """
    one, other = (MachineRateLimiter(tmp_path / "limits", time.monotonic_ns) for _ in range(2))
    assert await allowed_of(one, "key:a", 60) == 60
    assert await allowed_of(other, "key:a", 60) == 40
    assert await allowed_of(other, "key:b", 60) == 60


def test_processes_count_exactly_at_the_same_time(tmp_path: Path) -> None:
    """
    Three processes that ask as fast as they can are let through a hundred times in all.
    """
    command = [sys.executable, "-c", ASKS, str(tmp_path / "limits")]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(3)]
    assert sum(int(process.communicate()[0]) for process in processes) == 100


async def test_who_has_least_to_wait_for_makes_room(tmp_path: Path) -> None:
    """
    With one shelf alone, the busiest subject stays known while others come and go.
    """
    limiter = MachineRateLimiter(tmp_path / "limits", time.monotonic_ns, shelves=1)
    assert await allowed_of(limiter, "busy", 101) == 100
    for number in range(PLACES * 3):
        await allowed_of(limiter, f"passing {number}", 1)
    assert await allowed_of(limiter, "busy", 1) == 0


async def test_replicas_get_equal_parts(tmp_path: Path) -> None:
    """
    One of four machines lets a quarter through.
    """
    limiter = MachineRateLimiter(tmp_path / "limits", time.monotonic_ns, replicas=4)
    assert await allowed_of(limiter, "key:a", 100) == 25
