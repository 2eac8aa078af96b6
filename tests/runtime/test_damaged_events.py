"""Events from RabbitMQ that are right but odd: they are taken in, offered, and stop nobody."""

import asyncio
import json
from typing import Any

import aio_pika
import pytest

from perdure.broker.contract import EVENTS_IN
from servers import RabbitServer

from .conftest import DEADLINE_SECONDS, Platform, open_platform

DEEP: Any = 1
for _ in range(90):
    DEEP = [DEEP]
DATA = [
    None,
    {"x": "\0"},
    {"\0": 1},
    {"x": "\ufffe\U0010ffff\u202e"},
    {"x": 10**300, "y": -(10**300), "z": 1e308},
    DEEP,
    {"x": "y" * 200_000},
    {str(n): n for n in range(5000)},
    [[]] * 5000,
    "text",
]
LISTEN = {
    "listen": {"to": {"all": [{"with": {"type": "odd", "data": '${ (.order | tostring) == "7" }'}}]}},
    "output": {"as": "${ .[0] }"},
}


async def send(url: str, events: list[dict[str, Any]]) -> None:
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel(on_return_raises=True)
        exchange = await channel.declare_exchange(EVENTS_IN, aio_pika.ExchangeType.TOPIC, durable=True)
        for event in events:
            body = json.dumps({"specversion": "1.0", "source": "/odd", "type": "odd", **event}).encode()
            message = aio_pika.Message(body, content_type="application/cloudevents+json")
            await _published(exchange, message)


async def _published(exchange: Any, message: aio_pika.Message) -> None:
    """Once the platform's queue is bound."""
    async with asyncio.timeout(20):
        while True:
            try:
                await exchange.publish(message, "odd", mandatory=True)
                return
            except aio_pika.exceptions.DeliveryError:
                await asyncio.sleep(0.02)


async def routed(platform: Platform) -> int:
    async with platform.context.store._pool.acquire() as connection:  # type: ignore[attr-defined]
        count: int = await connection.fetchval("select count(*) from event where routed")
        return count


async def test_odd_events_stop_nobody(database: str, rabbit: RabbitServer, caplog: pytest.LogCaptureFixture) -> None:
    url = rabbit.fresh_url()
    async with open_platform(database, broker_url=url) as platform:
        any_ = {"listen": {"to": {"any": [{"with": {"type": "odd"}}], "until": {"one": {"with": {"type": "end"}}}}}}
        await platform.deploy("picky", [{"hear": LISTEN}])
        await platform.deploy("greedy", [{"hear": any_}])
        picky, greedy = await platform.start("picky"), await platform.start("greedy")
        await platform.waiting(picky, "event")
        await platform.waiting(greedy, "event")
        odd = [{"id": str(n), "data": data, "x": 5.0, "y": None} for n, data in enumerate(DATA)]
        await send(url, [*odd, {"id": "right", "data": {"order": 7}}])
        async with asyncio.timeout(DEADLINE_SECONDS):
            while await routed(platform) < len(odd) + 1:
                await asyncio.sleep(0.02)
        await send(url, [{"id": "last", "type": "end"}])
        assert (await platform.ended(picky)).output == {"order": 7}
        heard = await platform.ended(greedy)
        assert [data for data in (*DATA, {"order": 7}) if data not in heard.output] == []
        assert await platform.stranded() == []
    assert "could not be routed" not in caplog.text
