"""One process that can't be stepped stops nobody else: neither its batch, nor the loops of the worker."""

import asyncio

import pytest

from perdure.engine.facts import SuspendRequested
from perdure.runtime.step import Stepper
from perdure.store.facts import encode_fact

from .conftest import WHO, open_platform

pytestmark = pytest.mark.usefixtures("plain_logs")

WAIT = [{"w": {"wait": {"hours": 1}}}]
SOON = [{"w": {"wait": {"milliseconds": 300}}}]


async def unreadable(connection, process):
    """A state that no release can read: every step of the process raises in memory."""
    await connection.execute("update process set state = '\\xc1' where id = $1", process.id)


async def unwritable(connection, process):
    """A history whose next number is taken: every step of the process raises in the database."""
    await connection.execute(
        "insert into history (process, sequence, at, type, actor, data)"
        " select id, sequence + 1, now(), 'test', 'test', '{}' from process where id = $1",
        process.id,
    )


async def damaged(connection, process):
    """A fact that nobody can have recorded."""
    await connection.execute(
        "insert into inbox (process, fact, recorded_at) values ($1, '{\"type\":', clock_timestamp())", process.id
    )


@pytest.mark.parametrize("spoil", [unreadable, unwritable, damaged])
async def test_a_batch_goes_on_without_it(database, connection, spoil):
    async with open_platform(database, sweep_seconds=3600) as platform:
        await platform.deploy("wait", WAIT)
        bad, good = [await platform.waiting(await platform.start("wait"), "timer") for _ in range(2)]
        await spoil(connection, bad)
        stepper = Stepper(platform.context)
        for process in (bad, good):
            await platform.context.store.record([(process.id, encode_fact(SuspendRequested("tester")))], operator=True)
        async with asyncio.timeout(20):
            await stepper.step([bad.id, good.id])
        await platform.until(good, lambda view: view.status == "suspended")
        assert (await platform.service.get_process(WHO, bad.id)).status == "waiting"
        put_off = "select min(recorded_at) > clock_timestamp() + interval '10 seconds' from inbox where process = $1"
        assert await connection.fetchval(put_off, bad.id)


@pytest.mark.parametrize("spoil", [unreadable, unwritable])
async def test_timers_calls_and_sweeps_go_on(database, connection, world, spoil):
    async with open_platform(database) as platform:
        await platform.deploy("soon", SOON)
        call = {"call": "http", "with": {"method": "get", "endpoint": world.url + "/held"}}
        world.held["/held"] = asyncio.Event()
        await platform.deploy("call", [{"c": call}])
        for name, reason in (("soon", "timer"), ("call", "call")):
            await spoil(connection, await platform.waiting(await platform.start(name), reason))
        async with asyncio.timeout(20):
            while not world.of("/held"):
                await asyncio.sleep(0.01)
        world.held.pop("/held").set()
        await asyncio.sleep(0)
        for name in ("soon", "call", "soon"):
            assert (await platform.ended(await platform.start(name))).status == "completed"


async def test_the_sweep_gets_past_those_that_fail(database, connection):
    async with open_platform(database, sweep_seconds=3600) as platform:
        await platform.deploy("wait", WAIT)
        bad = await platform.waiting(await platform.start("wait"), "timer")
        await unreadable(connection, bad)
        store = platform.context.store
        await store.record([(bad.id, encode_fact(SuspendRequested("tester")))], operator=True)
        assert await store.owed_steps(0, 10) == [bad.id]
        stepper = Stepper(platform.context)
        async with asyncio.timeout(20):
            while await store.owed_steps(0, 10):
                await stepper.step([bad.id])
        assert await store.with_facts([bad.id]) == [bad.id]
