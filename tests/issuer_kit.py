"""
An issuer of tokens: real keys, tokens signed with them or forged, and a server that publishes them.
"""

import json
from base64 import urlsafe_b64encode
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any, override

from joserfc import jwk, jws

from ctxfy.app.loading import utc_now


ISSUER = "https://issuer.example.com/"
AUDIENCE = "https://prompts.example.com/mcp"


@cache
def key_named(name: str, kind: str = "RSA") -> jwk.RSAKey | jwk.ECKey | jwk.OKPKey:
    """
    Make a pair of keys, the same each time in one run.
    """
    parameters: jwk.KeyParameters = {"kid": name, "use": "sig"}
    match kind:
        case "RSA":
            return jwk.RSAKey.generate_key(2048, parameters)
        case "EC":
            return jwk.ECKey.generate_key("P-256", parameters)
        case _:
            return jwk.OKPKey.generate_key("Ed25519", parameters)


def key_set(*keys: jwk.RSAKey | jwk.ECKey | jwk.OKPKey) -> bytes:
    """
    Write the public halves as a set.
    """
    return json.dumps({"keys": [key.as_dict(private=False) for key in keys]}).encode()


def claims(**changed: Any) -> dict[str, Any]:  # noqa: ANN401 - claims of any kind
    """
    Make good claims, some of them changed; those that are None are left out.
    """
    now = int(utc_now().timestamp())
    good = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "ann",
        "scope": "openid ctxfy:read",
        "iat": now,
        "exp": now + 600,
    }
    return {name: value for name, value in (good | changed).items() if value is not None}


def signed(
    payload: Mapping[str, Any] | bytes,
    *,
    key: jwk.RSAKey | jwk.ECKey | jwk.OKPKey | None = None,
    **header: Any,  # noqa: ANN401 - anything may stand there
) -> str:
    """
    Sign claims as the issuer does, with whatever the header is to say beside.
    """
    key = key or key_named("first")
    said: dict[str, Any] = {"alg": "RS256", "kid": key.kid} | header
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    registry = jws.JWSRegistry(algorithms=[said["alg"]], strict_check_header=False)
    return jws.serialize_compact(
        {name: value for name, value in said.items() if value is not None},
        body,
        key,
        algorithms=[said["alg"]],
        registry=registry,
    )


def forged(header: bytes, payload: bytes, signature: bytes = b"") -> str:
    """
    Put a token together by hand.
    """
    return ".".join(
        urlsafe_b64encode(part).rstrip(b"=").decode() for part in (header, payload, signature)
    )


@dataclass(slots=True, kw_only=True)
class IssuerServer:
    """
    Publishes a set of keys at `url`, well or badly.

    Attributes:
        body: What is answered.
        status: With which status.
        location: Where a redirect leads.
        dribble: Whether it sends a byte now and then, for ever.
        requests: The paths that were asked for.
    """

    url: str = ""
    body: bytes = b""
    status: int = 200
    location: str = ""
    dribble: bool = False
    requests: list[str] = field(default_factory=list[str])
    ended: Event = field(default_factory=Event)


@contextmanager
def issuer_server(body: bytes) -> Generator[IssuerServer]:
    """
    Serve a set of keys on a free port of this machine, in a thread.
    """
    issuer = IssuerServer(body=body)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            """
            Answer as the issuer is told to.
            """
            issuer.requests.append(self.path)
            self.send_response(issuer.status)
            if issuer.location:
                self.send_header("location", issuer.location)
            if not issuer.dribble:
                self.send_header("content-length", str(len(issuer.body)))
            self.end_headers()
            while issuer.dribble and not issuer.ended.wait(0.05):
                self.wfile.write(b" ")
                self.wfile.flush()
            self.wfile.write(issuer.body)

        @override
        def log_message(self, format: str, *args: object) -> None:
            """
            Say nothing.
            """

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        @override
        def handle_error(self, request: object, client_address: object) -> None:
            """
            Say nothing of clients that had enough.
            """

    server = Quiet(("127.0.0.1", 0), Handler)
    issuer.url = f"http://127.0.0.1:{server.server_port}/keys"
    thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield issuer
    finally:
        issuer.ended.set()
        server.shutdown()
        server.server_close()
        thread.join()
