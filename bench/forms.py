"""The two forms that are measured: everything in one process, and services on real servers."""

import contextlib
import signal
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol
from urllib.parse import quote

import psutil

from integration.programs import Program, run
from servers import PostgresServer, RabbitServer, RedisServer, Server

WORKERS = 2


class Form(Protocol):
    """A platform that runs."""

    name: str
    url: str
    key: str | None

    @property
    def port(self) -> int: ...

    @property
    def dsn(self) -> str:
        """Its database: to seed it and to look at what it costs, never to drive the product."""

    @property
    def freezes(self) -> bool:
        """Whether workers can be stopped while the API goes on."""

    def frozen(self) -> contextlib.AbstractContextManager[None]:
        """While the block lasts no worker does anything."""

    def victims(self) -> contextlib.AbstractAsyncContextManager[Program]:
        """While the block lasts there is one worker more; answers one that may be killed and started again."""

    def cpu_seconds(self) -> float:
        """Processor time that the platform and its servers have used so far, children included."""


@dataclass
class Embedded:
    """`perdure dev` on its embedded PostgreSQL."""

    program: Program
    name: str = "embedded"
    key: str | None = None
    freezes: bool = False

    @property
    def url(self) -> str:
        return self.program.url

    @property
    def port(self) -> int:
        return self.program.port

    @property
    def dsn(self) -> str:
        # It moves with every start.
        socket = (self.program.directory / ".perdure" / "postgres" / "sockets").read_text("utf-8")
        return f"postgresql://perdure@/postgres?host={quote(socket, safe='/')}&port=5432"

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        raise NotImplementedError("API and worker are one process")
        yield

    @contextlib.asynccontextmanager
    async def victims(self) -> AsyncIterator[Program]:
        yield self.program

    def cpu_seconds(self) -> float:
        return _cpu_seconds([psutil.Process(self.program.pid)])


@dataclass
class Distributed:
    """One API and workers on PostgreSQL, RabbitMQ and Redis."""

    api: Program
    workers: list[Program]
    key: str | None
    dsn: str
    environment: dict[str, str]
    servers: list[psutil.Process] = field(default_factory=list)
    name: str = "distributed"
    freezes: bool = True

    @property
    def url(self) -> str:
        return self.api.url

    @property
    def port(self) -> int:
        return self.api.port

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        for worker in self.workers:
            psutil.Process(worker.pid).send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            for worker in self.workers:
                psutil.Process(worker.pid).send_signal(signal.SIGCONT)

    @contextlib.asynccontextmanager
    async def victims(self) -> AsyncIterator[Program]:
        victim = Program("worker", environment=self.environment)
        try:
            await victim.start()
            yield victim
        finally:
            await victim.close()

    def cpu_seconds(self) -> float:
        programs = [psutil.Process(program.pid) for program in (self.api, *self.workers)]
        return _cpu_seconds(programs + self.servers)


def _cpu_seconds(roots: list[psutil.Process]) -> float:
    total = 0.0
    for root in roots:
        for process in (root, *root.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                total += times.user + times.system
    return total


@contextlib.asynccontextmanager
async def embedded(workers: int) -> AsyncIterator[Form]:
    """API and one worker are one process, whatever number is asked for."""
    program = Program("dev", environment={"PERDURE_LOG_LEVEL": "warning"})
    try:
        await program.start()
        yield Embedded(program)
    finally:
        await program.close()


@contextlib.asynccontextmanager
async def distributed(workers: int, more: Mapping[str, str] = MappingProxyType({})) -> AsyncIterator[Distributed]:
    """`more` is environment of the services."""
    async with contextlib.AsyncExitStack() as stack:
        before = set(psutil.Process().children())
        postgres, rabbit, redis = PostgresServer(durable=True), RabbitServer(), RedisServer()
        servers: tuple[Server, ...] = (postgres, rabbit, redis)
        for server in servers:
            stack.push_async_callback(server.close)
            await server.start()
        started = [child for child in psutil.Process().children() if child not in before]
        dsn = await stack.enter_async_context(postgres.fresh_database())
        environment = {
            "PERDURE_DATABASE_URL": dsn,
            "PERDURE_BROKER_URL": rabbit.url,
            "PERDURE_REDIS_URL": redis.url,
            "PERDURE_EGRESS_ALLOW": "127.0.0.0/8",
            "PERDURE_LOG_LEVEL": "warning",
            **more,
        }
        made = await run("keys", "create", "--name", "bench", environment=environment)
        api, *workers = [Program("api", environment=environment)] + [
            Program("worker", environment=environment) for _ in range(workers)
        ]
        for program in (api, *workers):
            stack.push_async_callback(program.close)
            await program.start()
        yield Distributed(api, workers, made.strip().splitlines()[-1], dsn, environment, started)


FORMS: dict[str, Callable[[int], contextlib.AbstractAsyncContextManager[Form]]] = {
    "embedded": embedded,
    "distributed": distributed,
}
