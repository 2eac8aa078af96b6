"""One suite over both coordinators, on real servers that are stopped, frozen and emptied under it."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from uuid import UUID, uuid4

import asyncpg
import pytest
import uvloop

from perdure.coordination.contract import Coordinator
from perdure.coordination.memory import Memory
from perdure.coordination.permits import Permits
from perdure.coordination.postgres import PostgresCoordinator
from perdure.coordination.redis import RedisCoordinator
from perdure.limits import Limit
from servers import Fleet, PostgresServer, Proxy, RedisServer, Server


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


async def test_no_more_than_the_concurrency_are_admitted(world: World) -> None:
    coordinators = [await world.coordinator() for _ in range(4)]
    limit = Limit(concurrency=3)
    permits = [(coordinator, uuid4()) for coordinator in coordinators for _ in range(5)]

    async def admitted(coordinator: Coordinator, permit: UUID) -> bool:
        return await coordinator.admit("host", limit, permit, 30) == 0

    async with asyncio.timeout(30):
        found = await asyncio.gather(*(admitted(*one) for one in permits))
    assert sum(found) == 3
    (one, permit), *_ = [one for one, given in zip(permits, found, strict=True) if given]
    assert await one.admit("host", limit, permit, 30) == 0, "it has been given already"
    assert 0 < await one.admit("host", limit, uuid4(), 30) <= 1
    assert await one.admit("another host", limit, uuid4(), 30) == 0
    await one.release("host", permit)
    await one.release("host", permit)
    found = [await admitted(coordinator, uuid4()) for coordinator in coordinators]
    assert found == [True, False, False, False]


async def test_permits_of_a_vanished_process_run_out_and_those_held_do_not(world: World) -> None:
    one, other = await world.coordinator(), await world.coordinator()
    limit, held = Limit(concurrency=2), uuid4()
    assert await one.admit("host", limit, held, 0.3) == 0
    assert await one.admit("host", limit, uuid4(), 0.3) == 0
    await one.hold([("host", held)], 60)
    await admission(other, "host", limit)
    assert await other.admit("host", limit, uuid4(), 60) > 0, "the one that is held has run out"


async def test_permits_that_were_forgotten_are_put_back(world: World) -> None:
    one, other = await world.coordinator(), await world.coordinator()
    permits = [uuid4(), uuid4()]
    await one.hold([("host", permit) for permit in permits], 60)
    await one.hold([], 60)
    assert await other.admit("host", Limit(concurrency=2), uuid4(), 60) > 0
    await one.release("host", permits[0])
    assert await other.admit("host", Limit(concurrency=2), uuid4(), 60) == 0


async def test_a_rate_holds_for_all_together(world: World) -> None:
    """The nth is admitted no sooner than the rate allows, however late each may be: grants are only ever later."""
    one, other = await world.coordinator(), await world.coordinator()
    limit = Limit(rate_per_second=50)
    start, times = time.monotonic(), []

    async def take_five(coordinator: Coordinator) -> None:
        for _ in range(5):
            await admission(coordinator, "host", limit)
            times.append(time.monotonic() - start)

    await asyncio.gather(*(take_five(coordinator) for coordinator in (one, other, one, other)))
    assert len(times) == 20
    for count, seconds in enumerate(sorted(times), start=1):
        assert count <= 50 * (seconds + 0.01) + limit.burst, times
    assert await one.admit("another host", limit, uuid4(), 30) == 0


async def test_a_rate_says_how_long_to_wait(world: World) -> None:
    coordinator = await world.coordinator()
    limit = Limit(rate_per_second=1 / 3600)
    assert await coordinator.admit("slow", limit, uuid4(), 30) == 0
    assert 3500 < await coordinator.admit("slow", limit, uuid4(), 30) <= 3600
    # A limit that was made wider holds at once, whatever was counted under the old one.
    assert await coordinator.admit("slow", Limit(rate_per_second=1000), uuid4(), 30) < 0.0011


async def test_a_refused_concurrency_uses_up_no_rate(world: World) -> None:
    coordinator = await world.coordinator()
    both, permit = Limit(rate_per_second=1 / 3600, concurrency=1), uuid4()
    assert await coordinator.admit("host", both, permit, 30) == 0
    await coordinator.release("host", permit)
    assert await coordinator.admit("host", both, uuid4(), 30) > 1000
    assert await coordinator.admit("host", Limit(concurrency=1), permit, 30) == 0, "a refused rate took up a place"
    assert await coordinator.admit("host", Limit(rate_per_second=0.9, concurrency=1), uuid4(), 30) < 1


async def admission(coordinator: Coordinator, name: str, limit: Limit) -> UUID:
    """A permit, asked for until it is given."""
    permit = uuid4()
    async with asyncio.timeout(30):
        while (seconds := await coordinator.admit(name, limit, permit, 60)) > 0:
            await asyncio.sleep(seconds)
    return permit


@pytest.mark.parametrize("outage", ["stopped", "frozen"])
async def test_limits_are_the_processs_own_during_an_outage(world: World, outage: str) -> None:
    one = await world.coordinator()
    limit, before, during = Limit(concurrency=2), uuid4(), uuid4()
    assert await one.admit("host", limit, before, 60) == 0
    if outage == "frozen":
        world.server.freeze()
    else:
        await world.server.kill()
    try:
        assert await one.admit("host", limit, during, 60) == 0
        assert await one.admit("host", limit, uuid4(), 60) > 0, "what was given before the outage counts too"
        await one.hold([("host", before), ("host", during)], 60)
        await one.release("host", before)
        assert await one.admit("host", limit, uuid4(), 60) == 0
        assert await one.admit("host", limit, uuid4(), 60) > 0
    finally:
        await world.server.ensure()


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


def test_reset_connections_are_an_outage_like_any_other(redis: RedisServer) -> None:
    """On the loop that services run on, which has an error of its own for them."""

    async def reset() -> None:
        async with AsyncExitStack() as stack:
            proxy = Proxy(redis.port)
            await proxy.start()
            stack.push_async_callback(proxy.close)
            coordinator = RedisCoordinator(redis.fresh_url().replace(str(redis.port), str(proxy.port)))
            stack.push_async_callback(coordinator.stop)
            await coordinator.remember("k", b"v", 30)
            (connection,) = coordinator._redis.connection_pool._available_connections
            proxy.cut()
            while not connection._writer.transport.is_closing():
                await asyncio.sleep(0.001)
            assert await coordinator.recall("k") is None
            while await coordinator.recall("k") is None:
                await asyncio.sleep(0.01)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(reset())


async def test_redis_is_shared_between_processes(redis: RedisServer) -> None:
    url = redis.fresh_url()
    one, other = RedisCoordinator(url), RedisCoordinator(url)
    await one.remember("k", b"v", 30)
    assert await other.recall("k") == b"v"
    await one.stop()
    await other.stop()


@pytest.mark.parametrize("rate", [0.5, 10, 1000])
def test_no_window_sees_more_than_the_rate_and_a_burst(rate: float) -> None:
    """On a clock of its own: asked for again and again, at once and after pauses."""
    permits, limit, times, now = Permits(), Limit(rate_per_second=rate), [], 1000.0
    for pause in [0, 0, 3.1, 0.004, 60, 0] * 5:
        now += pause
        for _ in range(40):
            wait = permits.admit("host", limit, uuid4(), 10, now)
            if wait == 0:
                times.append(now)
            else:
                now += wait + 1e-9
    assert len(times) > 100
    for i, first in enumerate(times):
        for count, last in enumerate(times[i:], start=1):
            assert count <= rate * (last - first) + limit.burst + 1e-6


def test_memory_is_bounded_in_number_and_size() -> None:
    memory = Memory(entries_max=3, bytes_max=10)
    for key in "abcd":
        memory.remember(key, b"1", 60)
    assert [memory.recall(key) for key in "abcd"] == [None, b"1", b"1", b"1"]
    memory.remember("e", b"123456789", 60)
    assert [memory.recall(key) for key in "bcde"] == [None, None, b"1", b"123456789"]
    memory.remember("huge", b"12345678901", 60)
    assert [memory.recall(key) for key in ("d", "e", "huge")] == [None, None, None]
