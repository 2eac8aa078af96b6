"""What is measured. Each workload drives the public API, checks every outcome, and answers figures by name."""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import asyncpg
from aiohttp import web

from bench.client import Client
from bench.forms import Form


@dataclass(frozen=True)
class Figure:
    """One measured value per sample."""

    name: str
    unit: str
    samples: list[float]

    @property
    def median(self) -> float:
        return statistics.median(self.samples)


@dataclass(frozen=True)
class Size:
    """How much is done. `samples` is how often each figure is taken."""

    samples: int
    backlog: int
    latency_runs: int
    starts: int
    parked: int
    iterations: tuple[int, int]
    calls: int
    idle_seconds: float


FULL = Size(3, 5_000, 200, 2_000, 20_000, (100, 10_000), 1_000, 20.0)
QUICK = Size(1, 1_000, 50, 500, 2_000, (100, 5_000), 200, 5.0)

FIVE = [{f"step{n}": {"set": {"n": "${ .n + 1 }"}}} for n in range(5)]
MONTH = [{"sleep": {"wait": {"days": 30}}}]
LOOP = [{"loop": {"for": {"in": ".items"}, "do": [{"add": {"set": {"sum": "${ (.sum // 0) + 1 }"}}}]}}]
START_CLIENTS = 32

Workload = Callable[[Client, Form, Size], Awaitable[list[Figure]]]


async def sequence(client: Client, form: Form, size: Size) -> list[Figure]:
    """Five `set` activities: drained from a backlog that is prepared while the timer runs, and one at a time."""
    await client.deploy("sequence", FIVE)
    rates = []
    for sample in range(size.samples):
        tag = f"sequence-{sample}"
        started = time.perf_counter()
        await client.start_many("sequence", size.backlog, {"n": 0}, tag)
        await client.drained(tag)
        rates.append(size.backlog * 5 / (time.perf_counter() - started))
    latencies = []
    for _ in range(size.latency_runs):
        started = time.perf_counter()
        view = await client.run("sequence", {"n": 0})
        latencies.append((time.perf_counter() - started) * 1000)
        assert view["output"] == {"n": 5}
    percentiles = statistics.quantiles(latencies, n=100)
    return [
        Figure("sequence.activities", "activities/s", rates),
        Figure("sequence.latency.p50", "ms", [statistics.median(latencies)]),
        Figure("sequence.latency.p99", "ms", [percentiles[98]]),
    ]


async def start(client: Client, form: Form, size: Size) -> list[Figure]:
    """Single and batched starts of processes that then wait, so that little else is measured."""
    await client.deploy("start", MONTH)
    body = {"definition": {"namespace": "bench", "name": "start"}, "tags": {"bench": "start"}}
    singles, batches, latencies = [], [], []

    async def starts(count: int) -> None:
        for _ in range(count):
            began = time.perf_counter()
            await client.call("POST", "/v1/processes", body, expect=(201,))
            latencies.append((time.perf_counter() - began) * 1000)

    for sample in range(size.samples):
        started = time.perf_counter()
        await asyncio.gather(*(starts(size.starts // START_CLIENTS) for _ in range(START_CLIENTS)))
        singles.append(size.starts // START_CLIENTS * START_CLIENTS / (time.perf_counter() - started))
        started = time.perf_counter()
        await client.start_many("start", size.starts, {}, f"start-{sample}")
        batches.append(size.starts / (time.perf_counter() - started))
    for sample in range(size.samples):
        await client.drained(f"start-{sample}")
    await client.drained("start")
    return [
        Figure("start.single", "starts/s", singles),
        Figure("start.single.p99", "ms", [statistics.quantiles(latencies, n=100)[98]]),
        Figure("start.batch", "starts/s", batches),
    ]


async def loop(client: Client, form: Form, size: Size) -> list[Figure]:
    """Cost of an iteration in a short loop and in a long one; the same number of iterations in all."""
    await client.deploy("loop", LOOP)
    short, long = size.iterations
    ratios, costs = [], []
    for _ in range(size.samples):
        per_short = await _per_iteration(client, short, long // short)
        per_long = await _per_iteration(client, long, 1)
        costs.append(per_long * 1_000_000)
        ratios.append(per_long / per_short)
    return [
        Figure("loop.iteration", "µs", costs),
        Figure(f"loop.growth.{short}-{long}", "ratio", ratios),
    ]


async def _per_iteration(client: Client, iterations: int, runs: int) -> float:
    started = time.perf_counter()
    for _ in range(runs):
        view = await client.run("loop", {"items": list(range(iterations))})
        assert view["output"] == {"sum": iterations}
    return (time.perf_counter() - started) / (iterations * runs)


async def calls(client: Client, form: Form, size: Size) -> list[Figure]:
    """Three `call: http` each, to a service in this process that answers at once."""
    keys: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        keys.append(request.headers["Idempotency-Key"])
        return web.json_response({"n": 1})

    app = web.Application()
    app.router.add_get("/", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    call = {"call": "http", "with": {"method": "get", "endpoint": url}}
    await client.deploy("calls", [{f"call{n}": call} for n in range(3)])
    rates, used = [], []
    for sample in range(size.samples):
        tag = f"calls-{sample}"
        keys.clear()
        cpu, started = form.cpu_seconds(), time.perf_counter()
        await client.start_many("calls", size.calls, {}, tag)
        await client.drained(tag)
        rates.append(size.calls * 3 / (time.perf_counter() - started))
        used.append((form.cpu_seconds() - cpu) / (size.calls * 3) * 1000)
        assert len(set(keys)) == size.calls * 3, "each call has a key of its own"
    await runner.cleanup()
    return [Figure("calls.rate", "calls/s", rates), Figure("calls.cpu", "ms/call", used)]


async def parked(client: Client, form: Form, size: Size) -> list[Figure]:
    """Processes that wait for a month: their bytes, and the processor time used while nothing happens."""
    await client.deploy("parked", MONTH)
    before = await _database_bytes(form)
    started = time.perf_counter()
    await client.start_many("parked", size.parked, {}, "parked")
    await client.drained("parked")
    figures = [Figure("parked.rate", "processes/s", [size.parked / (time.perf_counter() - started)])]
    if before is not None:
        after = await _database_bytes(form)
        assert after is not None
        figures.append(Figure("parked.bytes", "bytes/process", [(after - before) / size.parked]))
    cpu = form.cpu_seconds()
    await asyncio.sleep(size.idle_seconds)
    idle = (form.cpu_seconds() - cpu) / size.idle_seconds * 100
    figures.append(Figure("parked.cpu", "% of a core", [idle]))
    return figures


async def _database_bytes(form: Form) -> int | None:
    """Size of the tables with their indexes, after a vacuum; None where the database is the platform's own."""
    if form.dsn is None:
        return None
    connection: Any = await asyncpg.connect(form.dsn)
    await connection.execute("vacuum full")
    size: int = await connection.fetchval("select pg_database_size(current_database())")
    await connection.close()
    return size


WORKLOADS: tuple[Workload, ...] = (sequence, start, calls, loop, parked)
