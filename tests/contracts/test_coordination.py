"""One suite over both coordinators, on real servers that are stopped, frozen and emptied under it."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import asyncpg
import pytest

from perdure.coordination.contract import Coordinator
from perdure.coordination.memory import Memory
from perdure.coordination.postgres import PostgresCoordinator
from perdure.coordination.redis import RedisCoordinator
from servers import Fleet, PostgresServer, RedisServer, Server


class World:
    """A server, and coordinators as different processes would have them."""

    def __init__(self, server: Server, make: Callable[[], Awaitable[Coordinator]]) -> None:
        self.server = server
        self.coordinator = make


@pytest.fixture(params=["postgres", "redis"])
async def world(request: pytest.FixtureRequest, fleet: Fleet) -> AsyncIterator[World]:
    server = await fleet.get(request.param)
    async with AsyncExitStack() as stack:
        if isinstance(server, PostgresServer):
            dsn = await stack.enter_async_context(server.fresh_database())
        else:
            assert isinstance(server, RedisServer)
            url = server.fresh_url()

        async def make() -> Coordinator:
            made: Coordinator
            if request.param == "postgres":
                pool = await asyncpg.create_pool(dsn, min_size=0, max_size=4)
                stack.callback(pool.terminate)
                made = PostgresCoordinator(pool)
            else:
                made = RedisCoordinator(url)
            await made.start()
            stack.push_async_callback(made.stop)
            return made

        yield World(server, make)


async def test_lock_is_held_by_one_at_a_time(world: World) -> None:
    one, other = await world.coordinator(), await world.coordinator()
    async with one.lock("sweep", 30) as mine:
        assert mine
        async with other.lock("sweep", 30) as theirs, other.lock("something else", 30) as another:
            assert not theirs
            assert another
        async with other.lock("sweep", 30) as theirs:
            assert not theirs, "leaving a lock that was not had must not release it"
    async with other.lock("sweep", 30) as theirs:
        assert theirs


async def test_only_one_of_many_gets_the_lock(world: World) -> None:
    coordinators = [await world.coordinator() for _ in range(4)]
    gate = asyncio.Event()
    had = []

    async def compete(coordinator: Coordinator) -> None:
        async with coordinator.lock("sweep", 30) as mine:
            had.append(mine)
            if len(had) == 20:
                gate.set()
            await gate.wait()

    async with asyncio.timeout(30):
        await asyncio.gather(*(compete(coordinator) for coordinator in coordinators for _ in range(5)))
    assert sum(had) == 1


async def test_lock_is_released_when_the_work_fails(world: World) -> None:
    one, other = await world.coordinator(), await world.coordinator()
    with pytest.raises(ZeroDivisionError):
        async with one.lock("sweep", 30):
            raise ZeroDivisionError
    async with other.lock("sweep", 30) as mine:
        assert mine


async def test_lock_of_a_vanished_process_runs_out_and_is_not_released_twice(world: World) -> None:
    one, other, third = [await world.coordinator() for _ in range(3)]
    lost = one.lock("sweep", 0.2)
    assert await lost.__aenter__()
    async with asyncio.timeout(10):
        while True:
            successor = other.lock("sweep", 30)
            if await successor.__aenter__():
                break
            await successor.__aexit__(None, None, None)
            await asyncio.sleep(0.01)
    await lost.__aexit__(None, None, None)
    async with third.lock("sweep", 30) as mine:
        assert not mine, "the first has released what was no longer its own"
    await successor.__aexit__(None, None, None)


async def test_values_are_remembered_until_they_run_out_or_are_forgotten(world: World) -> None:
    coordinator = await world.coordinator()
    assert await coordinator.recall("k") is None
    await coordinator.remember("k", b"\x00value", 30)
    assert await coordinator.recall("k") == b"\x00value"
    await coordinator.remember("k", b"newer", 30)
    assert await coordinator.recall("k") == b"newer"
    await coordinator.forget("k")
    assert await coordinator.recall("k") is None
    await coordinator.forget("k")
    await coordinator.remember("short", b"1", 0.05)
    async with asyncio.timeout(10):
        while await coordinator.recall("short") is not None:
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("outage", ["stopped", "frozen"])
async def test_outage_is_felt_as_neither_error_nor_long_wait(world: World, outage: str) -> None:
    coordinator = await world.coordinator()
    assert await coordinator.ready() == "ok"
    if outage == "frozen":
        world.server.freeze()
    else:
        await world.server.kill()
    try:
        start = time.monotonic()
        async with coordinator.lock("sweep", 30) as mine:
            assert mine, "sweeping twice is safe, not sweeping is not"
        for _ in range(100):
            await coordinator.recall("k")
            await coordinator.remember("k", b"v", 30)
            await coordinator.forget("k")
            async with coordinator.lock("sweep", 30) as mine:
                assert mine
        assert time.monotonic() - start < 15
        assert await coordinator.ready() != "ok"
    finally:
        await world.server.ensure()

    async with asyncio.timeout(30):
        while await coordinator.ready() != "ok":
            await asyncio.sleep(0.05)
    async with coordinator.lock("other", 30) as mine, (await world.coordinator()).lock("other", 30) as theirs:
        assert (mine, theirs) == (True, False)


async def test_start_while_the_server_is_away(world: World) -> None:
    await world.server.kill()
    coordinator = await world.coordinator()
    async with coordinator.lock("sweep", 30) as mine:
        assert mine


async def test_wiped_redis_only_forgets(redis: RedisServer) -> None:
    coordinator = RedisCoordinator(redis.fresh_url())
    await coordinator.remember("k", b"v", 30)
    async with coordinator.lock("sweep", 30) as mine:
        assert mine
        await redis.wipe()
    assert await coordinator.recall("k") is None
    await coordinator.stop()


async def test_redis_is_shared_between_processes(redis: RedisServer) -> None:
    url = redis.fresh_url()
    one, other = RedisCoordinator(url), RedisCoordinator(url)
    await one.remember("k", b"v", 30)
    assert await other.recall("k") == b"v"
    await one.stop()
    await other.stop()


def test_memory_is_bounded_in_number_and_size() -> None:
    memory = Memory(entries_max=3, bytes_max=10)
    for key in "abcd":
        memory.remember(key, b"1", 60)
    assert [memory.recall(key) for key in "abcd"] == [None, b"1", b"1", b"1"]
    memory.remember("e", b"123456789", 60)
    assert [memory.recall(key) for key in "bcde"] == [None, None, b"1", b"123456789"]
    memory.remember("huge", b"12345678901", 60)
    assert [memory.recall(key) for key in ("d", "e", "huge")] == [None, None, None]
