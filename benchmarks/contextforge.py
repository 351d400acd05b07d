"""
ContextForge, a gateway that keeps prompts too, from its own package in one process on SQLite.

`make bench-contextforge` installs it into .tools/contextforge. It is set as its tuning guide says
for speed where nothing but MCP is served: each token is checked, and what is known of its user is
cached; but it keeps no audit trail, no metrics and no log of requests.
"""

import re
import secrets
import signal
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import httpx2

from benchmarks.prompt_calls import PATH, PROMPT, prompt_text
from benchmarks.servers import ROOT, SERVER_PROCESSOR, Measured, becomes_live, free_port, pinned


PROGRAM = ROOT / ".tools" / "contextforge" / "bin" / "mcpgateway"
LOCKED = ROOT / "requirements" / "contextforge.txt"
START_SECONDS = 300  # it makes its database by all migrations since its first version
ADMIN = "bench@example.com"

_SECRETS = (
    "JWT_SECRET_KEY",
    "AUTH_ENCRYPTION_SECRET",
    "BASIC_AUTH_PASSWORD",
    "DEFAULT_USER_PASSWORD",
    "PLATFORM_ADMIN_PASSWORD",
)
_KEPT_ON = (
    "AUTH_REQUIRED",
    "MCP_REQUIRE_AUTH",
    "AUTH_CACHE_ENABLED",
    "AUTH_CACHE_BATCH_QUERIES",
    "REGISTRY_CACHE_ENABLED",
    "JSON_RESPONSE_ENABLED",
    "DISABLE_ACCESS_LOG",
)
_OFF = (
    "MCPGATEWAY_UI_ENABLED",
    "MCPGATEWAY_ADMIN_API_ENABLED",
    "MCPGATEWAY_A2A_ENABLED",
    "MCPGATEWAY_CATALOG_ENABLED",
    "LLMCHAT_ENABLED",
    "PLUGINS_ENABLED",
    "OBSERVABILITY_ENABLED",
    "ENABLE_METRICS",
    "AUDIT_TRAIL_ENABLED",
    "SECURITY_LOGGING_ENABLED",
    "STRUCTURED_LOGGING_DATABASE_ENABLED",
    "CORRELATION_ID_ENABLED",
    "DB_METRICS_RECORDING_ENABLED",
    "MCPGATEWAY_PERFORMANCE_NET_CONNECTIONS_ENABLED",
    "COMPRESSION_ENABLED",
    "USE_STATEFUL_SESSIONS",
    "RATE_LIMITING_REDIS_ENABLED",
)
_LONGEST_CACHED = {  # seconds, the most that it allows
    "AUTH_CACHE_USER_TTL": "300",
    "AUTH_CACHE_TEAM_TTL": "300",
    "AUTH_CACHE_ROLE_TTL": "300",
    "AUTH_CACHE_TEAMS_TTL": "300",
    "AUTH_CACHE_REVOCATION_TTL": "120",
}


def settings(database: Path, make_secret: Callable[[], str]) -> dict[str, str]:
    """
    Say how it runs: the advice for MCP alone, caches in memory, and a limit that nobody reaches.
    """
    return {
        "ENVIRONMENT": "production",
        "DATABASE_URL": f"sqlite:///{database}",
        "CACHE_TYPE": "memory",  # Redis is advised, where several processes share it
        "LOG_LEVEL": "ERROR",
        "RATE_LIMIT_MEDIUM_RPM": "100000000",  # a minute; those of MCP
        "PLATFORM_ADMIN_EMAIL": ADMIN,
        **_LONGEST_CACHED,
        **dict.fromkeys(_KEPT_ON, "true"),
        **dict.fromkeys(_OFF, "false"),
        **{name: make_secret() for name in _SECRETS},
    }


def prompt() -> dict[str, object]:
    """
    Describe the prompt as its API takes it.

    It escapes values for HTML unless told that they are safe; the others never do.
    """
    return {
        "name": PROMPT,
        "description": "Review some code.",
        "template": prompt_text(0, "{{ code | safe }}"),
        "arguments": [{"name": "code", "description": "The code", "required": True}],
    }


def locked_version(requirements: str) -> str:
    """
    Read which version is locked.

    Raises:
        ValueError: None is.
    """
    found = re.search(r"^mcp-contextforge-gateway==([^\s\\]+)", requirements, re.MULTILINE)
    if found is None:
        raise ValueError("no version of mcp-contextforge-gateway is locked")
    return found[1]


@contextmanager
def contextforge_server(folder: Path) -> Generator[tuple[Measured, str]]:
    """
    Serve the prompt; yields the server and a token that may read prompts and nothing else.
    """
    folder.mkdir(parents=True)
    log = folder / "log.txt"
    # Nothing but this: it reads several hundred variables.
    environment = settings(folder / "gateway.db", lambda: secrets.token_urlsafe(32))
    port = free_port()
    with (
        log.open("wb") as output,
        pinned(
            [str(PROGRAM), "--host", "127.0.0.1", "--port", str(port), "--no-access-log"],
            (SERVER_PROCESSOR,),
            cwd=folder,
            env=environment,
            stdout=output,
            stderr=output,
        ) as process,
    ):
        try:
            if not becomes_live(port, process, "/health", START_SECONDS):
                sys.exit(f"ContextForge did not start: {log.read_text()}")
            token = _prepare(port, environment["PLATFORM_ADMIN_PASSWORD"])
            name = f"ContextForge {locked_version(LOCKED.read_text())}"
            yield Measured(name=name, pid=process.pid, port=port, path=PATH), token
        finally:
            process.send_signal(signal.SIGTERM)


def _prepare(port: int, password: str) -> str:
    with httpx2.Client(base_url=f"http://127.0.0.1:{port}/v1", timeout=START_SECONDS) as http:

        def post(path: str, message: dict[str, object]) -> str:
            answer = http.post(path, json=message).raise_for_status()
            return str(answer.json().get("access_token"))

        session = post("/auth/login", {"email": ADMIN, "password": password})
        http.headers["Authorization"] = f"Bearer {session}"
        post("/prompts", {"prompt": prompt()})
        scope = {"permissions": ["prompts.read"]}
        return post("/tokens", {"name": "bench", "expires_in_days": 1, "scope": scope})
