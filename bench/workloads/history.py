"""Queries where much lies behind: processes that have ended, with millions of activity records."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from bench import database
from bench.figures import Figure, percentiles
from bench.load import Load
from bench.stand import Stand
from bench.wire import encode

ACTIVITIES = 20
CHUNK = 2_000
DAYS = 30
CANCELLED_EVERY = 1_000
CUSTOMERS = 10_000
PAGES = 10
STEPS = [{f"step{n}": {"set": {"n": "${ .n + 1 }"}}} for n in range(ACTIVITIES)]


async def history(stand: Stand) -> AsyncIterator[Figure]:
    """One process is run; copies of its records, with other ids, times, keys and tags, are written to the database."""
    await stand.client.deploy("history", STEPS)
    template = UUID((await stand.client.run("history", {"n": 0}))["id"])
    there: list[UUID] = []
    for records in stand.size.records:
        there += await _seed(stand.form.dsn, template, len(there), records // ACTIVITIES)
        for kind, paths in (await _questions(stand, there)).items():
            requests = [encode("GET", path, key=stand.form.key) for path in paths]
            number = max(stand.size.queries, len(requests))
            outcome = await stand.load.make(Load(stand.form.port, requests, number, 200, b'{"items":[{'))
            for figure in percentiles(f"history.{records}.{kind}", outcome.milliseconds):
                yield figure


async def _questions(stand: Stand, there: list[UUID]) -> dict[str, list[str]]:
    """What is asked, by kind. Each has an answer that is not empty."""
    chance = Random(2)
    some = [chance.randrange(len(there)) for _ in range(stand.size.queries)]
    pages = [await _cursor(stand, n * DAYS / (PAGES + 1)) for n in range(PAGES)]
    return {
        "list": ["/v1/processes?name=history"],
        "key": [f"/v1/processes?key=order-{n}" for n in some],
        "tag": [f"/v1/processes?tag.customer={n % CUSTOMERS}" for n in some],
        "status": ["/v1/processes?name=history&status=cancelled"],
        "page": pages,
        "activities": [f"/v1/processes/{there[n]}/activities" for n in some],
    }


async def _cursor(stand: Stand, days: float) -> str:
    """The second of the pages that begin so long ago."""
    before = (datetime.now(UTC) - timedelta(days=days)).isoformat().replace("+", "%2B")
    path = f"/v1/processes?name=history&createdBefore={before}"
    page = await stand.client.call("GET", path)
    return f"{path}&cursor={page['next']}"


async def _seed(dsn: str, template: UUID, there: int, wanted: int) -> list[UUID]:
    """Copies of the process up to the wanted number, spread over the last days, those of a later call among them."""
    async with database.connected(dsn) as connection:
        process = dict(await connection.fetchrow("select * from process where id = $1", template))
        activities = [
            dict(row) for row in await connection.fetch("select * from activity where process = $1", template)
        ]
        if len(activities) != ACTIVITIES:
            raise RuntimeError(f"expected {ACTIVITIES} activities, found {len(activities)}")
        ids = []
        for first in range(there, wanted, CHUNK):
            copies = [_copy(process, n, wanted) for n in range(first, min(first + CHUNK, wanted))]
            ids += [copy["id"] for copy in copies]
            records = (_of(activity, copy["id"]) for copy in copies for activity in activities)
            await _write(connection, "process", list(process), (copy.values() for copy in copies))
            await _write(connection, "activity", list(activities[0]), (record.values() for record in records))
        await connection.execute("vacuum analyze process, activity")
    return ids


async def _write(connection: Any, table: str, columns: list[str], rows: Iterator[Any]) -> None:
    await connection.copy_records_to_table(table, columns=columns, records=(tuple(row) for row in rows))


def _copy(process: dict[str, Any], number: int, wanted: int) -> dict[str, Any]:
    """By number: its time, its key, its customer, and whether it was cancelled."""
    at = process["created_at"] - timedelta(days=DAYS) * (1 - (number + 1) / (wanted + 1))
    return {
        **process,
        "id": _id(at, number),
        "status": "completed" if number % CANCELLED_EVERY else "cancelled",
        "key": f"order-{number}",
        "tags": f'{{"customer": "{number % CUSTOMERS}"}}',
        **dict.fromkeys(("created_at", "started_at", "ended_at"), at),
    }


def _of(activity: dict[str, Any], process: UUID) -> dict[str, Any]:
    return {**activity, "process": process, "id": UUID(int=process.int ^ activity["number"])}


def _id(at: datetime, number: int) -> UUID:
    """A UUIDv7 of that time."""
    milliseconds = int(at.timestamp() * 1000)
    return UUID(int=milliseconds << 80 | 7 << 76 | 2 << 62 | number)
