"""`perdure dev`: killed at any moment under load, it goes on where it was when started again."""

import asyncio
import os
import random
from collections.abc import AsyncIterator

import pytest

from integration import clients, load, reckoning
from integration.api import Api
from integration.programs import Program
from integration.standin import StandIn

SEED = int(os.environ.get("CHAOS_SEED", "1"))
STOP_SECONDS_MAX = 10.0


@pytest.fixture
async def dev() -> AsyncIterator[Program]:
    program = Program("dev", environment={"PERDURE_SWEEP_SECONDS": "1"})
    try:
        await program.start()
        yield program
    finally:
        await program.close()


@pytest.fixture
async def client(dev: Program) -> AsyncIterator[Api]:
    async with Api(dev.url) as api:
        yield api


@pytest.fixture
async def stand_in(client: Api) -> AsyncIterator[StandIn]:
    async with StandIn(clients.service(client)) as opened:
        yield opened


@pytest.mark.parametrize("kills", [6, pytest.param(20, marks=(pytest.mark.long, pytest.mark.timeout(900)))])
async def test_killed_under_load(dev: Program, client: Api, stand_in: StandIn, kills: int) -> None:
    await load.deploy(client)
    chance, processes, done = random.Random(SEED), list[str](), asyncio.Event()

    async def feed() -> None:
        while not done.is_set():
            processes.append(await load.start(client, stand_in, "dev", len(processes)))
            await asyncio.sleep(0.05)

    feeding = asyncio.create_task(feed())
    async with clients.clerk(client):
        for _ in range(kills):
            await asyncio.sleep(chance.uniform(0.05, 1.5))
            await dev.kill()
            await dev.start()
        done.set()
        await feeding
        await reckoning.check(client, stand_in, processes, 90)
    assert dev.running
    reckoning.report(f"dev killed {kills} times, seed {SEED}", stand_in, len(processes))


async def test_stopped_cleanly_it_goes_on(dev: Program, client: Api, stand_in: StandIn) -> None:
    await load.deploy(client)
    processes = [await load.start(client, stand_in, "stopped", number) for number in range(8)]
    assert await dev.stop() < STOP_SECONDS_MAX
    await dev.start()
    async with clients.clerk(client):
        await reckoning.check(client, stand_in, processes, 60)


async def test_what_the_environment_says_about_readiness(dev: Program, client: Api) -> None:
    """No key is needed on loopback, and whoever acts is `dev`."""
    assert (await client.call("GET", "/readyz")).status == 200
    await client.deploy(load.DOUBLE)
    process = await client.start("load/double", {"n": 1}, wait=20)
    assert process["output"] == {"n": 2}
    history = await client.history(process["id"])
    assert {entry["actor"] for entry in history} <= {"dev", "perdure"}
    assert history[0]["actor"] == "dev"
