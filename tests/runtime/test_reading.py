"""Reads that may be a little old, from a replica that PostgreSQL keeps itself."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from uuid import UUID

import asyncpg
import pytest

from perdure.hosting import CannotStart
from perdure.runtime.errors import NotFound
from perdure.runtime.views import ProcessFilter
from servers import PostgresServer

from .conftest import DEADLINE_SECONDS, WHO, Platform, open_platform

WAITS = [{"say": {"set": {"n": 1}}}, {"rest": {"wait": {"hours": 1}}}]


class Replica:
    def __init__(self, server: PostgresServer, platform: Platform) -> None:
        self.server = server
        self.platform = platform

    async def execute(self, statement: str) -> None:
        connection = await asyncpg.connect(self.server.url)
        await connection.execute(statement)
        await connection.close()

    async def status(self, process: object) -> str:
        service = self.platform.service
        found = await service.list_processes(WHO, ProcessFilter(name="waits"), limit=10, cursor=None, eventual=True)
        (listed,) = [view for view in found.items if view.id == process]
        read = await service.get_process(WHO, listed.id, eventual=True)
        assert read == listed
        return read.status

    async def until(self, process: object, status: str) -> None:
        async with asyncio.timeout(DEADLINE_SECONDS):
            while await self.status(process) != status:
                await asyncio.sleep(0.01)


@pytest.fixture
async def replica() -> AsyncIterator[Replica]:
    async with AsyncExitStack() as stack:
        primary = PostgresServer()
        stack.push_async_callback(primary.close)
        await primary.start()
        dsn = await stack.enter_async_context(primary.fresh_database())
        server = PostgresServer(primary=primary)
        stack.push_async_callback(server.close)
        await server.start()
        url = server.dsn(dsn.rpartition("/")[2])
        platform = await stack.enter_async_context(open_platform(dsn, replica_url=url))
        yield Replica(server, platform)


async def test_a_replica_is_read_where_the_answer_may_be_old(replica: Replica) -> None:
    platform, service = replica.platform, replica.platform.service
    await platform.deploy("waits", WAITS)
    process = await platform.start("waits")
    await platform.waiting(process, "timer")
    await replica.until(process.id, "waiting")
    await replica.execute("select pg_wal_replay_pause()")
    await service.command(WHO, process.id, "suspend", None)
    new = await platform.run("new", WAITS[:1])

    assert (await service.get_process(WHO, process.id)).status == "suspended"
    assert await replica.status(process.id) == "waiting"
    told = await service.history(WHO, process.id, limit=100, cursor=None, eventual=True)
    newest = await platform.history(process)
    assert [line.type for line in told.items] == newest[: len(told.items)]
    assert len(told.items) < len(newest)
    activities = await service.activities(WHO, process.id, limit=100, cursor=None, eventual=True)
    assert [activity.name for activity in activities.items] == ["say", "rest"]
    # What it has not heard of yet, the database answers for.
    assert (await service.get_process(WHO, new.id, eventual=True)).output == {"n": 1}
    with pytest.raises(NotFound):
        await service.get_process(WHO, UUID(int=new.id.int + 1), eventual=True)

    await replica.execute("select pg_wal_replay_resume()")
    await replica.until(process.id, "suspended")


async def test_without_its_replica_a_platform_reads_the_database(replica: Replica) -> None:
    platform = replica.platform
    await platform.deploy("waits", WAITS)
    process = await platform.start("waits")
    await platform.waiting(process, "timer")
    await replica.until(process.id, "waiting")
    await replica.server.kill()
    await platform.service.command(WHO, process.id, "suspend", None)
    assert await replica.status(process.id) == "suspended"
    async with open_platform(platform.dsn, working=False, replica_url=replica.server.url) as another:
        assert (await another.service.get_process(WHO, process.id, eventual=True)).status == "suspended"


async def test_a_replica_that_cannot_be_reached_for_good_is_said_at_once(database: str) -> None:
    with pytest.raises(CannotStart, match="PERDURE_REPLICA_URL"):
        async with open_platform(database, working=False, replica_url=database + "_no_such"):
            pass
