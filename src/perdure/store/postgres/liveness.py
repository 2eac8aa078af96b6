"""Queries on wake-ups: which are recorded for processes that have not ended. The rules that make the database itself
refuse a process without one are in the migrations.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from asyncpg import Pool
from asyncpg import Record as Row

from perdure.codec import decode
from perdure.engine.wake_ups import Kind
from perdure.store.liveness import FACTS_COUNTED_MAX, Line, Recorded, Standing
from perdure.store.postgres.connection import connected

# One statement, so that all of it is of one moment: what a fact or a timer does in between is seen whole.
_STANDING = f"""
select p.id, p.tenant, p.status, p.state, p.created_at, p.owed_since,
       (select count(*) from (select from inbox x where x.process = p.id limit {FACTS_COUNTED_MAX}) f)::integer
           as facts,
       (select min(x.recorded_at) from inbox x where x.process = p.id) as facts_since,
       array(select x.id from timer x where x.process = p.id) as "timer",
       array(select x.activity from call x where x.process = p.id) as "call",
       array(select distinct x.activity from subscription x where x.process = p.id) as "subscription",
       array(select x.id from human_task x where x.process = p.id and x.status in ('open', 'claimed'))
           as "human-task",
       array(select x.activity from callback x where x.process = p.id and x.status = 'open') as "callback",
       array(select x.id from job x where x.process = p.id and x.state in ('available', 'leased', 'delayed'))
           as "job",
       array(select x.id from process x
             where x.parent_process = p.id and x.parent_activity is not null and x.ended_at is null) as "child"
from process p
"""

KINDS: tuple[Kind, ...] = ("timer", "call", "subscription", "human-task", "callback", "job", "child")

STANDINGS = (
    _STANDING
    + """
where p.ended_at is null and ($2::uuid is null or p.id > $2) and ($1::text is null or p.tenant = $1)
order by p.id limit $3
"""
)

STANDING = _STANDING + "where p.tenant = $1 and p.id = $2 and p.ended_at is null"

CALLS = """
select 'call' as kind, activity, lease_until as at,
       case when lease_token is null or lease_until <= clock_timestamp() then 'queued' else 'performing' end as state,
       json_build_object('function', function, 'attempt', attempt) as details
from call where activity = any($2::uuid[]) and process = $1
"""

SUBSCRIPTIONS = """
select 'subscription' as kind, activity, min(since) as at, 'open' as state,
       json_build_object('types', json_agg(distinct type)) as details
from subscription where process = $1 and activity = any($2::uuid[]) group by activity
"""

HUMAN_TASKS = """
select 'human-task' as kind, id as activity, due as at, status as state,
       json_build_object('title', title, 'assignee', assignee, 'assignees', assignees,
                         'candidateGroups', candidate_groups) as details
from human_task where process = $1 and id = any($2::uuid[]) and status in ('open', 'claimed')
"""

CALLBACKS = """
select 'callback' as kind, activity, null::timestamptz as at, status as state, '{}'::json as details
from callback where process = $1 and activity = any($2::uuid[]) and status = 'open'
"""

JOBS = """
select 'job' as kind, id as activity, due as at, state,
       json_build_object('type', type, 'worker', worker, 'deliveries', deliveries, 'held', held) as details
from job where process = $1 and id = any($2::uuid[]) and state in ('available', 'leased', 'delayed')
"""

CHILDREN = """
select 'child' as kind, parent_activity as activity, null::timestamptz as at, status as state,
       json_build_object('process', id, 'namespace', namespace, 'name', name) as details
from process where parent_process = $1 and parent_activity = any($2::uuid[]) and ended_at is null
order by id limit 100
"""

LAST_LINES = """
select distinct on (activity, type) activity, type, at, actor, data
from (
    select sequence, activity, type, at, actor, data from history
    where process = $1 order by sequence desc limit $3
) h
where type = any($2::text[])
order by activity, type, sequence desc
"""


class PostgresLiveness:
    """See `perdure.store.liveness.Liveness`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def standings(self, tenant: str | None, after: UUID | None, limit: int) -> list[Standing]:
        async with connected(self._pool) as connection:
            return [_standing(row) for row in await connection.fetch(STANDINGS, tenant, after, limit)]

    async def standing(self, tenant: str, process: UUID) -> Standing | None:
        async with connected(self._pool) as connection:
            row = await connection.fetchrow(STANDING, tenant, process)
            return None if row is None else _standing(row)

    async def recorded(self, process: UUID, activities: Sequence[UUID]) -> list[Recorded]:
        found: list[Recorded] = []
        async with connected(self._pool) as connection:
            for query in (CALLS, SUBSCRIPTIONS, HUMAN_TASKS, CALLBACKS, JOBS, CHILDREN):
                rows = await connection.fetch(query, process, activities)
                found += [Recorded(**_decoded(row, "details")) for row in rows]
        return found

    async def last_lines(self, process: UUID, types: Sequence[str], lines_max: int) -> list[Line]:
        async with connected(self._pool) as connection:
            rows = await connection.fetch(LAST_LINES, process, types, lines_max)
            return [Line(**_decoded(row, "data")) for row in rows]


def _standing(row: Row) -> Standing:
    return Standing(
        id=row["id"],
        tenant=row["tenant"],
        status=row["status"],
        state=row["state"],
        created_at=row["created_at"],
        owed_since=row["owed_since"],
        facts=row["facts"],
        facts_since=row["facts_since"],
        recorded=frozenset((kind, id_) for kind in KINDS for id_ in row[kind]),
    )


def _decoded(row: Row, name: str) -> dict[str, Any]:
    return {**row, name: decode(row[name])}
