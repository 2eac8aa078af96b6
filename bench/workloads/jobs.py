"""Jobs that external workers do over the Python SDK."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterator
from multiprocessing.connection import Connection as Pipe
from typing import Any

from bench.client import starting
from bench.figures import Figure, percentiles
from bench.processes import SPAWN, end_with_parent
from bench.stand import Stand
from perdure.client import Job, Worker

CONCURRENCY = 50
TYPE = "bench"
JOB = [{"work": {"call": "job:1.0.0@default", "with": {"type": TYPE, "input": "${ . }"}}}]


async def jobs(stand: Stand) -> AsyncIterator[Figure]:
    """Jobs per second when a worker meets so many that wait for one; from the start of a process of one job to its
    end, one at a time.
    """
    await stand.client.deploy("jobs", JOB)
    count = stand.size.jobs
    rates = []
    for sample in range(stand.size.samples):
        tag = f"jobs-{sample}"
        await stand.client.start_many([starting("jobs", {"n": 1}, tag)] * count)
        await stand.client.drained(tag, ("pending", "running"))
        with _worker(stand) as (ready, begin):
            await asyncio.to_thread(ready)
            began = time.perf_counter()
            begin()
            await stand.client.drained(tag)
            rates.append(count / (time.perf_counter() - began))
        await stand.client.check(tag, count, {"n": 2})
    yield Figure("jobs.rate", "jobs/s", rates)
    with _worker(stand) as (ready, begin):
        await asyncio.to_thread(ready)
        begin()
        outcome = await stand.load.make(stand.starts("jobs", {"n": 1}, b'"output":{"n":2}', number=stand.size.runs))
    for figure in percentiles("jobs.latency", outcome.milliseconds):
        yield figure


@contextlib.contextmanager
def _worker(stand: Stand) -> Iterator[tuple[Any, Any]]:
    """A worker process; what waits until it is there, and what lets it begin."""
    ours, theirs = SPAWN.Pipe()
    process = SPAWN.Process(target=_work, args=(theirs, stand.form.url, stand.form.key), daemon=True)
    process.start()
    try:
        yield ours.recv, lambda: ours.send("begin")
    finally:
        process.terminate()
        process.join()


def _work(pipe: Pipe, url: str, key: str | None) -> None:
    end_with_parent()
    worker = Worker(url, token=key, concurrency=CONCURRENCY, stop_seconds=1)

    @worker.job("bench", type=TYPE)
    async def work(job: Job[Any]) -> Any:
        return {"n": job.input["n"] + 1}

    pipe.send("ready")
    pipe.recv()
    worker.run()
