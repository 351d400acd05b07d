"""
The address that a request is counted under.
"""

from collections.abc import Sequence
from functools import lru_cache

from starlette.types import Scope

from ctxfy.core.models.address_models import Address, Network
from ctxfy.core.use_cases.address_use_cases import client_of, network_of, subject_of


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
        return subject_of(self.client(scope))

    def network(self, scope: Scope) -> str:
        """
        Name the network the client of a request is in; empty if there is none.
        """
        if self._trusted:
            return network_of(self.client(scope))
        peer = scope.get("client")
        return _network_of_peer(peer[0] if peer else "")

    def client(self, scope: Scope) -> Address | None:
        """
        Find the address of a request's client; None if there is none.
        """
        peer = scope.get("client")
        name = peer[0] if peer else ""
        if not self._trusted:
            return client_of(name, "", "", ())  # whatever the headers say, nobody believes it
        return client_of(
            name, _joined(scope, b"x-forwarded-for"), _joined(scope, b"forwarded"), self._trusted
        )


def _joined(scope: Scope, name: bytes) -> str:
    return ",".join(value.decode("latin-1") for key, value in scope["headers"] if key == name)


@lru_cache(maxsize=1024)  # the same few peers come with every request
def _network_of_peer(name: str) -> str:
    return network_of(client_of(name, "", "", ()))
