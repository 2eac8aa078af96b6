"""The platform as two APIs and three workers, on a PostgreSQL, RabbitMQ and Redis of its own.

Chaos has it reach these over wires that can be cut; what tests themselves ask the database for takes the straight way.
"""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg

from integration.api import Api
from integration.programs import EXECUTABLE, Program, run
from servers import PostgresServer, Proxy, RabbitServer, RedisServer

APIS = 2
WORKERS = 3
POLL_SECONDS = 0.02
SETTINGS = {
    "PERDURE_EGRESS_ALLOW": "127.0.0.0/8",
    "PERDURE_CALL_LEASE_SECONDS": "3",  # so that a killed worker's calls are repeated soon
    "PERDURE_SWEEP_SECONDS": "1",
}


@dataclass
class Wires:
    """Between the services and the servers."""

    postgres: Proxy
    rabbit: Proxy
    redis: Proxy

    @property
    def all(self) -> tuple[Proxy, ...]:
        return (self.postgres, self.rabbit, self.redis)


@dataclass
class Topology:
    postgres: PostgresServer
    rabbit: RabbitServer
    redis: RedisServer
    dsn: str
    wires: Wires | None = None
    key: str = ""
    apis: list[Program] = field(default_factory=list)
    workers: list[Program] = field(default_factory=list)

    @property
    def programs(self) -> list[Program]:
        return [*self.apis, *self.workers]

    @property
    def environment(self) -> dict[str, str]:
        return {
            **SETTINGS,
            "PERDURE_DATABASE_URL": self._over_wire(self.dsn),
            "PERDURE_BROKER_URL": self._over_wire(self.rabbit.url),
            "PERDURE_REDIS_URL": self._over_wire(self.redis.url),
        }

    def _over_wire(self, url: str) -> str:
        for server, wire in zip(
            (self.postgres, self.rabbit, self.redis), self.wires.all if self.wires else (), strict=False
        ):
            url = url.replace(f":{server.port}/", f":{wire.port}/")
        return url

    def client(self, *which: int) -> Api:
        """A client of these APIs, or of all in turn."""
        urls = [self.apis[number].url for number in which or range(len(self.apis))]
        return Api(*urls, key=self.key)

    async def prepare(self, executable: Path = EXECUTABLE, **more: str) -> None:
        """A schema, which is migrated twice at the same time, and a key."""
        environment = {**self.environment, **more}
        migrate = partial(run, "migrate", environment=environment, executable=executable)
        await asyncio.gather(migrate(), migrate())
        made = await run("keys", "create", "--name", "tests", environment=environment, executable=executable)
        self.key = made.split()[-1]

    async def start(self, skewed: bool) -> None:
        """With `skewed` one API and one worker have clocks that are wrong by minutes, in different directions."""
        await self.prepare()
        behind, ahead = (skew(-300), skew(420)) if skewed else ({}, {})
        apis = [*([{}] * (APIS - 1)), behind]
        self.apis = [Program("api", environment={**self.environment, **more}) for more in apis]
        public = {"PERDURE_PUBLIC_URL": self.apis[0].url}
        workers = [*([public] * (WORKERS - 1)), {**public, **ahead}]
        self.workers = [Program("worker", environment={**self.environment, **more}) for more in workers]
        await asyncio.gather(*(program.start() for program in self.programs))

    async def ensure(self) -> None:
        """Everything runs again."""
        await asyncio.gather(*(server.ensure() for server in (self.postgres, self.rabbit, self.redis)))
        await asyncio.gather(*(program.start() for program in self.programs if not program.running))

    async def kill_one(self, chance: random.Random) -> None:
        """Kill one of them, mostly while it is at work and sometimes while it starts, and begin to start it again."""
        victim = chance.choice(self.programs)
        if chance.random() < 0.8:
            await victim.up()
        await victim.kill()
        await victim.begin()

    async def gone(self, query: str, *arguments: Any, seconds: float = 60) -> None:
        """Returns once the query finds nothing any more."""
        async with asyncio.timeout(seconds):
            while await self.fetch(query, *arguments):
                await asyncio.sleep(POLL_SECONDS)

    async def fetch(self, query: str, *arguments: Any) -> list[Any]:
        connection = await asyncpg.connect(self.dsn)
        try:
            return list(await connection.fetch(query, *arguments))
        finally:
            await connection.close()


def skew(seconds: int) -> dict[str, str]:
    """The environment of a program whose clock is wrong by so much; how fast it goes is right."""
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
    assert found, "libfaketime is needed (on Debian: libfaketime)"
    return {"LD_PRELOAD": str(found[0]), "FAKETIME": f"{seconds:+}s", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}


@asynccontextmanager
async def open_topology(*, skewed: bool = False, wired: bool = False) -> AsyncIterator[Topology]:
    """`skewed`: some clocks are wrong. `wired`: the services reach the servers over wires that can be cut."""
    async with open_servers(wired=wired) as topology:
        await topology.start(skewed)
        yield topology


@asynccontextmanager
async def open_servers(*, wired: bool = False) -> AsyncIterator[Topology]:
    """With no services yet."""
    async with AsyncExitStack() as stack:
        postgres, rabbit, redis = PostgresServer(), RabbitServer(), RedisServer()
        for server in (postgres, rabbit, redis):
            stack.push_async_callback(server.close)
        await asyncio.gather(postgres.start(), rabbit.start(), redis.start())
        topology = Topology(postgres, rabbit, redis, postgres.dsn("postgres"))
        if wired:
            topology.wires = Wires(Proxy(postgres.port), Proxy(rabbit.port), Proxy(redis.port))
            for wire in topology.wires.all:
                await wire.start()
                stack.push_async_callback(wire.close)
        stack.push_async_callback(_close, topology)
        yield topology


async def _close(topology: Topology) -> None:
    await asyncio.gather(*(program.close() for program in topology.programs))
