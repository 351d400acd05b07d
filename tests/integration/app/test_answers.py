"""
The answers that the OpenAPI document shows are such as really come: app/answers.json.

After a change of an answer: `.venv/bin/python -m tests.integration.app.test_answers`.
"""

import asyncio
import json
import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ctxfy.app.main import create_app
from tests.integration.app.app_kit import running, settings_in
from tests.integration.app.test_access_matrix import ROWS
from tests.integration.app.test_headers import answers


FILE = Path(__file__).parents[3] / "src" / "ctxfy" / "app" / "answers.json"
SECRET = re.compile(r"(ctxfy_[0-9A-Za-z]{12}_)[0-9A-Za-z]{49}")
DIGEST = re.compile(r"[0-9a-f]{32,}")
NOT_SHOWN = {"POST /mcp", "POST /mcp/", "GET /openapi.json"}
"""
They have examples of their own, or are the document itself.
"""


async def real_answers(folder: Path) -> dict[str, Any]:
    """
    Ask every route, and give the JSON of those that went well.
    """
    found: dict[str, Any] = {}
    async with running(create_app(settings_in(folder))) as client:
        for policy in client.app.wiring.policies:
            for method in policy.methods:
                name = f"{method} {policy.path}"
                good, _, _ = await answers(client, method, policy)
                is_json = good.headers.get("content-type", "").endswith("json")
                if name in ROWS and name not in NOT_SHOWN and good.is_success and is_json:
                    found[name] = good.json()
        await client.with_key("ann")
        for method in ("GET", "DELETE"):
            answer = await client.http.request(
                method, "/privacy/users/ann", headers={"authorization": f"Bearer {client.key}"}
            )
            found[f"{method} /privacy/users/{{user_id}}"] = answer.json()
    return found


def short(value: Any) -> Any:  # noqa: ANN401 - JSON
    """
    Keep two of each list, and none of the faults that were made on purpose.
    """
    if isinstance(value, dict):
        return {name: short(item) for name, item in value.items() if name != "status_500"}
    if isinstance(value, list):
        faults = [item for item in value if isinstance(item, dict) and "_500" in str(item)]
        return [short(item) for item in value if item not in faults][:2]
    return value


def without_secrets(text: str, folder: str) -> str:
    """
    Put in place of keys and hashes what looks like them and opens nothing; no path of a machine.
    """
    text = text.replace(f"{folder}/", "")
    return DIGEST.sub(lambda hit: "0f" * (len(hit[0]) // 2), SECRET.sub(r"\1...", text))


async def test_each_answer_in_json_is_shown_with_the_fields_it_has(tmp_path: Path) -> None:
    """
    A route that answers another way than is shown, or is not shown at all, fails here.
    """
    shown = json.loads(FILE.read_text(encoding="utf-8"))
    real = await real_answers(tmp_path)
    assert shown.keys() == real.keys()
    assert {name: sorted(value) for name, value in shown.items()} == {
        name: sorted(value) for name, value in real.items()
    }


if __name__ == "__main__":
    with TemporaryDirectory() as place:
        found = short(asyncio.run(real_answers(Path(place))))
        told = without_secrets(json.dumps(found, indent=1, ensure_ascii=False), place)
        FILE.write_text(told + "\n", encoding="utf-8")
