"""The workflows that are measured as handlers of Restate services, served by Granian as `restate_service:app`."""

from datetime import timedelta
from typing import Any

import aiohttp
import restate

bench = restate.Service("Bench")
# An invocation that waits gives its place back when it has been idle for so long. By default it holds one of a thousand
# places for a minute, and others stand in line.
parking = restate.Service("Parking", inactivity_timeout=timedelta(milliseconds=1))

sessions: list[aiohttp.ClientSession] = []


async def add(n: int) -> int:
    return n + 1


async def get(url: str, key: str) -> Any:
    if not sessions:  # it belongs to the loop that runs the handlers
        sessions.append(aiohttp.ClientSession())
    async with sessions[0].get(url, headers={"Idempotency-Key": key}) as response:
        return await response.json()


@bench.handler()
async def sequence(context: restate.Context, n: int) -> Any:
    for _ in range(5):
        n = await context.run_typed("add", add, n=n)
    return {"n": n}


@bench.handler()
async def calls(context: restate.Context, url: str) -> Any:
    answer = None
    for n in range(3):
        answer = await context.run_typed("get", get, url=url, key=f"{context.request().id}-{n}")
    return answer


@bench.handler()
async def fork(context: restate.Context, width: int) -> Any:
    steps = [context.run_typed("add", add, n=n) for n in range(width)]
    await restate.gather(*steps)
    return [await step for step in steps]


@parking.handler()
async def park(context: restate.Context, kind: str) -> None:
    if kind == "sleep":
        await context.sleep(timedelta(days=30))
    else:
        _, message = context.awakeable()
        await message


app = restate.app([bench, parking])
