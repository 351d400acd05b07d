"""
All prompts are replaced again and again, while they are asked for.

Short here; `make reloads` replaces 2,000 prompts 100 times.
"""

import asyncio
import os
import re
import time
from array import array
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import httpx2

from tests.e2e.conftest import Server, StartServer
from tests.e2e.key_kit import ADMIN_KEY, UNLIMITED


RELOADS = int(os.environ.get("RELOADS", "3"))
PROMPTS = int(os.environ.get("RELOAD_PROMPTS", "50"))
CLIENTS = 4
PATIENCE_SECONDS = 300
PROMPT = """---
version: {generation}.0.0
description: Of generation {generation}.
---
Generation {generation}.
<!-- @assistant -->
Still generation {generation}.
"""


@dataclass(slots=True)
class Folder:
    """
    A link to the set that is served, turned as a mounted ConfigMap turns its own.
    """

    place: Path
    link: Path = field(init=False)

    def __post_init__(self) -> None:
        self.link = self.place / "served"

    def turn(self, generation: int) -> None:
        """
        Write a whole set aside, and put it in the place of the one before in one step.
        """
        new = self.place / f"generation-{generation}"
        new.mkdir(parents=True)
        for number in range(PROMPTS):
            text = PROMPT.format(generation=generation)
            (new / f"prompt-{number}.prompt.md").write_text(text)
        turned = self.place / "turned"
        turned.symlink_to(new.name)
        turned.replace(self.link)


@dataclass(slots=True)
class Witness:
    """
    Asks for prompts, and looks at what comes.

    Attributes:
        acknowledged: The generation of the last reload that was answered.
        seen: Which generations were answered with.
        seconds: How long each answer took.
    """

    server: Server
    acknowledged: int = 1
    seen: set[int] = field(default_factory=set[int])
    seconds: array[float] = field(default_factory=lambda: array("d"))
    over: bool = False

    async def ask(self, first: int) -> None:
        """
        Ask for one prompt after the other, by REST and over MCP in turns, until it is over.
        """
        headers = {"Authorization": f"Bearer {ADMIN_KEY}"}
        async with httpx2.AsyncClient(headers=headers, timeout=PATIENCE_SECONDS) as http:
            for number in count(first):
                name = f"prompt-{number % PROMPTS}"
                least = self.acknowledged
                began = time.perf_counter()
                text = await (self._rest(http, name) if number % 2 else self._mcp(http, name))
                self.seconds.append(time.perf_counter() - began)
                generations = {int(each) for each in re.findall(r"eneration (\d+)", text)}
                generations |= {int(each) for each in re.findall(r'"(\d+)\.0\.0"', text)}
                assert len(generations) == 1, text
                (generation,) = generations
                assert generation >= least
                self.seen.add(generation)
                if self.over:
                    return

    async def _rest(self, http: httpx2.AsyncClient, name: str) -> str:
        url = f"{self.server.url}/prompts/{name}/execute"
        answer = await http.post(url, json={"arguments": {}})
        assert answer.status_code == httpx2.codes.OK, answer.text
        return answer.text

    async def _mcp(self, http: httpx2.AsyncClient, name: str) -> str:
        message = {"jsonrpc": "2.0", "id": 1, "method": "prompts/get", "params": {"name": name}}
        accept = {"Accept": "application/json, text/event-stream"}
        answer = await http.post(self.server.mcp, json=message, headers=accept)
        assert answer.status_code == httpx2.codes.OK, answer.text
        assert '"result"' in answer.text, answer.text
        return answer.text


async def test_no_request_notices_that_all_prompts_are_replaced(
    start_server: StartServer, tmp_path: Path
) -> None:
    """
    Each answer is whole, of one set, and never of an older one than was acknowledged.
    """
    folder = Folder(tmp_path / "sets")
    folder.turn(1)
    settings = {**UNLIMITED, "CTXFY_PROMPTS__WATCH": "false"}
    server = start_server(tmp_path, prompts=folder.link, **settings)
    witness = Witness(server)
    async with asyncio.TaskGroup() as group:
        for number in range(CLIENTS):
            group.create_task(witness.ask(number * PROMPTS // CLIENTS))
        took = await _replace(folder, witness)
        witness.over = True
    assert witness.acknowledged in witness.seen
    assert len(witness.seen) > 1
    slow = sorted(witness.seconds)
    p99, longest = (slow[place] * 1000 for place in (len(slow) * 99 // 100, -1))
    each = sum(took) / RELOADS
    print(f"{RELOADS} times {PROMPTS} prompts, {each:.2f} s each; {len(slow)} answers")  # noqa: T201
    print(f"p99 {p99:.0f} ms, longest {longest:.0f} ms")  # noqa: T201 - for make reloads


async def _replace(folder: Folder, witness: Witness) -> list[float]:
    took = list[float]()
    headers = {"Authorization": f"Bearer {ADMIN_KEY}"}
    async with httpx2.AsyncClient(headers=headers, timeout=PATIENCE_SECONDS) as http:
        for generation in range(2, RELOADS + 2):
            await asyncio.to_thread(folder.turn, generation)
            began = time.perf_counter()
            answer = await http.post(f"{witness.server.url}/prompts/reload")
            took.append(time.perf_counter() - began)
            assert answer.status_code == httpx2.codes.OK, answer.text
            witness.acknowledged = generation
    return took
