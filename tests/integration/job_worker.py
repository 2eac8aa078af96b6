"""A worker program for the tests of jobs: ``job_worker.py URL KEY TYPE LEASE``. Each job takes what its input says."""

import asyncio
import sys

from perdure.client import Job, Worker

url, key, type_, lease = sys.argv[1:]
worker = Worker(url, token=key, concurrency=5, stop_seconds=5)


@worker.job("work", type=type_, lease=float(lease))
async def work(job: Job) -> dict:
    await asyncio.sleep(job.input["seconds"])
    return {"number": job.input["number"], "worker": worker.name, "attempt": job.attempt}


print("working", flush=True)
worker.run()
