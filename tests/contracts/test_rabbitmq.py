"""What only RabbitMQ has: CloudEvents from and to the outside, and queues that others can delete."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import aio_pika
import pytest
from aio_pika.abc import AbstractChannel
from brokers import QUICK, Inbox, RabbitWorld, consuming, eventually, publish_stubbornly

from perdure.broker.contract import EVENTS_IN, EVENTS_OUT, Broker
from servers import RabbitServer

EVENT = {"specversion": "1.0", "id": "1", "source": "/tests", "type": "com.example.paid", "data": {"amount": 12}}


@pytest.fixture
async def world(rabbit: RabbitServer) -> AsyncIterator[RabbitWorld]:
    async with AsyncExitStack() as stack:
        yield RabbitWorld(rabbit, stack)


@asynccontextmanager
async def outside(world: RabbitWorld) -> AsyncIterator[AbstractChannel]:
    """A channel as another program has it."""
    async with await aio_pika.connect(world.url) as connection:
        yield await connection.channel(on_return_raises=True)


class Events:
    """A handler of events that writes them down."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    async def __call__(self, event: Any) -> None:
        self.seen.append(event)
        if event.get("subject") == "poison":
            raise ValueError("as it must")

    async def until(self, count: int) -> None:
        async def enough() -> bool:
            return len(self.seen) >= count

        await eventually(enough)


@asynccontextmanager
async def receiving(broker: Broker, handler: Events) -> AsyncIterator[None]:
    consumer = broker.consume_events(handler)
    await consumer.start()
    try:
        yield
    finally:
        await consumer.stop(5)


async def send(channel: AbstractChannel, message: aio_pika.Message) -> None:
    """To the inbound exchange, once our queue is bound to it."""
    exchange = await channel.declare_exchange(EVENTS_IN, aio_pika.ExchangeType.TOPIC, durable=True)
    async with asyncio.timeout(30):
        while True:
            try:
                await exchange.publish(message, "any.key", mandatory=True)
                return
            except aio_pika.exceptions.DeliveryError:
                await asyncio.sleep(0.02)


async def dead_events(world: RabbitWorld, count: int) -> list[bytes]:
    bodies: list[bytes] = []
    async with outside(world) as channel:
        queue = await channel.get_queue(f"{EVENTS_IN}.dead")

        async def enough() -> bool:
            message = await queue.get(fail=False, no_ack=True)
            if message is not None:
                bodies.append(message.body)
            return len(bodies) >= count

        await eventually(enough)
    return bodies


async def test_emitted_events_go_to_whoever_binds_their_type(world: RabbitWorld) -> None:
    broker = await world.broker()
    await broker.publish_event(EVENT)  # nobody listens: not an error
    async with outside(world) as channel:
        exchange = await channel.declare_exchange(EVENTS_OUT, aio_pika.ExchangeType.TOPIC, durable=True)
        queue = await channel.declare_queue(exclusive=True)
        await queue.bind(exchange, "com.example.#")
        await broker.publish_event({**EVENT, "type": "org.example.other"})
        await broker.publish_event(EVENT)
        message = await queue.get(timeout=10)
        assert message.routing_key == "com.example.paid"
        assert message.content_type is not None
        assert message.content_type.startswith("application/cloudevents+json")
        assert json.loads(message.body) == EVENT
        await message.ack()
        assert await queue.get(fail=False) is None


async def test_events_with_very_long_types_leave_too(world: RabbitWorld) -> None:
    broker = await world.broker()
    async with outside(world) as channel:
        exchange = await channel.declare_exchange(EVENTS_OUT, aio_pika.ExchangeType.TOPIC, durable=True)
        queue = await channel.declare_queue(exclusive=True)
        await queue.bind(exchange, "#")
        event = {**EVENT, "type": "x" + "ä" * 300}
        await broker.publish_event(event)
        message = await queue.get(timeout=10)
        assert json.loads(message.body) == event


async def test_structured_and_binary_events_come_in(world: RabbitWorld) -> None:
    broker = await world.broker()
    events = Events()
    async with receiving(broker, events), outside(world) as channel:
        await send(
            channel,
            aio_pika.Message(json.dumps(EVENT).encode(), content_type="application/cloudevents+json; charset=utf-8"),
        )
        await events.until(1)
        await send(
            channel,
            aio_pika.Message(
                b'{"amount": 12}',
                content_type="application/json",
                headers={
                    "cloudEvents:specversion": "1.0",
                    "cloudEvents:id": "1",
                    "cloudEvents:source": "/tests",
                    "cloudEvents:type": "com.example.paid",
                },
            ),
        )
        await events.until(2)
    assert events.seen == [EVENT, {**EVENT, "datacontenttype": "application/json"}]


async def test_what_is_no_event_and_what_fails_too_often_is_put_aside(world: RabbitWorld) -> None:
    broker = await world.broker(QUICK)
    events = Events()
    poison = json.dumps({**EVENT, "subject": "poison"}).encode()
    structured = "application/cloudevents+json"
    async with receiving(broker, events), outside(world) as channel:
        await send(channel, aio_pika.Message(b"hello", content_type="text/plain"))
        await send(channel, aio_pika.Message(poison, content_type=structured))
        await send(channel, aio_pika.Message(json.dumps(EVENT).encode(), content_type=structured))
        assert set(await dead_events(world, 2)) == {b"hello", poison}
    assert events.seen.count(EVENT) == 1
    assert len(events.seen) == QUICK.deliveries_max + 1


async def test_wiped_server_gets_its_queues_and_exchanges_again(world: RabbitWorld) -> None:
    broker = await world.broker()
    inbox, events = Inbox(), Events()
    async with consuming(broker, "steps", inbox), receiving(broker, events):
        await broker.publish("steps", ["before"])
        await inbox.until_ids("before")
        await world.server.wipe()
        await publish_stubbornly(broker, "steps", ["after"])
        await inbox.until_ids("after")
        async with outside(world) as channel:
            await send(
                channel,
                aio_pika.Message(json.dumps(EVENT).encode(), content_type="application/cloudevents+json"),
            )
            await events.until(1)
            exchange = await channel.get_exchange(EVENTS_OUT)  # raises where it is not there
            assert exchange.name == EVENTS_OUT


async def test_deleted_queue_is_made_again_and_consumed(world: RabbitWorld) -> None:
    broker = await world.broker()
    inbox = Inbox()
    async with consuming(broker, "steps", inbox):
        await broker.publish("steps", ["before"])
        await inbox.until_ids("before")
        async with outside(world) as channel:
            await channel.queue_delete("perdure.steps")
        await publish_stubbornly(broker, "steps", ["after"])
        await inbox.until_ids("after")


async def test_malformed_wake_ups_are_put_aside(world: RabbitWorld) -> None:
    broker = await world.broker()
    inbox = Inbox()
    async with consuming(broker, "steps", inbox):
        await broker.publish("steps", ["a"])
        async with outside(world) as channel:
            await channel.default_exchange.publish(aio_pika.Message(b'["x"'), "perdure.steps")

            async def put_aside() -> bool:
                dead = await channel.get_queue("perdure.steps.dead")
                message = await dead.get(fail=False, no_ack=True)
                return message is not None and message.body == b'["x"'

            await eventually(put_aside)
        await inbox.until_ids("a")
    assert inbox.ids == {"a": 1}


async def test_queue_of_another_shape_is_reported(world: RabbitWorld) -> None:
    """As an older release, or an operator, may have left it."""
    async with outside(world) as channel:
        await channel.declare_queue("perdure.steps", durable=True)
    broker = await world.broker()
    with pytest.raises(Exception, match="PRECONDITION_FAILED"):
        await broker.publish("steps", ["a"])
    await broker.publish("calls", ["b"])  # the others go on
