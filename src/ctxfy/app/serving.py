"""
Serving: prompts checked, port taken, application up, until a signal ends it.
"""

import socket
from contextlib import closing
from typing import TYPE_CHECKING

from ctxfy.adapters.container.certificate import ServerCertificate
from ctxfy.app.config import Settings
from ctxfy.app.http_server import make_server
from ctxfy.app.loading import load_functions
from ctxfy.app.progress import told_if_slow
from ctxfy.app.prompt_check import PromptCheck, load_checked
from ctxfy.app.pulse import Pulse
from ctxfy.app.tls import server_certificate
from ctxfy.core.exceptions import ConfigurationError


if TYPE_CHECKING:
    from ctxfy.app.main import CtxfyApp

# A client that is gone without a word is found out within a minute, also if nothing is sent to it.
_PEER_CHECKS = (
    ((socket.SOL_SOCKET, socket.SO_KEEPALIVE), 1),
    ((socket.IPPROTO_TCP, socket.TCP_KEEPIDLE), 30),
    ((socket.IPPROTO_TCP, socket.TCP_KEEPINTVL), 10),
    ((socket.IPPROTO_TCP, socket.TCP_KEEPCNT), 3),
    ((socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT), 60_000),
)


def serve(settings: Settings) -> None:
    """
    Serve until SIGINT or SIGTERM.

    Raises:
        CtxfyError: It cannot start; one sentence.
    """
    certificate = server_certificate(settings)
    listener = bind(settings)
    # The child checks the prompts while this process imports what it needs.
    with listener, closing(PromptCheck(settings.prompts.folder, settings)) as check:
        settings = with_port(settings, listener.getsockname()[1])
        if settings.server.workers > 1:
            from ctxfy.app.serving_together import serve_together

            serve_together(
                settings,
                listener,
                certificate,
                check,
                run=lambda app, pulse: run_server(app, listener, certificate, pulse),
            )
            return
        with told_if_slow(f"Checking {settings.prompts.folder}"):
            from ctxfy.app.main import create_app

            functions = load_functions(settings.prompts.modules, settings.llm.timeout_seconds)
            snapshot = load_checked(settings, check, functions=functions)
            app = create_app(settings, snapshot=snapshot, certificate=certificate)
        run_server(app, listener, certificate)


def run_server(
    app: "CtxfyApp",
    listener: socket.socket,
    certificate: ServerCertificate | None,
    pulse: Pulse | None = None,
) -> None:
    """
    Run the application on a socket until a signal ends it, or the parent that hears the pulse.

    Raises:
        CtxfyError: It cannot start; one sentence.
    """
    try:
        make_server(app, app.wiring.settings, certificate, pulse).run(sockets=[listener])
    except SystemExit as error:
        # uvicorn's way of saying that the application did not start; it kept why.
        if app.startup_error is not None:
            raise app.startup_error from error
        raise


def bind(settings: Settings) -> socket.socket:
    """
    Take the address before anything else costs time.

    Raises:
        ConfigurationError: It is taken, or not ours to take.
    """
    host, port = settings.server.host, settings.server.port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    for option, value in _PEER_CHECKS:
        listener.setsockopt(*option, value)  # connections have it from their listener
    try:
        listener.bind((host, port))
        listener.listen(2048)
    except socket.gaierror as error:
        listener.close()
        raise ConfigurationError(
            f"There is no address '{host}' on this machine; choose another with --host."
        ) from error
    except OSError as error:
        listener.close()
        raise ConfigurationError(
            f"Cannot listen on {host} port {port}: {(error.strerror or str(error)).lower()}; "
            "end what uses it, or choose another with --port."
        ) from error
    listener.setblocking(False)  # noqa: FBT003 - the standard library's signature
    return listener


def with_port(settings: Settings, port: int) -> Settings:
    """
    Put the port that was really taken into the settings (0 asks for any).
    """
    server = settings.server.model_copy(update={"port": port})
    return settings.model_copy(update={"server": server})
