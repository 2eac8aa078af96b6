"""Messages from outside that break the protocol's own types: whoever sends one stops nobody else's events."""

import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any

import aio_pika
import pytest
from brokers import QUICK, RabbitWorld, eventually
from test_rabbitmq import EVENT, Events, outside, receiving, send

from perdure.broker.contract import EVENTS_IN
from servers import RabbitServer

STRUCTURED = "application/cloudevents+json"
GOOD = json.dumps(EVENT).encode()
BINARY = {f"cloudEvents:{name}": value for name, value in EVENT.items() if name != "data"}


class Bytes(str):
    """A text that goes over the wire as bytes that are no UTF-8."""

    __slots__ = ()

    def encode(self, *_: Any, **__: Any) -> bytes:
        return b"\xff\xfe\xfd"


class Far(datetime):
    """A time that no calendar has."""

    def timestamp(self) -> float:
        return 2.0**62


FAR = Far(2026, 1, 1, tzinfo=UTC)


def message(body: bytes = GOOD, **properties: Any) -> aio_pika.Message:
    return aio_pika.Message(body, **{"content_type": STRUCTURED, **properties})


DAMAGED = {
    "content type of other bytes": message(content_type=Bytes("x")),
    "content type with NUL": message(content_type="application/cloudevents+json\0"),
    "header of other bytes": message(headers={"cloudEvents:x": Bytes("x")}),
    "name of other bytes": message(headers={Bytes("x"): "x"}),
    "time of no calendar": message(b"1", content_type="application/json", headers={**BINARY, "cloudEvents:time": FAR}),
    "timestamp of no calendar": message(timestamp=FAR),
    "correlation id of other bytes": message(correlation_id=Bytes("x")),
    "nested header": message(
        b"1", headers={**BINARY, "cloudEvents:x": {"a": [{"b": bytearray(b"\xff")}]}}, content_type=None
    ),
    "NUL": message(b'{"specversion":"1.0","id":"\\u0000","source":"/s","type":"t"}'),
    "another mode": message(content_type="application/cloudevents-batch+json"),
    "no JSON": message(b"\xff\xfe\0"),
    "deep": message(b"[" * 100_000),
    "surrogate": message(b'{"specversion":"1.0","id":"\\ud800","source":"/s","type":"t"}'),
    "many digits": message(b'{"specversion":"1.0","id":"1","source":"/s","type":"t","data":' + b"9" * 100_000 + b"}"),
    "huge": message(b'{"specversion":"1.0","id":"h","source":"/s","type":"t","data":"' + b"x" * 5_000_000 + b'"}'),
}


@pytest.fixture
async def world(rabbit: RabbitServer) -> AsyncIterator[RabbitWorld]:
    async with AsyncExitStack() as stack:
        yield RabbitWorld(rabbit, stack)


async def fill(world: RabbitWorld, messages: list[aio_pika.Message]) -> None:
    """Put messages into the queue of events while nobody takes any: what comes together must not fail together."""
    broker = await world.broker(QUICK)
    async with receiving(broker, Events()), outside(world) as channel:
        await send(channel, message(b"wait"))  # until the queue is there
    async with outside(world) as channel:
        exchange = await channel.get_exchange(EVENTS_IN)
        for each in messages:
            await exchange.publish(each, "any.key")


async def test_damaged_messages_stop_nobody(world: RabbitWorld) -> None:
    """A connection that breaks brings the others again, and in the end puts them aside with the damaged ones."""
    ids = [f"good-{n}" for n in range(2 * len(DAMAGED))]
    good = [message(json.dumps({**EVENT, "id": id_}).encode()) for id_ in ids]
    await fill(world, [each for pair in zip(good, [*DAMAGED.values()] * 2, strict=True) for each in pair])
    broker, events = await world.broker(QUICK), Events()
    async with receiving(broker, events):

        async def all_there() -> bool:
            return {event["id"] for event in events.seen} >= set(ids)

        await eventually(all_there)
    times = Counter(event["id"] for event in events.seen)
    assert {times[id_] for id_ in ids} == {1}
