"""
The address that a request is counted under.
"""

from collections.abc import Sequence

from starlette.types import Scope

from ctxfy.core.use_cases.address_use_cases import Network, client_of, subject_of


class ClientAddresses:
    """
    Reads addresses from connections, and from headers as far as proxies are trusted.

    Args:
        trusted: Networks of proxies whose `X-Forwarded-For` or `Forwarded` is believed.
    """

    def __init__(self, trusted: Sequence[Network] = ()) -> None:
        self._trusted = tuple(trusted)

    def of(self, scope: Scope) -> str:
        """
        Name the client of a request: an IPv4 address or an IPv6 network.

        It is `unknown` if the server listens where there are none.
        """
        peer = scope.get("client")
        client = client_of(
            peer[0] if peer else "",
            _joined(scope, b"x-forwarded-for"),
            _joined(scope, b"forwarded"),
            self._trusted,
        )
        return subject_of(client)


def _joined(scope: Scope, name: bytes) -> str:
    return ",".join(value.decode("latin-1") for key, value in scope["headers"] if key == name)
