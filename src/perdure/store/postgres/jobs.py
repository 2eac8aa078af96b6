"""Queries on jobs: giving them to workers, and what becomes of them."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias
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

GET = "select * from job where id = $1 for update"

# Whoever has some waits for no others, in whatever order they are held.
GET_FREE = "select * from job where id = any($1::uuid[]) for update skip locked"

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


Asked: TypeAlias = tuple[str, UUID, JobChange]


async def change(connection: Connection, asked: Asked) -> JobRecord | None:
    """Within the caller's transaction."""
    tenant, job, _ = asked
    row = await connection.fetchrow(GET, job)
    if row is None or row["tenant"] != tenant:
        return None
    return (await _change(connection, {job: _record(row)}, [asked]))[0]


async def change_free(connection: Connection, asked: Sequence[Asked]) -> dict[int, JobRecord]:
    """Those of jobs that nobody holds, by their place. Within the caller's transaction."""
    found = {row["id"]: _record(row) for row in await connection.fetch(GET_FREE, [job for _, job, _ in asked])}
    places = [place for place, (tenant, job, _) in enumerate(asked) if job in found and found[job].tenant == tenant]
    changed = await _change(connection, found, [asked[place] for place in places])
    return dict(zip(places, changed, strict=True))


async def change_due(connection: Connection, limit: int, change_: JobChange) -> list[JobRecord]:
    """Within the caller's transaction."""
    found = await connection.fetch(DUE, limit)
    if not found:
        return []
    jobs = {row["id"]: _record(row) for row in found}
    return await _change(connection, jobs, [(job.tenant, job.id, change_) for job in jobs.values()])


async def next_due(connection: Connection) -> float | None:
    seconds: float | None = await connection.fetchval(NEXT)
    return seconds


async def available(connection: Connection, kinds: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
    found = await connection.fetch(AVAILABLE, [tenant for tenant, _ in kinds], [type_ for _, type_ in kinds])
    return {(row["tenant"], row["type"]) for row in found}


async def _change(connection: Connection, before: Mapping[UUID, JobRecord], asked: Sequence[Asked]) -> list[JobRecord]:
    now = await connection.fetchval("select clock_timestamp()")
    current = dict(before)
    changed, facts = [], []
    for _, id_, change_ in asked:
        current[id_], fact = change_(current[id_], now)
        changed.append(current[id_])
        if fact is not None:
            facts.append((current[id_].process, fact))
    rows = [_columns(job) for id_, job in current.items() if job is not before[id_]]
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
