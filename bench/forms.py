"""The two forms that are measured: everything in one process, and services on real servers."""

import contextlib
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass

import psutil

from integration.programs import EXECUTABLE, Program
from servers import PostgresServer, RabbitServer, RedisServer

WORKERS = 2


@dataclass
class Form:
    """A platform that runs. `programs` are its own processes, `dsn` its database where that can be reached."""

    name: str
    url: str
    key: str | None
    programs: list[Program]
    servers: list[psutil.Process]
    dsn: str | None

    def cpu_seconds(self) -> float:
        """Processor time that the platform and its servers have used so far, children included."""
        roots = [psutil.Process(program.pid) for program in self.programs] + self.servers
        total = 0.0
        for root in roots:
            for process in (root, *root.children(recursive=True)):
                with contextlib.suppress(psutil.NoSuchProcess):
                    times = process.cpu_times()
                    total += times.user + times.system
        return total


@contextlib.asynccontextmanager
async def embedded() -> AsyncIterator[Form]:
    """`perdure dev` on its embedded PostgreSQL."""
    program = Program("dev", environment={"PERDURE_LOG_LEVEL": "warning"})
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(program.close)
        await program.start()
        yield Form("embedded", program.url, None, [program], [], None)


@contextlib.asynccontextmanager
async def distributed() -> AsyncIterator[Form]:
    """One API and two workers on PostgreSQL, RabbitMQ and Redis."""
    async with contextlib.AsyncExitStack() as stack:
        postgres, rabbit, redis = PostgresServer(durable=True), RabbitServer(), RedisServer()
        for server in (postgres, rabbit, redis):
            stack.push_async_callback(server.close)
            await server.start()
        dsn = await stack.enter_async_context(postgres.fresh_database())
        environment = {
            "PERDURE_DATABASE_URL": dsn,
            "PERDURE_BROKER_URL": rabbit.url,
            "PERDURE_REDIS_URL": redis.url,
            "PERDURE_EGRESS_ALLOW": "127.0.0.0/8",
            "PERDURE_LOG_LEVEL": "warning",
        }
        key = _key(environment)
        programs = [Program("api", environment=environment)]
        programs += [Program("worker", environment=environment) for _ in range(WORKERS)]
        for program in programs:
            stack.push_async_callback(program.close)
            await program.start()
        own = psutil.Process()
        mine = {program.pid for program in programs}
        servers = [child for child in own.children() if child.pid not in mine]
        yield Form("distributed", programs[0].url, key, programs, servers, dsn)


def _key(environment: dict[str, str]) -> str:
    made = subprocess.run(
        [EXECUTABLE, "keys", "create", "--name", "bench"],
        env={"PATH": "/usr/bin:/bin", **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return made.stdout.strip().splitlines()[-1]
