"""
The parent of several workers: it serves nobody, and sees to it that they do.

Workers are forked from a parent that has imported everything and started nothing: they share its
memory, and one that takes a dead one's place has the very settings that the server was started
with. All take connections from one socket, so that what waits there is not lost with any of them.
"""

import gc
import os
import selectors
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Never

from ctxfy.app.pulse import COMPLAINT, Pulse
from ctxfy.app.worker_place import WorkerPlace
from ctxfy.core.exceptions import ConfigurationError, CtxfyError
from ctxfy.core.use_cases.worker_use_cases import failures_after, gives_up, restart_delay


END_SIGNALS = (signal.SIGINT, signal.SIGTERM)
LOOK_SECONDS = 0.5
SILENCE_SECONDS = 30.0
"""
A worker of which nothing was heard for so long hangs, and is killed.
"""

CLEANUP_SECONDS = 4.0
"""
What a worker has for its own end, after the time for open requests.
"""


@dataclass(slots=True, kw_only=True)
class _Worker:
    """
    A process in its place, as the parent sees it.

    Attributes:
        serves_since: When it was first heard of.
        heard_at: When it was last heard of.
        said: What it sent; a complaint stands at the end.
    """

    number: int
    pid: int
    link: socket.socket
    serves_since: float | None = None
    heard_at: float = 0.0
    said: bytearray = field(default_factory=bytearray)

    @property
    def complaint(self) -> str:
        return self.said.partition(COMPLAINT)[2].decode("utf-8", "replace")


class Workers:
    """
    Starts workers, puts another in the place of one that ends, and ends them all.

    Args:
        count: How many places there are.
        serve: What a worker does; returns when it was asked to end and has.
        on_end: Called when the end begins: nobody is let in any more.
        end_seconds: How long balancers and open requests may take at the end.
    """

    def __init__(
        self,
        count: int,
        serve: Callable[[WorkerPlace, Pulse], None],
        *,
        on_end: Callable[[], None],
        end_seconds: float,
    ) -> None:
        self._folder = Path()
        self._count = count
        self._serve = serve
        self._on_end = on_end
        self._patience = end_seconds + CLEANUP_SECONDS
        self._workers: dict[int, _Worker] = {}
        self._due: dict[int, float] = {1: 0.0}
        self._failures = dict.fromkeys(range(1, count + 1), 0)
        self._died = dict.fromkeys(range(1, count + 1), "")
        self._has_begun = False
        self._asked: list[int] = []
        self._end_at: float | None = None
        self._code = 0
        self._failed: ConfigurationError | None = None
        self._looked_at = time.monotonic()

    def run(self) -> int:
        """
        Serve until SIGINT or SIGTERM; return the worst exit code of the workers.

        Raises:
            ConfigurationError: They cannot serve; one sentence.
        """
        self._folder = Path(tempfile.mkdtemp(prefix="ctxfy-"))
        try:
            with _signals(self._asked) as woken:
                gc.freeze()  # what is shared stays shared: the collector would write to all of it
                while self._end_at is None or self._workers:
                    self._start_due()
                    self._listen(woken)
                    self._bury()
                    self._look()
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)
        if self._failed is not None:
            raise self._failed
        return self._code

    def _start_due(self) -> None:
        now = time.monotonic()
        for number, at in sorted(self._due.items()):
            if at <= now and self._end_at is None:
                del self._due[number]
                self._start(number)

    def _start(self, number: int) -> None:
        place = WorkerPlace(
            number=number, count=self._count, folder=self._folder, died=self._died[number]
        )
        ours, theirs = socket.socketpair()
        for end in (ours, theirs):
            end.setblocking(False)  # noqa: FBT003 - the standard library's signature
        sys.stdout.flush()
        sys.stderr.flush()
        if not (pid := os.fork()):
            for link in (ours, *(worker.link for worker in self._workers.values())):
                link.close()
            self._be_worker(place, Pulse(theirs))
        theirs.close()
        self._workers[number] = _Worker(
            number=number, pid=pid, link=ours, heard_at=time.monotonic()
        )

    def _be_worker(self, place: WorkerPlace, pulse: Pulse) -> Never:
        code = 1
        try:
            for number in END_SIGNALS:
                signal.signal(number, signal.SIG_DFL)
            signal.set_wakeup_fd(-1)
            if not self._asked:  # a signal that came before the two lines above
                self._serve(place, pulse)
            code = 0
        except CtxfyError as error:
            pulse.complain(str(error))
        except Exception as error:  # noqa: BLE001 - a defect of ours, and still no traceback for people
            pulse.complain(f"Something went wrong inside: {type(error).__name__}.")
        finally:
            if pulse.is_lost:  # the parent was killed, and cannot tidy up
                shutil.rmtree(place.folder, ignore_errors=True)
            with suppress(OSError, ValueError):
                sys.stdout.flush()
            os._exit(code)  # what the parent has put up is the parent's to take down

    def _listen(self, woken: socket.socket) -> None:
        """
        Wait until something happens, or for a moment; take in what the workers say.
        """
        with selectors.DefaultSelector() as selector:
            selector.register(woken, selectors.EVENT_READ)
            for worker in self._workers.values():
                selector.register(worker.link, selectors.EVENT_READ, worker)
            found = selector.select(LOOK_SECONDS)
        for key, _ in found:
            worker = key.data
            if worker is None:
                woken.recv(64)
                continue
            with suppress(OSError):
                if said := worker.link.recv(65536):
                    self._hear(worker, said)

    def _hear(self, worker: _Worker, said: bytes) -> None:
        worker.heard_at = time.monotonic()
        if COMPLAINT in said or worker.said:
            worker.said += said
        elif worker.serves_since is None:
            worker.serves_since = worker.heard_at
            if not self._has_begun:
                self._go_on()

    def _go_on(self) -> None:
        """
        Start the others once the first has brought everything into order for them.
        """
        serving = {each.number for each in self._workers.values() if each.serves_since is not None}
        if serving == {1}:
            self._due |= dict.fromkeys(range(2, self._count + 1), 0.0)
        self._has_begun = len(serving) == self._count

    def _bury(self) -> None:
        for worker in list(self._workers.values()):
            pid, status = os.waitpid(worker.pid, os.WNOHANG)
            if pid:
                self._hear_last(worker)
                del self._workers[worker.number]
                self._replace(worker, os.waitstatus_to_exitcode(status))

    def _hear_last(self, worker: _Worker) -> None:
        with worker.link, suppress(OSError):
            while said := worker.link.recv(65536):
                self._hear(worker, said)

    def _replace(self, worker: _Worker, code: int) -> None:
        number, now = worker.number, time.monotonic()
        if self._end_at is not None:
            if worker.serves_since is not None or code != -signal.SIGTERM:
                self._code = max(self._code, code if code >= 0 else 128 - code)
            return
        served = None if worker.serves_since is None else now - worker.serves_since
        self._failures[number] = failures_after(self._failures[number], served)
        self._died[number] = worker.complaint or _manner(code)
        serving = sum(each.serves_since is not None for each in self._workers.values())
        if not self._has_begun or gives_up(self._failures[number], serving):
            self._failed = ConfigurationError(
                worker.complaint or f"Worker {number} ended at once ({_manner(code)})."
            )
            self._end(signal.SIGTERM)
            return
        if worker.complaint:  # the log has nobody yet who writes it
            print(f"ctxfy: worker {number}: {worker.complaint}", file=sys.stderr, flush=True)
        self._due[number] = now + restart_delay(self._failures[number])

    def _look(self) -> None:
        """
        Do what was asked for, and what is overdue.
        """
        now = time.monotonic()
        while self._asked:
            self._end(self._asked.pop(0))
        if now - self._looked_at > SILENCE_SECONDS / 2:  # we were stopped, and they perhaps too
            for worker in self._workers.values():
                worker.heard_at = now
        self._looked_at = now
        for worker in self._workers.values():
            if self._end_at is not None:
                is_overdue = now > self._end_at
            else:
                is_overdue = (
                    worker.serves_since is not None and now - worker.heard_at > SILENCE_SECONDS
                )
            if is_overdue:
                os.kill(worker.pid, signal.SIGKILL)

    def _end(self, number: int) -> None:
        if self._end_at is None:
            self._end_at = time.monotonic() + self._patience
            self._on_end()
        for worker in self._workers.values():
            os.kill(worker.pid, number)


@contextmanager
def _signals(asked: list[int]) -> Generator[socket.socket]:
    """
    Note signals that ask for the end, and yield what becomes readable when one came.
    """
    woken, waker = socket.socketpair()
    with woken, waker:
        for end in (woken, waker):
            end.setblocking(False)  # noqa: FBT003 - the standard library's signature
        before_fd = signal.set_wakeup_fd(waker.fileno())
        before = {
            number: signal.signal(number, lambda number, _frame: asked.append(number))
            for number in END_SIGNALS
        }
        try:
            yield woken
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(before_fd)


def _manner(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    return signal.Signals(-code).name
