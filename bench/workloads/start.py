"""Starts of processes, one per request and in batches."""

from collections.abc import AsyncIterator
from dataclasses import replace

from bench.client import BUSY, starting
from bench.figures import Figure, percentiles
from bench.load import Load
from bench.stand import CLIENTS, Stand
from bench.wire import encode

MONTH = [{"sleep": {"wait": {"days": 30}}}]
ONE = [{"one": {"set": {"n": "${ .n + 1 }"}}}]
BATCH = 100


async def start(stand: Stand) -> AsyncIterator[Figure]:
    """Without `wait` and in batches of processes that then wait for a month, so that little else is measured; with
    `wait` of such as end after one activity.
    """
    size, port = stand.size, stand.form.port
    await stand.client.deploy("start", MONTH)
    await stand.client.deploy("start-one", ONE)
    single = encode("POST", "/v1/processes", starting("start", tag="start"), key=stand.form.key)
    many = {"processes": [starting("start", tag="start")] * BATCH}
    batch = encode("POST", "/v1/processes/batch", many, key=stand.form.key)
    loads = {
        "single": (Load(port, [single], size.starts, 201, b'"status":"pending"'), 1),
        "wait": (stand.starts("start-one", {"n": 0}, b'"output":{"n":1}', number=size.starts), 1),
        "batch": (Load(port, [batch], max(10, size.starts // BATCH), 200, b'{"process":{', BATCH), BATCH),
    }
    for name, (load, starts) in loads.items():
        async for figure in _figures(stand, f"start.{name}", load, starts):
            yield figure
        await stand.client.drained("start", BUSY)


async def _figures(stand: Stand, name: str, load: Load, starts: int) -> AsyncIterator[Figure]:
    clients = CLIENTS if starts == 1 else 4
    outcomes = [await stand.load.make(replace(load, connections=clients)) for _ in range(stand.size.samples)]
    rates = [outcome.rate for outcome in outcomes]
    yield Figure(name, "starts/s", [rate * starts for rate in rates])
    yield percentiles(name, [took for outcome in outcomes for took in outcome.milliseconds])[1]
    await stand.client.drained("start", BUSY)
    half = sorted(rates)[len(rates) // 2] / 2
    number = max(20, round(half * stand.size.load_seconds))
    outcome = await stand.load.make(replace(load, number=number, rate=half))
    yield percentiles(f"{name}.half", outcome.milliseconds)[1]
