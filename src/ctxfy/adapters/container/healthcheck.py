"""
The health check of the image: asks the server in the same container whether it lives.

    python -m ctxfy.adapters.container.healthcheck [PORT]

Exit code 0 if it does; 1 if not, with the reason on standard error, where the engine keeps it.
The standard library alone, and little of it: this starts anew every few seconds.
"""

import ssl
import sys
from http.client import HTTPConnection, HTTPException, HTTPSConnection


PORT = 8000
SECONDS = 2.0
PATH = "/health/live"
ALIVE = 200


def main(arguments: list[str]) -> str | None:
    """
    Ask once; returns what is wrong, if anything is.
    """
    port = int(arguments[0]) if arguments else PORT
    try:
        status = ask(port)
    except (OSError, HTTPException) as error:
        reason = str(error) or type(error).__name__
        return f"The server on port {port} does not answer: {reason}."
    return None if status == ALIVE else f"The server on port {port} answers {status}."


def ask(port: int, *, seconds: float = SECONDS) -> int:
    """
    Ask this machine's server for its life, and return the status of the answer.

    Without knowing the settings: a server that speaks TLS ends a connection that does not.

    Raises:
        OSError: Nobody listens, or nobody answers.
        HTTPException: The answer is none.
    """
    try:
        return _status(HTTPConnection("127.0.0.1", port, timeout=seconds))
    except (ConnectionResetError, HTTPException):
        return _status(HTTPSConnection("127.0.0.1", port, timeout=seconds, context=_any_name()))


def _status(connection: HTTPConnection) -> int:
    try:
        connection.request("GET", PATH)
        return connection.getresponse().status
    finally:
        connection.close()


def _any_name() -> ssl.SSLContext:
    # The certificate is for the name that clients use, and this never leaves the machine.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
