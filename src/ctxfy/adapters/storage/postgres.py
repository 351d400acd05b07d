"""
PostgreSQL: its pool, its transactions, and what happens while it is out of reach.

Nothing here waits without an end. A server that answers slowly is stopped by its own time-outs; one
that does not answer at all loses the connection, and until it is found again, everybody is told so
at once instead of waiting too.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, nullcontext, suppress
from typing import Any
from weakref import WeakSet

from sqlalchemy import event, text
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from ctxfy.adapters.storage.failures import DRIVER_ERRORS, unavailable
from ctxfy.adapters.storage.pool import connections_of
from ctxfy.adapters.storage.postgres_failures import BUSY, SILENT, explain
from ctxfy.adapters.storage.postgres_server import PostgresServer, ServerOptions, tls_of
from ctxfy.core.exceptions import UnavailableError


LOOK_SECONDS = 0.25
GRACE_SECONDS = 0.25
MAINTENANCE_LOCK_SECONDS = 60.0
MAINTENANCE_SECONDS = 3600.0

# Any number will do, as long as nobody else in the database uses it: this is "ctxfy" in ASCII.
_WRITERS = 0x6374786679

# One statement, since each is a round trip. The time-outs hold for this transaction only: through a
# pooler the next one may be another client's. A database set to acknowledge what is not yet on its
# disk is told not to.
_SET_LIMITS = """
SELECT set_config('lock_timeout', $1::text, true), set_config('statement_timeout', $2::text, true),
 set_config('idle_in_transaction_session_timeout', $2::text, true),
 CASE current_setting('synchronous_commit') WHEN 'off'
  THEN set_config('synchronous_commit', 'on', true) END"""
_BEGIN = _SET_LIMITS
_BEGIN_ALONE = f"{_SET_LIMITS}, pg_advisory_xact_lock({_WRITERS})"
_ISOLATIONS = ("AUTOCOMMIT", "READ COMMITTED", "REPEATABLE READ")


class PostgresOpening:
    """
    A database of a server.

    Writers of all processes take turns by an advisory lock, held to the end of the transaction: so
    what a write reads still holds when it is committed, as under SQLite's one lock. READ COMMITTED,
    since each statement must see what the writer before left; a snapshot would be taken before the
    lock is.
    """

    def __init__(self, server: PostgresServer, options: ServerOptions) -> None:
        self._server = server
        self._options = options
        self._lock_seconds = min(options.lock_seconds, 0.8 * options.statement_seconds)
        self._engine = _engine(server, options)
        # Once: each of them is an engine of its own over the same pool.
        self._isolated = {
            level: self._engine.execution_options(isolation_level=level) for level in _ISOLATIONS
        }
        self._turn = asyncio.Lock()
        self._drivers = WeakSet[Any]()
        self._outage: UnavailableError | None = None
        self._watch: asyncio.Task[None] | None = None
        event.listen(self._engine.sync_engine, "connect", self._keep)
        event.listen(self._engine.sync_engine, "checkout", _require_open)

    @property
    def name(self) -> str:
        """
        The database and its server.
        """
        return self._server.name

    @property
    def exists(self) -> bool:
        """
        Whether to ask it: always.
        """
        return True

    @property
    def outage(self) -> UnavailableError | None:
        """
        Why the server is known to be out of reach.
        """
        return self._outage

    @property
    def connections(self) -> tuple[int, int]:
        """
        Those of the pool.
        """
        return connections_of(self._engine.pool)

    @asynccontextmanager
    async def reading(self) -> AsyncGenerator[AsyncConnection]:
        """
        Connect without a transaction; through a pooler with one, which keeps it to one server.
        """
        if self._options.statement_cache:
            async with self._connected("AUTOCOMMIT") as connection:
                yield connection
            return
        async with self._connected("READ COMMITTED") as connection, connection.begin():
            await self._begin(connection, _BEGIN)
            yield connection

    @asynccontextmanager
    async def writing(self, *, alone: bool) -> AsyncGenerator[AsyncConnection]:
        """
        Begin; one writer of this process at a time waits on the server for all others.
        """
        turn = self._own_turn() if alone else nullcontext()
        async with (
            turn,
            self._connected("READ COMMITTED") as connection,
            connection.begin(),
        ):
            await self._begin(connection, _BEGIN_ALONE if alone else _BEGIN)
            yield connection

    @asynccontextmanager
    async def maintaining(self) -> AsyncGenerator[AsyncConnection]:
        """
        Begin alone, with patience.
        """
        async with (
            self._connected("READ COMMITTED", seconds=MAINTENANCE_SECONDS) as connection,
            connection.begin(),
        ):
            await self._begin(
                connection,
                _BEGIN_ALONE,
                lock_seconds=MAINTENANCE_LOCK_SECONDS,
                statement_seconds=MAINTENANCE_SECONDS,
            )
            yield connection

    @asynccontextmanager
    async def snapshotting(self) -> AsyncGenerator[AsyncConnection]:
        """
        Begin a transaction that only reads, and sees one moment.
        """
        async with (
            self._connected("REPEATABLE READ", seconds=MAINTENANCE_SECONDS) as connection,
            connection.begin(),
        ):
            await self._begin(connection, _BEGIN, statement_seconds=MAINTENANCE_SECONDS)
            yield connection

    async def scrub(self) -> bool:
        """
        Do nothing: the server's files are the server's.

        Once it has vacuumed it reuses the room of what was deleted; VACUUM FULL writes anew.
        """
        return True

    async def aclose(self) -> None:
        """
        Stop looking for the server, and close every connection.
        """
        if self._watch is not None:
            self._watch.cancel()
            with suppress(asyncio.CancelledError):
                await self._watch
        if self._outage is not None:
            self._cut()  # a server that is away would not answer a farewell
        await self._engine.dispose()

    async def _begin(
        self,
        connection: AsyncConnection,
        beginning: str,
        *,
        lock_seconds: float | None = None,
        statement_seconds: float | None = None,
    ) -> None:
        limits = (
            _milliseconds(lock_seconds or self._lock_seconds),
            _milliseconds(statement_seconds or self._options.statement_seconds),
        )
        # To the driver as it is: from an expression it would take as long again.
        await connection.exec_driver_sql(beginning, limits)

    @asynccontextmanager
    async def _own_turn(self) -> AsyncGenerator[None]:
        try:
            async with asyncio.timeout(self._options.pool_seconds + self._lock_seconds):
                await self._turn.acquire()
        except TimeoutError as error:
            raise unavailable(BUSY, name=self.name) from error
        try:
            yield
        finally:
            self._turn.release()

    @asynccontextmanager
    async def _connected(
        self, isolation: str, *, seconds: float | None = None
    ) -> AsyncGenerator[AsyncConnection]:
        if self._outage is not None:
            raise _anew(self._outage)
        async with self._connection(
            isolation, seconds or self._options.statement_seconds
        ) as connection:
            yield connection

    @asynccontextmanager
    async def _connection(self, isolation: str, seconds: float) -> AsyncGenerator[AsyncConnection]:
        try:
            connection = await self._isolated[isolation].connect()
        except PoolTimeoutError as error:
            raise explain(error, self.name) from error
        except DRIVER_ERRORS as error:
            raise self._lost(explain(error, self.name)) from error
        driver: Any = (await connection.get_raw_connection()).driver_connection
        late = asyncio.get_running_loop().call_later(seconds + GRACE_SECONDS, driver.terminate)
        try:
            try:
                yield connection
            finally:
                await connection.close()
        except DRIVER_ERRORS as error:
            if not getattr(error, "connection_invalidated", False):
                raise explain(error, self.name) from error
            silent = asyncio.get_running_loop().time() >= late.when()
            why = unavailable(SILENT, name=self.name) if silent else explain(error, self.name)
            raise self._lost(why) from error
        finally:
            late.cancel()

    def _lost(self, why: UnavailableError) -> UnavailableError:
        """
        Remember an outage, and look for its end in the background.
        """
        if self._outage is not None:  # whoever was cut off by it comes by here too
            return _anew(self._outage)
        self._outage = why
        self._cut()
        self._watch = asyncio.create_task(self._look_for_it())
        return why

    def _cut(self) -> None:
        # Whoever waits on one of these learns it now; and later none of them is said farewell to,
        # which would take its time-out, in the path of a request.
        for driver in list(self._drivers):
            driver.terminate()

    async def _look_for_it(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                async with self._connection(
                    "AUTOCOMMIT", self._options.statement_seconds
                ) as connection:
                    await connection.execute(text("SELECT 1"))
            except Exception:  # noqa: BLE001, S112 - whatever it is, to give up looking were worse # nosec B112
                continue
            self._outage = self._watch = None
            return

    def _keep(self, connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's, which has no type
        self._drivers.add(connection.driver_connection)


def _engine(server: PostgresServer, options: ServerOptions) -> AsyncEngine:
    return create_async_engine(
        server.url,
        connect_args={
            "prepared_statement_cache_size": options.statement_cache,
            "server_settings": {"application_name": "ctxfy"} | _session_limits(options),
            "ssl": tls_of(options),
            "statement_cache_size": options.statement_cache,
            "timeout": options.connect_seconds,
        }
        # Unnamed, they end with the transaction; names would stay behind in a pooler's connections.
        | ({} if options.statement_cache else {"prepared_statement_name_func": str}),
        hide_parameters=True,
        max_overflow=0,
        pool_size=options.pool_size,
        pool_timeout=options.pool_seconds,
        skip_autocommit_rollback=True,
    )


def _session_limits(options: ServerOptions) -> dict[str, str]:
    # A pooler takes no such wishes; there, every transaction brings its own.
    if not options.statement_cache:
        return {}
    return {"statement_timeout": _milliseconds(options.statement_seconds)}


def _anew(outage: UnavailableError) -> UnavailableError:
    # An error that is raised again and again would keep the frames of all who met it.
    return UnavailableError(outage.dependency, outage.detail)


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.0f}"


def _require_open(connection: Any, _record: object, _proxy: object) -> None:  # noqa: ANN401 - as above
    # The driver knows that the server went away; without this, the next request would find out.
    if connection.driver_connection.is_closed():
        raise DisconnectionError
