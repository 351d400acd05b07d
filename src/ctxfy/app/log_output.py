"""
Where the log goes, by the settings.
"""

import sys
from typing import TextIO

from ctxfy import __version__
from ctxfy.adapters.monitoring.log_file import FileSink
from ctxfy.adapters.monitoring.log_setup import LogOutput, LogWorker, configure_logging
from ctxfy.adapters.monitoring.log_shapes import Service, json_form
from ctxfy.app.config import LoggingSettings, Settings
from ctxfy.app.loading import utc_now
from ctxfy.app.worker_place import WorkerPlace


MEGABYTE = 1024 * 1024


def open_log(settings: Settings, stream: TextIO, place: WorkerPlace | None = None) -> LogOutput:
    """
    Make every record of this process a line, in the file that is set or else on the stream.

    Workers write to the one place in turns, and each line says whose it is.
    """
    logging = settings.logging
    return configure_logging(
        format=logging.format,
        level=logging.level,
        levels=logging.levels,
        stream=stream,
        now=utc_now,
        file=_file(logging),
        # Logs and traces of one server have one name for it, by which they find each other.
        json_form=json_form(
            logging.shape, Service(settings.monitoring.traces_service, __version__)
        ),
        worker=None if place is None else LogWorker(place.number, place.folder / "log.lock"),
    )


def _file(settings: LoggingSettings) -> FileSink | None:
    if settings.file is None:
        return None
    return FileSink(
        settings.file,
        max_bytes=settings.file_mb * MEGABYTE,
        keep=settings.file_count,
        complain=_complain,
    )


def _complain(sentence: str) -> None:
    print(f"ctxfy: {sentence}", file=sys.stderr, flush=True)
