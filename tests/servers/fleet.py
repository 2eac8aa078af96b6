"""The servers of a run, shared by its tests: each is started when the first test asks for one, all at the same time."""

import asyncio
from collections.abc import Callable, Iterable

from servers.kafka import KafkaServer
from servers.mosquitto import MosquittoServer, SecureMosquittoServer
from servers.nats import NatsServer
from servers.postgres import PostgresServer
from servers.rabbit import RabbitServer
from servers.redis import RedisServer
from servers.server import Server

KINDS: dict[str, Callable[[], Server]] = {
    "kafka_server": KafkaServer,
    "mosquitto": MosquittoServer,
    "nats_server": NatsServer,
    "secure_mosquitto": SecureMosquittoServer,
    "postgres": PostgresServer,
    "postgres18": lambda: PostgresServer("18"),
    "rabbit": RabbitServer,
    "redis": RedisServer,
}


class Fleet:
    """`needed`: which servers the run will ask for."""

    def __init__(self, needed: Iterable[str]) -> None:
        self._needed = sorted(needed)
        self._starts: dict[str, asyncio.Task[Server]] = {}

    async def get(self, name: str) -> Server:
        """The server of this name, running. The first to ask has all others started in the background."""
        for kind in (name, *self._needed):
            if kind not in self._starts:
                self._starts[kind] = asyncio.create_task(self._start(kind))
        return await self._starts[name]

    async def revive(self) -> None:
        """Start again what a test has killed or frozen and not mended."""
        for start in self._starts.values():
            if start.done() and not start.cancelled() and start.exception() is None:
                await start.result().ensure()

    async def close(self) -> None:
        for start in self._starts.values():
            start.cancel()
        for server in await asyncio.gather(*self._starts.values(), return_exceptions=True):
            if isinstance(server, Server):
                await server.close()

    @staticmethod
    async def _start(kind: str) -> Server:
        server = KINDS[kind]()
        try:
            await server.start()
        except BaseException:
            await server.close()
            raise
        return server
