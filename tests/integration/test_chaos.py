"""Processes, brokers, caches and the database die under load: every accepted process ends as it should."""

import asyncio
import itertools
import os
import random
from collections.abc import Awaitable, Callable

import pytest

from integration import clients, load, reckoning
from integration.api import Api
from integration.invariants import violations
from integration.standin import StandIn
from integration.topology import Topology

SEED = int(os.environ.get("CHAOS_SEED", "1"))
END_SECONDS_MAX = 90.0
CLIENTS = 4
"""Who start orders at the same time, so that one that waits for a killed API holds up no other."""
PACE_SECONDS = 0.5
"""How long each of them rests between two orders."""
POLL_SECONDS = 0.1

LONG = (pytest.mark.long, pytest.mark.timeout(900))

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


async def lose_rabbit(topology: Topology, chance: random.Random) -> None:
    """Without the broker everything goes on: it is away until an order that began without it has ended."""
    await asyncio.sleep(chance.uniform(0.5, 1.0))
    await topology.rabbit.lose()
    began = (await topology.fetch("select clock_timestamp() as now"))[0]["now"]
    ended = {"name": "order", "status": "completed", "createdAfter": began.isoformat()}
    async with topology.client() as api, asyncio.timeout(END_SECONDS_MAX):
        while not (await api.get("/v1/processes", limit=1, **ended))["items"]:
            await asyncio.sleep(POLL_SECONDS)
    await topology.rabbit.start()


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


async def feed(api: Api, service: StandIn, run: str, stop: asyncio.Event, least: int) -> list[str]:
    """Have orders started until told to stop, and at least so many; answers them by number."""
    accepted: dict[int, str] = {}
    numbers = itertools.count()

    async def client() -> None:
        while not stop.is_set() or len(accepted) < least:
            number = next(numbers)
            accepted[number] = await load.start(api, service, run, number)
            await asyncio.sleep(0 if stop.is_set() else PACE_SECONDS)

    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return [accepted[number] for number in sorted(accepted)]


@pytest.mark.parametrize(
    "harm",
    [
        kill_six,
        lose_rabbit,
        wipe_redis,
        restart_postgres,
        pytest.param(wipe_rabbit, marks=LONG),
        pytest.param(kill_twenty, marks=LONG),
        pytest.param(all_at_once, marks=LONG),
    ],
)
async def test_everything_accepted_ends_well(topology: Topology, api: Api, service: StandIn, harm: Harm) -> None:
    await load.deploy(api)
    stop, run = asyncio.Event(), harm.__name__
    async with clients.clerk(api):
        feeding = asyncio.create_task(feed(api, service, run, stop, least=40))
        try:
            await harm(topology, random.Random(SEED))
        finally:
            stop.set()
        accepted = await feeding
        await reckoning.check(api, service, accepted, END_SECONDS_MAX)
    assert not await violations(topology.dsn)
    assert all(program.running for program in topology.programs), "something has ended by itself"
    reckoning.report(f"{run}, seed {SEED}", service, len(accepted))
