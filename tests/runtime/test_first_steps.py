"""First steps of awaited processes, taken where they were accepted."""

import asyncio

import pytest

from perdure.runtime import first_steps
from perdure.runtime.announce import TIMERS
from perdure.runtime.errors import Invalid
from perdure.runtime.views import StartRequest

from .conftest import WHO, open_platform

STEPS = [{"one": {"set": {"n": "${ (.n // 0) + 1 }"}}}, {"two": {"set": {"n": "${ .n + 1 }"}}}]


async def test_the_first_step_of_what_is_awaited_is_taken_where_it_was_accepted(database):
    """Without any worker; what is not awaited is left to them, and so is what comes after."""
    async with open_platform(database, working=False) as platform:
        await platform.deploy("plain", STEPS)
        await platform.deploy("waits", [*STEPS, {"rest": {"wait": {"milliseconds": 1}}}])
        service = platform.service
        plain, waits = StartRequest("test", "plain", input={"n": 1}), StartRequest("test", "waits")
        assert (await platform.ended((await service.start(WHO, plain, awaited=True)).process)).output == {"n": 3}
        left = (await service.start(WHO, plain)).process
        later = (await service.start(WHO, waits, awaited=True)).process
        assert (await service.get_process(WHO, left.id)).status == "pending"
        assert (await service.get_process(WHO, later.id)).status == "waiting"
        wanted = 10
        begun = await asyncio.gather(*(service.start(WHO, plain, awaited=True) for _ in range(wanted)))
        states = [(await service.get_process(WHO, one.process.id)).status for one in begun]
        assert states.count("completed") == first_steps.AT_ONCE_MAX
        assert states.count("pending") == wanted - first_steps.AT_ONCE_MAX
        await platform.worker.start()
        try:
            for process in (left, later, *(one.process for one in begun)):
                assert (await platform.ended(process)).output is not None
        finally:
            await platform.worker.stop()


async def test_who_fires_no_timers_has_a_worker_look_at_them(platform):
    told = []
    publish = platform.context.broker.publish

    async def listen(queue, ids):
        told.extend(ids)
        await publish(queue, ids)

    platform.context.broker.publish = listen
    await platform.deploy("soon", [{"rest": {"wait": {"milliseconds": 1}}}])
    await platform.deploy("late", [{"rest": {"wait": {"hours": 1}}}])
    await platform.service.start(WHO, StartRequest("test", "late"), awaited=True)
    assert str(TIMERS) not in told
    process = (await platform.service.start(WHO, StartRequest("test", "soon"), awaited=True)).process
    assert str(TIMERS) in told
    await platform.ended(process)


async def test_a_repeat_of_an_awaited_start_finds_the_first(database):
    async with open_platform(database, working=False) as platform:
        await platform.deploy("plain", STEPS)
        request = StartRequest("test", "plain", input={"n": 1})
        first, again = [await platform.service.start(WHO, request, idempotency_key="k", awaited=True) for _ in range(2)]
        assert (first.created, again.created) == (True, False)
        assert first.process.id == again.process.id
        with pytest.raises(Invalid):
            await platform.service.start(
                WHO, StartRequest("test", "plain", input={"n": 2}), idempotency_key="k", awaited=True
            )


async def test_a_process_whose_first_step_cannot_be_written_is_accepted(database, connection):
    """It is put off, as any that can't be stepped; once it can be, it goes on."""
    async with open_platform(database, working=False) as platform:
        await platform.deploy("plain", STEPS)
        await connection.execute("alter table history add constraint spoiled check (type is null) not valid")
        request = StartRequest("test", "plain", input={"n": 1})
        started = await platform.service.start(WHO, request, awaited=True)
        assert (await platform.service.get_process(WHO, started.process.id)).status == "pending"
        await connection.execute("alter table history drop constraint spoiled")
        await platform.worker.start()
        try:
            assert (await platform.ended(started.process)).output == {"n": 3}
        finally:
            await platform.worker.stop()


async def test_a_first_step_that_takes_long_holds_up_no_acceptance(database):
    async with open_platform(database, working=False, expression_seconds_max=10) as platform:
        slow = "${ reduce range(400000) as $i (0; . + $i) | {n: .} }"
        await platform.deploy("slow", [{"one": {"set": slow}}])
        started = await platform.service.start(WHO, StartRequest("test", "slow"), awaited=True)
        assert (await platform.ended(started.process)).output == {"n": 79999800000}
