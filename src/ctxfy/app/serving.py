"""
Serving: prompts checked, port taken, application up, until a signal ends it.
"""

import signal
import socket
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, override

import uvicorn

from ctxfy.app.config import Settings
from ctxfy.app.loading import make_loader, make_validator
from ctxfy.app.prompt_check import CheckReport, PromptCheck
from ctxfy.core.exceptions import CatalogError, ConfigurationError
from ctxfy.core.ports.prompt_ports import CatalogSnapshot


if TYPE_CHECKING:
    from ctxfy.app.main import CtxfyApp

ATTEMPTS = 3
_END_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def serve(settings: Settings) -> None:
    """
    Serve until SIGINT or SIGTERM.

    Raises:
        CtxfyError: It cannot start; one sentence.
    """
    listener = bind(settings)
    with listener:
        # The child checks the prompts while this process imports what it needs.
        check = PromptCheck(settings.prompts.folder, settings)
        from ctxfy.app.main import create_app

        settings = with_port(settings, listener.getsockname()[1])
        app = create_app(settings, snapshot=load_checked(settings, check))
        try:
            _Server(app, settings).run(sockets=[listener])
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
    try:
        listener.bind((host, port))
        listener.listen(2048)
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


def load_checked(settings: Settings, check: PromptCheck) -> CatalogSnapshot:
    """
    Load the very set of prompts whose tests passed.

    Raises:
        CatalogError: With every problem there is.
    """
    folder, limits = settings.prompts.folder, settings.limits
    validator = make_validator(limits.argument_bytes, limits.arguments_bytes)
    for _ in range(ATTEMPTS):
        report: CheckReport = check.result()
        if report.problems:
            raise CatalogError(report.problems)
        snapshot = make_loader(folder, validator).load()
        if snapshot.catalog.revision == report.revision:
            return snapshot
        # Somebody saved a file between the check and our reading.
        check = PromptCheck(folder, settings)
    raise ConfigurationError(f"The folder '{folder}' keeps changing while it is read.")


class _Server(uvicorn.Server):
    """
    uvicorn, quiet, with our sockets, and telling the application when it begins to drain.
    """

    def __init__(self, app: "CtxfyApp", settings: Settings) -> None:
        self._draining = app.wiring.draining
        super().__init__(
            uvicorn.Config(
                app,
                loop="uvloop",
                http="httptools",
                ws="none",
                lifespan="on",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=settings.server.shutdown_seconds,
            )
        )

    @override
    @contextmanager
    def capture_signals(self) -> Generator[None]:
        # uvicorn raises the signal again when it is done, and the process would die of it; a
        # server that was asked to end and ended has ended well.
        before = {number: signal.signal(number, self.handle_exit) for number in _END_SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    @override
    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._draining.set()
        super().handle_exit(sig, frame)
