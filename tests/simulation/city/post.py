"""A broker that loses, doubles, delays and mixes up what it is given, and is away at times."""

import asyncio
import random
from collections.abc import Sequence
from contextlib import asynccontextmanager
from typing import Any

from perdure.broker.contract import BrokerUnavailable

from .owners import Owner

DELIVERIES_MAX = 20
EVENTS_IN = "events-in"


class Exchange:
    """What all service processes share. `calm`: it does what it should from now on."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self.calm = False
        self.away = False
        self.consumers: dict[str, list[Consumer]] = {}
        self.published: list[Any] = []

    def send(self, queue: str, message: Any) -> None:
        dice = 1.0 if self.calm else self._chance.random()
        if dice < 0.05:
            return
        for _ in range(2 if dice < 0.12 else 1):
            slow = not self.calm and self._chance.random() < 0.1
            self._later(self._chance.uniform(0, 20 if slow else 0.02), queue, message, 1)

    def _later(self, seconds: float, queue: str, message: Any, delivery: int) -> None:
        asyncio.get_running_loop().call_later(seconds, self._deliver, queue, message, delivery)

    def _deliver(self, queue: str, message: Any, delivery: int) -> None:
        alive = [c for c in self.consumers.get(queue, ()) if c.started and not c.owner.dead]
        if not alive or self.away:
            if delivery <= DELIVERIES_MAX:
                self._later(1.0, queue, message, delivery + 1)
            return
        consumer = self._chance.choice(alive)
        task = consumer.owner.begin(consumer.handler(message))

        def done(task: "asyncio.Task[None]") -> None:
            failed = task.cancelled() or task.exception() is not None
            if failed and delivery < DELIVERIES_MAX and not asyncio.get_running_loop().is_closed():
                self._later(1.0, queue, message, delivery + 1)

        task.add_done_callback(done)


class Consumer:
    """See `perdure.broker.contract.Consumer`."""

    def __init__(self, owner: Owner, handler: Any) -> None:
        self.owner = owner
        self.handler = handler
        self.started = False

    async def start(self) -> None:
        self.started = True

    async def stop(self, timeout: float) -> None:
        self.started = False


class Post:
    """One service process's connection: see `perdure.broker.contract.Broker`."""

    def __init__(self, exchange: Exchange, owner: Owner) -> None:
        self._exchange = exchange
        self._owner = owner

    async def publish(self, queue: str, ids: Sequence[str]) -> None:
        self._reach()
        self._exchange.send(queue, list(ids))

    async def publish_event(self, event: Any) -> bool:
        self._reach()
        self._exchange.published.append(event)
        return True

    async def signal(self, topics: Sequence[str]) -> None:
        self._reach()

    def consume(self, queue: str, handler: Any, **_: Any) -> Consumer:
        consumer = Consumer(self._owner, handler)
        self._exchange.consumers.setdefault(queue, []).append(consumer)
        return consumer

    def consume_events(self, handler: Any, **_: Any) -> Consumer:
        return self.consume(EVENTS_IN, handler)

    def listen(self, handler: Any) -> Consumer:
        return Consumer(self._owner, handler)

    async def ready(self) -> str:
        return "away" if self._exchange.away else "ok"

    def _reach(self) -> None:
        self._owner.check()
        if self._exchange.away:
            raise BrokerUnavailable("away")


class Coordinator:
    """Locks that are not always kept, and a memory that forgets: nothing correct may depend on them."""

    def __init__(self, chance: random.Random, held: set[str]) -> None:
        self._chance = chance
        self._held = held

    @asynccontextmanager
    async def lock(self, name: str, ttl_seconds: float) -> Any:
        mine = name not in self._held or self._chance.random() < 0.1
        if mine:
            self._held.add(name)
        try:
            yield mine
        finally:
            if mine:
                self._held.discard(name)

    async def remember(self, key: str, value: bytes, ttl_seconds: float) -> None:
        return None

    async def recall(self, key: str) -> None:
        return None
