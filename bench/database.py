"""What only the database can tell: how large it is, what was written, how often it is asked."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import asyncpg


@contextlib.asynccontextmanager
async def connected(dsn: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(dsn)
    try:
        yield connection
    finally:
        await connection.close()


async def size_bytes(dsn: str) -> int:
    """Tables with their indexes, once what is dead has been made free for others."""
    async with connected(dsn) as connection:
        await connection.execute("vacuum analyze")
        size: int = await connection.fetchval("select pg_database_size(current_database())")
        return size


async def written_bytes(dsn: str) -> int:
    """Bytes of the log that the database has written ahead since it was made."""
    async with connected(dsn) as connection:
        written: int = await connection.fetchval("select (pg_current_wal_lsn() - '0/0')::bigint")
        return written


async def transactions(dsn: str) -> int:
    """Begun by anybody so far, this question included."""
    async with connected(dsn) as connection:
        number: int = await connection.fetchval(
            "select xact_commit + xact_rollback from pg_stat_database where datname = current_database()"
        )
        return number
