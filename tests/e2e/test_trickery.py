"""
What no client sends: over a raw connection to a real server, nothing of it opens a guarded door.
"""

import re
import socket
from base64 import b64encode
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import chain

import httpx2
import pytest

from tests.e2e.conftest import Server


PATIENCE_SECONDS = 5
MORE_SECONDS = 0.5
# Anywhere: a body does not end with a line break, and the next answer follows it.
STATUS = re.compile(rb"HTTP/1\.[01] ([0-9]{3}) ")
PING = b'{"jsonrpc": "2.0", "id": 1, "method": "ping"}'
SHAPES: Mapping[str, bytes] = {
    "no credential": b"GET /prompts HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "authorization twice": (
        b"GET /prompts HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n"
        b"Authorization: Bearer {key}\r\n\r\n"
    ),
    "authorization twice, in other letters": (
        b"GET /prompts HTTP/1.1\r\nHost: localhost\r\nAUTHORIZATION: Bearer {key}\r\n"
        b"authorization: Bearer x\r\n\r\n"
    ),
    "two different credentials": (
        b"GET /prompts HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n"
        b"X-API-Key: {key}\r\n\r\n"
    ),
    "folded header": (
        b"GET /prompts HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer\r\n {key}\r\n\r\n"
    ),
    "space before the colon": (
        b"GET /prompts HTTP/1.1\r\nHost: localhost\r\nAuthorization : Bearer {key}\r\n\r\n"
    ),
    "underscore for a hyphen": (
        b"GET /prompts HTTP/1.1\r\nHost: localhost\r\nX_API_Key: {key}\r\n\r\n"
    ),
    "no-break space": (
        b"GET /prompts HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer\xa0{key}\r\n\r\n"
    ),
    "NUL behind the key": (
        b"GET /prompts HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\x00\r\n\r\n"
    ),
    "a bare line feed in a value": (
        b"GET /prompts HTTP/1.1\r\nHost: localhost\r\nX-A: b\nAuthorization: Bearer\n{key}\r\n\r\n"
    ),
    "key in the query": b"GET /prompts?api_key={key} HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "token in the query": b"GET /prompts?access_token={key} HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "key in the fragment": b"GET /prompts#{key} HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "user in the address": (
        b"GET http://x:{key}@localhost/prompts HTTP/1.1\r\nHost: localhost\r\n\r\n"
    ),
    "address of another host": (
        b"GET http://localhost/prompts HTTP/1.1\r\nHost: evil.example\r\n"
        b"Authorization: Bearer {key}\r\n\r\n"
    ),
    "no host": b"GET /prompts HTTP/1.1\r\nAuthorization: Bearer {key}\r\n\r\n",
    "no host in 1.0": b"GET /prompts HTTP/1.0\r\nAuthorization: Bearer {key}\r\n\r\n",
    "two hosts": (
        b"GET /prompts HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n"
        b"Authorization: Bearer {key}\r\n\r\n"
    ),
    "host with a user": (
        b"GET /prompts HTTP/1.1\r\nHost: localhost@evil.example\r\nAuthorization: Bearer {key}"
        b"\r\n\r\n"
    ),
    "two origins": (
        b"GET /prompts HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost\r\n"
        b"Origin: https://evil.example\r\nAuthorization: Bearer {key}\r\n\r\n"
    ),
    "two slashes": (
        b"GET //prompts HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n\r\n"
    ),
    "slash at the end": (
        b"GET /prompts/ HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n\r\n"
    ),
    "dots behind a public path": b"GET /health/../prompts HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "encoded dots": b"GET /health/%2e%2e/prompts HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "dots encoded twice": b"GET /health/%252e%252e/prompts HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "encoded slash": b"GET /health%2f..%2fprompts HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "path parameters": b"GET /prompts;/health HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "public path in the query": b"GET /prompts?/health/live HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "other letters": b"GET /PROMPTS HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "overlong slash": b"GET /health%c0%afprompts HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "NUL in the path": b"GET /health/live%00/prompts HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "original URL": (
        b"GET /prompts HTTP/1.1\r\nHost: localhost\r\nX-Original-URL: /health/live\r\n"
        b"X-Rewrite-URL: /health/live\r\n\r\n"
    ),
    "forwarded by nobody": (
        b"GET /prompts HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 127.0.0.1\r\n"
        b"X-Forwarded-Host: localhost\r\nX-Forwarded-User: admin\r\nX-Real-IP: 127.0.0.1\r\n"
        b"Forwarded: for=127.0.0.1;by=localhost\r\n\r\n"
    ),
    "client certificate of a proxy": (
        b"GET /prompts HTTP/1.1\r\nHost: localhost\r\nX-SSL-Client-Verify: SUCCESS\r\n"
        b"X-Client-Cert: admin\r\nRemote-User: admin\r\n\r\n"
    ),
    "method override": (
        b"POST /health HTTP/1.1\r\nHost: localhost\r\nX-HTTP-Method-Override: GET\r\n"
        b"Content-Length: 0\r\n\r\n"
    ),
    "method in small letters": (
        b"get /prompts HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n\r\n"
    ),
    "TRACE": b"TRACE /prompts HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n\r\n",
    "TRACE of a public path": b"TRACE /health HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "OPTIONS of everything": b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "preflight of a foreign page": (
        b"OPTIONS /prompts HTTP/1.1\r\nHost: localhost\r\nOrigin: https://evil.example\r\n"
        b"Access-Control-Request-Method: GET\r\n\r\n"
    ),
    "HEAD": b"HEAD /prompts HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "CONNECT": b"CONNECT localhost:{port} HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "websocket": (
        b"GET /mcp HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    ),
    "HTTP/2 without TLS": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "upgrade to HTTP/2": (
        b"GET /prompts HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\n"
        b"Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n\r\n"
    ),
    "HTTP/0.9": b"GET /prompts\r\n\r\n",
    "key as the user of Basic": (
        b"GET /prompts HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic {user}\r\n\r\n"
    ),
    "Basic with a line break": (
        b"GET /prompts HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic {broken}\r\n\r\n"
    ),
    "Basic in the proxy's header": (
        b"GET /prompts HTTP/1.1\r\nHost: localhost\r\nProxy-Authorization: Basic {basic}\r\n\r\n"
    ),
    "key of Bearer in Basic": (
        b"GET /prompts HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic {key}\r\n\r\n"
    ),
    "digits of another alphabet": (
        b"GET /prompts HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ctxfy_"
        b"\xd9\xa0\xd9\xa0\xd9\xa0\xd9\xa0\xd9\xa0\xd9\xa0_{key}\r\n\r\n"
    ),
    "absurd length": (
        b"GET /prompts HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}"
        + b" " * 200_000
        + b"\r\n\r\n"
    ),
    "absurd number": (
        b"GET /prompts HTTP/1.1\r\nHost: localhost\r\n"
        + b"X-A: b\r\n" * 2_000
        + b"Authorization: Bearer {key}\r\n\r\n"
    ),
    "absurd address": b"GET /prompts?" + b"a" * 60_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "cookie on /mcp": (
        b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost\r\n"
        b"Cookie: ctxfy_session={session}\r\nX-CSRF-Token: {csrf}\r\n"
        b"Content-Type: application/json\r\nContent-Length: 45\r\n\r\n" + PING
    ),
    "key as a cookie": (
        b"GET /prompts HTTP/1.1\r\nHost: localhost\r\nCookie: ctxfy_session={key}\r\n\r\n"
    ),
    "session as a key": (
        b"GET /prompts HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {session}\r\n\r\n"
    ),
    "session in two cookies": (
        b"GET /prompts HTTP/1.1\r\nHost: localhost\r\nCookie: ctxfy_session={session}\r\n"
        b"Cookie: ctxfy_session={session}\r\n\r\n"
    ),
    "session of another name": (
        b"GET /prompts HTTP/1.1\r\nHost: localhost\r\nCookie: __Secure-ctxfy_session={session}"
        b"\r\n\r\n"
    ),
    "session in the query": (
        b"GET /prompts?ctxfy_session={session} HTTP/1.1\r\nHost: localhost\r\n\r\n"
    ),
    "session without proof": (
        b"POST /prompts/reload HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost\r\n"
        b"Cookie: ctxfy_session={session}\r\nContent-Length: 0\r\n\r\n"
    ),
    "session and the proof as a cookie alone": (
        b"POST /prompts/reload HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost\r\n"
        b"Cookie: ctxfy_session={session}; ctxfy_csrf={csrf}\r\nContent-Length: 0\r\n\r\n"
    ),
    "session from a foreign page": (
        b"POST /prompts/reload HTTP/1.1\r\nHost: localhost\r\nOrigin: https://evil.example\r\n"
        b"Cookie: ctxfy_session={session}\r\nX-CSRF-Token: {csrf}\r\nContent-Length: 0\r\n\r\n"
    ),
    "session from nowhere": (
        b"POST /prompts/reload HTTP/1.1\r\nHost: localhost\r\n"
        b"Cookie: ctxfy_session={session}\r\nX-CSRF-Token: {csrf}\r\nContent-Length: 0\r\n\r\n"
    ),
    "form of a foreign page": (
        b"POST /prompts/greet/execute HTTP/1.1\r\nHost: localhost\r\nOrigin: null\r\n"
        b"Cookie: ctxfy_session={session}\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n"
        b"{}"
    ),
}
"""
Each is a whole request; `{key}` and the like are filled in.
"""

# Two lengths of one body: whoever stands in front may see two requests where we see one.
SMUGGLED: Mapping[str, bytes] = {
    "length and chunks": b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks and length": b"Transfer-Encoding: chunked\r\nContent-Length: 60\r\n\r\n0\r\n\r\n",
    "two lengths": b"Content-Length: 0\r\nContent-Length: 60\r\n\r\n",
    "two lengths in one": b"Content-Length: 0, 60\r\n\r\n",
    "a sign": b"Content-Length: +0\r\n\r\n",
    "a hidden coding": b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "a coding of other letters": b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "a chunk of two lengths": b"Transfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n",
}


def answers_to(server: Server, request: bytes) -> list[int]:
    """
    Send bytes as they are, and return the statuses of what is answered.
    """
    port = int(server.url.rpartition(":")[2])
    said = b""
    with (
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS) as connection,
        # It hung up in the middle of what nobody sends, or waits for more of it.
        suppress(ConnectionResetError, BrokenPipeError, TimeoutError),
    ):
        connection.sendall(request)
        while part := connection.recv(65536):
            said += part
            connection.settimeout(MORE_SECONDS)
    return [int(status) for status in STATUS.findall(said)]


def answers_to_all(
    server: Server, requests: Mapping[str, bytes], fillings: Mapping[bytes, bytes]
) -> dict[str, list[int]]:
    """
    Send each over a connection of its own, at the same time.
    """
    filled = [fill(request, fillings) for request in requests.values()]
    with ThreadPoolExecutor(len(requests)) as pool:
        answers = pool.map(lambda request: answers_to(server, request), filled)
        return dict(zip(requests, answers, strict=True))


@pytest.fixture(scope="module")
def fillings(server: Server) -> dict[bytes, bytes]:
    """
    A valid admin key in several forms, and a session that was opened with it.
    """
    key = server.key
    login = httpx2.post(f"{server.url}/login", data={"key": key}, headers={"origin": server.url})
    cookies = dict(login.cookies)
    # The first answer of this surface takes long, and what comes late is not waited for.
    assert httpx2.get(f"{server.url}/prompts", headers={"x-api-key": key}).is_success
    return {
        b"{key}": key.encode(),
        b"{basic}": b64encode(f"x:{key}".encode()),
        b"{user}": b64encode(f"{key}:".encode()),
        b"{broken}": b64encode(f"x:{key}\n".encode()),
        b"{session}": cookies["ctxfy_session"].encode(),
        b"{csrf}": cookies["ctxfy_csrf"].encode(),
        b"{port}": server.url.rpartition(":")[2].encode(),
    }


def fill(request: bytes, fillings: Mapping[bytes, bytes]) -> bytes:
    """
    Put the values in.
    """
    for name, value in fillings.items():
        request = request.replace(name, value)
    return request


def test_no_trick_opens_a_door(server: Server, fillings: dict[bytes, bytes]) -> None:
    """
    Not one of these shapes gets a 2xx, and the server is as well afterwards as before.
    """
    found = answers_to_all(server, SHAPES, fillings)
    opened = {
        name: statuses
        for name, statuses in found.items()
        if any(200 <= status < 300 for status in statuses)
    }
    assert opened == {}
    assert not [name for name, statuses in found.items() if any(each >= 500 for each in statuses)]
    good = fill(
        b"GET /prompts HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n\r\n", fillings
    )
    assert answers_to(server, good) == [200]
    assert "Traceback" not in server.errors


def test_no_request_is_smuggled_behind_another(
    server: Server, fillings: dict[bytes, bytes]
) -> None:
    """
    A body whose length can be told in two ways hides no second request that is answered.
    """
    hidden = b"GET /prompts HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n\r\n"
    begun = b"POST /register HTTP/1.1\r\nHost: localhost\r\n"
    requests = {name: begun + body + hidden for name, body in SMUGGLED.items()}
    found = answers_to_all(server, requests, fillings)
    assert {name: statuses for name, statuses in found.items() if 200 in statuses} == {}
    plain = fill(begun + b"Content-Length: 0\r\n\r\n" + hidden, fillings)
    assert answers_to(server, plain) == [404, 200]  # two requests that are two are both answered


def test_nobody_is_given_a_session_that_another_knows(
    server: Server, fillings: dict[bytes, bytes]
) -> None:
    """
    A log-in opens a new session, whatever cookie came; the one that was planted opens nothing.
    """
    planted = "planted" * 6 + "0"
    known = fillings[b"{session}"].decode()
    given = [
        httpx2.post(
            f"{server.url}/login",
            data={"key": server.key},
            headers={"origin": server.url, "cookie": f"ctxfy_session={cookie}"},
        ).cookies["ctxfy_session"]
        for cookie in (planted, known)
    ]
    assert len({planted, known, *given}) == 4
    answer = httpx2.get(f"{server.url}/prompts", headers={"cookie": f"ctxfy_session={planted}"})
    assert answer.status_code == 401


def test_what_is_asked_for_is_what_the_body_says(server: Server) -> None:
    """
    A key narrowed to one prompt executes no other by naming its own in Mcp-Name.
    """
    made = httpx2.post(
        f"{server.url}/auth/api-keys",
        json={"user_id": "ann", "prompts": ["nothing-else"]},
        headers={"x-api-key": server.key},
    ).json()
    listed = httpx2.get(f"{server.url}/prompts", headers={"x-api-key": server.key}).json()
    names = [each["name"] for each in listed["prompts"]]
    for name, version in chain.from_iterable(
        ((name, "2025-11-25"), (name, "2026-07-28")) for name in names
    ):
        answer = httpx2.post(
            server.mcp,
            json={
                "jsonrpc": "2.0",
                "id": 1,
                "method": "prompts/get",
                "params": {
                    "name": name,
                    "arguments": {},
                    "_meta": {
                        "io.modelcontextprotocol/protocolVersion": version,
                        "io.modelcontextprotocol/clientInfo": {"name": "t", "version": "1"},
                        "io.modelcontextprotocol/clientCapabilities": {},
                    },
                },
            },
            headers={
                "x-api-key": made["api_key"],
                "accept": "application/json, text/event-stream",
                "mcp-protocol-version": version,
                "mcp-method": "prompts/get",
                "mcp-name": "nothing-else",
            },
        )
        assert '"messages"' not in answer.text
        assert '"error"' in answer.text
