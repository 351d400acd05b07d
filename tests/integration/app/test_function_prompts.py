"""
Prompts that are functions of Python modules, at every door of a running application.
"""

import io
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from ctxfy.adapters.monitoring.log_setup import configure_logging
from ctxfy.app.config import LlmSettings, PromptsSettings
from ctxfy.app.loading import utc_now
from ctxfy.app.main import create_app
from ctxfy.core.models.auth_models import Scope
from ctxfy.core.models.monitoring_models import LogLevel
from tests.integration.app.app_kit import Client, running, settings_in, write_prompts
from tests.unit.adapters.mcp_prompts.function_kit import TEAM


CANARY = "canary-7f3a"


@pytest.fixture(scope="module")
def log() -> io.StringIO:
    """
    What is written about it.
    """
    return io.StringIO()


@pytest.fixture(scope="module")
async def team(tmp_path_factory: pytest.TempPathFactory, log: io.StringIO) -> AsyncIterator[Client]:
    """
    Serve a module beside the standard prompts.
    """
    folder = tmp_path_factory.mktemp("team")
    module = folder / "team.py"
    module.write_text(TEAM)
    settings = settings_in(
        folder,
        prompts=PromptsSettings(folder=write_prompts(folder), modules=(str(module),), watch=False),
        llm=LlmSettings(timeout_seconds=8),
    )
    app = create_app(settings)
    configure_logging(format="json", level=LogLevel.INFO, stream=log, now=utc_now)
    async with running(app) as client:
        yield client


def execute(client: Client, name: str, **arguments: object) -> Any:  # noqa: ANN401 - a response to wait for
    """
    Render a prompt over REST.
    """
    return client.post(json.dumps({"arguments": arguments}), path=f"/prompts/{name}/execute")


async def test_functions_stand_in_the_same_lists(team: Client) -> None:
    """
    Over both wires and REST, described like prompts of files, with a schema of their arguments.
    """
    for ask in (team.ask_2025, team.ask_2026):
        listed = {item["name"]: item for item in (await ask("prompts/list"))["result"]["prompts"]}
        assert {"greet", "plan", "who"} <= listed.keys()
        plan = listed["plan"]
        assert (plan["title"], plan["description"]) == ("Plan a week", "Plan somebody's week.")
        arguments = {item["name"]: item for item in plan["arguments"]}
        assert arguments["person"] == {
            "name": "person",
            "description": "For whom.",
            "required": True,
        }
        assert arguments["days"]["description"] == "a whole number; at least 1; default: 5"
        assert plan["_meta"]["ctxfy/owner"] == "planners"
    shown = (await team.get("/prompts/plan", key=True)).json()
    assert (shown["version"], shown["model"], shown["scope"]) == ("2.0", "some-model", "read")
    properties = shown["schema"]["properties"]
    assert shown["schema"]["required"] == ["person"]
    assert properties["style"]["enum"] == ["calm", "busy"]
    assert properties["start"]["format"] == "date"


async def test_functions_stand_in_the_description_of_the_api(team: Client) -> None:
    """
    An operation for each, also where OpenAPI 3.0 has no words for an argument.
    """
    document = (await team.get("/openapi.json", key=True)).json()
    assert "/prompts/plan/execute" in document["paths"]
    schemas = document["components"]["schemas"]
    assert schemas["PlanArguments"]["properties"]["style"]["enum"] == ["calm", "busy"]
    assert schemas["WalkArguments"]["properties"]["points"] == {}
    for ask in (team.ask_2025, team.ask_2026):
        result = (await ask("prompts/get", name="walk", arguments={"points": "[[1, 2]]"}))["result"]
        assert result["messages"][0]["content"]["text"] == "[(1, 2)]"


async def test_a_function_is_rendered_at_every_door(team: Client) -> None:
    """
    Text over MCP and JSON over REST are read by its annotations; what is left out is its default.
    """
    text = "Ada, 3 days, calm, from 2026-11-23, [1, 2]"
    given = {"person": "Ada", "days": "3", "start": "2026-11-23", "hours": "1, 2"}
    for ask in (team.ask_2025, team.ask_2026):
        result = (await ask("prompts/get", name="plan", arguments=given))["result"]
        assert [(item["role"], item["content"]["text"]) for item in result["messages"]] == [
            ("user", text),
            ("assistant", "Planned."),
        ]
        assert result["_meta"]["ctxfy/version"] == "2.0"
        assert result["_meta"]["by"] == "hand"
        assert result["description"] == "A plan for Ada"
    answer = await execute(team, "plan", person="Ada", days=3, start="2026-11-23", hours=[1, 2])
    assert answer.json()["result"] == f"{text}\n\nPlanned."
    assert answer.json()["llm_model"] == "some-model"


async def test_a_function_counts_what_matters(team: Client) -> None:
    """
    What it counts shows under /metrics, by itself and by its labels.
    """
    before = await plans_made(team)
    await execute(team, "plan", person="Ada", style="busy")
    assert [after - one for one, after in zip(before, await plans_made(team), strict=True)] == [
        1,
        1,
    ]


async def plans_made(client: Client) -> list[float]:
    """
    Read off the metrics how many plans were made, and how many of them busy.
    """
    text = (await client.get("/metrics", key=True)).text
    series = ('label="none",value="none"', 'label="style",value="busy"')
    lines = dict(line.rsplit(" ", 1) for line in text.splitlines() if "plan_made" in line)
    return [
        float(lines.get(f'ctxfy_business_events_total{{event="plan_made",{labels}}}', 0))
        for labels in series
    ]


async def test_wrong_arguments_never_reach_a_function(team: Client) -> None:
    """
    All are named at once: missing, unknown, ill-typed, and those that only the function can judge.
    """
    wrong = {"days": "0", "style": "wild", "start": "soon", "nope": "1"}
    codes = {
        "person": "missing",
        "days": "out_of_range",
        "start": "wrong_type",
        "style": "invalid_choice",
        "nope": "unknown",
    }
    for ask in (team.ask_2025, team.ask_2026):
        error = (await ask("prompts/get", name="plan", arguments=wrong))["error"]
        assert (error["code"], error["data"]["code"]) == (-32602, "prompt.invalid_arguments")
        assert {item["field"]: item["code"] for item in error["data"]["errors"]} == codes
        assert "pydantic" not in json.dumps(error)
    answer = await execute(team, "plan", **wrong)
    assert answer.status_code == 422
    assert {item["field"]: item["code"] for item in answer.json()["errors"]} == codes


async def test_what_a_function_raises_stays_inside(team: Client, log: io.StringIO) -> None:
    """
    One neutral sentence goes out; the log has the stack, once, with the request's id.
    """
    doors = (
        lambda: team.ask_2025("prompts/get", name="fail", arguments={"word": CANARY}),
        lambda: team.ask_2026("prompts/get", name="fail", arguments={"word": CANARY}),
        lambda: execute(team, "fail", word=CANARY),
    )
    for door in doors:
        before = log.tell()
        answer = await door()
        text = json.dumps(answer) if isinstance(answer, dict) else answer.text
        assert "Prompt 'fail' could not be rendered: its function failed." in text
        assert CANARY not in text
        lines = [json.loads(line) for line in log.getvalue()[before:].splitlines()]
        (told,) = [line for line in lines if "exception" in line]
        (request,) = [line for line in lines if line["message"] == "request_served"]
        assert told["exception"]["type"] == "RuntimeError"
        assert told["exception"]["frames"][-1]["function"] == "fail"
        assert told["request_id"] == request["request_id"]
        assert request["render_failure"] == "function"


@pytest.mark.parametrize("name", ["sleep_sync", "leave"])
async def test_a_function_cannot_hold_the_server(team: Client, name: str) -> None:
    """
    One that waits too long in a thread is let go; one that ends the program does not.
    """
    error = (await team.ask_2026("prompts/get", name=name))["error"]
    sentence = "its function failed" if name == "leave" else "took longer than 8 seconds"
    assert sentence in error["message"]
    assert (await team.ask_2026("prompts/get", name="who"))["result"]
    scrape = (await team.get("/metrics", key=True)).text
    (count,) = [
        line
        for line in scrape.splitlines()
        if line.startswith("ctxfy_prompt_executions_total{") and f'prompt="{name}"' in line
    ]
    assert 'outcome="failed"' in count


async def test_functions_obey_scopes_and_globs(team: Client) -> None:
    """
    Whether by `meta` or by `auth=`: what a key may not use is not listed and unknown to it.
    """
    reader = await team.with_key("ann")
    writer = await team.with_key("bob", scope=Scope.WRITE)
    narrow = await team.with_key("eve", scope=Scope.ADMIN, prompts=("who",))
    own = {"for_writers", "for_admins", "who"}
    seen = {"ann": {"who"}, "bob": {"who", "for_writers"}, "eve": {"who"}, "admin": own}
    for client, user in ((reader, "ann"), (writer, "bob"), (narrow, "eve"), (team, "admin")):
        for ask in (client.ask_2025, client.ask_2026):
            listed = {item["name"] for item in (await ask("prompts/list"))["result"]["prompts"]}
            assert listed & own == seen[user]
            for name in own:
                answer = await ask("prompts/get", name=name)
                assert ("result" in answer) == (name in seen[user])
        for name in own:
            status = (await execute(client, name)).status_code
            assert status == (200 if name in seen[user] else 404)


async def test_a_function_knows_who_calls(team: Client) -> None:
    """
    By the key's public id and user, over MCP and over REST; its module's lifespan is open.
    """
    ann = await team.with_key("ann")
    expected = f"{ann.key[6:18]} ann open"
    message = (await ann.ask_2026("prompts/get", name="who"))["result"]["messages"][0]
    assert message["content"]["text"] == expected
    assert (await execute(ann, "who")).json()["result"] == expected


async def test_reloading_keeps_the_functions(team: Client) -> None:
    """
    A folder that changes changes the prompts of files; a name that a function has is refused.
    """
    folder = team.app.wiring.settings.prompts.folder
    new = folder / "new.prompt.md"
    new.write_text("---\ndescription: d\n---\nNew\n")
    change = (await team.post("", path="/prompts/reload")).json()
    assert (change["added"], change["changed"], change["removed"]) == (["new"], [], [])
    assert (await execute(team, "plan", person="Ada")).status_code == 200
    new.rename(folder / "who.prompt.md")
    refused = await team.post("", path="/prompts/reload")
    assert refused.status_code == 422
    assert "prompt 'who' is a function too" in refused.text
    (folder / "who.prompt.md").unlink()
