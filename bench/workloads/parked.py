"""Processes that wait, for a month or for an event: what they cost, and what they cost others."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

from bench import database
from bench.client import BUSY, starting
from bench.figures import Figure
from bench.load import Load
from bench.stand import Stand
from bench.workloads.events import LISTEN, event
from bench.workloads.sequence import rate as sequence_rate

MONTH = [{"sleep": {"wait": {"days": 30}}}]
CHUNK = 10_000


async def parked(stand: Stand) -> AsyncIterator[Figure]:
    """Half of them wait for a timer, half for an event. Each number includes those of the one before."""
    await stand.client.deploy("parked", MONTH)
    await stand.client.deploy("events", LISTEN)
    idle = await _cpu(stand)
    there = 0
    for number in stand.size.parked:
        before = await database.size_bytes(stand.form.dsn)
        began = time.perf_counter()
        await _park(stand, number - there)
        name = f"parked.{number}"
        yield Figure(f"{name}.rate", "processes/s", [(number - there) / (time.perf_counter() - began)])
        grown = await database.size_bytes(stand.form.dsn) - before
        yield Figure(f"{name}.bytes", "bytes/process", [grown / (number - there)])
        there = number
        cpu = await _cpu(stand)
        yield Figure(f"{name}.cpu", "% of a core", [cpu * 100])
        yield Figure(f"{name}.cpu.each", "µs/s per process", [max(0.0, cpu - idle) * 1_000_000 / number])
        yield Figure(f"{name}.wake", "processes/s", await _wakes(stand, number))
        yield await sequence_rate(stand, f"{name}.sequence", f"beside-{number}")


async def _park(stand: Stand, count: int) -> None:
    """Returns when all of them wait."""
    for first in range(0, count, CHUNK):
        half = (min(CHUNK, count - first) + 1) // 2
        timers = [starting("parked", tag="parked")] * half
        listeners = [starting("events", {"order": "never"}, "parked")] * (min(CHUNK, count - first) - half)
        await stand.client.start_many(timers + listeners)
    await stand.client.drained("parked", BUSY)


async def _cpu(stand: Stand) -> float:
    """Processor seconds per second while nothing happens."""
    before = stand.form.cpu_seconds()
    await asyncio.sleep(stand.size.idle_seconds)
    return (stand.form.cpu_seconds() - before) / stand.size.idle_seconds


async def _wakes(stand: Stand, number: int) -> list[float]:
    """How many per second one event wakes that is for many of them."""
    rates = []
    for sample in range(stand.size.samples):
        tag = f"woken-{number}-{sample}"
        data: Any = {"order": tag, "n": 1}
        await stand.client.start_many([starting("events", {"order": tag}, tag)] * stand.size.woken)
        await stand.client.drained(tag, BUSY)
        began = time.perf_counter()
        await stand.load.make(Load(stand.form.port, [event(stand, tag, data)], 1, 202))
        await stand.client.drained(tag)
        rates.append(stand.size.woken / (time.perf_counter() - began))
        await stand.client.check(tag, stand.size.woken, data)
    return rates
