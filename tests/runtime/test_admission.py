"""What is let in: processes of a tenant, facts for workers, processes within processes, calls of a tenant."""

import asyncio
from typing import Any

import pytest

from perdure import clock
from perdure.runtime.admission import AGE_SECONDS_MIN, Gauge
from perdure.runtime.errors import Busy
from perdure.runtime.views import StartRequest

from .conftest import WHO, open_platform

WAITING = [{"hear": {"listen": {"to": {"one": {"with": {"type": "t"}}}}}}]


class World:
    """Things that are counted, by a clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.there = 0
        self.time = 100.0
        self.counts = 0
        self.gate: asyncio.Event | None = None

    async def count(self, up_to: int) -> int:
        self.counts += 1
        there = min(self.there, up_to)
        if self.gate is not None:
            await self.gate.wait()
        return there

    def monotonic(self) -> float:
        return self.time

    def gauge(self, most: int) -> Gauge:
        return Gauge(self.count, most)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()
    monkeypatch.setattr(clock, "monotonic", made.monotonic)
    return made


async def test_up_to_the_bound_and_no_further(world: World) -> None:
    world.there = 7
    gauge = world.gauge(10)
    assert [await gauge.take(1) for _ in range(4)] == [True, True, True, False]
    assert not await gauge.take(1)
    assert world.counts == 1


async def test_many_at_once_fit_whole_or_not_at_all(world: World) -> None:
    world.there = 5
    gauge = world.gauge(10)
    assert not await gauge.take(6)
    assert await gauge.take(5)
    assert not await gauge.take(1)


async def test_room_is_found_again_soon_after_there_is_some(world: World) -> None:
    world.there = 10
    gauge = world.gauge(10)
    assert not await gauge.take(1)
    world.there = 9
    world.time += 2 * AGE_SECONDS_MIN
    assert await gauge.take(1)


async def test_it_is_not_counted_for_each_one(world: World) -> None:
    world.there = 0
    gauge = world.gauge(1_000_000)
    for _ in range(1000):
        assert await gauge.take(1)
    assert world.counts == 1
    world.time += AGE_SECONDS_MIN
    assert await gauge.take(1)
    assert world.counts == 2


async def test_who_is_let_in_while_it_is_counted_counts_too(world: World) -> None:
    world.there = 0
    gauge = world.gauge(10)
    assert await gauge.take(1)
    world.there, world.gate = 5, asyncio.Event()
    world.time += AGE_SECONDS_MIN
    first = asyncio.create_task(gauge.take(1))
    await asyncio.sleep(0)
    assert await gauge.take(3)  # not in the count that is under way
    world.gate.set()
    assert await first
    assert await gauge.take(1)
    assert not await gauge.take(1)


def requests(count: int) -> list[StartRequest]:
    return [StartRequest("test", "waits", input={}) for _ in range(count)]


async def test_unfinished_processes_of_a_tenant(database: str) -> None:
    async with open_platform(database, processes_max=5) as platform:
        await platform.deploy("waits", WAITING)
        first = await platform.start("waits")
        assert len(await platform.service.start_batch(WHO, requests(3))) == 3
        with pytest.raises(Busy, match="PERDURE_PROCESSES_MAX"):
            await platform.service.start_batch(WHO, requests(2))
        await platform.start("waits")
        with pytest.raises(Busy, match="5 processes"):
            await platform.start("waits")
        with pytest.raises(Busy, match="asked for 6"):
            await platform.service.start_batch(WHO, requests(6))
        assert await platform.context.store.unfinished("default", 100) == 5
        assert await platform.context.store.unfinished("default", 3) == 3
        assert await platform.context.store.unfinished("other", 100) == 0
        await platform.service.command(WHO, first.id, "cancel", None)
        assert await platform.context.store.unfinished("default", 100) == 4
    async with open_platform(database, processes_max=5) as platform:
        await platform.start("waits")
        with pytest.raises(Busy):
            await platform.start("waits")


async def test_facts_that_wait_for_workers(database: str) -> None:
    event = {"specversion": "1.0", "source": "/s", "type": "t", "id": "1"}
    async with open_platform(database, working=False, backlog_max=3) as platform:
        await platform.deploy("waits", WAITING)
        await platform.service.start_batch(WHO, requests(2))
        await platform.start("waits")
        with pytest.raises(Busy, match="PERDURE_BACKLOG_MAX"):
            await platform.start("waits")
        with pytest.raises(Busy, match="PERDURE_BACKLOG_MAX"):
            await platform.service.receive_events(WHO, [event])
        assert await platform.context.store.backlog(100) == 3
        assert await platform.context.store.backlog(2) == 2
    async with open_platform(database, backlog_max=3) as platform:  # with a worker
        async with asyncio.timeout(20):
            while await platform.context.store.backlog(100):
                await asyncio.sleep(0.01)
        await platform.start("waits")
        await platform.service.receive_events(WHO, [event])


async def test_facts_of_suspended_processes_are_nobodys_backlog(database: str, connection: Any) -> None:
    async with open_platform(database) as platform:
        await platform.deploy("waits", WAITING)
        view = await platform.waiting(await platform.start("waits"), "event")
        await platform.service.command(WHO, view.id, "suspend", None)
        await connection.execute(
            "insert into inbox (process, fact, recorded_at) select $1, '', now() from generate_series(1, 5)", view.id
        )
        assert await platform.context.store.backlog(5) == 0
        assert await platform.context.store.backlog(100) == 5  # far from the bound nobody looks so closely
        await connection.execute("delete from inbox")


@pytest.mark.parametrize(("nesting_max", "status"), [(4, "completed"), (3, "completed"), (2, "faulted")])
async def test_processes_within_processes(database: str, nesting_max: int, status: str) -> None:
    down = [
        {"more": {"switch": [{"on": {"when": "${ .n > 0 }", "then": "inner"}}, {"off": {"then": "end"}}]}},
        {
            "inner": {
                "run": {
                    "workflow": {
                        "namespace": "test",
                        "name": "down",
                        "version": "1.0.0",
                        "input": {"n": "${ .n - 1 }"},
                    }
                }
            }
        },
    ]
    async with open_platform(database, nesting_max=nesting_max) as platform:
        view = await platform.run("down", down, {"n": 3})
        assert view.status == status
        if status == "faulted":
            assert view.error is not None
            assert "PERDURE_NESTING_MAX" in str(view.error)


async def test_a_process_that_nobody_waits_for_is_nested_in_none(database: str) -> None:
    next_ = {"namespace": "test", "name": "chain", "version": "1.0.0", "input": {"n": "${ .n - 1 }"}}
    chain = [
        {"more": {"switch": [{"on": {"when": "${ .n > 0 }", "then": "next"}}, {"off": {"then": "end"}}]}},
        {"next": {"run": {"workflow": next_, "await": False}}},
    ]
    async with open_platform(database, nesting_max=2) as platform:
        view = await platform.run("chain", chain, {"n": 5})
        for _ in range(5):
            (view,) = await platform.until_children(view)
            view = await platform.ended(view)
            assert view.status == "completed"
