"""
Serving with several workers: what is done once in their parent, and what each of them does.
"""

import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from ctxfy.adapters.container.certificate import ServerCertificate
from ctxfy.app.config import Settings
from ctxfy.app.loading import load_functions
from ctxfy.app.progress import told_if_slow
from ctxfy.app.prompt_check import FinishedCheck, PromptCheck, load_checked
from ctxfy.app.pulse import Pulse
from ctxfy.app.worker_place import WorkerPlace
from ctxfy.app.workers import Workers
from ctxfy.core.exceptions import CatalogError, ConfigurationError


if TYPE_CHECKING:
    from ctxfy.app.main import CtxfyApp


def serve_together(
    settings: Settings,
    listener: socket.socket,
    certificate: ServerCertificate | None,
    check: PromptCheck,
    run: "Callable[[CtxfyApp, Pulse], None]",
) -> None:
    """
    Serve with workers until SIGINT or SIGTERM; the process ends with their worst exit code.

    Args:
        settings: All that can be set.
        listener: Where connections come in; every worker takes from it.
        certificate: What the server shows, if it speaks TLS.
        check: Of the prompts, under way.
        run: Runs an application on the socket, as one worker.

    Raises:
        CtxfyError: They cannot serve; one sentence.
    """
    with told_if_slow(f"Checking {settings.prompts.folder}"):
        # All that workers need is imported here, once; nothing is opened, and no thread started.
        from ctxfy.app.main import create_app

        report = check.result()
    if report.problems:
        raise CatalogError(report.problems)

    def serve(place: WorkerPlace, pulse: Pulse) -> None:
        if certificate is not None and place.died:
            with suppress(ConfigurationError):  # told by what follows the files
                certificate.reload()  # they may be others than at the start
        # Here, since a module may start threads, which no fork would take along.
        functions = load_functions(settings.prompts.modules, settings.llm.timeout_seconds)
        snapshot = load_checked(settings, FinishedCheck(report=report), functions=functions)
        app = create_app(settings, snapshot=snapshot, certificate=certificate, place=place)
        run(app, pulse)

    workers = Workers(
        settings.server.workers,
        serve,
        on_end=listener.close,
        end_seconds=settings.server.drain_seconds + settings.server.shutdown_seconds,
    )
    if code := workers.run():
        sys.exit(code)
