"""What must be true of the database at any time, whatever was killed."""

from typing import Any

import asyncpg

# A suspended process waits for its operator.
STRANDED = """
select p.id, p.name, p.status, p.waiting from process p
where p.ended_at is null and p.status <> 'suspended' and p.owed_since is null
  and not exists (select from inbox x where x.process = p.id)
  and not exists (select from timer x where x.process = p.id)
  and not exists (select from call x where x.process = p.id)
  and not exists (select from subscription x where x.process = p.id)
  and not exists (select from human_task x where x.process = p.id and x.status in ('open', 'claimed'))
  and not exists (select from callback x where x.process = p.id and x.status = 'open')
  and not exists (select from job x where x.process = p.id and x.state in ('available', 'leased', 'delayed'))
  and not exists (select from process x where x.parent_process = p.id and x.ended_at is null)
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
    "a process that has not ended has a wake-up": STRANDED,
    "an activity is recorded once": ACTIVITY_TWICE,
    "an activity completes once": ENDED_TWICE,
    "a history has no gaps": HISTORY_WITH_GAPS,
    "an ended process waits for nothing": LEFT_BEHIND,
}


async def violations(dsn: str) -> dict[str, list[Any]]:
    """What is violated, with the first rows that show it; empty where all is well."""
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            found = {name: await connection.fetch(query) for name, query in QUERIES.items()}
    finally:
        await connection.close()
    return {name: [dict(row) for row in rows[:5]] for name, rows in found.items() if rows}
