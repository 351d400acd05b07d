"""
The express lane next to FastMCP alone: the same requests, the same answers.
"""

import os
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.builders import load, write_files
from tests.integration.adapters.mcp_prompts.lane_kit import CALLERS, Lanes, Request
from tests.integration.adapters.mcp_prompts.lane_requests_kit import BOTH, FILES, corpus


LIST = Request(
    ((b"content-type", b"application/json"), (b"accept", BOTH)),
    b'{"jsonrpc":"2.0","id":1,"method":"prompts/list"}',
)
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


async def test_a_list_is_put_together_of_what_was_prepared(lanes: Lanes, tmp_path: Path) -> None:
    """
    Entries of a set are written before it is served: no caller waits for one, whoever it is, and
    after a reload the lists are those of the new set.
    """
    lanes.lists.prepare(load(tmp_path))
    written = lanes.lists.entry_count
    write_files(tmp_path, {"new.prompt.md": "---\ntitle: New\n---\nNew."})
    for caller in range(len(CALLERS)):
        await lanes.both(replace(LIST, caller=caller))
    assert lanes.lists.entry_count == written
    snapshot = load(tmp_path)
    lanes.lists.prepare(snapshot)
    lanes.catalog.replace(snapshot)
    fast, slow = await lanes.both(LIST)
    assert fast.body == slow.body
    assert b'"name":"new"' in fast.body
