"""Lifecycle events through a real RabbitMQ: bound queues get them all, in the order of each process."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aio_pika
import pytest

from perdure.broker.rabbitmq import RabbitBroker
from perdure.codec import decode
from perdure.runtime import lifecycle
from perdure.runtime.step import Stepper
from perdure.store.lifecycle import PARTITIONS
from servers import RabbitServer

from .conftest import DEADLINE_SECONDS, WHO, Platform, open_platform

LOOP = [
    {"each": {"for": {"each": "n", "in": "${ .items }"}, "do": [{"note": {"set": {"n": "${ $n }"}}}]}},
]


class Queue:
    """A consumer's own queue, bound to the events exchange."""

    def __init__(self, connection: Any, queue: Any) -> None:
        self._connection = connection
        self._queue = queue

    @classmethod
    async def bound(cls, url: str, key: str) -> "Queue":
        connection = await aio_pika.connect(url)
        channel = await connection.channel()
        exchange = await channel.declare_exchange("perdure.events", aio_pika.ExchangeType.TOPIC, durable=True)
        queue = await channel.declare_queue(
            exclusive=False, auto_delete=False, durable=True, name="consumer-" + key.strip(".*#")
        )
        await queue.bind(exchange, key)
        return cls(connection, queue)

    async def take(self, count: int) -> list[Any]:
        found: list[Any] = []
        async with asyncio.timeout(DEADLINE_SECONDS):
            while len(found) < count:
                message = await self._queue.get(no_ack=True, fail=False)
                if message is None:
                    await asyncio.sleep(0.02)
                else:
                    found.append((message.routing_key, decode(message.body)))
        return found

    async def is_empty(self, into: dict[str, Any] | None = None) -> bool:
        """Whether nothing is left; what is, one message, goes into `into`."""
        message = await self._queue.get(no_ack=True, fail=False)
        if message is not None and into is not None:
            event = decode(message.body)
            assert message.routing_key == event["type"]
            into.setdefault(event["id"], event)
        return message is None

    async def close(self) -> None:
        await self._connection.close()


@pytest.fixture
async def url(rabbit: RabbitServer) -> str:
    return rabbit.fresh_url()


@pytest.fixture
async def platform(database: str, url: str) -> AsyncIterator[Platform]:
    async with open_platform(database, broker_url=url) as opened:
        yield opened


async def nothing_owed(platform: Platform) -> None:
    async with asyncio.timeout(DEADLINE_SECONDS):
        while await owed(platform):
            await asyncio.sleep(0.02)


async def owed(platform: Platform) -> int:
    async with platform.context.store._pool.acquire() as connection:  # type: ignore[attr-defined]
        count: int = await connection.fetchval("select count(*) from lifecycle")
        return count


async def test_a_bound_queue_gets_every_event_in_order(platform: Platform, url: str) -> None:
    queue = await Queue.bound(url, "io.serverlessworkflow.#")
    await platform.deploy("loop", LOOP)
    started = await asyncio.gather(*(platform.start("loop", {"items": list(range(20))}) for _ in range(8)))
    processes = [await platform.ended(process) for process in started]
    await nothing_owed(platform)
    events: dict[str, dict[str, Any]] = {}  # a telling that broke off comes again: by id, the first of each
    while not await queue.is_empty(events):
        pass
    for process in processes:
        own = [event for event in events.values() if event["source"] == f"/v1/processes/{process.id}"]
        lines = [event for event in own if not event["id"].endswith("status")]
        history = await platform.history(process)
        assert [event["type"] for event in lines] == history
        assert [event["id"] for event in lines] == [f"{process.id}/{n}" for n in range(1, len(history) + 1)]
        of_task = [event for event in own if event["type"].endswith("task.status-changed.v1")]
        assert len(of_task) == len([type_ for type_ in history if ".task." in type_])
        assert own[-1]["data"]["status"] == "completed"
    await queue.close()


async def test_what_nobody_has_bound_is_not_sent_and_not_kept(platform: Platform, url: str) -> None:
    queue = await Queue.bound(url, "io.serverlessworkflow.workflow.completed.v1")
    await platform.run("loop", LOOP, {"items": [1, 2]})
    await nothing_owed(platform)
    ((key, event),) = await queue.take(1)
    assert key == event["type"] == "io.serverlessworkflow.workflow.completed.v1"
    assert await queue.is_empty()
    await queue.close()


async def test_who_asks_after_nobody_did_gets_all_from_then_on_in_order(platform: Platform, url: str) -> None:
    """Of what is told at once, nothing comes before what it follows."""
    await platform.run("loop", LOOP, {"items": [1, 2]})
    await nothing_owed(platform)  # and from now on nobody is expected to ask
    await platform.run("again", LOOP, {"items": [1, 2]})
    await nothing_owed(platform)
    await platform.worker.stop()
    views = [await platform.start("loop", {"items": list(range(5))}) for _ in range(3)]
    stepper = Stepper(platform.context)
    for view in views:
        await stepper.step_now(view.id)
    queue = await Queue.bound(url, "io.serverlessworkflow.task.completed.v1")
    publisher = lifecycle.Publisher(platform.context)
    publisher._unwanted = True
    for partition in range(PARTITIONS):
        while await publisher.publish(partition):
            pass
    assert await owed(platform) == 0
    events: dict[str, dict[str, Any]] = {}
    while not await queue.is_empty(events):
        pass
    for view in views:
        own = [id_ for id_ in events if id_.startswith(str(view.id))]
        page = await platform.service.history(WHO, view.id, limit=500, cursor=None)
        wanted = [line.sequence for line in page.items if line.type.endswith("task.completed.v1")]
        assert own == [f"{view.id}/{sequence}" for sequence in wanted]
    await queue.close()


async def test_what_nobody_asks_for_is_offered_by_its_first_of_each_type(platform: Platform, url: str) -> None:
    """Several steps of a process owe rows of which only some are read: those with outputs among them."""
    await platform.worker.stop()
    await platform.deploy("waits", [{"say": {"set": {"a": 1}}}, {"rest": {"wait": {"hours": 1}}}])
    view = await platform.start("waits")
    await Stepper(platform.context).step_now(view.id)
    for command in ["suspend", "resume"] * 2:
        await platform.service.command(WHO, view.id, command, None)
    assert await owed(platform) > 3
    publisher = lifecycle.Publisher(platform.context)
    publisher._unwanted = True
    for partition in range(PARTITIONS):
        while await publisher.publish(partition):
            pass
    assert publisher._unwanted
    assert await owed(platform) == 0


async def test_a_broker_outage_keeps_what_is_owed(platform: Platform, url: str, rabbit: RabbitServer) -> None:
    queue = await Queue.bound(url, "io.serverlessworkflow.workflow.#")
    await queue.close()
    await rabbit.kill()
    process = await platform.run("greet", [{"say": {"set": {"a": 1}}}])
    assert await owed(platform) >= 1
    await rabbit.start()
    queue = await Queue.bound(url, "io.serverlessworkflow.workflow.#")
    got = [event for _, event in await queue.take(3)]
    assert [event["id"] for event in got if event["type"].endswith("completed.v1")] == [f"{process.id}/5"]
    await nothing_owed(platform)
    await queue.close()


async def test_the_broker_says_whether_anybody_has_bound(url: str) -> None:
    broker = RabbitBroker(url)
    await broker.start()
    event = {"specversion": "1.0", "id": "1", "source": "/s", "type": "some.type"}
    try:
        assert await broker.publish_event(event) is False
        queue = await Queue.bound(url, "some.*")
        assert await broker.publish_event(event) is True
        assert await queue.take(1) == [("some.type", event)]
        await queue.close()
    finally:
        await broker.stop()
