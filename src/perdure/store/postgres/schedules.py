"""Schedules: the acting ones, their ticks, the event sets they collect, and what was done with them."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from perdure.codec import decode, encode
from perdure.store.digests import shape_digest, value_digest
from perdure.store.postgres import effects, processes
from perdure.store.postgres.connection import Connection, Pool, connected, transaction
from perdure.store.records import DefinitionRecord
from perdure.store.schedules import AuditEntry, EventSet, NewSchedule, ScheduleRecord, Turn

COLUMNS = """id, tenant, namespace, name, version, kind, expression, timezone, overlap, catch_up, anchor,
       delay_months, delay_seconds, next_at, last_at, last_process, paused, queued"""

# Two registrations of one name at the same time: the second sees what the first has written.
LOCK_NAME = "select pg_advisory_xact_lock(hashtextextended($1, 1))"

ACTING_VERSION = """
select version from definition
where tenant = $1 and namespace = $2 and name = $3 and stable
order by version_order desc limit 1
"""

# An operator's pause outlives a new version, and so do a pending start of `after` and what is queued.
UPSERT = f"""
insert into schedule ({COLUMNS})
values ($1, $2, $3, $4, $5, $6, $7::json, $8, $9, $10, $11, $12, $13, $14, null, null, false, 0)
on conflict (id) do update
set version = excluded.version, expression = excluded.expression, timezone = excluded.timezone,
    overlap = excluded.overlap, catch_up = excluded.catch_up, anchor = excluded.anchor,
    delay_months = excluded.delay_months, delay_seconds = excluded.delay_seconds,
    next_at = case schedule.kind when 'after' then schedule.next_at else excluded.next_at end
"""

ENDED = """
delete from schedule
where tenant = $1 and namespace = $2 and name = $3 and kind <> all($4::text[])
returning id
"""

FORGET_SUBSCRIPTIONS = "delete from subscription where process = any($1::uuid[])"
FORGET_FACTS = "delete from inbox where process = any($1::uuid[])"
FORGET_QUEUE = "delete from schedule_tick where schedule = any($1::uuid[]) and outcome = 'queued'"
FORGET_SETS = "delete from schedule_set where schedule = any($1::uuid[])"

# One that is queued behind a run that goes on would only take the place of another.
TAKE_DUE = f"""
select {COLUMNS}, clock_timestamp() as now from schedule
where id in (
    select id from schedule where next_at <= clock_timestamp() and not paused
    union
    select id from schedule s
    where queued > 0 and not paused
      and (overlap = 'allow' or not exists (
          select from schedule_tick t join process p on p.id = t.process
          where t.schedule = s.id and t.running and p.ended_at is null
      ))
)
order by next_at nulls last limit $1
for update skip locked
"""

# One that is put off has its oldest fact in the future.
CONSUMING = """
from schedule s
cross join lateral (select i.recorded_at from inbox i where i.process = s.id order by i.id limit 1) oldest
where s.kind = 'on' and oldest.recorded_at <= clock_timestamp()
"""

# That of which the oldest fact has waited longest.
TAKE_CONSUMING = f"""
select {COLUMNS}, clock_timestamp() as now {CONSUMING}
order by oldest.recorded_at limit 1
for update of s skip locked
"""

TAKE_ONE = f"select {COLUMNS}, clock_timestamp() as now from schedule where tenant = $1 and id = $2 for update"

GET = f"select {COLUMNS} from schedule where tenant = $1 and id = $2"

LIST = f"""
select {COLUMNS} from schedule
where tenant = $1 and ($3::text is null or (namespace, name, kind) > ($3, $4, $5))
order by namespace, name, kind limit $2
"""

NEXT_DUE = """
select extract(epoch from min(next_at) - clock_timestamp())::float8 from schedule
where next_at is not null and not paused
"""

SETTLE_RUNS = """
update schedule_tick t set running = false
where t.schedule = $1 and t.running
  and not exists (select from process p where p.id = t.process and p.ended_at is null)
"""

RUNNING = "select count(*) from schedule_tick where schedule = $1 and running"

QUEUED = "select at from schedule_tick where schedule = $1 and outcome = 'queued' order by at limit $2"

FACTS = "select id, fact from inbox where process = $1 order by id limit $2"

SETS = """
select id, correlation, state, payloads from schedule_set
where schedule = $1 and correlation = $2 order by id limit $3
"""

# The one place where a tick gets its process. A tick that has one keeps it.
DECIDE = """
insert into schedule_tick (schedule, at, outcome, process, running, decided_at)
select $1, at, outcome, process, process is not null and $5, clock_timestamp()
from unnest($2::timestamptz[], $3::text[], $4::uuid[]) as u (at, outcome, process)
on conflict (schedule, at) do update
set outcome = excluded.outcome, process = excluded.process, running = excluded.running,
    decided_at = excluded.decided_at
where schedule_tick.process is null and excluded.process is not null
returning at, process
"""

SAVE = """
update schedule
set next_at = $2, paused = $3, last_at = greatest(last_at, $4),
    last_process = case when $4 >= coalesce(last_at, $4) then coalesce($5, last_process) else last_process end,
    queued = (select count(*) from schedule_tick t where t.schedule = $1 and t.outcome = 'queued')
where id = $1
"""

ADD_AUDIT = """
insert into schedule_audit (tenant, schedule, at, actor, action, data)
select $1, $2, at, actor, action, data::json
from unnest($3::timestamptz[], $4::text[], $5::text[], $6::text[]) as u (at, actor, action, data)
"""

AUDIT = """
select id, at, actor, action, data from schedule_audit
where tenant = $1 and schedule = $2 and ($4::bigint is null or id < $4)
order by id desc limit $3
"""

TAKEN_IN = "delete from inbox where id = any($1::bigint[])"

CLOSE_SETS = "delete from schedule_set where id = any($1::bigint[])"

OPEN_SET = """
insert into schedule_set (schedule, correlation, state, payloads, opened_at) values ($1, $2, $3, $4, clock_timestamp())
"""

GROW_SET = "update schedule_set set correlation = $2, state = $3, payloads = $4 where id = $1"

# `after` runs again once a run of its version has ended, unless a start is pending already.
RUN_AGAIN = """
update schedule s
set next_at = u.ended_at + make_interval(months => s.delay_months, secs => s.delay_seconds)
from unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[]) as u (tenant, namespace, name, ended_at)
where s.tenant = u.tenant and s.namespace = u.namespace and s.name = u.name and s.kind = 'after'
  and s.next_at is null
"""

OLD_TICKS = """
delete from schedule_tick t
where t.decided_at < clock_timestamp() - make_interval(secs => $1) and t.outcome <> 'queued'
  and not exists (select from process p where p.id = t.process and p.ended_at is null)
"""

OLD_AUDIT = "delete from schedule_audit where at < clock_timestamp() - make_interval(secs => $1)"

SET_SECONDS_MAX = 30 * 86_400.0
SETS_MAX = 10_000
"""Open sets of one schedule; the oldest give way."""

OLD_SETS = """
delete from schedule_set where id in (
    select id from (
        select id, opened_at, row_number() over (partition by schedule order by id desc) as place from schedule_set
    ) x
    where opened_at < clock_timestamp() - make_interval(secs => $1) or place > $2
)
"""


async def replace(connection: Connection, definition: DefinitionRecord, new: Sequence[NewSchedule]) -> None:
    """Let the schedules of a version that was just added act, if it is the highest; within the transaction."""
    name = (definition.tenant, definition.namespace, definition.name)
    if await connection.fetchval(ACTING_VERSION, *name) != definition.version:
        return
    ended = [row["id"] for row in await connection.fetch(ENDED, *name, [item.record.kind for item in new])]
    for item in new:  # first of all, since this is the lock that those who take in events hold
        values = [getattr(item.record, field) for field in item.record.__struct_fields__][:14]
        values[6] = encode(item.record.expression).decode()
        await connection.execute(UPSERT, *values)
    if ended:
        await connection.execute(FORGET_FACTS, ended)
        await connection.execute(FORGET_QUEUE, ended)
    consuming = [item for item in new if item.record.kind == "on"]
    if ended or consuming:
        changed = ended + [item.record.id for item in consuming]
        await connection.execute(FORGET_SUBSCRIPTIONS, changed)
        await connection.execute(FORGET_SETS, changed)
    for item in consuming:
        await _subscribe(connection, item)


async def lock_name(connection: Connection, definition: DefinitionRecord) -> None:
    await connection.execute(LOCK_NAME, "\x1f".join((definition.tenant, definition.namespace, definition.name)))


async def _subscribe(connection: Connection, new: NewSchedule) -> None:
    rows: list[tuple[Any, ...]] = []
    record = new.record
    for ordinal, pattern in enumerate(new.patterns):
        shape = value = None
        if pattern.shape:
            shape, value = shape_digest(pattern.shape), value_digest(pattern.values)
            await connection.execute(effects.ADD_SHAPES, [record.tenant], [shape], [encode(pattern.shape).decode()])
        rows.append(
            (record.id, new.activity, ordinal, record.tenant, "/schedule/on", pattern.type, shape, value,
             record.anchor, False)
        )  # fmt: skip
    await connection.execute(effects.SUBSCRIBE, *zip(*rows, strict=True))


class PostgresTakenSchedules:
    """See `store.schedules.TakenSchedules`."""

    def __init__(self, connection: Connection, rows: Sequence[Any], now: datetime) -> None:
        self._connection = connection
        self.schedules: Sequence[ScheduleRecord] = [_record(row) for row in rows]
        self.now = now

    async def running(self, schedule: UUID) -> int:
        await self._connection.execute(SETTLE_RUNS, schedule)
        count: int = await self._connection.fetchval(RUNNING, schedule)
        return count

    async def queued(self, schedule: UUID, limit: int) -> list[datetime]:
        return [row["at"] for row in await self._connection.fetch(QUEUED, schedule, limit)]

    async def facts(self, schedule: UUID, limit: int) -> list[tuple[int, bytes]]:
        return [(row["id"], row["fact"]) for row in await self._connection.fetch(FACTS, schedule, limit)]

    async def sets(self, schedule: UUID, correlation: bytes, limit: int) -> list[EventSet]:
        return [EventSet(**dict(row)) for row in await self._connection.fetch(SETS, schedule, correlation, limit)]

    async def save(self, turns: Sequence[Turn], *, keep_running: bool = False) -> dict[UUID, list[datetime]]:
        return {turn.schedule.id: await self._save(turn, keep_running) for turn in turns}

    async def _save(self, turn: Turn, keep_running: bool) -> list[datetime]:
        connection, schedule = self._connection, turn.schedule
        started = await self._decide(turn, keep_running or schedule.overlap != "allow" or schedule.kind == "after")
        last = max(started, default=None)
        process = None if last is None else started[last]
        await connection.execute(SAVE, schedule.id, schedule.next_at, schedule.paused, last, process)
        if turn.audit:
            columns = zip(*((e.at, e.actor, e.action, encode(e.data).decode()) for e in turn.audit), strict=True)
            await connection.execute(ADD_AUDIT, schedule.tenant, schedule.id, *columns)
        if turn.facts:
            await connection.execute(TAKEN_IN, turn.facts)
        if turn.closed_sets:
            await connection.execute(CLOSE_SETS, turn.closed_sets)
        for set_ in turn.sets:
            if set_.id is None:
                await connection.execute(OPEN_SET, schedule.id, set_.correlation, set_.state, set_.payloads)
            else:
                await connection.execute(GROW_SET, set_.id, set_.correlation, set_.state, set_.payloads)
        return sorted(started)

    async def _decide(self, turn: Turn, running: bool) -> dict[datetime, UUID]:
        """Record ticks and add the processes of those that have none yet; answers these."""
        if not turn.ticks:
            return {}
        ticks = {tick.at: tick for tick in turn.ticks}
        decided = await self._connection.fetch(
            DECIDE,
            turn.schedule.id,
            list(ticks),
            [tick.outcome for tick in ticks.values()],
            [None if tick.process is None else tick.process.id for tick in ticks.values()],
            running,
        )
        started = {row["at"]: row["process"] for row in decided if row["process"] is not None}
        new = [process for at in started if (process := ticks[at].process) is not None]
        if new:
            await processes.add(self._connection, new)
        return started


class PostgresSchedules:
    """See `store.schedules.Schedules`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @asynccontextmanager
    async def take_due(self, limit: int) -> AsyncIterator[PostgresTakenSchedules]:
        async with transaction(self._pool) as connection:
            yield await _taken(connection, await connection.fetch(TAKE_DUE, limit))

    @asynccontextmanager
    async def take_consuming(self) -> AsyncIterator[PostgresTakenSchedules]:
        async with transaction(self._pool) as connection:
            yield await _taken(connection, await connection.fetch(TAKE_CONSUMING))

    @asynccontextmanager
    async def take_one(self, tenant: str, schedule: UUID) -> AsyncIterator[PostgresTakenSchedules]:
        async with transaction(self._pool) as connection:
            yield await _taken(connection, await connection.fetch(TAKE_ONE, tenant, schedule))

    async def next_due(self) -> float | None:
        async with connected(self._pool) as connection:
            seconds: float | None = await connection.fetchval(NEXT_DUE)
            return seconds

    async def get(self, tenant: str, schedule: UUID) -> ScheduleRecord | None:
        async with connected(self._pool) as connection:
            row = await connection.fetchrow(GET, tenant, schedule)
            return None if row is None else _record(row)

    async def page(self, tenant: str, limit: int, after: tuple[str, str, str] | None) -> list[ScheduleRecord]:
        async with connected(self._pool) as connection:
            found = await connection.fetch(LIST, tenant, limit, *(after or (None, None, None)))
            return [_record(row) for row in found]

    async def audit(self, tenant: str, schedule: UUID, limit: int, before: int | None) -> list[tuple[int, AuditEntry]]:
        async with connected(self._pool) as connection:
            return [
                (row["id"], AuditEntry(row["at"], row["actor"], row["action"], decode(row["data"])))
                for row in await connection.fetch(AUDIT, tenant, schedule, limit, before)
            ]

    async def purge(self, retention_seconds: float) -> None:
        async with connected(self._pool) as connection:
            await connection.execute(OLD_TICKS, retention_seconds)
            await connection.execute(OLD_AUDIT, retention_seconds)
            await connection.execute(OLD_SETS, SET_SECONDS_MAX, SETS_MAX)


async def _taken(connection: Connection, rows: Sequence[Any]) -> PostgresTakenSchedules:
    now = max((row["now"] for row in rows), default=None)
    return PostgresTakenSchedules(connection, rows, now or await connection.fetchval("select clock_timestamp()"))


def _record(row: Any) -> ScheduleRecord:
    fields = {name: row[name] for name in ScheduleRecord.__struct_fields__}
    fields["expression"] = decode(fields["expression"])
    return ScheduleRecord(**fields)
