"""`python -m bench.soak`: the distributed form for a while at 70 % of what it gets through. Memory of the services has
to be flat, tables and indexes bounded, and everything that was started done.

Processes do a bit of everything that a step does: activities, two calls, a timer. What has ended is kept for a minute
only, until the next round in which workers forget, so that tables soon hold as much as they ever will.
"""

import argparse
import asyncio
import math
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Any

import psutil

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))  # the servers that the tests use

from bench import database
from bench.client import Client
from bench.figures import QUICK, percentiles
from bench.forms import Distributed, distributed
from bench.load import Load, LoadClient
from bench.service import Service
from bench.stand import Stand

SHARE = 0.7
CLIENTS = 32
PROBE_SECONDS = 20.0
SAMPLE_SECONDS = 10.0
WORKERS = 2
RETENTION = "PT1M"
SERVICE_GROWTH_MAX = 1.05
"""Of the mean of the last third to that of the second."""
TABLES_GROWTH_MAX = 1.1

TABLES = """
select sum(pg_total_relation_size(relid))::bigint as bytes, sum(n_dead_tup)::bigint as dead,
       sum(n_live_tup)::bigint as live, sum(autovacuum_count)::bigint as vacuums
from pg_stat_user_tables
"""
LEFT = "select status, count(*) as count from process where status <> 'completed' group by status"


@dataclass(frozen=True)
class Sample:
    """Bytes by service and of the tables with their indexes; rows dead and alive, rounds of the autovacuum so far."""

    services: dict[str, float]
    tables: float
    dead: int
    live: int
    vacuums: int


async def soak(minutes: float) -> list[str]:
    """What does not hold."""
    more = {"PERDURE_RETENTION": RETENTION}
    async with (
        LoadClient() as load,
        Service() as service,
        distributed(WORKERS, more) as form,
        Client(form.url, form.key) as client,
    ):
        call = {"call": "http", "with": {"method": "get", "endpoint": service.url}}
        rest = {"wait": {"milliseconds": 50}}
        await client.deploy("soak", [{"a": {"set": {"n": 1}}}, {"b": call}, {"c": rest}, {"d": call}])
        starts = Stand(form, client, load, QUICK).starts("soak", {}, b'"output":{"n":1}', number=1_000_000)
        most = await load.make(replace(starts, connections=CLIENTS, seconds=PROBE_SECONDS))
        rate = most.rate * SHARE
        print(f"{most.rate:.0f} processes/s at most; {rate:.0f} for {minutes:g} minutes", flush=True)
        samples = await _sampled(form, load, replace(starts, number=math.ceil(rate * minutes * 60), rate=rate))
        await client.drained("soak")
        async with database.connected(form.dsn) as connection:
            left = [f"{row['count']} processes are {row['status']}" for row in await connection.fetch(LEFT)]
        return left + _judged(samples)


async def _sampled(form: Distributed, load: LoadClient, work: Load) -> list[Sample]:
    samples: list[Sample] = []

    async def sample() -> None:
        async with database.connected(form.dsn) as connection:
            while True:
                samples.append(await _sample(form, connection))
                await asyncio.sleep(SAMPLE_SECONDS)

    sampling = asyncio.create_task(sample())
    began = time.perf_counter()
    outcome = await load.make(work)
    sampling.cancel()
    await asyncio.gather(sampling, return_exceptions=True)
    p50, p99 = (figure.median for figure in percentiles("", outcome.milliseconds))
    seconds = time.perf_counter() - began
    print(f"{len(outcome.milliseconds)} processes in {seconds:.0f} s, p50 {p50:.1f} ms, p99 {p99:.0f} ms")
    return samples


async def _sample(form: Distributed, connection: Any) -> Sample:
    programs = {"api": form.api} | {f"worker {n}": worker for n, worker in enumerate(form.workers, 1)}
    services = {name: _memory(psutil.Process(program.pid)) for name, program in programs.items()}
    row = await connection.fetchrow(TABLES)
    return Sample(services, row["bytes"], row["dead"], row["live"], row["vacuums"])


def _memory(root: psutil.Process) -> float:
    """Of the service and the processes that it has started."""
    return sum(process.memory_info().rss for process in (root, *root.children(recursive=True)))


def _judged(samples: Sequence[Sample]) -> list[str]:
    """Prints what was seen in the three thirds; answers what is too much."""
    size = len(samples) // 3
    thirds = [samples[n * size : (n + 1) * size] for n in range(3)]
    faults = []
    print(f"\n{'mean of':14} {'1st third':>10} {'2nd':>10} {'3rd':>10} {'3rd/2nd':>8}")
    for name in samples[0].services:
        faults += _row(name, [fmean(s.services[name] for s in third) for third in thirds], SERVICE_GROWTH_MAX)
    faults += _row("tables", [fmean(s.tables for s in third) for third in thirds], TABLES_GROWTH_MAX)
    dead = [fmean(s.dead / max(1, s.live) for s in third) for third in thirds]
    print(f"{'dead rows':14}" + "".join(f" {share:10.1%}" for share in dead))
    vacuums = [third[-1].vacuums - third[0].vacuums for third in thirds]
    print(f"{'autovacuums':14}" + "".join(f" {number:10}" for number in vacuums))
    return faults


def _row(name: str, means: list[float], most: float) -> list[str]:
    growth = means[2] / means[1]
    print(f"{name:14}" + "".join(f" {mean / 1e6:7.1f} MB" for mean in means) + f" {growth:8.3f}")
    return [] if growth <= most else [f"{name} has grown {growth:.3f} times; at most {most} was expected"]


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    faults = asyncio.run(soak(parser.parse_args().minutes))
    if faults:
        sys.exit("\n".join(faults))
    print("\nEverything was done, and nothing grows.")


if __name__ == "__main__":
    main()
