"""What aiormq makes of a lost connection, as our tasks see it."""

import asyncio

import pytest

from perdure.broker import rabbitmq_link
from perdure.broker.rabbitmq_link import end, honest, tolerant


async def _waits_for(future: asyncio.Future[None]) -> None:
    with honest():
        await future


async def test_a_cancellation_that_nobody_asked_for_is_a_lost_connection() -> None:
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(_waits_for(future))
    await asyncio.sleep(0)
    future.cancel()
    with pytest.raises(ConnectionResetError):
        await task


async def test_a_cancelled_task_is_cancelled() -> None:
    task = asyncio.create_task(_waits_for(asyncio.get_running_loop().create_future()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_time_limit_within_stays_a_time_limit() -> None:
    with pytest.raises(TimeoutError), honest():
        async with asyncio.timeout(0):
            await asyncio.Event().wait()


@pytest.mark.parametrize("error", [asyncio.CancelledError(), ConnectionResetError(), TimeoutError()])
async def test_what_is_moot_fails_in_silence(error: BaseException) -> None:
    with tolerant():
        raise error


async def test_a_task_that_loses_its_cancellation_ends_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rabbitmq_link, "CANCEL_AGAIN_SECONDS", 0.01)
    lost = 0

    async def loses_two() -> None:
        nonlocal lost
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                if lost == 2:
                    raise
                lost += 1

    task = asyncio.create_task(loses_two())
    await asyncio.sleep(0)
    await end(task)
    assert (lost, task.cancelled()) == (2, True)
