"""
Where the log goes, by the settings.
"""

import sys
from typing import TextIO

from ctxfy.adapters.monitoring.log_file import FileSink
from ctxfy.adapters.monitoring.log_queue import LineQueue
from ctxfy.adapters.monitoring.log_setup import configure_logging
from ctxfy.app.config import LoggingSettings
from ctxfy.app.loading import utc_now


MEGABYTE = 1024 * 1024


def open_log(settings: LoggingSettings, stream: TextIO) -> LineQueue:
    """
    Make every record of this process a line, in the file that is set or else on the stream.
    """
    return configure_logging(
        format=settings.format,
        level=settings.level,
        stream=stream,
        now=utc_now,
        file=_file(settings),
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
