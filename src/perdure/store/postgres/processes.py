"""Queries on processes, their activities, history and payloads."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from perdure.codec import Json
from perdure.engine.refs import Key, key_of
from perdure.store.postgres import rows
from perdure.store.postgres.connection import Connection
from perdure.store.records import Accepted, ActivityRecord, HistoryRecord, NewProcess, ProcessRecord, Start

COLUMNS = """id, tenant, namespace, name, version, status, key, tags, input, output, error, waiting,
       parent_process, parent_activity, created_at, started_at, ended_at"""

# One statement, so that a start is one turn of the connection.
ADD = """
with u as materialized (
    select *, clock_timestamp() as now
    from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bytea[],
                $9::bytea[], $10::uuid[], $11::uuid[], $12::integer[], $13::bytea[], $14::timestamptz[], $15::bytea[],
                $16::bytea[])
         with ordinality as u (id, tenant, namespace, name, version, key, tags, seed, input, parent_process,
                               parent_activity, depth, fact, due, payload_key, payload, number)
), p as (
    insert into process (id, tenant, namespace, name, version, status, key, tags, seed, input, waiting,
                         parent_process, parent_activity, depth, sequence, created_at)
    select id, tenant, namespace, name, version, 'pending', key, tags::jsonb, seed, input,
           case when due is not null then json_build_array(json_build_object(
               'activity', id, 'reference', '/', 'reason', 'timer', 'since', now, 'until', due)) end,
           parent_process, parent_activity, depth, 0, now
    from u
), f as (
    insert into inbox (process, fact, recorded_at) select id, fact, now from u where due is null
    returning process, id
), t as (
    insert into timer (process, id, due, purpose, fact) select id, id, due, 'start', fact from u where due is not null
), l as (
    insert into payload (process, key, data) select id, payload_key, payload from u where payload is not null
    on conflict do nothing
)
select u.now, f.id as fact from u left join f on f.process = u.id order by u.number
"""

# Two starts with one key at the same instant meet here: the second waits for the first to commit. In one order, so that
# two groups of them never wait for each other.
CLAIM_KEYS = """
insert into idempotency (tenant, key, digest, process, created_at)
select tenant, key, digest, process, clock_timestamp()
from unnest($1::text[], $2::text[], $3::bytea[], $4::uuid[]) as u (tenant, key, digest, process)
order by tenant, key
on conflict (tenant, key) do update
   set digest = excluded.digest, process = excluded.process, created_at = excluded.created_at
   where idempotency.created_at < clock_timestamp() - interval '24 hours'
returning tenant, key
"""

KEY_OWNERS = """
select i.tenant, i.key, i.digest, i.process
from unnest($1::text[], $2::text[]) as u (tenant, key)
join idempotency i on i.tenant = u.tenant and i.key = u.key
"""

CLAIM_KEY = """
insert into idempotency (tenant, key, digest, process, created_at)
values ($1, $2, $3, $4, clock_timestamp())
on conflict (tenant, key) do update
   set digest = excluded.digest, process = excluded.process, created_at = excluded.created_at
   where idempotency.created_at < clock_timestamp() - interval '24 hours'
returning process
"""

KEY_OWNER = "select digest, process from idempotency where tenant = $1 and key = $2"

CHANGE_KEY = "update idempotency set process = $3 where tenant = $1 and key = $2"

FORGET_KEY = "delete from idempotency where tenant = $1 and key = $2"

LOCK_BUSINESS_KEY = "select pg_advisory_xact_lock(hashtextextended($1, 0))"

UNFINISHED_WITH_KEY = """
select id from process
where tenant = $1 and key = $2 and namespace = $3 and name = $4 and ended_at is null
order by created_at limit 1
"""

GET = f"select {COLUMNS} from process where tenant = $1 and id = $2"

ENDED = "select id from process where id = any($1::uuid[]) and ended_at is not null"

LIST = f"""
select {COLUMNS} from process
where tenant = $1
  and ($2::text is null or status = $2)
  and ($3::text is null or namespace = $3)
  and ($4::text is null or name = $4)
  and ($5::text is null or version = $5)
  and ($6::text is null or key = $6)
  and ($7::uuid is null or parent_process = $7)
  and ($8::jsonb is null or tags @> $8)
  and ($9::timestamptz is null or created_at > $9)
  and ($10::timestamptz is null or created_at < $10)
  and ($11::timestamptz is null or (created_at, id) < ($11, $12::uuid))
order by created_at desc, id desc
limit $13
"""

ACTIVITIES = """
select a.id, a.process, a.number, a.parent, a.reference, a.name, a.kind, a.iteration, a.status, a.attempt, a.input,
       a.output, a.error, a.created_at, a.started_at, a.ended_at, j.progress
from activity a left join job j on j.id = a.id and a.kind = 'call'
where a.process = $1 and a.number > $2 order by a.number limit $3
"""

HISTORY = """
select sequence, at, type, activity, actor, data
from history where process = $1 and sequence > $2 order by sequence limit $3
"""

PAYLOADS = """
select p.process, p.key, p.data
from payload p join unnest($1::uuid[], $2::bytea[]) as u (process, key) on p.process = u.process and p.key = u.key
"""


class Added(NamedTuple):
    """When a process was created, and the inbox id of its first fact, where that does not wait for a timer."""

    at: datetime
    fact: int | None


async def add(connection: Connection, processes: Sequence[NewProcess]) -> list[Added]:
    """Processes with their inputs and first facts."""
    found = await connection.fetch(
        ADD,
        [p.id for p in processes],
        [p.tenant for p in processes],
        [p.namespace for p in processes],
        [p.name for p in processes],
        [p.version for p in processes],
        [p.key for p in processes],
        [rows.json_text(dict(p.tags)) if p.tags else None for p in processes],
        [p.seed for p in processes],
        [p.input for p in processes],
        [p.parent_process for p in processes],
        [p.parent_activity for p in processes],
        [p.depth for p in processes],
        [p.fact for p in processes],
        [p.start_at for p in processes],
        [None if p.payload is None else key_of(p.input) for p in processes],
        [p.payload for p in processes],
    )
    return [Added(row["now"], row["fact"]) for row in found]


async def add_all(connection: Connection, starts: Sequence[Start]) -> list[Accepted]:
    """See `store.contract.Store.add_processes`; within the caller's transaction."""
    claims = [(s.process.tenant, *s.claim, s.process.id) for s in starts if s.claim is not None]
    others = await _others(connection, claims) if claims else {}
    new = [s.process for s in starts if s.process.id not in others]
    added = dict(zip((p.id for p in new), await add(connection, new) if new else (), strict=True))
    return [others.get(s.process.id) or Accepted("added", s.process.id, added[s.process.id].at) for s in starts]


async def add_one(connection: Connection, start: Start) -> tuple[Accepted, Added | None]:
    """The same for one; what was added besides."""
    process = start.process
    if start.claim is not None:
        others = await _others(connection, [(process.tenant, *start.claim, process.id)])
        if others:
            return others[process.id], None
    (added,) = await add(connection, [process])
    return Accepted("added", process.id, added.at), added


async def _others(connection: Connection, claims: Sequence[tuple[str, str, bytes, UUID]]) -> dict[UUID, Accepted]:
    """Claim the keys; answers what stands for those of the processes that came under a known one."""
    columns = list(zip(*claims, strict=True))
    claimed = {(row["tenant"], row["key"]) for row in await connection.fetch(CLAIM_KEYS, *columns)}
    known = [claim for claim in claims if claim[:2] not in claimed]
    if not known:
        return {}
    owners = await connection.fetch(KEY_OWNERS, [claim[0] for claim in known], [claim[1] for claim in known])
    by_key = {(row["tenant"], row["key"]): row for row in owners}
    others = {}
    for tenant, key, digest, process in known:
        owner = by_key[tenant, key]
        how = "repeated" if owner["digest"] == digest else "mismatch"
        others[process] = Accepted(how, owner["process"])
    return others


async def add_once(
    connection: Connection, process: NewProcess, idempotency: tuple[str, bytes] | None, on_conflict: str
) -> tuple[str, UUID]:
    """Within the caller's transaction; see `store.contract.Store.add_process_once`."""
    if idempotency is not None:
        key, digest = idempotency
        if await connection.fetchval(CLAIM_KEY, process.tenant, key, digest, process.id) is None:
            owner = await connection.fetchrow(KEY_OWNER, process.tenant, key)
            assert owner is not None
            return ("repeated" if owner["digest"] == digest else "mismatch"), owner["process"]
    if process.key is not None and on_conflict != "allow":
        identity = "\x1f".join((process.tenant, process.namespace, process.name, process.key))
        await connection.execute(LOCK_BUSINESS_KEY, identity)
        existing = await connection.fetchval(
            UNFINISHED_WITH_KEY, process.tenant, process.key, process.namespace, process.name
        )
        if existing is not None:
            if idempotency is not None:
                await _answer_with(connection, process.tenant, idempotency[0], existing, on_conflict)
            return "existing", existing
    await add(connection, [process])
    return "added", process.id


async def _answer_with(connection: Connection, tenant: str, key: str, existing: UUID, on_conflict: str) -> None:
    """What a repeat of the idempotency key meets: the process that answered, or, where none did, a new try."""
    if on_conflict == "reject":
        await connection.execute(FORGET_KEY, tenant, key)
    else:
        await connection.execute(CHANGE_KEY, tenant, key, existing)


async def get(connection: Connection, tenant: str, process: UUID) -> ProcessRecord | None:
    row = await connection.fetchrow(GET, tenant, process)
    return None if row is None else rows.process(row)


async def ended(connection: Connection, processes: Sequence[UUID]) -> set[UUID]:
    return {row["id"] for row in await connection.fetch(ENDED, processes)}


async def page(
    connection: Connection,
    tenant: str,
    filter_: Mapping[str, Json],
    limit: int,
    before: tuple[datetime, UUID] | None,
) -> list[ProcessRecord]:
    tags = filter_.get("tags")
    found = await connection.fetch(
        LIST,
        tenant,
        filter_.get("status"),
        filter_.get("namespace"),
        filter_.get("name"),
        filter_.get("version"),
        filter_.get("key"),
        filter_.get("parent"),
        rows.json_text(dict(tags)) if tags else None,
        filter_.get("created_after"),
        filter_.get("created_before"),
        *(before or (None, None)),
        limit,
    )
    return [rows.process(row) for row in found]


async def activities(connection: Connection, process: UUID, limit: int, after: int | None) -> list[ActivityRecord]:
    found = await connection.fetch(ACTIVITIES, process, -1 if after is None else after, limit)
    return [rows.activity(row) for row in found]


async def history(connection: Connection, process: UUID, limit: int, after: int | None) -> list[HistoryRecord]:
    found = await connection.fetch(HISTORY, process, 0 if after is None else after, limit)
    return [rows.history(row) for row in found]


async def payloads(connection: Connection, keys: Sequence[tuple[UUID, Key]]) -> dict[tuple[UUID, Key], bytes]:
    found = await connection.fetch(PAYLOADS, [process for process, _ in keys], [key for _, key in keys])
    return {(row["process"], row["key"]): row["data"] for row in found}
