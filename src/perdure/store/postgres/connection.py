"""Connections to PostgreSQL, and what their failures mean to a caller."""

import errno
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from perdure.store.contract import StoreFull, StoreUnavailable

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"
Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"

ACQUIRE_SECONDS_MAX = 10.0
COMMAND_SECONDS_MAX = 60.0

STATEMENTS_CACHED_MAX = 500
"""More than there are: preparing one again costs more than running it."""

SETTINGS = {
    "application_name": "perdure",
    "lock_timeout": "10s",
    "jit": "off",
    # Of a machine that has lost its power, the network says nothing: only who asks learns that its locks are nobody's.
    "tcp_keepalives_idle": "15s",
    "tcp_keepalives_interval": "5s",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "30s",
}

GONE = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.OperatorInterventionError,  # it shuts down, starts up, or cancelled the query
    asyncpg.InsufficientResourcesError,  # too many connections, no memory, a full disk
    asyncpg.ReadOnlySQLTransactionError,  # a standby, or the primary that it was before a failover
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.LockNotAvailableError,
    asyncpg.InternalClientError,
)
"""What a call may fail with through no fault of its own."""

AWAY = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.InternalClientError,  # no server that accepts writes, where the URL asks for one
)
"""What connecting fails with as long as the database is away. Wrong credentials or names are not among it."""


class Unreachable(Exception):
    """The database can't be reached as it is asked for, and trying again would not help."""


class _Connection(asyncpg.Connection):
    """Of a pool: whoever has it leaves nothing behind but a transaction, which is rolled back. Asking the server to
    reset everything else would cost as much as the query itself.
    """

    __slots__ = ()

    def get_reset_query(self) -> str:
        return ""


def never() -> bool:
    """For databases whose disk is not to be seen from here."""
    return False


async def open_pool(dsn: str, size_max: int, full: Callable[[], bool] = never, *, size_min: int = 1) -> Pool:
    """A pool of at most `size_max` connections. Raises `StoreUnavailable` where the database is away, else
    `Unreachable`. `full` tells, of a database that is away, whether its disk has no room. With a `size_min` of 0 it
    connects when it is used.
    """

    async def connect(*arguments: Any, **options: Any) -> Any:
        try:
            return await asyncpg.connect(*arguments, **options)
        except AWAY as error:
            if full():
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from error
            raise

    try:
        pool = await asyncpg.create_pool(
            dsn,
            connect=connect,
            min_size=size_min,
            max_size=size_max,
            timeout=ACQUIRE_SECONDS_MAX,
            command_timeout=COMMAND_SECONDS_MAX,
            max_inactive_connection_lifetime=120,
            statement_cache_size=STATEMENTS_CACHED_MAX,
            connection_class=_Connection,
            server_settings=SETTINGS,
        )
    except AWAY as error:
        raise _outage(error) from error
    except (asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
        raise Unreachable(f"The database can't be reached: {error}") from error
    assert pool is not None
    return pool


@asynccontextmanager
async def connected(pool: Pool) -> AsyncIterator[Connection]:
    """A connection; failures that another try may not meet become `StoreUnavailable`."""
    try:
        async with pool.acquire(timeout=ACQUIRE_SECONDS_MAX) as connection:
            yield connection
    except GONE as error:
        raise _outage(error) from error


def _outage(error: Exception) -> StoreUnavailable:
    if isinstance(error, asyncpg.DiskFullError) or (isinstance(error, OSError) and error.errno == errno.ENOSPC):
        return StoreFull(f"The database has no room left on its disk: {error}")
    return StoreUnavailable(f"The database did not answer: {error or type(error).__name__}")


@asynccontextmanager
async def transaction(pool: Pool) -> AsyncIterator[Connection]:
    """A connection inside a transaction that commits where the block ends well."""
    async with connected(pool) as connection, connection.transaction():
        yield connection
