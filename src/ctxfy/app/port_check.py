"""
Whether the address of the server is free, and if not, who has it.
"""

import psutil

from ctxfy.app.config import Settings
from ctxfy.app.first_key import base_url
from ctxfy.app.serving import bind
from ctxfy.core.exceptions import ConfigurationError
from ctxfy.core.models.monitoring_models import CheckResult
from ctxfy.core.use_cases.monitoring_use_cases import bad, good


async def check_port(settings: Settings) -> CheckResult:
    """
    Take the port for a moment; if that fails, find out who has it.
    """
    address = f"{settings.server.host} port {settings.server.port}"
    try:
        bind(settings).close()
    except ConfigurationError as error:
        from ctxfy.adapters.remote_server.checkup import is_ctxfy

        url = base_url(settings)
        if await is_ctxfy(url):
            return good("port", f"A ctxfy server is answering at {url}.")
        holder = _holder_of(settings.server.port)
        return bad("port", f"{error}{f' It is {holder}.' if holder else ''}")
    return good("port", f"{address} is free.")


def _holder_of(port: int) -> str:
    """
    Name the process that listens on a port; empty if we may not know.
    """
    try:
        for connection in psutil.net_connections(kind="tcp"):
            local = getattr(connection.laddr, "port", None)
            if connection.status == psutil.CONN_LISTEN and local == port and connection.pid:
                return f"{psutil.Process(connection.pid).name()} (process {connection.pid})"
    except (psutil.Error, OSError):
        return ""
    return ""
