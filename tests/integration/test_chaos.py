"""Processes, brokers, caches and the database die under load: every accepted process ends as it should."""

import asyncio
import os
import random
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from integration import load
from integration.api import Api
from integration.invariants import violations
from integration.standin import StandIn
from integration.topology import Topology

SEED = int(os.environ.get("CHAOS_SEED", "1"))
END_SECONDS_MAX = 90.0
PACE_SECONDS = 0.1

Harm = Callable[[Topology, random.Random], Awaitable[None]]


async def _kill(topology: Topology, chance: random.Random, times: int) -> None:
    for _ in range(times):
        await asyncio.sleep(chance.uniform(0.2, 3.0))
        await topology.kill_one(chance)
    await asyncio.gather(*(program.ready() for program in topology.programs))


async def kill_six(topology: Topology, chance: random.Random) -> None:
    await _kill(topology, chance, 6)


async def kill_twenty(topology: Topology, chance: random.Random) -> None:
    await _kill(topology, chance, 20)


async def wipe_rabbit(topology: Topology, chance: random.Random) -> None:
    await asyncio.sleep(chance.uniform(0.5, 1.0))
    await topology.rabbit.wipe()


async def wipe_redis(topology: Topology, chance: random.Random) -> None:
    for _ in range(3):
        await asyncio.sleep(chance.uniform(0.2, 0.8))
        await topology.redis.wipe()


async def restart_postgres(topology: Topology, chance: random.Random) -> None:
    for stop in (topology.postgres.stop, topology.postgres.kill):
        await asyncio.sleep(chance.uniform(0.5, 1.0))
        await stop()
        await asyncio.sleep(chance.uniform(0.1, 1.0))
        await topology.postgres.start()


async def all_at_once(topology: Topology, chance: random.Random) -> None:
    for _ in range(3):
        await asyncio.gather(
            kill_six(topology, chance),
            wipe_rabbit(topology, chance),
            wipe_redis(topology, chance),
            restart_postgres(topology, chance),
        )


async def _trickle(api: Api, service: StandIn, run: str, stop: asyncio.Event, least: int) -> AsyncIterator[str]:
    """Starts orders one after the other until told to stop, and at least so many."""
    number = 0
    while number < least or not stop.is_set():
        yield await load.start(api, service, run, number)
        number += 1
        await asyncio.sleep(0 if stop.is_set() else PACE_SECONDS)


@pytest.mark.long
@pytest.mark.parametrize(
    "harm",
    [
        kill_six,
        wipe_rabbit,
        wipe_redis,
        restart_postgres,
        pytest.param(kill_twenty, marks=pytest.mark.long),
        pytest.param(all_at_once, marks=pytest.mark.long),
    ],
)
async def test_everything_accepted_ends_well(topology: Topology, api: Api, service: StandIn, harm: Harm) -> None:
    await load.deploy(api)
    stop, accepted = asyncio.Event(), list[str]()
    run = harm.__name__

    async def feed() -> None:
        async for process in _trickle(api, service, run, stop, least=40):
            accepted.append(process)

    async with load.clerk(api):
        feeding = asyncio.create_task(feed())
        try:
            await harm(topology, random.Random(SEED))
        finally:
            stop.set()
        await feeding
        await load.check(api, service, accepted, END_SECONDS_MAX)
    assert not await violations(topology.dsn)
    assert all(program.running for program in topology.programs), "something has ended by itself"
