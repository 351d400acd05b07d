"""
`python -m ctxfy` is the `ctxfy` command.
"""

import os
import signal
from types import FrameType


def main() -> None:
    """
    Run the command line; SIGTERM ends it from the first moment on.
    """
    signal.signal(signal.SIGTERM, end_at_once)
    # After that: to import it takes a good part of a second.
    from ctxfy.app.cli import main as run_command_line  # noqa: PLC0415

    run_command_line()


def end_at_once(number: int, _frame: FrameType | None) -> None:
    """
    Die of a signal, as without a handler; and so does the first process of a container.

    That one the kernel spares whatever it does not handle. A server that serves has a handler of
    its own.
    """
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    os._exit(128 + number)


if __name__ == "__main__":
    main()
