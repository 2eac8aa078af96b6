"""A worker that charges cards: what a team would write, and run as many times as it likes."""

import asyncio
import logging
from dataclasses import dataclass

from perdure.client import Job, JobFailed, Worker

worker = Worker()  # where PERDURE_API_URL says, with the key in PERDURE_API_KEY


@dataclass
class Charge:
    order: str
    amount: int
    card: str


@dataclass
class Receipt:
    number: str
    amount: int
    attempt: int


@worker.job("charge-card", version="1.2.0", lease=5)
async def charge(job: Job[Charge]) -> Receipt:
    if job.input.card == "expired":
        raise JobFailed("the card has expired", type="https://shop.example/errors/card-declined", status=402)
    for percent in (25, 50, 75):
        await asyncio.sleep(0.1)  # the bank takes its time
        job.progress({"percent": percent})
    if job.input.card == "flaky" and job.attempt == 1:
        raise JobFailed("the bank did not answer", retryable=True)
    return Receipt(f"R-{job.input.order}", job.input.amount, job.attempt)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="worker: %(message)s")
    worker.run()
