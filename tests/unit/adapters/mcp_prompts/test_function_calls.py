"""
Calling prompt functions, and what may come of it.
"""

import logging
from base64 import b64encode
from pathlib import Path

import pytest

from ctxfy.adapters.mcp_prompts.function_prompts import call_here
from ctxfy.core.exceptions import PromptNotFoundError, RenderError
from ctxfy.core.models.auth_models import Scope
from ctxfy.core.models.prompt_models import ImageContent, ResourceContent, Role, TextContent, Value
from tests.builders import make_principal, texts_of
from tests.unit.adapters.mcp_prompts.function_kit import TEAM, functions_of


DATA = b64encode(b"\x00\x01").decode()
MODULE = f"""\
import mcp_types as mt
from fastmcp import FastMCP
from fastmcp.prompts import Message, Prompt, PromptResult
from fastmcp.server.auth import require_scopes
from fastmcp.server.middleware import Middleware

mcp = FastMCP()


class Loud(Middleware):
    async def on_get_prompt(self, context, call_next):
        result = await call_next(context)
        result.description = "by the middleware"
        return result


mcp.add_middleware(Loud())


@mcp.prompt
def kinds():
    text = mt.TextResourceContents(uri="a:b", text="t", mime_type="text/markdown")
    blob = mt.BlobResourceContents(uri="a:c", blob="{DATA}")
    return [
        "text",
        Message(mt.ImageContent(type="image", data="{DATA}", mime_type="image/png"), "assistant"),
        Message(mt.EmbeddedResource(type="resource", resource=text)),
        Message(mt.EmbeddedResource(type="resource", resource=blob)),
    ]


@mcp.prompt
def sound():
    return [Message(mt.AudioContent(type="audio", data="{DATA}", mime_type="audio/wav"))]


@mcp.prompt
def question():
    return mt.InputRequiredResult(request_state="s")


@mcp.prompt
def number():
    return 7


@mcp.prompt
def broken_image():
    return [Message(mt.ImageContent(type="image", data="?", mime_type="image/png"))]


@mcp.prompt(meta={{"ctxfy": {{"max_output_bytes": 10}}}})
def long(word: str):
    return word * 5


def is_long(context):
    return len(context.token.subject) > 3


@mcp.prompt(auth=[is_long, require_scopes("write")])
def for_long_writers():
    return "hello"


class Own(Prompt):
    async def render(self, arguments=None):
        return PromptResult(f"own {{arguments}}")


mcp.add_prompt(Own(name="own"))
"""


async def test_every_kind_of_content_is_taken_over(tmp_path: Path) -> None:
    """
    Text, images, and resources of text and bytes, each in its role; middleware has its say.
    """
    answer = await functions_of(tmp_path, MODULE)["kinds"].call({}, make_principal())
    assert [message.role for message in answer.messages] == [
        Role.USER,
        Role.ASSISTANT,
        Role.USER,
        Role.USER,
    ]
    assert [message.content for message in answer.messages] == [
        TextContent(text="text"),
        ImageContent(mime_type="image/png", data=b"\x00\x01"),
        ResourceContent(uri="a:b", mime_type="text/markdown", text="t"),
        ResourceContent(uri="a:c", mime_type="application/octet-stream", blob=b"\x00\x01"),
    ]
    assert answer.description == "by the middleware"


@pytest.mark.parametrize(
    ("name", "reason", "sentence"),
    [
        ("sound", "function", "it made sound, which prompts here cannot hold."),
        ("question", "function", "it asks the client for input, which is not passed on."),
        ("number", "function", "its function failed."),
        ("broken_image", "function", "its function failed."),
        ("long", "output", "it passes the limit of 10 bytes."),
    ],
)
async def test_what_no_prompt_can_be_is_a_failed_rendering(
    tmp_path: Path, name: str, reason: str, sentence: str
) -> None:
    """
    With one sentence, and the function's place for whoever looks after the server.
    """
    function = functions_of(tmp_path, MODULE)[name]
    with pytest.raises(RenderError) as caught:
        await function.call({"word": "abc"} if name == "long" else {}, make_principal())
    assert (caught.value.reason, caught.value.place) == (reason, f"{tmp_path / 'team.py'}:{name}")
    assert str(caught.value) == f"Prompt '{name}' could not be rendered: {sentence}"


async def test_an_output_of_just_the_limit_is_taken(tmp_path: Path) -> None:
    """
    Bytes are counted, and the limit is allowed.
    """
    function = functions_of(tmp_path, MODULE)["long"]
    answer = await function.call({"word": "ab"}, make_principal())
    assert texts_of(answer.messages) == ["ababababab"]
    with pytest.raises(RenderError, match="10 bytes"):
        await function.call({"word": "aä"}, make_principal())


async def test_a_check_of_one_s_own_is_asked_at_every_call(tmp_path: Path) -> None:
    """
    What it refuses is unknown; whoever is at the machine itself is not asked.
    """
    function = functions_of(tmp_path, MODULE)["for_long_writers"]
    assert function.template.scope is Scope.WRITE
    with pytest.raises(PromptNotFoundError):
        await function.call({}, make_principal(Scope.WRITE))
    assert texts_of((await function.call({}, None)).messages) == ["hello"]


async def test_a_prompt_that_is_no_function_takes_text(tmp_path: Path) -> None:
    """
    A class of prompts that an author made is called like FastMCP does.
    """
    function = functions_of(tmp_path, MODULE)["own"]
    assert (function.template.arguments, function.mistakes({"a": 1})) == ((), ())
    assert texts_of((await function.call({}, make_principal())).messages) == ["own {}"]


async def test_what_is_raised_is_kept_for_the_log_and_not_told_twice(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """
    The cause is the very exception; FastMCP's own records of it are dropped.
    """
    function = functions_of(tmp_path, TEAM)["fail"]
    with caplog.at_level(logging.DEBUG), pytest.raises(RenderError) as caught:
        await function.call({"word": "w"}, make_principal())
    assert isinstance(caught.value.__cause__, RuntimeError)
    assert "RuntimeError: secret w" in caught.value.for_author()
    assert "secret" not in str(caught.value)
    assert [record for record in caplog.records if record.exc_info] == []


def test_a_function_can_be_called_without_a_server(tmp_path: Path) -> None:
    """
    With its module's lifespan around it, for the author's terminal.
    """
    functions = functions_of(tmp_path, TEAM.replace("{token.client_id} {token.subject} ", ""))
    assert texts_of(call_here(functions["who"], {}).messages) == ["open"]
    given: dict[str, Value] = {"person": "Ada", "days": 3, "hours": (1, 2)}
    assert texts_of(call_here(functions["plan"], given).messages)[0] == (
        "Ada, 3 days, calm, from None, [1, 2]"
    )
