"""The wire that chaos cuts: what it says has happened must have, or chaos tries nothing."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import asyncpg
import pytest

from servers import PostgresServer, Proxy

CUT = (OSError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError)
SECONDS_MAX = 20.0

Write = Callable[[asyncpg.Connection], Awaitable[None]]


@pytest.fixture
async def proxy(postgres: PostgresServer) -> AsyncIterator[Proxy]:
    opened = Proxy(postgres.port)
    await opened.start()
    yield opened
    await opened.close()


@pytest.fixture
async def client(database: str, postgres: PostgresServer, proxy: Proxy) -> AsyncIterator[asyncpg.Connection]:
    direct = await asyncpg.connect(database)
    await direct.execute("create table kept (n integer)")
    await direct.close()
    connection = await asyncpg.connect(database.replace(str(postgres.port), str(proxy.port)))
    yield connection
    connection.terminate()


async def kept(database: str) -> list[int]:
    connection = await asyncpg.connect(database)
    try:
        return [row["n"] for row in await connection.fetch("select n from kept")]
    finally:
        await connection.close()


async def in_transaction(client: asyncpg.Connection) -> None:
    async with client.transaction():
        await client.execute("insert into kept values (1)")


async def alone(client: asyncpg.Connection) -> None:
    await client.fetch("insert into kept values ($1) returning n", 1)


async def test_cut_before_the_commit_nothing_has_happened(
    database: str, proxy: Proxy, client: asyncpg.Connection
) -> None:
    cut = asyncio.create_task(proxy.before_commit.catch(1, SECONDS_MAX))
    await asyncio.sleep(0)
    with pytest.raises(CUT):
        await in_transaction(client)
    assert await cut == 1
    assert await kept(database) == []


@pytest.mark.parametrize("write", [in_transaction, alone])
async def test_cut_after_the_commit_all_has(
    database: str, proxy: Proxy, client: asyncpg.Connection, write: Write
) -> None:
    cut = asyncio.create_task(proxy.after_commit.catch(1, SECONDS_MAX))
    await asyncio.sleep(0)
    with pytest.raises(CUT):
        await write(client)
    assert await cut == 1
    assert await kept(database) == [1]


async def test_cut_wherever_it_is(database: str, proxy: Proxy, client: asyncpg.Connection) -> None:
    transaction = client.transaction()
    await transaction.start()
    await client.execute("insert into kept values (1)")
    assert proxy.cut() == 1
    with pytest.raises(CUT):
        await transaction.commit()
    assert await kept(database) == []


async def test_stalled_nothing_passes_and_nothing_is_lost(proxy: Proxy, client: asyncpg.Connection) -> None:
    async with proxy.stalled():
        asked = asyncio.create_task(client.fetchval("select 1"))
        done, _ = await asyncio.wait([asked], timeout=0.2)
        assert not done
    assert await asked == 1


async def test_slowed_it_takes_longer(proxy: Proxy, client: asyncpg.Connection) -> None:
    async with proxy.slowed(0.05):
        began = asyncio.get_running_loop().time()
        assert await client.fetchval("select 1") == 1
        assert asyncio.get_running_loop().time() - began >= 0.1


async def test_a_server_that_is_away_is_away(proxy: Proxy, postgres: PostgresServer, database: str) -> None:
    await postgres.stop()
    with pytest.raises(CUT):
        await asyncpg.connect(database.replace(str(postgres.port), str(proxy.port)), timeout=SECONDS_MAX)
