"""Processes that call a service over HTTP which answers at once."""

from collections.abc import AsyncIterator

from bench.figures import Figure
from bench.service import Service
from bench.stand import Stand

CALLS = 3


async def calls(stand: Stand) -> AsyncIterator[Figure]:
    """Calls per second while a backlog drains; processor time per call, servers included; latency of three calls."""
    count = stand.size.calls
    rates, used = [], []
    async with Service() as service:
        call = {"call": "http", "with": {"method": "get", "endpoint": service.url}}
        await stand.client.deploy("calls", [{f"call{n}": call} for n in range(CALLS)])
        for sample in range(stand.size.samples):
            cpu = stand.form.cpu_seconds()
            seconds = await stand.drain("calls", [{}] * count, f"calls-{sample}", {"n": 1})
            used.append((stand.form.cpu_seconds() - cpu) / (count * CALLS) * 1000)
            rates.append(count * CALLS / seconds)
            requests, keys = await service.seen()
            if (requests, keys) != (count * CALLS, count * CALLS):
                raise RuntimeError(f"expected {count * CALLS} calls, each with a key of its own: {requests}, {keys}")
        yield Figure("calls.rate", "calls/s", rates)
        yield Figure("calls.cpu", "ms/call", used)
        load = stand.starts("calls", {}, b'"output":{"n":1}', number=stand.size.runs)
        async for figure in stand.latencies("calls", load):
            yield figure
