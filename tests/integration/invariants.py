"""What must be true of the database at any time, whatever was killed."""

import json
from collections.abc import Iterator
from itertools import groupby
from typing import Any
from uuid import UUID

import asyncpg

from folding import Folded, Trail, stored
from perdure.store.postgres import steps

# As `Store.stranded`, by a query of its own: each thing that a process says it waits for has its own wake-up. What has
# happened and waits in the inbox may be it.
WAITS_IN_VAIN = """
select p.id, p.name, p.status, w.reason, w.activity
from process p cross join lateral json_to_recordset(p.waiting) as w (activity uuid, reason text)
where p.ended_at is null and p.status <> 'suspended'
  and not exists (select from inbox x where x.process = p.id)
  and not case w.reason
      when 'call' then exists (select from call x where x.activity = w.activity)
      when 'timer' then exists (select from timer x where x.process = p.id and x.purpose = 'wait')
      when 'retry' then exists (select from timer x where x.process = p.id and x.purpose = 'retry')
      when 'event' then exists (select from subscription x where x.process = p.id and x.activity = w.activity)
      when 'human-task' then exists (
          select from human_task x where x.id = w.activity and x.status in ('open', 'claimed'))
      when 'callback' then exists (select from callback x where x.activity = w.activity and x.status = 'open')
      when 'job' then exists (
          select from job x where x.id = w.activity and x.state in ('available', 'leased', 'delayed'))
      when 'child' then exists (
          select from process x where x.parent_activity = w.activity and x.ended_at is null)
      when 'step' then p.owed_since is not null or exists (select from timer x where x.process = p.id)
      else false
  end
"""

ACTIVITY_TWICE = "select process, id, count(*) from activity group by process, id having count(*) > 1"

ENDED_TWICE = """
select process, activity, count(*) from history
where type like 'io.serverlessworkflow.task.completed%' and activity is not null
group by process, activity having count(*) > 1
"""

HISTORY_WITH_GAPS = """
select process, count(*), min(sequence), max(sequence) from history group by process
having count(*) <> max(sequence) or min(sequence) <> 1
"""

LEFT_BEHIND = """
select p.id, p.status from process p
where p.ended_at is not null and p.status <> 'faulted' and (
    exists (select from timer x where x.process = p.id)
    or exists (select from call x where x.process = p.id)
    or exists (select from subscription x where x.process = p.id)
    or exists (select from human_task x where x.process = p.id and x.status in ('open', 'claimed'))
    or exists (select from job x where x.process = p.id and x.state in ('available', 'leased', 'delayed'))
)
"""

QUERIES = {
    "a process that has not ended has a wake-up": steps.STRANDED.replace("$1", "100"),
    "what a process waits for can come": WAITS_IN_VAIN,
    "an activity is recorded once": ACTIVITY_TWICE,
    "an activity completes once": ENDED_TWICE,
    "a history has no gaps": HISTORY_WITH_GAPS,
    "an ended process waits for nothing": LEFT_BEHIND,
}


HISTORY = "select process, sequence, at, type, activity, data from history order by process, sequence"
PROCESSES = "select id, status, ended_at, error from process"
ACTIVITIES = "select process, id, status, attempt, reference, ended_at, error from activity"


async def violations(dsn: str) -> dict[str, list[Any]]:
    """What is violated, with the first rows that show it; empty where all is well."""
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            found = {name: await connection.fetch(query) for name, query in QUERIES.items()}
            found["the history gives the stored state"] = await _untold(connection)
    finally:
        await connection.close()
    return {name: [dict(row) for row in rows[:5]] for name, rows in found.items() if rows}


async def _untold(connection: asyncpg.Connection) -> list[dict[str, Any]]:
    """Processes whose folded history is not what is stored of them and their activities."""
    activities: dict[UUID, dict[UUID, Folded]] = {}
    for row in await connection.fetch(ACTIVITIES):
        told = stored(row["status"], row["attempt"], row["reference"], row["ended_at"], _error(row))
        activities.setdefault(row["process"], {})[row["id"]] = told
    trails = {process: Trail().fold(entries) for process, entries in _histories(await connection.fetch(HISTORY))}
    wrong = []
    for row in await connection.fetch(PROCESSES):
        there = Trail(stored(row["status"], 1, None, row["ended_at"], _error(row)), activities.pop(row["id"], {}))
        trail = trails.pop(row["id"], Trail())
        if trail != there:
            wrong.append({"process": row["id"], "told": trail, "stored": there})
    return [*wrong, *({"process": process, "stored": "no such process"} for process in {*activities, *trails})]


class _Line:
    def __init__(self, row: asyncpg.Record) -> None:
        self.at, self.type, self.activity, self.data = row["at"], row["type"], row["activity"], json.loads(row["data"])


def _histories(rows: list[asyncpg.Record]) -> Iterator[tuple[UUID, Iterator[_Line]]]:
    for process, of_one in groupby(rows, lambda row: row["process"]):
        yield process, map(_Line, of_one)


def _error(row: asyncpg.Record) -> tuple[str, int] | None:
    error = None if row["error"] is None else json.loads(row["error"])
    return None if error is None else (error["type"], error["status"])
