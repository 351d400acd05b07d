"""
What went wrong with PostgreSQL, in a sentence: the database and the remedy, never SQL or values.
"""

import socket
import ssl
from collections.abc import Mapping

from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from ctxfy.adapters.storage.failures import unavailable
from ctxfy.core.exceptions import UnavailableError


UNREACHABLE = (
    "the database {name} cannot be reached; check that the server runs,"
    " and that CTXFY_STORAGE__URL names it."
)
NO_HOST = "the host of the database {name} is not known; check CTXFY_STORAGE__URL."
SILENT = "the database {name} does not answer; check the server, and the network to it."
BUSY = (
    "all connections to the database {name} are taken;"
    " allow more with CTXFY_STORAGE__POOL_SIZE, or look for what keeps them."
)
LOCKED = "the database {name} is locked by another process; wait for that process or end it."
SLOW = (
    "the database {name} took too long over a statement;"
    " allow more with CTXFY_STORAGE__STATEMENT_SECONDS, or look for what keeps it busy."
)
NO_TLS = (
    "the database {name} does not speak TLS; switch it on there,"
    " or set CTXFY_STORAGE__TLS=off on a network that nobody listens to."
)
BAD_CERTIFICATE = (
    "the certificate of the database {name} is not to be trusted ({reason});"
    " name the authority that signed it with CTXFY_STORAGE__TLS_CA."
)
BAD_TLS = "the database {name} and this process could not agree on TLS ({reason})."
REFUSED = (
    "the database {name} refuses this user; check the user in CTXFY_STORAGE__URL, the password,"
    " and whether the server asks for TLS (CTXFY_STORAGE__TLS)."
)
MISSING = "the server knows no database {name}; create it, or name another in CTXFY_STORAGE__URL."
FORBIDDEN = "this user lacks rights in the database {name}; make it the owner of the database."
UNPREPARED = (
    "the database {name} lacks tables; run 'ctxfy db upgrade', or start the server once with"
    " CTXFY_STORAGE__MIGRATE=auto."
)
READ_ONLY = "the database {name} takes no writes; name the primary server, not a standby."
FULL = "there is no space left for the database {name}; make room on the disk of its server."
CROWDED = "the server of the database {name} takes no more connections; raise its limit."
STARTING = "the server of the database {name} is starting or stopping."
POOLED = (
    "something between this process and the database {name}, such as pgbouncer,"
    " shares its connections; set CTXFY_STORAGE__STATEMENT_CACHE=0."
)
OTHER = "the database {name} refused the request ({reason})."

# By the five letters of SQL's SQLSTATE, or the first two, which are its class.
_BY_STATE: Mapping[str, str] = {
    "08": UNREACHABLE,
    "08P01": POOLED,  # "unsupported startup parameter"
    "25006": READ_ONLY,
    "26": POOLED,
    "28": REFUSED,
    "3D": MISSING,
    "42501": FORBIDDEN,
    "42P01": UNPREPARED,
    "42P05": POOLED,
    "53100": FULL,
    "53300": CROWDED,
    "55P03": LOCKED,
    "57014": SLOW,
    "57P": STARTING,
    "57P03": STARTING,
}


def explain(error: BaseException, name: str) -> UnavailableError:
    """
    Turn a driver's error into ours.
    """
    cause = getattr(error, "orig", None) or error
    return unavailable(_sentence(cause), name=name, reason=_reason(cause))


def _sentence(cause: BaseException) -> str:  # noqa: PLR0911 - a table, by class
    match cause:
        case PoolTimeoutError():
            return BUSY
        case TimeoutError():
            return SILENT
        case ssl.SSLCertVerificationError():
            return BAD_CERTIFICATE
        case ssl.SSLError():
            return BAD_TLS
        case socket.gaierror():
            return NO_HOST
        case ConnectionError() if "SSL" in str(cause):  # asyncpg's own, and it has no other mark
            return NO_TLS
        case OSError():
            return UNREACHABLE
        case _:
            return _by_state(getattr(cause, "sqlstate", None))


def _by_state(state: str | None) -> str:
    if state is None:  # the driver's own: the connection was lost, or never whole
        return UNREACHABLE
    found = (_BY_STATE.get(state[:length]) for length in (5, 3, 2))
    return next(filter(None, found), OTHER)


def _reason(cause: BaseException) -> str:
    if isinstance(cause, ssl.SSLCertVerificationError):
        return cause.verify_message.rstrip(".")
    if isinstance(cause, ssl.SSLError):
        return (getattr(cause, "reason", None) or "no reason given").replace("_", " ").lower()
    return getattr(cause, "sqlstate", None) or type(cause).__name__
