"""Everything at once for a minute, and for those who look for the cause of what that finds, one kind of harm at a time."""

import asyncio
import os
import random
import sys
from collections.abc import Awaitable, Callable

import pytest

from integration import chaos, clients, load, reckoning
from integration.api import Api
from integration.invariants import violations
from integration.standin import StandIn
from integration.topology import Topology, open_topology

SEED = int(os.environ.get("CHAOS_SEED", "1"))
SECONDS = 60.0
"""Of harm; servers start before it, and what is left to do is done after it."""
END_SECONDS_MAX = 90.0
POLL_SECONDS = 0.1

Harm = Callable[[Topology, random.Random], Awaitable[None]]


async def _kill(topology: Topology, chance: random.Random, times: int) -> None:
    for _ in range(times):
        await asyncio.sleep(chance.uniform(0.2, 3.0))
        await topology.kill_one(chance)
    await asyncio.gather(*(program.ready() for program in topology.programs))


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
            _kill(topology, chance, 6),
            wipe_rabbit(topology, chance),
            wipe_redis(topology, chance),
            restart_postgres(topology, chance),
        )


@pytest.mark.timeout(400)
async def test_everything_fits_together_after_chaos() -> None:
    """As `make chaos`, with the clocks of some services wrong where that can be had."""
    async with open_topology(skewed=sys.platform == "linux", wired=True) as topology:
        await chaos.chaos(topology, SECONDS, SEED)


async def test_without_the_broker_everything_goes_on(topology: Topology, api: Api, service: StandIn) -> None:
    await _ends_well(topology, api, service, lose_rabbit)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("harm", [wipe_redis, restart_postgres, wipe_rabbit, kill_twenty, all_at_once])
async def test_everything_accepted_ends_well(topology: Topology, api: Api, service: StandIn, harm: Harm) -> None:
    await _ends_well(topology, api, service, harm)


async def _ends_well(topology: Topology, api: Api, service: StandIn, harm: Harm) -> None:
    await load.deploy(api)
    stop, run = asyncio.Event(), harm.__name__
    async with clients.clerk(api):
        feeding = asyncio.create_task(clients.feed(api, service, run, stop, least=40))
        try:
            await harm(topology, random.Random(SEED))
        finally:
            stop.set()
        accepted = await feeding
        await reckoning.check(api, service, accepted, END_SECONDS_MAX)
    assert not await violations(topology.dsn)
    assert all(program.running for program in topology.programs), "something has ended by itself"
    reckoning.report(f"{run}, seed {SEED}", service, len(accepted))
