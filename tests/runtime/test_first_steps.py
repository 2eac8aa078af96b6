"""First steps of awaited processes, taken where they were accepted."""

import asyncio

from perdure.runtime import first_steps
from perdure.runtime.announce import TIMERS
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
