"""Migrations while the previous release serves: they give way instead of holding up a busy table."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import asyncpg
import pytest

from perdure.store.postgres.migrations import MigrationFailed, runner

ALTERING = runner.Migration(9999, "9999_note.sql", "alter table process add column note text")


@pytest.fixture
async def connections(database: str) -> AsyncIterator[tuple[asyncpg.Connection, ...]]:
    """For a long transaction, the migration, and a service."""
    async with AsyncExitStack() as stack:
        opened = [await asyncpg.connect(database) for _ in range(3)]
        for connection in opened:
            stack.push_async_callback(connection.close)
        yield tuple(opened)


async def test_others_are_let_through_until_the_table_is_free(
    connections: tuple[asyncpg.Connection, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    holder, migrating, service = connections
    monkeypatch.setattr(runner, "LOCK_TIMEOUT", "50ms")
    monkeypatch.setattr(runner, "RETRY_SECONDS", 0.05)
    holding = holder.transaction()
    await holding.start()
    await holder.execute("select from process")
    async with asyncio.timeout(30):
        applying = asyncio.create_task(runner.apply(migrating, ALTERING))
        while not await service.fetchval("select exists (select from pg_locks where not granted)"):
            await asyncio.sleep(0.005)
        await service.fetch("select from process")  # queues behind the waiting migration, and gets through
        assert not applying.done()
        await holding.rollback()
        assert await applying == ALTERING.name
    assert await service.fetchval("select count(note) from process") == 0
    assert await service.fetchval("select name from schema_migration where number = 9999") == ALTERING.name


async def test_table_that_is_never_free_is_given_up(
    connections: tuple[asyncpg.Connection, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    holder, migrating, service = connections
    monkeypatch.setattr(runner, "LOCK_TIMEOUT", "10ms")
    monkeypatch.setattr(runner, "RETRY_SECONDS", 0)
    monkeypatch.setattr(runner, "TRIES_MAX", 3)
    async with holder.transaction():
        await holder.execute("select from process")
        with pytest.raises(MigrationFailed, match=r"9999_note\.sql could not lock .* 3 times.*pg_stat_activity"):
            await runner.apply(migrating, ALTERING)
    assert await service.fetchval("select count(*) from schema_migration where number = 9999") == 0
