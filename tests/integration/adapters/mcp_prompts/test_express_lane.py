"""
The express lane next to FastMCP alone: the same requests, the same answers.
"""

import os
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.builders import load, write_files
from tests.integration.adapters.mcp_prompts.lane_kit import Lanes
from tests.integration.adapters.mcp_prompts.lane_requests_kit import FILES, corpus


REQUESTS = int(os.environ.get("LANE_REQUESTS", "2000"))


@pytest.fixture
async def lanes(tmp_path: Path) -> AsyncIterator[Lanes]:
    """
    Both lanes over a few prompts.
    """
    async with Lanes(load(write_files(tmp_path, FILES))).running() as both:
        yield both


async def test_nobody_can_tell_the_lanes_apart(lanes: Lanes) -> None:
    """
    Status, headers, body, and all that is logged, counted and traced are the same, whatever comes;
    and the usual is answered by the express lane itself.
    """
    answered = Counter[str]()
    for request in corpus(REQUESTS):
        fast, slow = await lanes.both(request)
        lane = str(fast.facts.pop("lane", "none"))
        slow.facts.pop("lane", None)
        assert fast == slow, request
        assert lane == "express" or not request.is_usual, request
        answered[lane] += 1
    assert answered["express"] > REQUESTS // 3
    assert answered["fastmcp"] > REQUESTS // 20
