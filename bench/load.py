"""Load on the API, made by a process of its own: as fast as answers come, or at a rate that does not wait for them."""

import asyncio
import math
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import count, cycle, islice
from types import TracebackType

import uvloop

from bench.processes import SPAWN, end_with_parent
from bench.wire import Connection


@dataclass(frozen=True)
class Load:
    """`number` requests, those of `requests` over and over, by so many connections. Each answer must have the status
    `status` and hold `expected`, if anything is, so many `times`, else the whole measurement is void.

    With a `rate` (requests per second) each request has its time, and latency counts from then, whether or not
    earlier ones were answered; there are as many connections as that takes. Without one each connection sends its next
    request when it has the last answer, until `seconds`, if they are given, are over.
    """

    port: int
    requests: list[bytes]
    number: int
    status: int
    expected: bytes = b""
    times: int = 1
    connections: int = 1
    rate: float | None = None
    seconds: float = math.inf


@dataclass(frozen=True)
class Outcome:
    """Of each request how long it took, in milliseconds, and how long all of them took together."""

    milliseconds: list[float]
    seconds: float

    @property
    def rate(self) -> float:
        return len(self.milliseconds) / self.seconds


class LoadClient:
    """The process that makes load."""

    def __init__(self) -> None:
        self._pool = ProcessPoolExecutor(1, mp_context=SPAWN, initializer=end_with_parent)

    async def __aenter__(self) -> "LoadClient":
        await asyncio.wrap_future(self._pool.submit(time.perf_counter))  # started, before anything is measured
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def make(self, load: Load) -> Outcome:
        return await asyncio.wrap_future(self._pool.submit(make, load))


def make(load: Load) -> Outcome:
    return uvloop.run(_make(load))


async def _make(load: Load) -> Outcome:
    milliseconds: list[float] = []
    began = time.perf_counter()
    async with asyncio.TaskGroup() as tasks:
        if load.rate:
            await _at_rate(load, load.rate, began, tasks, milliseconds)
        else:
            requests = islice(cycle(load.requests), load.number)
            for _ in range(min(load.connections, load.number)):
                tasks.create_task(_by_turns(load, began, requests, milliseconds))
    return Outcome(milliseconds, time.perf_counter() - began)


async def _by_turns(load: Load, began: float, requests: Iterator[bytes], milliseconds: list[float]) -> None:
    connection = Connection(load.port)
    for request in requests:
        sent = time.perf_counter()
        await _insist(connection, request, load)
        milliseconds.append((time.perf_counter() - sent) * 1000)
        if time.perf_counter() - began > load.seconds:
            break
    connection.close()


async def _at_rate(load: Load, rate: float, began: float, tasks: asyncio.TaskGroup, milliseconds: list[float]) -> None:
    free: list[Connection] = []

    async def send(request: bytes, due: float) -> None:
        connection = free.pop() if free else Connection(load.port)
        await _insist(connection, request, load)
        milliseconds.append((time.perf_counter() - due) * 1000)
        free.append(connection)

    for number, request in enumerate(islice(cycle(load.requests), load.number)):
        due = began + number / rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        tasks.create_task(send(request, due))


async def _insist(connection: Connection, request: bytes, load: Load) -> None:
    for attempt in count():
        status, body, pause = await connection.send(request)
        if status != 429 or attempt == 100:
            break
        await asyncio.sleep(pause)
    if status != load.status or (load.expected and body.count(load.expected) != load.times):
        raise RuntimeError(f"{request[:60]!r} was answered {status}: {body[:400]!r}")
