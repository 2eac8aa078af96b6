"""A worker program for the tests of jobs: ``job_worker.py URL KEY TYPE LEASE``. Each job takes what its input says, and
the first attempt of a held one takes as long as its worker lives.
"""

import asyncio
import sys

from perdure.client import Job, Worker

url, key, type_, lease = sys.argv[1:]
worker = Worker(url, token=key, concurrency=5, stop_seconds=5)


@worker.job("work", type=type_, lease=float(lease))
async def work(job: Job) -> dict:
    held = job.attempt == 1 and job.input.get("held")
    await asyncio.sleep(3600 if held else job.input["seconds"])
    return {"number": job.input["number"], "worker": worker.name, "attempt": job.attempt}


print("working", flush=True)
worker.run()
