"""Brokers on real servers, and handlers that write down what they get, for the suites beside this."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Protocol

import aio_pika
import asyncpg

from perdure.broker.contract import Broker, BrokerUnavailable, Consumer
from perdure.broker.dispatch import Redelivery
from perdure.broker.postgres import PostgresBroker
from perdure.broker.rabbitmq import RabbitBroker
from servers import PostgresServer, RabbitServer, Server

PATIENCE = 60.0
"""Seconds after which something that must happen has not."""
RABBIT_SETTLE_SECONDS = 1.5
"""RabbitMQ saves the name of a new quorum queue after half a second (a DETS table with auto_save); a kill before
that loses the queue itself, which no client can mend and the sweep makes up for."""
QUICK = Redelivery(deliveries_max=3, pause_seconds=0.02, pause_seconds_max=0.05)


class World(Protocol):
    """A message server of its own virtual host or database, and brokers that use it."""

    server: Server

    async def broker(self, redelivery: Redelivery | None = None) -> Broker:
        """Another broker object, as another process would have; started."""

    async def dead(self, queue: str) -> list[str]:
        """The ids put aside from `queue`."""


class PostgresWorld:
    def __init__(self, server: PostgresServer, dsn: str, stack: AsyncExitStack) -> None:
        self.server = server
        self.dsn = dsn
        self._stack = stack

    async def broker(self, redelivery: Redelivery | None = None) -> Broker:
        pool = await asyncpg.create_pool(self.dsn, min_size=0, max_size=4)
        self._stack.push_async_callback(_close_pool, pool)
        broker = PostgresBroker(pool, self.dsn, redelivery=redelivery)
        await broker.start()
        self._stack.push_async_callback(broker.stop)
        return broker

    async def dead(self, queue: str) -> list[str]:
        connection = await asyncpg.connect(self.dsn)
        try:
            return await connection.fetchval(
                "SELECT coalesce(array_agg(word ORDER BY word), '{}') FROM message_dead,"
                " json_array_elements_text(ids::json) AS word WHERE queue = $1",
                queue,
            )
        finally:
            await connection.close()


async def _close_pool(pool: asyncpg.Pool) -> None:
    pool.terminate()


class RabbitWorld:
    def __init__(self, server: RabbitServer, stack: AsyncExitStack) -> None:
        self.server = server
        self.url = server.fresh_url()
        self._stack = stack

    async def broker(self, redelivery: Redelivery | None = None) -> Broker:
        broker = RabbitBroker(self.url, redelivery=redelivery)
        await broker.start()
        self._stack.push_async_callback(broker.stop)
        return broker

    async def dead(self, queue: str) -> list[str]:
        connection = await aio_pika.connect(self.url)
        async with connection:
            channel = await connection.channel()
            found = await (await channel.get_queue(f"perdure.{queue}.dead")).get(fail=False)
            return sorted(json.loads(found.body)) if found is not None else []


class Inbox:
    """A handler that writes down what it is given, and can be told how to behave."""

    def __init__(self, behave: Callable[[list[str]], Awaitable[None]] | None = None) -> None:
        self.batches: list[list[str]] = []
        self._behave = behave
        self._news = asyncio.Condition()

    async def __call__(self, ids: list[str]) -> None:
        self.batches.append(ids)
        async with self._news:
            self._news.notify_all()
        if self._behave is not None:
            await self._behave(ids)

    @property
    def ids(self) -> Counter[str]:
        return Counter(item for batch in self.batches for item in batch)

    async def until(self, condition: Callable[["Inbox"], bool]) -> None:
        async with asyncio.timeout(PATIENCE), self._news:
            await self._news.wait_for(lambda: condition(self))

    async def until_ids(self, *ids: str) -> None:
        await self.until(lambda inbox: set(ids) <= inbox.ids.keys())


@asynccontextmanager
async def consuming(broker: Broker, queue: str, handler: Inbox, **options: Any) -> AsyncIterator[Consumer]:
    consumer = broker.consume(queue, handler, **{"prefetch": 20, "batch_max": 200, **options})
    await consumer.start()
    try:
        yield consumer
    finally:
        await consumer.stop(5)


async def publish_stubbornly(broker: Broker, queue: str, ids: list[str]) -> None:
    """As the outbox does: again until it is confirmed."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            await broker.publish(queue, ids)
            return
        except BrokerUnavailable:
            assert time.monotonic() < deadline, "the broker never came back"
            await asyncio.sleep(0.05)


async def eventually(condition: Callable[[], Awaitable[bool]]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not await condition():
        assert time.monotonic() < deadline, "it never happened"
        await asyncio.sleep(0.02)
