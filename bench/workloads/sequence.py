"""Processes of five `set` activities: what the platform itself costs."""

from collections.abc import AsyncIterator

from bench.figures import Figure
from bench.stand import Stand

NAME = "sequence"
FIVE = [{f"step{n}": {"set": {"n": "${ .n + 1 }"}}} for n in range(5)]
OUTPUT = {"n": 5}


async def sequence(stand: Stand) -> AsyncIterator[Figure]:
    yield await rate(stand, "sequence.rate", "sequence")
    load = stand.starts(NAME, {"n": 0}, b'"output":{"n":5}', number=stand.size.runs)
    async for figure in stand.latencies("sequence", load):
        yield figure


async def rate(stand: Stand, name: str, tag: str) -> Figure:
    """Activities per second while a backlog drains."""
    await stand.client.deploy(NAME, FIVE)
    rates = []
    for sample in range(stand.size.samples):
        seconds = await stand.drain(NAME, [{"n": 0}] * stand.size.backlog, f"{tag}-{sample}", OUTPUT)
        rates.append(stand.size.backlog * len(FIVE) / seconds)
    return Figure(name, "activities/s", rates)
