"""The batch step: processes taken under lock, and everything that their steps decided written back at once."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from perdure.codec import Json, decode, encode
from perdure.definition.pins import Pin
from perdure.engine.refs import Key
from perdure.engine.state import VERSION
from perdure.store.lifecycle import PARTITIONS, Telling
from perdure.store.postgres import definitions, effects, lifecycle, pins, processes, schedules
from perdure.store.postgres.connection import Connection
from perdure.store.postgres.rows import columns, json_text
from perdure.store.records import (
    Accepted,
    DefinitionName,
    DefinitionRecord,
    Lease,
    NewProcess,
    Outcome,
    Saved,
    Start,
    TakenProcess,
)

# Ordered by id so that two batches that wait for locks never wait for each other.
TAKE_WAITING = """
select id, tenant, namespace, name, version, status, seed, state, sequence, parent_process, parent_activity,
       depth, created_at, owed_since, clock_timestamp() as now
from process where id = any($1::uuid[]) order by id for no key update
"""

TAKE_FREE = TAKE_WAITING + " skip locked"

FACTS = """
select p.id as process, f.id, f.fact
from unnest($1::uuid[], $2::boolean[]) as p (id, suspended)
cross join lateral (
    select i.id, i.fact from inbox i
    where i.process = p.id and (i.operator or not p.suspended)
    order by i.id limit $3
) f
"""

LOAD = "select key, data from payload where process = $1 and key = any($2::bytea[])"

SAVE_PAYLOADS = """
insert into payload (process, key, data)
select * from unnest($1::uuid[], $2::bytea[], $3::bytea[])
on conflict do nothing
"""

# One statement for all that every step leaves: each turn of the connection costs a step that is taken alone as much as
# its rows. What is saved of lifecycle events comes behind the last parameter.
SAVE = f"""
with saved as (
    update process p
    set status = u.status, state = u.state, output = u.output, error = u.error::json, waiting = u.waiting::json,
        sequence = u.sequence, owed_since = u.owed_since, started_at = u.started_at, ended_at = u.ended_at
    from unnest($1::uuid[], $2::text[], $3::bytea[], $4::bytea[], $5::text[], $6::text[], $7::bigint[],
                $8::timestamptz[], $9::timestamptz[], $10::timestamptz[])
         as u (id, status, state, output, error, waiting, sequence, owed_since, started_at, ended_at)
    where p.id = u.id
), taken_in as (
    delete from inbox where id = any($11::bigint[])
), recorded as (
    insert into activity (process, number, id, parent, reference, name, kind, iteration, status, attempt, input,
                          output, error, created_at, started_at, ended_at)
    select process, number, id, parent, reference, name, kind, iteration::integer[], status, attempt, input,
           output, error::json, created_at, started_at, ended_at
    from unnest($12::uuid[], $13::integer[], $14::uuid[], $15::uuid[], $16::text[], $17::text[], $18::text[],
                $19::text[], $20::text[], $21::integer[], $22::bytea[], $23::bytea[], $24::text[],
                $25::timestamptz[], $26::timestamptz[], $27::timestamptz[])
         as u (process, number, id, parent, reference, name, kind, iteration, status, attempt, input, output,
               error, created_at, started_at, ended_at)
    on conflict (process, id) do update
    set status = excluded.status, attempt = excluded.attempt, input = excluded.input, output = excluded.output,
        error = excluded.error, started_at = excluded.started_at, ended_at = excluded.ended_at
), told as (
    insert into history (process, sequence, at, type, activity, actor, data)
    select process, sequence, at, type, activity, actor, data::json
    from unnest($28::uuid[], $29::bigint[], $30::timestamptz[], $31::text[], $32::uuid[], $33::text[], $34::text[])
         as u (process, sequence, at, type, activity, actor, data)
), answered as (
    delete from call c using unnest($35::uuid[], $36::integer[], $37::integer[]) as u (activity, attempt, lookup)
    where c.activity = u.activity and c.attempt = u.attempt and c.lookup = u.lookup
)
{lifecycle.owe_clause}
"""

ADD_FACTS = """
insert into inbox (process, fact, recorded_at, operator)
select process, fact, clock_timestamp(), $3 from unnest($1::uuid[], $2::bytea[]) as u (process, fact)
returning id
"""

FACTS_LEFT = "select exists (select from inbox where id = any($1::bigint[]))"

AWAITS_EVENT = """
select exists (
    select from process p cross join lateral json_array_elements(p.waiting) w
    where p.id = $1 and w ->> 'activity' = $2::text and w ->> 'reason' = 'event'
)
"""

WITH_FACTS = """
select p.id from process p
where p.id = any($1::uuid[])
  and exists (select from inbox i where i.process = p.id and (i.operator or p.status <> 'suspended'))
"""

# Not what a later release has to step: its workers look for work themselves. The second byte of a state is its version.
OWED = """
select distinct id from (
    (select i.process as id from inbox i join process p on p.id = i.process
     where i.recorded_at < clock_timestamp() - make_interval(secs => $1)
       and (i.operator or p.status <> 'suspended')
       and (p.state is null or substring(p.state from 2 for 1) <= $3)
     order by i.recorded_at limit $2)
    union all
    (select id from process
     where owed_since < clock_timestamp() - make_interval(secs => $1) and status <> 'suspended'
       and (state is null or substring(state from 2 for 1) <= $3)
     order by owed_since limit $2)
) o
limit $2
"""

PUT_OFF_FACTS = """
update inbox set recorded_at = clock_timestamp() + make_interval(secs => $2) where process = any($1::uuid[])
"""

PUT_OFF_STEPS = """
update process set owed_since = clock_timestamp() + make_interval(secs => $2)
where id = any($1::uuid[]) and owed_since is not null
"""

# The promise that nothing waits without a wake-up, as a query that must always come back empty.
STRANDED = """
select p.id from process p
where p.ended_at is null and missing_wake_up(p.id, 1073741824) is not null
order by p.id limit $1
"""


class PostgresTaken:
    """Processes locked by the connection's transaction."""

    def __init__(self, connection: Connection, taken: Sequence[TakenProcess], now: datetime, telling: Telling) -> None:
        self._connection = connection
        self._telling = telling
        self.processes = taken
        self.now = now

    async def load(self, process: UUID, keys: Sequence[Key]) -> dict[Key, Json]:
        found = await self._connection.fetch(LOAD, process, keys)
        if len(found) != len(set(keys)):
            raise LookupError(f"process {process} names payloads that are not stored")
        return {row["key"]: decode(row["data"]) for row in found}

    async def definition(self, tenant: str, namespace: str, name: str, version: str | None) -> DefinitionRecord | None:
        return await definitions.get(self._connection, tenant, namespace, name, version)

    async def pins(self, definition: DefinitionName) -> list[Pin]:
        return await pins.get(self._connection, definition)

    async def save(
        self,
        outcomes: Sequence[Outcome],
        *,
        children: Sequence[NewProcess] = (),
        facts: Sequence[tuple[UUID, bytes]] = (),
        commands: Sequence[tuple[UUID, bytes]] = (),
        lease: Lease | None = None,
    ) -> Saved:
        connection = self._connection
        await _save_payloads(connection, outcomes)
        await connection.execute(
            SAVE,
            *columns(_processes(outcomes, self.now), 10),
            [fact for outcome in outcomes for fact in outcome.facts],
            *columns(_activities(outcomes), 16),
            *columns(_history(outcomes), 7),
            *columns([(a.activity, a.attempt, a.lookup) for outcome in outcomes for a in outcome.answers], 3),
            *(PARTITIONS, self._telling.publish),
            *columns(lifecycle.owed_rows(outcomes, self._telling), 5),
        )
        if children:
            await processes.add(connection, children)
        again = [o for o in outcomes if o.runs_again]
        if again:
            names = [(o.process.tenant, o.process.namespace, o.process.name, o.step.ended_at) for o in again]
            await connection.execute(schedules.RUN_AGAIN, *columns(names))
        if facts:
            await add_facts(connection, facts)
        if commands:
            await add_facts(connection, commands, operator=True)
        return await effects.save(connection, outcomes, self.now, lease)


async def take(
    connection: Connection, ids: Sequence[UUID], facts_max: int, wait: bool, telling: Telling
) -> PostgresTaken | None:
    """Lock processes within the caller's transaction; None where there is none to be had."""
    found = await connection.fetch(TAKE_WAITING if wait else TAKE_FREE, ids)
    if not found:
        return None
    facts: dict[UUID, list[tuple[int, bytes]]] = {}
    suspended = [row["status"] == "suspended" for row in found]
    for row in await connection.fetch(FACTS, [row["id"] for row in found], suspended, facts_max):
        facts.setdefault(row["process"], []).append((row["id"], row["fact"]))
    taken = [
        TakenProcess(
            id=row["id"],
            tenant=row["tenant"],
            namespace=row["namespace"],
            name=row["name"],
            version=row["version"],
            status=row["status"],
            seed=row["seed"],
            state=row["state"],
            sequence=row["sequence"],
            parent_process=row["parent_process"],
            parent_activity=row["parent_activity"],
            depth=row["depth"],
            created_at=row["created_at"],
            owed=row["owed_since"] is not None,
            facts=tuple(sorted(facts.get(row["id"], ()))),
        )
        for row in found
    ]
    return PostgresTaken(connection, taken, max(row["now"] for row in found), telling)


async def accept(connection: Connection, start: Start, telling: Telling) -> tuple[Accepted, PostgresTaken | None]:
    """Within the caller's transaction, which alone sees the process before it ends."""
    accepted, added = await processes.add_one(connection, start)
    if added is None:
        return accepted, None
    return accepted, PostgresTaken(connection, [_taken_new(start.process, added)], added.at, telling)


def _taken_new(new: NewProcess, added: processes.Added) -> TakenProcess:
    return TakenProcess(
        id=new.id,
        tenant=new.tenant,
        namespace=new.namespace,
        name=new.name,
        version=new.version,
        status="pending",
        seed=new.seed,
        state=None,
        sequence=0,
        parent_process=new.parent_process,
        parent_activity=new.parent_activity,
        depth=new.depth,
        created_at=added.at,
        owed=False,
        facts=() if added.fact is None else ((added.fact, new.fact),),
    )


async def add_facts(
    connection: Connection, facts: Sequence[tuple[UUID, bytes]], *, operator: bool = False
) -> list[int]:
    found = await connection.fetch(ADD_FACTS, [p for p, _ in facts], [f for _, f in facts], operator)
    return [row["id"] for row in found]


async def facts_left(connection: Connection, ids: Sequence[int]) -> bool:
    left: bool = await connection.fetchval(FACTS_LEFT, ids)
    return left


async def awaits_event(connection: Connection, process: UUID, activity: UUID) -> bool:
    awaits: bool = await connection.fetchval(AWAITS_EVENT, process, str(activity))
    return awaits


async def with_facts(connection: Connection, ids: Sequence[UUID]) -> list[UUID]:
    return [row["id"] for row in await connection.fetch(WITH_FACTS, ids)]


async def owed(connection: Connection, older_than_seconds: float, limit: int) -> list[UUID]:
    return [row["id"] for row in await connection.fetch(OWED, older_than_seconds, limit, bytes([VERSION]))]


async def put_off(connection: Connection, ids: Sequence[UUID], seconds: float) -> None:
    """Within the caller's transaction."""
    await connection.execute(PUT_OFF_STEPS, ids, seconds)
    await connection.execute(PUT_OFF_FACTS, ids, seconds)


async def stranded(connection: Connection, limit: int) -> list[UUID]:
    return [row["id"] for row in await connection.fetch(STRANDED, limit)]


async def _save_payloads(connection: Connection, outcomes: Sequence[Outcome]) -> None:
    rows = [(o.process.id, key, data) for o in outcomes for key, data in o.step.payloads.items()]
    if rows:
        await connection.execute(SAVE_PAYLOADS, *columns(rows))


def _processes(outcomes: Sequence[Outcome], now: datetime) -> list[tuple[Any, ...]]:
    return [
        (
            o.process.id,
            o.step.status,
            o.state,
            o.step.output,
            json_text(o.step.error),
            json_text(o.step.waiting) if o.step.waiting else None,
            o.process.sequence + len(o.step.history),
            now if o.step.more else None,
            o.step.started_at,
            o.step.ended_at,
        )
        for o in outcomes
    ]


def _activities(outcomes: Sequence[Outcome]) -> list[tuple[Any, ...]]:
    # An attempt that begins again under a try has an order of its own, but is the same activity.
    return [
        (
            o.process.id,
            a.order,
            a.id,
            a.parent,
            a.reference,
            a.name,
            a.kind,
            "{" + ",".join(map(str, a.iteration)) + "}",
            a.status,
            a.attempt,
            a.input,
            a.output,
            json_text(a.error),
            a.created_at,
            a.started_at,
            a.ended_at,
        )
        for o in outcomes
        for a in {a.id: a for a in o.step.activities.values()}.values()
    ]


def _history(outcomes: Sequence[Outcome]) -> list[tuple[Any, ...]]:
    return [
        (o.process.id, sequence, e.at, e.type, e.activity, e.actor, encode(e.data).decode())
        for o in outcomes
        for sequence, e in enumerate(o.step.history, o.process.sequence + 1)
    ]
