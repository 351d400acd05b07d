"""
What looks after the connections of one process: how long they take, and how many there are.
"""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from typing import Protocol

from starlette.responses import Response

from ctxfy.core.exceptions import CtxfyError
from ctxfy.core.models.connection_models import ConnectionLimits, ConnectionPhase, CutReason
from ctxfy.core.models.monitoring_models import LogLevel
from ctxfy.core.ports.monitoring_ports import LoggingPort


type ErrorResponder = Callable[[str, CtxfyError], Response]
"""
Makes the answer to an error, for the path that was asked for.
"""

QUIET_SECONDS = 10.0
ORDINARY = frozenset({CutReason.IDLE, CutReason.SILENT})
"""
How connections end every day: clients keep them for later, balancers open them to see who is there.
"""

_MAY_GO = (ConnectionPhase.IDLE, ConnectionPhase.SILENT, ConnectionPhase.HEAD)
_ROOM_SHARE = 20


class WatchedConnection(Protocol):
    """
    A connection, as whoever watches it sees it.

    Attributes:
        since: When its phase began, by the watch's clock.
    """

    phase: ConnectionPhase
    since: float

    def look(self, now: float) -> None:
        """
        End it if its time is over.
        """
        ...

    def end(self, reason: CutReason) -> None:
        """
        End it now.
        """
        ...


class ConnectionWatch:
    """
    Holds the limits and the clock of all connections, and counts those that were ended.

    Whatever a connection notes is as exact as the sweeps are frequent: nobody asks for the time at
    each request.

    Args:
        limits: What a connection may take.
        on_error: Makes the answer to an error.
        headers: What every answer carries.
        logging: Is told which connections were cut off, at most every ten seconds for each reason.
        monotonic: A clock in seconds that never goes back.

    Attributes:
        now: The time at the last sweep.
        draining: Whether connections end with the answer that is made.
    """

    def __init__(
        self,
        limits: ConnectionLimits,
        *,
        on_error: ErrorResponder,
        headers: Sequence[tuple[bytes, bytes]],
        logging: LoggingPort,
        monotonic: Callable[[], float],
    ) -> None:
        self.limits = limits
        self.on_error = on_error
        self.headers = tuple(headers)
        self.draining = False
        self.now = monotonic()
        self._monotonic = monotonic
        self._logging = logging
        self._leaving = 0
        self._ended = Counter[CutReason]()
        self._untold = Counter[CutReason]()
        self._told_at = dict.fromkeys(CutReason, -QUIET_SECONDS)

    def sweep(self, connections: Collection[WatchedConnection]) -> None:
        """
        Look at all of them, and tell what came of it.
        """
        self.now = self._monotonic()
        for connection in tuple(connections):
            connection.look(self.now)
        for reason in tuple(self._untold):
            if self.now - self._told_at[reason] >= QUIET_SECONDS:
                self._tell(reason)

    def make_room(
        self, newcomer: WatchedConnection, connections: Collection[WatchedConnection]
    ) -> bool:
        """
        End connections with no request in work if there are too many, those that wait longest.

        Some at once, so that each newcomer need not look through all. False: none could go.
        """
        if len(connections) - self._leaving <= self.limits.connections:
            return True
        waiting = [each for each in connections if each.phase in _MAY_GO and each is not newcomer]
        waiting.sort(key=lambda each: each.since)
        leaving = waiting[: max(1, self.limits.connections // _ROOM_SHARE)]
        for connection in leaving:
            connection.end(CutReason.NO_ROOM)
        return bool(leaving)

    def note_end(self, reason: CutReason) -> None:
        """
        Note that a connection is being ended.
        """
        self._leaving += 1
        self._ended[reason] += 1
        if reason not in ORDINARY:
            self._untold[reason] += 1

    def note_gone(self) -> None:
        """
        Note that one of them is gone.
        """
        self._leaving -= 1

    def ended(self) -> tuple[int, ...]:
        """
        Tell how many were ended, in the order of `CutReason`.
        """
        return tuple(self._ended[reason] for reason in CutReason)

    def _tell(self, reason: CutReason) -> None:
        self._told_at[reason] = self.now
        self._logging.log_event(
            "connections_cut",
            level=LogLevel.WARNING,
            reason=reason,
            connections=self._untold.pop(reason),
        )
