"""What every workload has at hand: a platform, a client, a process that makes load, and how much is to be done."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bench.client import Client, starting
from bench.figures import Figure, Size, percentiles
from bench.forms import Form
from bench.load import Load, LoadClient, Outcome
from bench.wire import encode

STARTS_PER_SECOND_MIN = 200
TRIES_MAX = 4
CLIENTS = 32
REQUESTS_MAX = 1_000_000


@dataclass
class Stand:
    form: Form
    client: Client
    load: LoadClient
    size: Size

    async def drain(self, name: str, inputs: list[Any], tag: str, output: Any) -> float:
        """Prepare a backlog of processes, one for each input, then let it drain; answers in how many seconds.

        All must complete with this output. Where workers are processes of their own they are frozen meanwhile; where
        they are not, the processes are to start at a moment when all of them have been accepted.
        """
        if self.form.freezes:
            with self.form.frozen():
                await self.client.start_many([starting(name, input_, tag) for input_ in inputs])
            began = time.perf_counter()
        else:
            tag, began = await self._accept_for_later(name, inputs, tag)
        await self.client.drained(tag)
        seconds = time.perf_counter() - began
        await self.client.check(tag, len(inputs), output)
        return seconds

    async def _accept_for_later(self, name: str, inputs: list[Any], tag: str) -> tuple[str, float]:
        ahead = len(inputs) / STARTS_PER_SECOND_MIN + 1
        for number in range(TRIES_MAX):
            tried = f"{tag}-{number}"
            at = time.perf_counter() + ahead
            moment = (datetime.now(UTC) + timedelta(seconds=ahead)).isoformat()
            await self.client.start_many([starting(name, input_, tried, moment) for input_ in inputs])
            left = at - time.perf_counter()
            if left > 0:
                await asyncio.sleep(left)
                return tried, at
            await self.client.drained(tried)
            ahead = 2 * (ahead - left)
        raise RuntimeError(f"{len(inputs)} processes can't be accepted in {ahead:.0f} s")

    def starts(self, name: str, input_: Any, output: bytes, *, number: int) -> Load:
        """Load of starts that are answered when the process has ended, with this output (a part of the answer)."""
        request = encode("POST", "/v1/processes?wait=60", starting(name, input_), key=self.form.key)
        return Load(self.form.port, [request], number, 201, output)

    async def at_half_load(self, load: Load, seconds: float) -> Outcome:
        """Find out how much is got through, then offer half of that for so long, whether or not it is got through."""
        most = await self.load.make(replace(load, number=REQUESTS_MAX, connections=CLIENTS, seconds=seconds))
        rate = most.rate / 2
        return await self.load.make(replace(load, number=max(20, round(rate * seconds)), rate=rate))

    async def latencies(self, name: str, load: Load) -> AsyncIterator[Figure]:
        """Start-to-end, one at a time and at half load."""
        alone = await self.load.make(replace(load, connections=1))
        for figure in percentiles(f"{name}.latency", alone.milliseconds):
            yield figure
        half = await self.at_half_load(load, self.size.load_seconds)
        for figure in percentiles(f"{name}.latency.half", half.milliseconds):
            yield figure


Workload = Callable[[Stand], AsyncIterator[Figure]]
"""Drives the public API, checks every outcome, and answers figures by name."""
