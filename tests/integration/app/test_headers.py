"""
The headers of every route's answers, as they stand in tests/data/headers.txt for people to read.

After a change that is meant: `.venv/bin/python -m tests.integration.app.test_headers`.
"""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx2
from starlette.types import Receive, Scope, Send

from ctxfy.adapters.auth.security_headers import SECURITY_HEADERS
from ctxfy.app.main import CtxfyApp, create_app
from ctxfy.app.routes import Dispatcher
from ctxfy.core.models.auth_models import RoutePolicy
from tests.integration.app.app_kit import Client, running, settings_in
from tests.integration.app.test_access_matrix import OWN_PAGE, PLACES, ROWS


SNAPSHOT = Path(__file__).parents[2] / "data" / "headers.txt"
USUAL = {name.decode(): value.decode() for name, value in SECURITY_HEADERS}
HEAD = """\
# The headers of every route's answers: to a key of scope admin, to a refused request (a stranger,
# or a page of a foreign origin where strangers are served), and when the route fails. What is said
# of an answer stands beside the usual headers, or in their place; `...` is a value that changes.

usual
"""
# Other ones each time, or telling nothing.
CHANGING = {
    "content-length",
    "etag",
    "location",
    "ratelimit",
    "ratelimit-policy",
    "set-cookie",
    "x-request-id",
}


def lines_of(answer: httpx2.Response) -> Iterator[str]:
    """
    Lay out the headers of one answer.
    """
    found = {name: "..." if name in CHANGING else value for name, value in answer.headers.items()}
    missing = [name for name in USUAL if name not in found]
    own = {name: value for name, value in found.items() if USUAL.get(name) != value}
    yield f"  {answer.status_code}, usual" + (f" without {', '.join(missing)}" if missing else "")
    yield from (f"    {name}: {value}" for name, value in sorted(own.items()))


async def all_answers(client: Client) -> str:
    """
    Ask every route, and lay out what came.
    """
    parts = [HEAD + "".join(f"    {name}: {value}\n" for name, value in USUAL.items())]
    for policy in client.app.wiring.policies:
        for method in policy.methods:
            good, refused, failed = await answers(client, method, policy)
            lines = [f"\n{method} {policy.path}\n"]
            lines += [f"{line}\n" for each in (good, refused, failed) for line in lines_of(each)]
            parts.append("".join(lines))
    return "".join(parts)


async def answers(
    client: Client, method: str, policy: RoutePolicy
) -> tuple[httpx2.Response, httpx2.Response, httpx2.Response]:
    """
    Let a route answer, refuse and fail.
    """
    path = policy.path
    target = (await client.with_key("target")).key[6:18] if "{key_id}" in path else ""
    for place, value in {**PLACES, "{key_id}": target}.items():
        path = path.replace(place, value)
    asked: dict[str, Any] = {
        "content": ROWS[f"{method} {policy.path}"].body,
        "headers": {"accept": "application/json, text/event-stream", "origin": OWN_PAGE}
        | ({"content-type": policy.consumes} if policy.consumes else {}),
    }
    known = asked | {"headers": asked["headers"] | {"authorization": f"Bearer {client.key}"}}
    good = await client.http.request(method, path, **known)
    if policy.scope is None:
        foreign = {"origin": "https://evil.example"}
        refused = await client.http.request(
            method, path, **(asked | {"headers": asked["headers"] | foreign})
        )
    else:
        refused = await client.http.request(method, path, **asked)
    routed = dispatcher_of(client.app)._apps  # pyright: ignore[reportPrivateUsage] - a route is made to fail
    kept, routed[policy.path] = routed[policy.path], fail
    failed = await client.http.request(method, path, **known)
    routed[policy.path] = kept
    return good, refused, failed


def dispatcher_of(app: CtxfyApp) -> Dispatcher:
    """
    Find the routes within the middleware.
    """
    found: Any = app
    while not isinstance(found, Dispatcher):
        found = getattr(found, "_app", None) or found.app
    return found


async def fail(_scope: Scope, _receive: Receive, _send: Send) -> None:
    """
    Be a route with a mistake in it.
    """
    message = "a mistake of ours"
    raise RuntimeError(message)


async def snapshot(folder: Path) -> str:
    """
    Ask a server of its own.
    """
    async with running(create_app(settings_in(folder))) as client:
        return await all_answers(client)


async def test_every_route_sends_the_headers_that_are_written_down(tmp_path: Path) -> None:
    """
    Good answers, refusals and faults carry what the file says, and a new route fails until it does.
    """
    assert await snapshot(tmp_path) == SNAPSHOT.read_text(encoding="utf-8")


def test_no_answer_lacks_a_usual_header_or_says_who_serves() -> None:
    """
    What a route sets in its place is another value, never none; HSTS is for TLS alone, no origin
    may come with credentials, and nobody learns the name of the software.
    """
    told = SNAPSHOT.read_text(encoding="utf-8")
    for forbidden in (
        " without ",
        "strict-transport-security",
        "access-control-allow-credentials",
        "\n    server:",
        "unsafe-",
    ):
        assert forbidden not in told


if __name__ == "__main__":
    with TemporaryDirectory() as place:
        SNAPSHOT.write_text(asyncio.run(snapshot(Path(place))), encoding="utf-8")
