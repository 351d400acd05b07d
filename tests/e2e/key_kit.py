"""
What the tests of keys in real processes share: an admin key set from outside, and its client.
"""

import json
from collections.abc import Mapping
from typing import Any, Self

import httpx2

from ctxfy.core.models.auth_models import KeyId
from ctxfy.core.use_cases.auth_use_cases import compose_key


ADMIN_KEY = compose_key(KeyId("admin0000000"), b"a" * 32)
UNLIMITED: Mapping[str, str] = {
    "CTXFY_AUTH__BOOTSTRAP_KEY": ADMIN_KEY,
    "CTXFY_LIMITS__KEY_RATE": "1000000/minute",
    "CTXFY_LIMITS__FAILURE_RATE": "1000000/minute",
    # A busy machine is not a slow database.
    "CTXFY_STORAGE__LOCK_SECONDS": "30",
    "CTXFY_STORAGE__POOL_SECONDS": "30",
    "CTXFY_STORAGE__CONNECT_SECONDS": "30",
    "CTXFY_STORAGE__STATEMENT_SECONDS": "40",
}
PATIENCE_SECONDS = 60


class Unavailable(Exception):  # noqa: N818 - it is no error of the test's
    """
    The answer was 503: nobody knows what came of what was asked.
    """


class Admin:
    """
    An administrator's client of one server.
    """

    def __init__(self, url: str) -> None:
        # The server closes what is idle for five seconds; to send just then would be a failure.
        transport = httpx2.AsyncHTTPTransport(retries=2, limits=httpx2.Limits(keepalive_expiry=1))
        self._http = httpx2.AsyncClient(base_url=url, timeout=PATIENCE_SECONDS, transport=transport)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def create(self, **wish: object) -> str:
        """
        Create a key; return it whole.
        """
        made = await self.ask("POST", "/auth/api-keys", {"user_id": "ann"} | wish)
        return str(made["api_key"])

    async def rotate(self, key: str, idempotency_key: str) -> str:
        """
        Give a key a new secret, without grace; return it whole.
        """
        path = f"/auth/api-keys/{key[6:18]}/rotate"
        made = await self.ask("POST", path, {"grace_hours": 0}, idempotency_key=idempotency_key)
        return str(made["api_key"])

    async def revoke(self, key: str) -> None:
        """
        Revoke a key.
        """
        await self.ask("DELETE", f"/auth/api-keys/{key[6:18]}")

    async def status_of(self, key: str, path: str = "/auth/api-keys/current") -> int:
        """
        Come with a key; return the status.
        """
        headers = {"authorization": f"Bearer {key}"}
        return int((await self._http.get(path, headers=headers)).status_code)

    async def key_ids(self) -> set[str]:
        """
        List all keys there are.
        """
        found, cursor = set[str](), ""
        while True:
            page = await self.ask("GET", f"/auth/api-keys?limit=500{cursor}")
            found |= {str(each["key_id"]) for each in page["api_keys"]}
            if page["next_cursor"] is None:
                return found
            cursor = f"&cursor={page['next_cursor']}"

    async def ask(
        self, method: str, path: str, body: object = None, *, idempotency_key: str = ""
    ) -> Any:  # noqa: ANN401 - JSON
        """
        Ask for something that must go well; return what came.
        """
        headers = {"authorization": f"Bearer {ADMIN_KEY}"}
        if idempotency_key:
            headers["idempotency-key"] = idempotency_key
        answer = await self._http.request(method, path, json=body, headers=headers)
        if answer.status_code == 503:
            raise Unavailable(answer.text)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None


def events_in(exported: str) -> list[dict[str, Any]]:
    """
    Read what `ctxfy audit export` wrote.
    """
    return [json.loads(line) for line in exported.splitlines()]
