"""What only the PostgreSQL broker promises: valid SQL everywhere, quiet when idle, no events, vanished sessions."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import asyncpg
import pytest
from brokers import Inbox, PostgresWorld, consuming, eventually

import perdure.broker.queries
import perdure.coordination.queries
from perdure.broker.postgres import POLL_SECONDS
from servers import Fleet, PostgresServer


@pytest.fixture
async def world(postgres: PostgresServer, database: str) -> AsyncIterator[PostgresWorld]:
    async with AsyncExitStack() as stack:
        yield PostgresWorld(postgres, database, stack)


@pytest.mark.parametrize("version", ["postgres", "postgres18"])
@pytest.mark.parametrize(
    "module", [perdure.broker.queries, perdure.coordination.queries], ids=["broker", "coordination"]
)
async def test_statements_are_valid(version: str, module: object, fleet: Fleet) -> None:
    server = await fleet.get(version)
    assert isinstance(server, PostgresServer)
    statements = {name: text for name, text in vars(module).items() if name.isupper() and isinstance(text, str)}
    assert len(statements) >= 3
    async with server.fresh_database() as dsn:
        connection = await asyncpg.connect(dsn)
        try:
            for text in statements.values():
                await connection.prepare(text)
        finally:
            await connection.close()


async def test_idle_broker_is_quiet(world: PostgresWorld) -> None:
    """Two queues without work: at most half a query per second and queue."""
    broker = await world.broker()
    async with consuming(broker, "steps", Inbox()), consuming(broker, "calls", Inbox()):
        connection = await asyncpg.connect(world.dsn)
        try:
            before = await _commits(connection)
            start = time.monotonic()
            await asyncio.sleep(2 * POLL_SECONDS)
            own = 3  # these looks
            rate = (await _commits(connection) - before - own) / (time.monotonic() - start)
        finally:
            await connection.close()
    assert rate <= 2 * 0.5, f"{rate:.2f} transactions a second while idle"


async def _commits(connection: asyncpg.Connection) -> int:
    await connection.execute("SELECT pg_stat_clear_snapshot(), pg_stat_force_next_flush()")
    return await connection.fetchval("SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()")


async def test_table_is_empty_when_all_is_handled(world: PostgresWorld) -> None:
    broker = await world.broker()
    inbox = Inbox()
    async with consuming(broker, "steps", inbox, concurrency=4):
        await asyncio.gather(*(broker.publish("steps", [str(number)]) for number in range(200)))
        await inbox.until_ids(*map(str, range(200)))
    connection = await asyncpg.connect(world.dsn)
    try:
        assert await connection.fetchval("SELECT count(*) FROM message") == 0
    finally:
        await connection.close()
    assert inbox.ids.total() == 200


async def test_a_lost_session_keeps_what_it_handles(world: PostgresWorld) -> None:
    """The connection breaks, the process lives: what it is at work on is not handed to others, nor lost."""
    broker, other = await world.broker(), await world.broker()
    gate = asyncio.Event()
    inbox, others = Inbox(lambda _: gate.wait()), Inbox()
    async with consuming(broker, "calls", inbox, batch_max=1):
        await broker.publish("calls", ["a"])
        await inbox.until_ids("a")
        connection = await asyncpg.connect(world.dsn)
        try:
            await connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'perdure broker'"
            )

            async def adopted() -> bool:
                return await connection.fetchval(
                    "SELECT bool_and(EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory'"
                    " AND objsubid = 2 AND objid = claimed_by::oid)) FROM message"
                )

            await eventually(adopted)
            async with consuming(other, "calls", others):
                gate.set()

                async def gone() -> bool:
                    return await connection.fetchval("SELECT count(*) FROM message") == 0

                await eventually(gone)
        finally:
            await connection.close()
    assert not others.batches
    assert inbox.ids == {"a": 1}


async def test_events_stay_inside(world: PostgresWorld) -> None:
    broker = await world.broker()
    await broker.publish_event({"specversion": "1.0", "id": "1", "source": "/", "type": "t"})
    consumer = broker.consume_events(Inbox())
    await consumer.start()
    await consumer.stop(1)
