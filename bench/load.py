"""Load on the API, made by a process of its own: as fast as answers come, or at a rate that does not wait for them."""

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import count, cycle
from types import TracebackType

import uvloop

from bench.processes import SPAWN, end_with_parent
from bench.wire import Connection

OPEN_CONNECTIONS = 256


@dataclass(frozen=True)
class Load:
    """`number` requests, those of `requests` over and over, by so many connections. Each answer must have the status
    `status` and hold `expected`, if anything is, so many `times`, else the whole measurement is void.

    With a `rate` (requests per second) each request has its time, and latency counts from then, whether or not
    earlier ones were answered. Without one each connection sends its next request when it has the last answer.
    """

    port: int
    requests: list[bytes]
    number: int
    status: int
    expected: bytes = b""
    times: int = 1
    connections: int = 1
    rate: float | None = None


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
    connections = OPEN_CONNECTIONS if load.rate else load.connections
    numbers = iter(range(load.number))
    requests = cycle(load.requests)
    milliseconds: list[float] = []
    began = time.perf_counter()
    await asyncio.gather(
        *(_connection(load, began, numbers, requests, milliseconds) for _ in range(min(connections, load.number)))
    )
    return Outcome(milliseconds, time.perf_counter() - began)


async def _connection(
    load: Load, began: float, numbers: Iterator[int], requests: Iterator[bytes], milliseconds: list[float]
) -> None:
    connection = Connection(load.port)
    for number, request in zip(numbers, requests, strict=False):
        due = time.perf_counter()
        if load.rate:
            due = began + number / load.rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
        await _insist(connection, request, load)
        milliseconds.append((time.perf_counter() - due) * 1000)
    connection.close()


async def _insist(connection: Connection, request: bytes, load: Load) -> None:
    for attempt in count():
        status, body, pause = await connection.send(request)
        if status != 429 or attempt == 100:
            break
        await asyncio.sleep(pause)
    if status != load.status or (load.expected and body.count(load.expected) != load.times):
        raise RuntimeError(f"{request[:60]!r} was answered {status}: {body[:400]!r}")
