"""
The HTTP server of one process: uvicorn, with our application, sockets and signals.
"""

import signal
from collections.abc import Coroutine, Generator
from contextlib import contextmanager
from datetime import timedelta
from types import FrameType
from typing import TYPE_CHECKING, override

import uvicorn
from sse_starlette.sse import AppStatus

from ctxfy.adapters.container.certificate import ServerCertificate
from ctxfy.app.background import running
from ctxfy.app.config import Settings
from ctxfy.app.loading import utc_now
from ctxfy.app.tls import follow_certificate


if TYPE_CHECKING:
    from ctxfy.app.main import CtxfyApp

_END_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def make_server(
    app: "CtxfyApp", settings: Settings, certificate: ServerCertificate | None
) -> uvicorn.Server:
    """
    Make what serves the application in this process: `run(sockets=[...])` ends with a signal.

    Raises `SystemExit` from there if the application does not start; it keeps why.
    """
    return _Server(app, settings, certificate)


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
