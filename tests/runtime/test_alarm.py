"""When a part of a worker looks again: at the earliest moment that anybody has named."""

import asyncio

from perdure.worker.alarm import Alarm

LONG = 3600.0


async def test_what_was_named_before_it_rests_counts() -> None:
    alarm = Alarm()
    alarm.expect(LONG)
    alarm.expect(0.0)
    async with asyncio.timeout(10):
        await alarm.rest()


async def test_a_moment_counts_once() -> None:
    alarm = Alarm()
    alarm.expect(0.0)
    await alarm.rest()
    resting = asyncio.create_task(alarm.rest())
    for _ in range(10):
        await asyncio.sleep(0)
    assert not resting.done()
    alarm.expect(0.0)
    async with asyncio.timeout(10):
        await resting


async def test_an_earlier_moment_counts_and_a_later_one_does_not() -> None:
    alarm = Alarm()
    resting = asyncio.create_task(alarm.rest(LONG))
    await asyncio.sleep(0)
    alarm.expect(2 * LONG)
    for _ in range(10):
        await asyncio.sleep(0)
    assert not resting.done()
    alarm.expect(0.01)
    async with asyncio.timeout(10):
        await resting
