"""
The HTTP server of one process: uvicorn, with our application, sockets, limits and signals.
"""

import asyncio
import signal
import socket
import sys
import time
from collections.abc import Coroutine, Generator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING, cast, override

import uvicorn
from sse_starlette.sse import AppStatus
from starlette.responses import Response
from uvicorn.config import STARTUP_FAILURE

from ctxfy.adapters.auth.security_headers import SECURITY_HEADERS
from ctxfy.adapters.container.certificate import ServerCertificate
from ctxfy.adapters.container.open_files import allow_open_files
from ctxfy.adapters.container.settled_memory import settle_memory
from ctxfy.adapters.http_server.connection import BoundedConnection
from ctxfy.adapters.http_server.connection_watch import ConnectionWatch
from ctxfy.app.background import running
from ctxfy.app.config import Settings
from ctxfy.app.http_errors import error_response
from ctxfy.app.loading import utc_now
from ctxfy.app.pulse import Pulse
from ctxfy.app.tls import follow_certificate, hsts_header
from ctxfy.core.exceptions import CtxfyError
from ctxfy.core.models.connection_models import ConnectionLimits
from ctxfy.core.models.monitoring_models import LogLevel


if TYPE_CHECKING:
    from ctxfy.app.main import CtxfyApp

OTHER_FILES = 256
"""
What a process has open beside its connections: databases, logs, what it asks others.
"""

_END_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_TICKS_BETWEEN_SWEEPS = 5  # uvicorn ticks ten times a second
_FIELD_SIGNS = 4  # a colon, a blank, and the end of the line
_REQUEST_LINE_BYTES = 1024  # its method and version, the Host's line break, and room


def make_server(
    app: "CtxfyApp",
    settings: Settings,
    certificate: ServerCertificate | None,
    pulse: Pulse | None = None,
) -> uvicorn.Server:
    """
    Make what serves the application in this process: `run(sockets=[...])` ends with a signal.

    Raises `SystemExit` from there if the application does not start; it keeps why. A worker has a
    pulse, and ends with the parent that hears it too.
    """
    return _Server(app, settings, certificate, pulse)


def connection_limits(settings: Settings) -> ConnectionLimits:
    """
    Say what a connection may take, and how many there may be, which the system has a say in.
    """
    server, limits = settings.server, settings.limits
    files = allow_open_files(server.connections + OTHER_FILES)
    return ConnectionLimits(
        connections=min(server.connections, max(files - OTHER_FILES, 1)),
        head_seconds=server.header_timeout_seconds,
        body_seconds=server.body_timeout_seconds,
        answer_seconds=server.send_timeout_seconds,
        idle_seconds=server.keep_alive_seconds,
        bytes_per_second=server.min_bytes_per_second,
        head_bytes=limits.address_bytes
        + limits.header_bytes
        + limits.headers * _FIELD_SIGNS
        + _REQUEST_LINE_BYTES,
        header_fields=limits.headers,
        address_bytes=limits.address_bytes,
    )


def _answer(path: str, error: CtxfyError) -> Response:
    return error_response({"path": path}, error)


class _Server(uvicorn.Server):
    """
    uvicorn, quiet, with our sockets and limits, and telling the application when it drains.
    """

    def __init__(
        self,
        app: "CtxfyApp",
        settings: Settings,
        certificate: ServerCertificate | None,
        pulse: Pulse | None,
    ) -> None:
        self._app = app
        self._certificate = certificate
        self._pulse = pulse
        self._reload_seconds = settings.tls.reload_seconds
        self._warning = timedelta(days=settings.monitoring.certificate_days)
        self._drain_seconds = settings.server.drain_seconds
        self._drained_at: float | None = None
        limits = connection_limits(settings)
        if limits.connections < settings.server.connections:
            app.wiring.logging.log_event(
                "connections_limited",
                level=LogLevel.WARNING,
                connections=limits.connections,
                remedy="ulimit -n",
            )
        self._watch = ConnectionWatch(
            limits,
            on_error=_answer,
            headers=(*SECURITY_HEADERS, *hsts_header(settings)),
            logging=app.wiring.logging,
            monotonic=time.monotonic,
        )
        # The SDK's streams would be cut off at the signal. Ours end by themselves, with their last
        # frame, when balancers had their time: before, clients would come back here. What does not
        # end has the time for open requests.
        AppStatus.disable_automatic_graceful_drain()  # type: ignore[no-untyped-call]
        super().__init__(
            uvicorn.Config(
                app,
                loop="uvloop",
                http=cast("type[asyncio.Protocol]", partial(BoundedConnection, self._watch)),
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
        app.wiring.metrics.watch_connections(
            lambda: len(self.server_state.connections), self._watch.ended
        )

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        if self._certificate is None or sockets is None:
            await super().startup(sockets)
            return
        # As uvicorn does it, which leaves a client a minute for the handshake.
        await self.lifespan.startup()
        if self.lifespan.should_exit:
            sys.exit(STARTUP_FAILURE)
        loop = asyncio.get_running_loop()
        limits = self._watch.limits
        self.servers = [
            await loop.create_server(
                self._connection,
                sock=each,
                ssl=self.config.ssl,
                ssl_handshake_timeout=limits.head_seconds,
                ssl_shutdown_timeout=limits.answer_seconds,
            )
            for each in sockets
        ]
        self.started = True

    def _connection(self) -> asyncio.Protocol:
        return BoundedConnection(self._watch, self.config, self.server_state, self.lifespan.state)

    @override
    async def main_loop(self) -> None:
        settle_memory()
        async with running(self._follow(self._certificate)), running(self._beat()):
            await super().main_loop()

    def _beat(self) -> Coroutine[object, object, None] | None:
        if self._pulse is None:
            return None
        return self._pulse.run(on_lost=lambda: self.handle_exit(signal.SIGTERM, None))

    @override
    async def on_tick(self, counter: int) -> bool:
        if counter % _TICKS_BETWEEN_SWEEPS == 0:
            self._watch.sweep(cast("set[BoundedConnection]", self.server_state.connections))
        if self._drained_at is not None and time.monotonic() >= self._drained_at:
            self._app.end_streams()
            self.should_exit = True
        return await super().on_tick(counter)

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
        self._watch.draining = True
        # Whoever sits at a terminal, or asks a second time, does not want to wait.
        if sig == signal.SIGTERM and self._drain_seconds and self._drained_at is None:
            self._drained_at = time.monotonic() + self._drain_seconds
        else:
            self._app.end_streams()
            super().handle_exit(sig, frame)
