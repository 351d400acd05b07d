"""
What the answers of a server say about it.
"""

from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus

import httpx2

from ctxfy.core.models.monitoring_models import CheckResult, HealthStatus
from ctxfy.core.use_cases.monitoring_use_cases import bad, doubtful, good


CLOCK_TOLERANCE = timedelta(seconds=30)
WELL_KNOWN = "/.well-known/oauth-protected-resource"


def judge_clock(answer: httpx2.Response, now: datetime) -> CheckResult:
    """
    Compare clocks: a server ahead ends keys early, one behind lets them live.
    """
    try:
        theirs = parsedate_to_datetime(answer.headers["date"])
    except (KeyError, ValueError):
        return good("clock", "The server does not tell its time.")
    ahead = theirs - now
    if abs(ahead) <= CLOCK_TOLERANCE:
        return good("clock", "The server's clock agrees with ours.")
    direction = "ahead of" if ahead > timedelta() else "behind"
    seconds = int(abs(ahead).total_seconds())
    return doubtful("clock", f"The server's clock is {seconds} s {direction} ours; set one right.")


def judge_health(answer: httpx2.Response) -> CheckResult:
    """
    Pass a report of health on.
    """
    try:
        body = answer.json()
        checks = [
            (name, check)
            for name, instances in body["checks"].items()
            for check in instances
            if check["status"] != "pass"
        ]
        status = HealthStatus(body["status"])
    except (ValueError, LookupError, TypeError, AttributeError):
        return bad("health", f"/health answers {answer.status_code} with what is no health report.")
    if status is HealthStatus.PASS:
        return good("health", "All parts of the server are well.")
    told = "; ".join(
        f"{name}: {str(check.get('output', check['status'])).rstrip('.')}" for name, check in checks
    )
    return CheckResult(name="health", status=status, detail=f"{told or status}.")


def judge_well_known(answer: httpx2.Response) -> CheckResult:
    """
    Tell whether clients that look for OAuth get an answer they can live with.
    """
    try:
        body = answer.json()
    except ValueError:
        body = None
    if answer.status_code == HTTPStatus.NOT_FOUND and isinstance(body, dict) and "error" in body:
        return good(
            "well-known", "Clients that look for OAuth are told in JSON that there is none."
        )
    if answer.is_success and isinstance(body, dict) and "authorization_servers" in body:
        return good("well-known", "OAuth metadata is served.")
    return bad(
        "well-known",
        f"{WELL_KNOWN} answers {answer.status_code} and not JSON; some clients then refuse to "
        "connect. Let the proxy before the server pass /.well-known/ on.",
    )


def judge_key(answer: httpx2.Response) -> CheckResult:
    """
    Tell what the key may do, or why it may nothing.
    """
    try:
        body = answer.json()
        if answer.is_success:
            prompts = ", ".join(body["prompts"])
            until = f"until {body['expires_at']}" if body["expires_at"] else "without an end"
            return good(
                "key",
                f"Key {body['key_id']} of {body['user_id']}: scope {body['scope']}, prompts "
                f"{prompts}, {until}.",
            )
        return bad("key", str(body["detail"]))
    except (ValueError, LookupError, TypeError):
        return bad("key", f"/auth/api-keys/current answers {answer.status_code}, and not in JSON.")


def innermost(error: BaseException) -> str:
    """
    Find what happened in groups of the libraries' errors.
    """
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return (str(error) or type(error).__name__).rstrip(".")


def reason_of(error: httpx2.TransportError) -> str:
    """
    Say why a server cannot be reached.
    """
    if isinstance(error, httpx2.TimeoutException):
        return "it does not answer in time"
    reason = str(error) or type(error).__name__
    return "nothing answers there" if "connection attempts" in reason else reason.rstrip(".")
