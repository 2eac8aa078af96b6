"""Queries on jobs: giving them to workers, and what becomes of them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from asyncpg import Record

from perdure.codec import decode, encode
from perdure.store.contract import JobChange, JobFactOf
from perdure.store.postgres import steps
from perdure.store.postgres.connection import Connection
from perdure.store.records import JobRecord

# In the order of the index, so that it costs the same however many wait; what others are taking is passed over.
# A token has all 128 bits from the seed, where a random UUID has 122.
LEASE = """
with picked as (
    select id from job
    where tenant = $1 and type = $2 and state = 'available' and not held
    order by priority desc, created_at, id limit $3
    for update skip locked
)
update job j
set state = 'leased', deliveries = deliveries + 1, worker = $5, actor = $6,
    token = encode(substring(sha256($8 || uuid_send(j.id)) for 16), 'hex')::uuid,
    lease_seconds = coalesce($4, lease_seconds_wanted, $7),
    due = clock_timestamp() + make_interval(secs => coalesce($4, lease_seconds_wanted, $7)), progress = null
from picked where j.id = picked.id
returning j.*
"""

GET = "select * from job where tenant = $1 and id = $2 for update"

DUE = """
select * from job where state in ('leased', 'delayed') and due <= clock_timestamp()
order by due, id limit $1
for update skip locked
"""

CHANGE = """
update job j
set state = u.state, failures = u.failures, due = u.due, token = u.token, progress = u.progress, answer = u.answer
from unnest($1::uuid[], $2::text[], $3::integer[], $4::timestamptz[], $5::uuid[], $6::bytea[], $7::bytea[])
     as u (id, state, failures, due, token, progress, answer)
where j.id = u.id
"""

NEXT = "select extract(epoch from min(due) - clock_timestamp())::float8 from job where state in ('leased', 'delayed')"

AVAILABLE = """
select u.tenant, u.type from unnest($1::text[], $2::text[]) as u (tenant, type)
where exists (
    select from job j where j.tenant = u.tenant and j.type = u.type and j.state = 'available' and not j.held
)
"""


async def lease(
    connection: Connection,
    tenant: str,
    type_: str,
    most: int,
    lease_seconds: float | None,
    lease_seconds_default: float,
    worker: str,
    actor: str,
    token_seed: bytes,
    fact_of: JobFactOf,
) -> list[JobRecord]:
    """Within the caller's transaction."""
    found = await connection.fetch(
        LEASE, tenant, type_, most, lease_seconds, worker, actor, lease_seconds_default, token_seed
    )
    jobs = sorted(map(_record, found), key=lambda job: (-job.priority, job.created_at, job.id))
    if jobs:
        await steps.add_facts(connection, [(job.process, fact_of(job)) for job in jobs])
    return jobs


async def change(connection: Connection, tenant: str, job: UUID, change_: JobChange) -> JobRecord | None:
    """Within the caller's transaction."""
    row = await connection.fetchrow(GET, tenant, job)
    if row is None:
        return None
    now = await connection.fetchval("select clock_timestamp()")
    return (await _change(connection, [_record(row)], now, change_))[0]


async def change_due(connection: Connection, limit: int, change_: JobChange) -> list[JobRecord]:
    """Within the caller's transaction."""
    found = await connection.fetch(DUE, limit)
    if not found:
        return []
    now = await connection.fetchval("select clock_timestamp()")
    return await _change(connection, [_record(row) for row in found], now, change_)


async def next_due(connection: Connection) -> float | None:
    seconds: float | None = await connection.fetchval(NEXT)
    return seconds


async def available(connection: Connection, kinds: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
    found = await connection.fetch(AVAILABLE, [tenant for tenant, _ in kinds], [type_ for _, type_ in kinds])
    return {(row["tenant"], row["type"]) for row in found}


async def _change(
    connection: Connection, jobs: Sequence[JobRecord], now: datetime, change_: JobChange
) -> list[JobRecord]:
    changed, facts = [], []
    for before in jobs:
        after, fact = change_(before, now)
        changed.append(after)
        if fact is not None:
            facts.append((after.process, fact))
    rows = [_columns(after) for before, after in zip(jobs, changed, strict=True) if after is not before]
    if rows:
        await connection.execute(CHANGE, *zip(*rows, strict=True))
    if facts:
        await steps.add_facts(connection, facts)
    return changed


def _columns(job: JobRecord) -> tuple[Any, ...]:
    progress = None if job.progress is None else encode(job.progress)
    return (job.id, job.state, job.failures, job.due, job.token, progress, job.answer)


def _record(row: Record) -> JobRecord:
    fields = dict(row)
    fields["progress"] = decode(fields["progress"]) if fields["progress"] else None
    return JobRecord(**fields)
