"""PostgreSQL in a world with a time of its own: each operation happens at once, as far as the world can tell.

The product's queries ask the database for the time. Functions of the same names stand before the built-in ones in the
search path, and tell the world's.
"""

import asyncio
import threading
from collections.abc import Coroutine
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from perdure import clock
from perdure.store.postgres.store import PostgresStore

TIME = """
create schema virtual;
create function virtual.clock_timestamp() returns timestamptz language sql volatile as
    $$ select current_setting('virtual.now')::timestamptz $$;
create function virtual.now() returns timestamptz language sql volatile as
    $$ select current_setting('virtual.now')::timestamptz $$;
"""
SETTINGS = {"search_path": "virtual, pg_catalog, public", "jit": "off", "virtual.now": "2026-01-01T00:00:00Z"}
TABLES = "select string_agg(format('%I', tablename), ', ') from pg_tables where schemaname = 'public'"


class SqlWorld:
    """A database and a thread of its own that talks to it, so that whoever asks does not let go meanwhile."""

    def __init__(self, dsn: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._pool: asyncpg.Pool[asyncpg.Record] = self.now(self._open(dsn))

    def now(self, work: Coroutine[Any, Any, Any]) -> Any:
        """The result of the work, here and now."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def store(self) -> "SqlStore":
        """The store, empty."""
        self.now(self._empty())
        return SqlStore(PostgresStore(self._pool), self)

    def close(self) -> None:
        self.now(self._pool.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _open(self, dsn: str) -> "asyncpg.Pool[asyncpg.Record]":
        connection = await asyncpg.connect(dsn)
        await connection.execute(TIME)
        await connection.close()
        pool = await asyncpg.create_pool(dsn, min_size=1, max_size=10, server_settings=SETTINGS, setup=_set_time)
        assert pool is not None
        return pool

    async def _empty(self) -> None:
        async with self._pool.acquire() as connection:
            tables = await connection.fetchval(TABLES)
            kept = [name for name in tables.split(", ") if name != "schema_migration"]
            await connection.execute(f"truncate {', '.join(kept)} restart identity")


async def _set_time(connection: Any) -> None:
    await connection.execute(f"set virtual.now = '{clock.now().isoformat()}'")


class SqlStore:
    """Asks and waits without letting anybody else go on."""

    def __init__(self, store: Any, world: SqlWorld) -> None:
        self._store = store
        self._world = world

    @property
    def itself(self) -> Any:
        """For who asks from the thread that talks to it."""
        return self._store

    @property
    def liveness(self) -> "SqlStore":
        return SqlStore(self._store.liveness, self._world)

    def __getattr__(self, name: str) -> Any:
        operation = getattr(self._store, name)

        async def ask(*arguments: Any, **named: Any) -> Any:
            return self._world.now(operation(*arguments, **named))

        return ask

    @asynccontextmanager
    async def take(self, *arguments: Any, **named: Any) -> Any:
        async with self._hold(self._store.take(*arguments, **named)) as taken:
            yield self._taken(taken)

    @asynccontextmanager
    async def accept(self, start: Any) -> Any:
        async with self._hold(self._store.accept(start)) as (accepted, taken):
            yield accepted, self._taken(taken)

    def _taken(self, taken: Any) -> "SqlTaken | None":
        return None if taken is None else SqlTaken(taken, self._world)

    @asynccontextmanager
    async def _hold(self, taking: Any) -> Any:
        taken = self._world.now(taking.__aenter__())
        try:
            yield taken
        except BaseException:
            self._world.now(_roll_back(taking))
            raise
        else:
            self._world.now(taking.__aexit__(None, None, None))


class SqlTaken(SqlStore):
    """Processes under lock."""

    @property
    def processes(self) -> Any:
        return self._store.processes

    @property
    def now(self) -> Any:
        return self._store.now


async def _roll_back(taking: Any) -> None:
    left = RuntimeError("left without saving")
    try:
        await taking.__aexit__(RuntimeError, left, None)
    except RuntimeError as error:
        if error is not left:
            raise
