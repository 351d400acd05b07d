"""
Serving: prompts checked, port taken, application up, until a signal ends it.
"""

import signal
import socket
from collections.abc import Coroutine, Generator
from contextlib import closing, contextmanager
from datetime import timedelta
from types import FrameType
from typing import TYPE_CHECKING, override

import uvicorn
from sse_starlette.sse import AppStatus

from ctxfy.adapters.container.certificate import ServerCertificate
from ctxfy.app.background import running
from ctxfy.app.config import Settings
from ctxfy.app.loading import load_functions, utc_now
from ctxfy.app.progress import told_if_slow
from ctxfy.app.prompt_check import PromptCheck, load_checked
from ctxfy.app.tls import follow_certificate, server_certificate
from ctxfy.core.exceptions import ConfigurationError


if TYPE_CHECKING:
    from ctxfy.app.main import CtxfyApp

_END_SIGNALS = (signal.SIGINT, signal.SIGTERM)


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
        with told_if_slow(f"Checking {settings.prompts.folder}"):
            from ctxfy.app.main import create_app

            functions = load_functions(settings.prompts.modules, settings.llm.timeout_seconds)
            snapshot = load_checked(settings, check, functions=functions)
            app = create_app(settings, snapshot=snapshot, certificate=certificate)
        try:
            _Server(app, settings, certificate).run(sockets=[listener])
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


class _Server(uvicorn.Server):
    """
    uvicorn, quiet, with our sockets, and telling the application when it begins to drain.
    """

    def __init__(
        self, app: "CtxfyApp", settings: Settings, certificate: ServerCertificate | None
    ) -> None:
        self._app = app
        self._certificate = certificate
        self._reload_seconds = settings.tls.reload_seconds
        self._warning = timedelta(days=settings.monitoring.certificate_days)
        # The SDK's streams would be cut off at the signal. Ours end by themselves, with their last
        # frame, when the application begins to drain; what does not has the time for open requests.
        AppStatus.disable_automatic_graceful_drain()  # type: ignore[no-untyped-call]
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
                ssl_context_factory=(
                    None if certificate is None else lambda _config, _default: certificate.context
                ),
            )
        )

    @override
    async def main_loop(self) -> None:
        async with running(self._follow(self._certificate)):
            await super().main_loop()

    def _follow(
        self, certificate: ServerCertificate | None
    ) -> Coroutine[object, object, None] | None:
        if certificate is None:
            return None
        return follow_certificate(
            certificate,
            seconds=self._reload_seconds,
            warning=self._warning,
            now=utc_now,
            logging=self._app.wiring.logging,
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
        self._app.begin_drain()
        super().handle_exit(sig, frame)
