"""
From a fault of a real server to whoever is called: scrape, rule, Alertmanager, receiver.
"""

import shutil
import signal
from pathlib import Path

import httpx2

from tests.e2e.alert_chain import AlertChain, Inbox
from tests.e2e.conftest import ROOT, StartServer
from tests.e2e.waiting import until
from tests.postgres_kit import TestServer
from tests.postgres_process import PASSWORD


async def test_a_fault_reaches_those_who_mend_it(start_server: StartServer, tmp_path: Path) -> None:
    """
    A frozen database pages somebody, a broken prompt makes a ticket; each message has its runbook.
    """
    home, prompts = tmp_path / "chain", tmp_path / "prompts"
    home.mkdir()
    shutil.copytree(ROOT / "prompts", prompts)
    with TestServer() as postgres, Inbox() as inbox:
        server = start_server(
            tmp_path,
            prompts=prompts,
            CTXFY_STORAGE__URL=postgres.url(await postgres.create(), password=""),
            CTXFY_STORAGE__PASSWORD=PASSWORD,
            CTXFY_AUTH__KEY_FILE=str(tmp_path / "ctxfy.keys"),
        )
        target = server.url.removeprefix("http://")
        with AlertChain(home, target=target, key=server.key, inbox=inbox) as chain:
            await until(lambda: _is_scraped(chain.url))
            (prompts / "bad.prompt.md").write_text("---\ndescripton: x\n---\nHi\n")
            postgres.signal(signal.SIGSTOP)
            await until(lambda: "CtxfyStorageAway" in "".join(inbox.texts("/page")))
            await until(lambda: "CtxfyReloadRefused" in "".join(inbox.texts("/ticket")))
            postgres.signal(signal.SIGCONT)
    page = next(text for text in inbox.texts("/page") if "CtxfyStorageAway" in text)
    assert "how-to/runbooks/storage-away" in page
    assert f"The database of {target} does not answer" in page
    assert "how-to/runbooks/reload-refused" in "".join(inbox.texts("/ticket"))
    assert "CtxfyDown" not in "".join(inbox.texts("/page"))


def _is_scraped(prometheus: str) -> bool:
    try:
        answer = httpx2.get(f"{prometheus}/api/v1/query", params={"query": "up == 1"})
        return bool(answer.json()["data"]["result"])
    except httpx2.HTTPError:
        return False
