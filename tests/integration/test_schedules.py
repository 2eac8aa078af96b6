"""Schedules and lifecycle events in the distributed form, while workers are killed."""

import asyncio
import random
from datetime import datetime, timedelta

import aio_pika

from integration.api import Api
from integration.topology import Topology
from perdure.codec import decode

INTERVAL_SECONDS = 0.25
KILLS = 6
COMPLETED = "io.serverlessworkflow.workflow.completed.v1"


def definition(version: str, schedule: str) -> str:
    return f"""
document:
  dsl: 1.0.3
  namespace: chaos
  name: ticking
  version: {version}
  metadata: {{perdure: {{schedule: {{catchUp: all}}}}}}
{schedule}
do:
  - a: {{set: {{n: 1}}}}
  - b: {{set: {{n: 2}}}}
"""


async def test_each_tick_starts_one_process_and_each_end_is_told_while_workers_die(
    topology: Topology, api: Api
) -> None:
    connection = await aio_pika.connect(topology.rabbit.url)
    channel = await connection.channel()
    exchange = await channel.declare_exchange("perdure.events", aio_pika.ExchangeType.TOPIC, durable=True)
    queue = await channel.declare_queue("chaos-consumer", durable=True)
    await queue.bind(exchange, COMPLETED)

    every = f"schedule: {{every: {{milliseconds: {int(INTERVAL_SECONDS * 1000)}}}}}"
    await api.deploy(definition("1.0.0", every))
    (schedule,) = [s for s in await api.items("/v1/schedules") if s["definition"]["name"] == "ticking"]
    chance = random.Random(7)
    for _ in range(KILLS):
        await asyncio.sleep(chance.uniform(0.2, 1.2))
        victim = chance.choice(topology.workers)
        await victim.kill()
        await victim.begin()
    await asyncio.gather(*(program.ready() for program in topology.workers))
    since = datetime.fromisoformat(schedule["since"])
    reached = (await api.get(f"/v1/schedules/{schedule['id']}"))["next"]
    async with asyncio.timeout(60):  # caught up with all that came while workers were away
        while datetime.fromisoformat((await api.get(f"/v1/schedules/{schedule['id']}"))["next"]) <= (
            datetime.fromisoformat(reached) + timedelta(seconds=1)
        ):
            await asyncio.sleep(0.1)
    await api.deploy(definition("2.0.0", ""))
    assert not [s for s in await api.items("/v1/schedules") if s["definition"]["name"] == "ticking"]

    async with asyncio.timeout(60):
        while True:
            processes = await api.items("/v1/processes", namespace="chaos", name="ticking")
            if all(process["status"] == "completed" for process in processes):
                break
            await asyncio.sleep(0.1)
    ticks = sorted(datetime.fromisoformat(process["tags"]["perdure.tick"]) for process in processes)
    step = timedelta(seconds=INTERVAL_SECONDS)
    assert ticks == [since + number * step for number in range(1, len(ticks) + 1)]
    assert len(ticks) > 4 * KILLS / 2

    told: set[str] = set()
    async with asyncio.timeout(60):
        while len(told) < len(processes):
            message = await queue.get(no_ack=True, fail=False)
            if message is None:
                await asyncio.sleep(0.05)
            else:
                told.add(decode(message.body)["source"].rpartition("/")[2])
    assert told == {process["id"] for process in processes}
    await queue.delete(if_unused=False, if_empty=False)
    await connection.close()
