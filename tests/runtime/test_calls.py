"""Calls made where they were decided: leased with the step, their results taken in with the next."""

import asyncio
from contextlib import asynccontextmanager

import asyncpg

from perdure.broker.contract import CALLS
from perdure.store.contract import StoreUnavailable

from .conftest import WHO, open_platform


def get(world, path):
    return {"call": "http", "with": {"method": "get", "endpoint": world.url + path}}


def many(world, count):
    return [{"all": {"fork": {"branches": [{f"b{i}": get(world, f"/{i}")} for i in range(count)]}}}]


def announced(platform):
    """The calls that go through the broker from now on."""
    told = []
    publish = platform.context.broker.publish

    async def listen(queue, ids):
        told.extend(ids if queue == CALLS else [])
        await publish(queue, ids)

    platform.context.broker.publish = listen
    return told


async def called(world, path):
    async with asyncio.timeout(20):
        while not world.of(path):
            await asyncio.sleep(0.01)


async def test_what_a_worker_has_room_for_needs_no_broker(database, world):
    async with open_platform(database, sweep_seconds=3600) as platform:
        told = announced(platform)
        view = await platform.run("three", [{"a": get(world, "/a")}, {"b": get(world, "/b")}, {"c": get(world, "/c")}])
        assert (view.status, told, len(world.requests)) == ("completed", [], 3)


async def test_what_it_has_no_room_for_goes_through_the_broker(database, world):
    async with open_platform(database, sweep_seconds=3600, calls_concurrency_max=2) as platform:
        told = announced(platform)
        view = await platform.run("many", many(world, 5))
        assert (view.status, len(told), len(world.requests)) == ("completed", 3, 5)
        assert platform.worker._calls.room == 2


async def test_a_step_that_may_not_have_been_committed_gives_its_calls_back(database, world):
    """They are made long before their lease ends, and nobody doubts that they were not made before."""
    async with open_platform(database, call_lease_seconds=3600, calls_concurrency_max=1) as platform:
        store = platform.context.store
        await platform.deploy("cut", [{"nap": {"wait": {"milliseconds": 1}}}, {"a": get(world, "/a")}])
        take, cut = store.take, []

        @asynccontextmanager
        async def cut_off(ids, **more):
            async with take(ids, **more) as taken:
                yield taken
            row = await connection.fetchrow("select lease_token from call")
            if row is not None and not cut:
                cut.append(row["lease_token"])
                raise StoreUnavailable("cut off after the commit")

        connection = await asyncpg.connect(database)
        store.take = cut_off
        view = await platform.ended(await platform.start("cut"))
        await connection.close()
        assert (view.status, len(world.requests), len(cut)) == ("completed", 1, 1)
        assert cut[0] is not None
        assert not [line for line in await platform.history(view) if "doubt" in line]
        assert platform.worker._calls.room == 1


async def test_a_result_for_a_suspended_process_waits_with_it(database, world):
    async with open_platform(database, sweep_seconds=3600) as platform:
        world.held["/a"] = asyncio.Event()
        await platform.deploy("rests", [{"a": get(world, "/a")}])
        process = await platform.start("rests")
        await called(world, "/a")
        await platform.service.command(WHO, process.id, "suspend", None)
        world.held["/a"].set()
        async with asyncio.timeout(20):
            while platform.worker._calls._tokens:
                await asyncio.sleep(0.01)
        assert (await platform.service.get_process(WHO, process.id)).status == "suspended"
        await platform.service.command(WHO, process.id, "resume", None)
        assert ((await platform.ended(process)).status, len(world.requests)) == ("completed", 1)


async def test_a_result_for_a_process_that_is_held_is_taken_in_later(database, connection, world):
    async with open_platform(database, call_lease_seconds=3600) as platform:
        world.held["/a"] = asyncio.Event()
        await platform.deploy("held", [{"a": get(world, "/a")}])
        process = await platform.start("held")
        await called(world, "/a")
        async with connection.transaction():
            await connection.execute("select 1 from process where id = $1 for update", process.id)
            world.held["/a"].set()
            async with asyncio.timeout(20):
                while not await connection.fetchval("select count(*) from inbox where process = $1", process.id):
                    await asyncio.sleep(0.01)
            assert await connection.fetchval("select count(*) from call") == 0
        assert ((await platform.ended(process)).status, len(world.requests)) == ("completed", 1)


async def test_results_that_wait_for_a_step_come_in_the_next_together(database, world):
    """While two steps are under way, of processes whose expressions take their time."""
    async with open_platform(database, sweep_seconds=3600) as platform:
        for path in ("/0", "/1", "/2", "/3", "/4"):
            world.held[path] = asyncio.Event()
        await platform.deploy("many", many(world, 5))
        process = await platform.start("many")
        for n in range(5):
            await called(world, f"/{n}")
        stepper, stepped = platform.worker._stepper, []
        batch, free = stepper._batch, asyncio.Event()

        async def held(taking, **more):
            stepped.append(len([one for some in more.get("answers", {}).values() for one in some]))
            await free.wait()
            return await batch(taking, **more)

        stepper._batch = held
        for n in range(5):
            world.held[f"/{n}"].set()
            async with asyncio.timeout(20):
                while len(stepper._gathering._waiting) + sum(stepped) < n + 1:
                    await asyncio.sleep(0.01)
        free.set()
        assert (await platform.ended(process)).status == "completed"
        assert stepped[:3] == [1, 1, 3]


async def test_a_result_in_hand_is_recorded_whoever_has_the_call_by_then(database, world):
    """The database was away for longer than the lease, and the call has been leased anew by the same worker."""
    async with open_platform(database, sweep_seconds=3600, call_lease_seconds=3600) as platform:
        calls, store = platform.worker._calls, platform.context.store
        answer, tried, away = platform.worker._stepper.answer, [], asyncio.Event()
        away.set()

        async def unreachable(answers):
            if away.is_set():
                tried.extend(answers)
                raise StoreUnavailable("away")
            return await answer(answers)

        platform.worker._stepper.answer = unreachable
        await platform.deploy("one", [{"a": get(world, "/a")}])
        process = await platform.start("one")
        async with asyncio.timeout(20):
            while not tried:
                await asyncio.sleep(0.01)
        world.held["/a"] = asyncio.Event()
        await store.forget_leases()
        await calls.take([tried[0].activity])
        async with asyncio.timeout(20):
            while len(world.of("/a")) < 2:
                await asyncio.sleep(0.01)
        away.clear()
        assert (await platform.ended(process)).status == "completed"
