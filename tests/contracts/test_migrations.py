"""Migrations while the previous release serves: they give way instead of holding up a busy table, and it serves on."""

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


NEWEST = runner.shipped()[-1].number


@pytest.mark.parametrize(
    ("said", "serves"),
    [
        ("", True),
        (f"-- serves-from: {NEWEST:04}\n", True),
        (f"-- Drops what was replaced.\n-- serves-from: {NEWEST + 1:04}\n", False),
    ],
)
async def test_an_older_release_serves_unless_a_newer_migration_says_otherwise(
    database: str, connections: tuple[asyncpg.Connection, ...], said: str, serves: bool
) -> None:
    newer = runner.Migration(9999, "9999_newer.sql", f"{said}create table newer (id integer)")
    await runner.apply(connections[0], newer)
    if serves:
        assert await runner.pending(connections[1]) == []
        assert await runner.migrate(database) == []
    else:
        for refused in (runner.pending(connections[1]), runner.migrate(database)):
            with pytest.raises(MigrationFailed, match=r"9999_newer\.sql, which this release does not know"):
                await refused


async def test_a_database_of_before_it_was_kept_who_may_serve(
    database: str, connections: tuple[asyncpg.Connection, ...]
) -> None:
    connection = connections[0]
    await connection.execute("alter table schema_migration drop column serves_from")
    assert await runner.pending(connection) == []
    await connection.execute("insert into schema_migration (number, name, checksum) values (9999, '9999_x.sql', '')")
    with pytest.raises(MigrationFailed, match=r"9999_x\.sql"):
        await runner.pending(connection)
    await connection.execute("delete from schema_migration where number = 9999")
    assert await runner.migrate(database) == []
    assert await connection.fetchval("select count(*) from schema_migration where serves_from is null") == NEWEST


def test_what_a_migration_refuses_is_known_to_it() -> None:
    for migration in runner.shipped():
        assert migration.serves_from <= migration.number
        assert migration.serves_from or "serves-from" not in migration.sql, f"{migration.name} says it in another way"
