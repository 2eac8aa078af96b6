"""All migrations on a database that is in use: those who work go on, by the statements of the oldest schema."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import asyncpg
import pytest

from perdure.store.postgres.migrations import runner
from servers import PostgresServer

ROWS = 5_000
ROUNDS_AFTER = 20
"""What each session still does once the schema is the newest."""

FILL = """
with made as (
    insert into process (id, tenant, namespace, name, version, status, seed, input, sequence, owed_since, created_at)
    select gen_random_uuid(), 'default', 'busy', 'old', '1.0.0', 'waiting', '\\x00', '\\x30', 0, now(), now()
    from generate_series(1, $1) returning id
), timers as (
    insert into timer (process, id, due, purpose, fact) select id, id, now() + interval '1 day', 'wait', '{}' from made
), calls as (
    insert into call (activity, process, tenant, attempt, function, reference, request, secrets, created_at, lease_until)
    select gen_random_uuid(), id, 'default', 1, 'http', '/do/0/c', '{}', '{}', now(), now() + interval '1 day' from made
)
insert into inbox (process, fact, recorded_at) select id, '{}', now() from made
"""

# What a worker does in a step, by the columns that the first schema has.
STEP = (
    "select id from process where id = (select id from process order by random() limit 1) for no key update skip locked",
    "delete from inbox where id in (select id from inbox order by id limit 1 for update skip locked)",
    """update process set sequence = sequence + 1, status = 'waiting', owed_since = clock_timestamp()
       where id = (select id from process where namespace = 'busy' order by random() limit 1 for update skip locked)""",
    """delete from call where activity in (select activity from call limit 1 for update skip locked)""",
)
LOOK = (
    "select count(*) from process p join timer t on t.process = p.id where p.status = 'waiting'",
    "select count(*) from call where lease_until < now()",
    "select count(*) from inbox",
)


@dataclass
class Session:
    """Does one transaction after another; a statement that has to wait for long fails."""

    connection: asyncpg.Connection
    statements: tuple[str, ...]
    done: int = 0
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        await self.connection.execute("set statement_timeout = '4s'")
        while not self.stop.is_set():
            async with self.connection.transaction():
                for statement in self.statements:
                    await self.connection.fetch(statement)
            self.done += 1

    async def does(self, more: int) -> None:
        wanted = self.done + more
        while self.done < wanted:
            await asyncio.sleep(0.005)


@pytest.fixture
async def dsn(postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    """A database at the first schema, with rows."""
    async with postgres.empty_database() as empty:
        first = runner.shipped()[:1]
        with monkeypatch.context() as patch:
            patch.setattr(runner, "shipped", lambda: first)
            await runner.migrate(empty)
        connection = await asyncpg.connect(empty)
        await connection.execute(FILL.replace("$1", str(ROWS)))
        await connection.close()
        yield empty


async def test_who_works_goes_on(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "LOCK_TIMEOUT", "100ms")
    monkeypatch.setattr(runner, "RETRY_SECONDS", 0.1)
    async with AsyncExitStack() as stack, asyncio.timeout(60), asyncio.TaskGroup() as working:
        opened = [await asyncpg.connect(dsn) for _ in range(5)]
        for connection in opened:
            stack.push_async_callback(connection.close)
        holder, *others = opened
        sessions = [Session(connection, STEP if number % 2 else LOOK) for number, connection in enumerate(others)]
        for session in sessions:
            working.create_task(session.run())
        holding = holder.transaction()
        await holding.start()
        await holder.execute("select from process limit 1; select from call limit 1; select from inbox limit 1")

        migrating = working.create_task(runner.migrate(dsn))
        await _waits(dsn)
        for session in sessions:
            await session.does(3)  # beside a migration that waits, again and again
        assert not migrating.done()
        await holding.rollback()
        applied = await migrating
        for session in sessions:
            await session.does(ROUNDS_AFTER)
            session.stop.set()
    assert applied == [migration.name for migration in runner.shipped()[1:]]


async def _waits(dsn: str) -> None:
    """Returns once a migration has waited for a lock."""
    connection = await asyncpg.connect(dsn)
    try:
        while not await connection.fetchval(
            "select exists (select from pg_locks where not granted and locktype = 'relation')"
        ):
            await asyncio.sleep(0.005)
    finally:
        await connection.close()
