"""
A canary through every door: a key, an argument's value and a person's name are sent wherever a
request can carry them, well and wrongly, and then searched for wherever the server writes.

To search one more place, add it to `Sinks`.
"""

import gzip
import signal
from base64 import b64encode
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import quote

import asyncpg  # type: ignore[import-untyped]  # pyright: ignore[reportMissingTypeStubs]
import httpx2
import pytest

from tests.e2e.conftest import Server, StartServer, run_command
from tests.e2e.key_kit import ADMIN_KEY
from tests.e2e.waiting import until
from tests.otlp_receiver import Collector, collecting
from tests.postgres_kit import TestServer


VALUE = "canary-value-7Qx2"
PERSON = "canary-person-9Zk4"
PROMPTS = {
    "echo.prompt.md": "---\narguments: {text: {required: true}}\n---\n[{{ text }}]\n",
    "broken.prompt.md": "---\narguments: {text: {required: true}}\n---\n{{ 1 // (text | int) }}\n",
}
META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": {"name": "a client", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}


@dataclass(slots=True)
class Sinks:
    """
    Everything that was written, by the place it was written to.
    """

    found: dict[str, bytes] = field(default_factory=dict[str, bytes])

    def add(self, place: str, content: bytes | str) -> None:
        """
        Add what was written to a place.
        """
        text = content.encode() if isinstance(content, str) else content
        self.found[place] = self.found.get(place, b"") + text

    def places_of(self, word: str) -> list[str]:
        """
        Find a word, as it is and as it is when it was encoded; tell each place with what is around.
        """
        forms = {word.encode(), quote(word).encode(), word.encode().hex().encode()}
        # Base64 looks otherwise by what stands before it; the edges are left out.
        for before in range(3):
            forms.add(b64encode(b"x" * before + word.encode())[4:-4])
        return [
            f"{place}: {text[max(0, at - 100) : at + 60]!r}"
            for place, text in self.found.items()
            for form in forms
            if (at := text.find(form)) >= 0
        ]


@dataclass(frozen=True, slots=True)
class Doors:
    """
    Sends the canary to a server, and keeps what errors are told with.
    """

    http: httpx2.Client
    sinks: Sinks
    key: str

    def ask(
        self,
        method: str,
        path: str,
        *,
        key: str | None = None,
        **sent: Any,  # noqa: ANN401 - as the client takes it
    ) -> httpx2.Response:
        """
        Ask for something with the canary's key, or another; errors and all headers are kept.
        """
        headers = {"authorization": f"Bearer {key or self.key}"} | sent.pop("headers", {})
        headers = {name: value for name, value in headers.items() if value is not None}
        answer = self.http.request(method, path, headers=headers, **sent)
        if not answer.is_success:
            self.sinks.add("answers of errors", answer.content)
        kept = [pair for pair in answer.headers.multi_items() if pair[0] != "set-cookie"]
        self.sinks.add("headers of answers", repr(kept))
        return answer

    def rpc(self, method: str, params: object, **headers: str | None) -> httpx2.Response:
        """
        Send a message to /mcp.
        """
        standard = {"accept": "application/json, text/event-stream"}
        message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        return self.ask("POST", "/mcp", json=message, headers=standard | headers)

    def go_well(self) -> None:
        """
        Use what there is as it is meant.
        """
        arguments = {"arguments": {"text": VALUE}}
        for headers in ({"mcp-protocol-version": "2025-11-25"}, {}):
            assert VALUE in self.rpc("prompts/get", {"name": "echo"} | arguments, **headers).text
        modern = {"mcp-protocol-version": "2026-07-28", "mcp-method": "prompts/get"}
        params = {"name": "echo", "_meta": META} | arguments
        assert self.rpc("prompts/get", params, **modern, **{"mcp-name": "echo"}).is_success
        assert VALUE in self.ask("POST", "/prompts/echo/execute", json=arguments).text
        assert self.ask("GET", "/auth/api-keys/current").json()["user_id"] == PERSON
        basic = b64encode(f"{VALUE}:{self.key}".encode()).decode()
        for headers in ({"x-api-key": self.key}, {"authorization": f"Basic {basic}"}):
            sent = {"authorization": None} | headers
            assert self.ask("GET", "/auth/api-keys/current", headers=sent).is_success

    def log_in(self) -> list[str]:
        """
        Open a session and use it; return its secrets.
        """
        own = {"authorization": None, "origin": str(self.http.base_url).rstrip("/")}
        entered = self.ask("POST", "/login", data={"key": self.key}, headers=own)
        cookies = dict(entered.cookies)
        cookie = own | {"cookie": "; ".join(f"{name}={text}" for name, text in cookies.items())}
        assert self.ask("GET", "/prompts", headers=cookie).is_success
        self.ask("POST", "/prompts/reload", headers=cookie)
        self.ask("POST", "/login", data={"key": self.key[:-1], "next": self.key}, headers=own)
        self.ask("POST", "/login", data={"key": self.key}, headers={"authorization": None})
        self.http.cookies.clear()
        return list(cookies.values())

    def go_wrong(self) -> None:
        """
        Send the canary where it does not belong.
        """
        self._in_headers(self.key)
        self._in_addresses(self.key)
        self._in_bodies(self.key)
        self._as_values()
        for key in (self.key + "0", self.key[:-1], self.key[:19] + "A" * 49, f'"{self.key}"'):
            self.ask("GET", "/prompts", key=key)
        self.ask("GET", "/prompts", headers={"x-api-key": self.key})  # two credentials
        self.ask("GET", "/auth/api-keys")  # not its scope
        self.ask("POST", "/auth/api-keys", json={"user_id": PERSON})
        self.ask("POST", "/prompts/broken/execute", json={"arguments": {"text": VALUE}})
        self.rpc("prompts/get", {"name": "broken", "arguments": {"text": VALUE}})

    def _as_values(self) -> None:
        # Only where it is a value or a name of a person: whoever calls a prompt or a request so is
        # told of that prompt or request by its name.
        for text in (VALUE, [VALUE], {VALUE: VALUE}, f"{VALUE}\x00"):
            for arguments in ({"text": text}, {"text": "x", "more": text}, [text]):
                self.ask("POST", "/prompts/echo/execute", json={"arguments": arguments})
                self.ask("POST", "/prompts/nope/execute", json={"arguments": arguments})
                self.rpc("prompts/get", {"name": "echo", "arguments": arguments})
                self.rpc("completion/complete", {"argument": {"name": "text", "value": text}})
        for user in ([PERSON], {PERSON: 1}, f"{PERSON}\n", f"{PERSON}" * 20):
            self.ask("POST", "/auth/api-keys", key=ADMIN_KEY, json={"user_id": user})
        for path in ("/auth/api-keys", "/audit/events", "/audit/report"):
            for key in (self.key, ADMIN_KEY):
                self.ask("GET", f"{path}?user_id={PERSON}&more={PERSON}", key=key)
                self.ask("GET", f"{path}?user_id={PERSON}", key=key)
        for path in (f"/privacy/users/{PERSON}", f"/privacy/users/{PERSON}%00"):
            self.ask("GET", path)
            self.ask("PATCH", path, key=ADMIN_KEY)
        for word in (VALUE, PERSON):
            for name in ("user-agent", "referer", "origin", "cookie", "baggage", "mcp-name"):
                self.ask("GET", "/prompts", headers={name: word})
                self.rpc("prompts/list", {}, **{name: word})

    def _in_headers(self, word: str) -> None:
        for name in (
            *("user-agent", "referer", "origin", "host", "accept", "content-type", "cookie"),
            *("x-request-id", "traceparent", "tracestate", "baggage", "idempotency-key"),
            *("mcp-name", "mcp-method", "mcp-session-id", "mcp-protocol-version", "last-event-id"),
            *("x-forwarded-for", "forwarded", "x-csrf-token", "proxy-authorization", word[:12]),
        ):
            self.ask("GET", "/prompts", headers={name: word})
            self.rpc("prompts/list", {}, **{name: word})
        for scheme in ("Basic", "Digest", "Token", ""):
            self.ask("GET", "/prompts", headers={"authorization": f"{scheme} {word}".strip()})

    def _in_addresses(self, word: str) -> None:
        for key in (self.key, ADMIN_KEY):
            for path in (
                *(f"/{word}", f"/prompts/{word}", f"/prompts?q={word}", f"/prompts?{word}=1"),
                *(f"/auth/api-keys/{word}", f"/auth/api-keys?user_id={word}", f"/docs/{word}"),
                *(f"/auth/api-keys?cursor={word}", f"/audit/events?{word}", f"/login?next=/{word}"),
                *(f"/audit/events?action={word}", f"/audit/events?key_id={word}"),
                *(f"/.well-known/{word}", f"/docs/assets/{word}", f"/mcp/{word}"),
            ):
                self.ask("GET", path, key=key)
            self.ask("DELETE", f"/auth/api-keys/{word}", key=key)
            self.ask("POST", f"/auth/api-keys/{word}/rotate", key=key, json={})
        self.ask(word[:12].upper(), "/prompts")

    def _in_bodies(self, word: str) -> None:
        execute = "/prompts/echo/execute"
        bodies: tuple[object, ...] = (
            *({"arguments": word}, {"arguments": [word]}, {"arguments": {"text": [word]}}),
            *({"arguments": {"text": {word: word}}}, {"arguments": {word: word}}, {word: 1}),
            *({"arguments": {"text": 1}, "version": word}, word, [word], {"arguments": {}}),
        )
        for body in bodies:
            self.ask("POST", execute, json=body)
        for raw in (f'{{"{word}', f"{word}", f'{{"arguments": {{"text": "{word}\x00"}}}}'):
            json_type = {"content-type": "application/json"}
            self.ask("POST", execute, content=raw, headers=json_type)
            self.ask("POST", "/mcp", content=raw, headers=json_type)
        self.ask("POST", f"/prompts/{quote(word)}/execute", json={"arguments": {"text": word}})
        for params in (
            *({"name": word}, {"name": "echo", "arguments": word}, word, [word]),
            *({"name": "echo", "arguments": {word: word}}, {"name": [word]}, {"cursor": word}),
        ):
            for method in ("prompts/get", "prompts/list", "completion/complete", word):
                self.rpc(method, params)
                self.rpc(method, params, **{"mcp-protocol-version": "2026-07-28"})
        for wish in (
            *({"user_id": [word]}, {"user_id": "ann", "scope": word}, {"user_id": "ann", word: 1}),
            *({"user_id": "ann", "ttl_hours": word}, {"user_id": "ann", "rate_limit": word}),
            *({"user_id": f"{word}\n"}, {"user_id": "ann", "prompts": [f"{word} "]}, word),
        ):
            self.ask("POST", "/auth/api-keys", key=ADMIN_KEY, json=wish)
        self.ask("POST", "/auth/api-keys/current/rotate", json={"grace_hours": word})

    def come_too_often(self, limited: str) -> None:
        """
        Send the canary beyond a limit.
        """
        for _ in range(3):
            arguments = {"arguments": {"text": VALUE}}
            self.ask("POST", "/prompts/echo/execute", key=limited, json=arguments)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """
    Where the store is: what the settings say, and the server that it is on.
    """

    settings: Mapping[str, str]
    postgres: TestServer | None = None

    @contextmanager
    def away(self) -> Generator[bool]:
        """
        Freeze the server for a while; tells whether there is one.
        """
        if self.postgres is None:
            yield False
            return
        self.postgres.signal(signal.SIGSTOP)
        try:
            yield True
        finally:
            self.postgres.signal(signal.SIGCONT)


@pytest.fixture(params=["sqlite", "postgresql"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """
    A place for the store.
    """
    if request.param == "sqlite":
        yield Place(settings={"CTXFY_STORAGE__URL": f"sqlite:///{tmp_path}/var/ctxfy.db"})
        return
    with TestServer() as postgres:
        yield Place(
            settings={
                "CTXFY_STORAGE__URL": postgres.url("postgres"),
                "CTXFY_AUTH__KEY_FILE": str(tmp_path / "var" / "ctxfy.keys"),
            },
            postgres=postgres,
        )


@pytest.fixture
def traces() -> Iterator[Collector]:
    """
    A collector of traces.
    """
    with collecting() as collector:
        yield collector


async def test_no_canary_is_found_anywhere(
    start_server: StartServer, tmp_path: Path, storage: Place, traces: Collector
) -> None:
    """
    Neither a key nor a session's secret nor an argument's value nor a person's name, in no log line
    at debug level, metric, trace, error, header, database, spool, backup, or key file.
    """
    settings = {
        **storage.settings,
        "CTXFY_MONITORING__TRACES_URL": f"http://127.0.0.1:{traces.port}",
        "CTXFY_AUTH__BOOTSTRAP_KEY": ADMIN_KEY,
        "CTXFY_LOGGING__LEVEL": "DEBUG",
        "CTXFY_LIMITS__KEY_RATE": "1000000/minute",
        "CTXFY_LIMITS__FAILURE_RATE": "1000000/minute",
    }
    prompts = tmp_path / "prompts"
    prompts.mkdir()
    for name, text in PROMPTS.items():
        (prompts / name).write_text(text)
    server = start_server(tmp_path, prompts=prompts, **settings)
    sinks = Sinks()
    with httpx2.Client(base_url=server.url, timeout=60) as http:
        admin = Doors(http, sinks, ADMIN_KEY)
        wish = {"user_id": PERSON}
        key, limited, second = [
            admin.ask("POST", "/auth/api-keys", json=wish | more).json()["api_key"]
            for more in ({}, {"rate_limit": "1/hour"}, {"scope": "write"})
        ]
        doors = Doors(http, sinks, key)
        doors.go_well()
        with storage.away() as is_away:
            if is_away:
                doors.go_well()
                sinks.add("spool", (tmp_path / "var" / "ctxfy.spool").read_bytes())
        await until(lambda: admin.ask("GET", "/auth/api-keys").is_success)
        secrets = [*doors.log_in(), *Doors(http, sinks, second).log_in()]
        doors.go_wrong()
        doors.come_too_often(limited)
        rotated = admin.ask(
            "POST",
            f"/auth/api-keys/{second[6:18]}/rotate",
            json={"grace_hours": 1},
            headers={"idempotency-key": "once"},
        ).json()["api_key"]
        admin.ask("POST", "/auth/leak-reports", json={"text": f"{key} {VALUE}"})
        admin.ask("DELETE", f"/auth/api-keys/{limited[6:18]}")
        assert doors.ask("GET", "/prompts").status_code == 401
        sinks.add("metrics", admin.ask("GET", "/metrics").content)
    await collect(server, sinks, settings)
    assert sinks.places_of(key[6:18]), "what is no secret is found: the search works"
    sinks.add("traces", b"".join(traces.raw))
    found = {place.partition(":")[0] for place in sinks.places_of("echo")}
    assert {"standard output", "database", "traces", "backup"} <= found
    assert ("spool" in sinks.found) is (storage.postgres is not None)
    words = [VALUE, PERSON, *secrets, *(each[19:62] for each in (key, limited, second, rotated))]
    assert {word: places for word in words if (places := sinks.places_of(word))} == {}


async def collect(server: Server, sinks: Sinks, settings: Mapping[str, str]) -> None:
    """
    Take together what a server wrote while it ran, and what it leaves behind.
    """
    # Without its seal and unpacked, else nothing could be found in it.
    backup = run_command(server.folder, "db", "backup", "backup.gz", "--plain", **settings)
    assert backup.returncode == 0, backup.stderr
    sinks.add("backup", gzip.decompress((server.folder / "backup.gz").read_bytes()))
    take_files(server.folder, sinks)
    if (url := settings["CTXFY_STORAGE__URL"]).startswith("postgresql"):
        await dump(url, sinks)
    assert server.stop() == 0
    take_files(server.folder, sinks)
    sinks.add("standard output", server.logs)
    sinks.add("standard error", server.errors)


def take_files(folder: Path, sinks: Sinks) -> None:
    """
    Read the database with its journal, its key file, and the spool.
    """
    for file in (folder / "var").iterdir():
        place = "database" if ".db" in file.suffixes or file.suffix == ".db" else file.name
        sinks.add(place, file.read_bytes())


async def dump(url: str, sinks: Sinks) -> None:
    """
    Read every table of PostgreSQL as it is kept, bytes as bytes.
    """
    connection = await asyncpg.connect(url)
    try:
        for row in await connection.fetch(
            "SELECT tablename FROM pg_tables WHERE schemaname='public'"
        ):
            table = BytesIO()
            await connection.copy_from_table(row[0], output=table, format="binary")
            sinks.add("database", table.getvalue())
    finally:
        await connection.close()
