"""Effects to rows: what a batch of steps set up and took down, in one statement per table and direction.

Within a step the last word on a thing counts: a timer set and cancelled leaves no row.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, assert_never
from uuid import UUID

from perdure.codec import encode
from perdure.engine import effects as e
from perdure.engine.facts import TimerFired
from perdure.store.digests import shape_digest, token_digest, value_digest
from perdure.store.facts import encode_fact
from perdure.store.postgres.connection import Connection
from perdure.store.postgres.rows import columns
from perdure.store.records import Lease, LeasedCall, Outcome, Saved

SET_TIMERS = """
insert into timer (process, id, due, purpose, fact)
select * from unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::text[], $5::bytea[])
on conflict (process, id) do update set due = excluded.due, purpose = excluded.purpose, fact = excluded.fact
"""

CANCEL_TIMERS = """
delete from timer t using unnest($1::uuid[], $2::uuid[]) as u (process, id)
where t.process = u.process and t.id = u.id
"""

SET_CALLS = """
insert into call (activity, process, tenant, attempt, function, reference, request, detached, secrets, lookup, in_doubt,
                  created_at, lease_token, lease_until, sent_at)
select activity, process, tenant, attempt, function, reference, request, detached, string_to_array(secrets, chr(31)),
       lookup, in_doubt, now, token,
       case when token is null then now else clock_timestamp() + make_interval(secs => $14) end,
       case when token is not null then clock_timestamp() end
from unnest($1::uuid[], $2::uuid[], $3::text[], $4::integer[], $5::text[], $6::text[], $7::bytea[], $8::boolean[],
            $9::text[], $10::integer[], $11::text[], $12::timestamptz[], $13::uuid[])
     as u (activity, process, tenant, attempt, function, reference, request, detached, secrets, lookup, in_doubt, now,
           token)
on conflict (activity) do update
set attempt = excluded.attempt, function = excluded.function, request = excluded.request, lookup = excluded.lookup,
    in_doubt = excluded.in_doubt, created_at = excluded.created_at, lease_until = excluded.lease_until,
    lease_token = excluded.lease_token, sent_at = excluded.sent_at
returning activity, sent_at
"""

CANCEL_CALLS = "delete from call where activity = any($1::uuid[])"

SUBSCRIBE = """
insert into subscription (process, activity, ordinal, tenant, reference, type, shape, value, since,
                          look_back_pending)
select * from unnest($1::uuid[], $2::uuid[], $3::integer[], $4::text[], $5::text[], $6::text[], $7::bytea[],
                     $8::bytea[], $9::timestamptz[], $10::boolean[])
on conflict (process, activity, ordinal) do nothing
"""

ADD_SHAPES = """
insert into correlation_shape (tenant, shape, expressions)
select tenant, shape, expressions::json
from unnest($1::text[], $2::bytea[], $3::text[]) as u (tenant, shape, expressions)
on conflict do nothing
"""

UNSUBSCRIBE = """
delete from subscription s using unnest($1::uuid[], $2::uuid[]) as u (process, activity)
where s.process = u.process and s.activity = u.activity
"""

ADD_EVENTS = """
insert into event (tenant, source, event_id, type, event, received_at, routed, to_publish)
select tenant, source, event_id, type, event, clock_timestamp(), false, to_publish
from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bytea[], $6::boolean[])
     as u (tenant, source, event_id, type, event, to_publish)
on conflict (tenant, source, event_id) do nothing
returning id
"""

OPEN_HUMAN_TASKS = """
insert into human_task (id, tenant, process, title, description, status, assignees, candidate_groups,
                        exclude_users, outcomes, form, due, created_at)
select id, tenant, process, title, description, 'open',
       string_to_array(assignees, chr(31)), string_to_array(groups, chr(31)),
       string_to_array(excluded, chr(31)), string_to_array(outcomes, chr(31)), form, due, now
from unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
            $9::text[], $10::bytea[], $11::timestamptz[], $12::timestamptz[])
     as u (id, tenant, process, title, description, assignees, groups, excluded, outcomes, form, due, now)
on conflict (id) do update
set status = 'open', assignee = null, outcome = null, output = null, completed_at = null,
    title = excluded.title, description = excluded.description, assignees = excluded.assignees,
    candidate_groups = excluded.candidate_groups, exclude_users = excluded.exclude_users,
    outcomes = excluded.outcomes, form = excluded.form, due = excluded.due, created_at = excluded.created_at
"""

ESCALATE_HUMAN_TASKS = """
update human_task t
set candidate_groups = (
    select coalesce(array_agg(distinct g order by g), '{}')
    from unnest(t.candidate_groups || string_to_array(u.groups, chr(31))) as g)
from unnest($1::uuid[], $2::text[]) as u (id, groups)
where t.id = u.id and t.status in ('open', 'claimed')
"""

CLOSE_HUMAN_TASKS = """
update human_task t set status = 'cancelled', completed_at = u.now
from unnest($1::uuid[], $2::timestamptz[]) as u (id, now)
where t.id = u.id and t.status in ('open', 'claimed')
"""

OPEN_CALLBACKS = """
insert into callback (token_digest, process, activity, status)
select token_digest, process, activity, 'open'
from unnest($1::bytea[], $2::uuid[], $3::uuid[]) as u (token_digest, process, activity)
on conflict (token_digest) do update set status = 'open', body_digest = null
"""

CLOSE_CALLBACKS = "update callback set status = 'closed' where activity = any($1::uuid[]) and status = 'open'"

OPEN_JOBS = """
insert into job (id, tenant, process, type, priority, input, attempt, lease_seconds_wanted, state, held, deliveries,
                 failures, created_at)
select id, tenant, process, type, priority, input, attempt, lease_seconds, 'available', false, 0, 0, now
from unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::integer[], $6::bytea[], $7::integer[],
            $8::float8[], $9::timestamptz[])
     as u (id, tenant, process, type, priority, input, attempt, lease_seconds, now)
on conflict (id) do update
set type = excluded.type, priority = excluded.priority, input = excluded.input, attempt = excluded.attempt,
    lease_seconds_wanted = excluded.lease_seconds_wanted, state = excluded.state, held = excluded.held,
    deliveries = 0, failures = 0, due = null, token = null, worker = null, actor = null, progress = null,
    answer = null, created_at = excluded.created_at
"""

HOLD_JOBS = """
update job j set held = u.held from unnest($1::uuid[], $2::boolean[]) as u (id, held) where j.id = u.id
"""

CLOSE_JOBS = """
update job set state = 'cancelled', token = null, due = null
where id = any($1::uuid[]) and state in ('available', 'leased', 'delayed')
"""

SEPARATOR = "\x1f"


async def save(connection: Connection, outcomes: Sequence[Outcome], now: datetime, lease: Lease | None) -> Saved:
    """Write the rows of all effects."""
    if not any(outcome.step.effects for outcome in outcomes):
        return Saved(events=())
    rows = _Rows(now, lease)
    for outcome in outcomes:
        for effect in outcome.step.effects:
            rows.take(outcome, effect)
    return await rows.write(connection)


class _Rows:
    """The rows of a batch, by what they are about."""

    def __init__(self, now: datetime, lease: Lease | None) -> None:
        self._now = now
        self._lease = lease
        self._timers: dict[tuple[UUID, UUID], tuple[Any, ...] | None] = {}
        self._calls: dict[UUID, tuple[e.PerformCall, Outcome] | None] = {}
        self._subscriptions: dict[tuple[UUID, UUID], list[tuple[Any, ...]] | None] = {}
        self._shapes: dict[tuple[str, bytes], str] = {}
        self._events: list[tuple[Any, ...]] = []
        self._tasks: dict[UUID, tuple[Any, ...] | None] = {}
        self._escalated: list[tuple[UUID, str]] = []
        self._callbacks: dict[UUID, tuple[Any, ...] | None] = {}
        self._jobs: dict[UUID, tuple[Any, ...] | None] = {}
        self._held_jobs: dict[UUID, bool] = {}

    def take(self, outcome: Outcome, effect: e.AnyEffect) -> None:
        process, tenant = outcome.process.id, outcome.process.tenant
        match effect:
            case e.SetTimer():
                fact = encode_fact(TimerFired(timer=effect.timer))
                row = (process, effect.timer, effect.due, effect.purpose, fact)
                self._timers[process, effect.timer] = row
            case e.CancelTimer():
                self._timers[process, effect.timer] = None
            case e.PerformCall():
                self._calls[effect.activity] = (effect, outcome)
            case e.CancelCall():
                self._calls[effect.activity] = None
            case e.Subscribe():
                self._subscriptions[process, effect.activity] = self._patterns(process, tenant, effect)
            case e.Unsubscribe():
                self._subscriptions[process, effect.activity] = None
            case e.PublishEvent():
                event = effect.event
                self._events.append((tenant, event["source"], event["id"], event["type"], encode(event), True))
            case e.OpenHumanTask():
                self._tasks[effect.activity] = self._human_task(process, tenant, effect)
            case e.EscalateHumanTask():
                self._escalated.append((effect.activity, SEPARATOR.join(effect.candidate_groups)))
            case e.CloseHumanTask():
                self._tasks[effect.activity] = None
            case e.OpenCallback():
                digest = token_digest(effect.token)
                self._callbacks[effect.activity] = (digest, process, effect.activity)
            case e.CloseCallback():
                self._callbacks[effect.activity] = None
            case e.OpenJob():
                self._jobs[effect.activity] = self._job(process, tenant, effect)
            case e.HoldJob():
                self._held_jobs[effect.activity] = effect.held
            case e.CloseJob():
                self._jobs[effect.activity] = None
            case e.StartChild() | e.CancelChild():
                pass  # processes of their own: the runtime hands them in as children and facts
            case _:
                assert_never(effect)

    def _patterns(self, process: UUID, tenant: str, effect: e.Subscribe) -> list[tuple[Any, ...]]:
        rows = []
        for ordinal, pattern in enumerate(effect.patterns):
            shape = value = None
            if pattern.shape:
                shape, value = shape_digest(pattern.shape), value_digest(pattern.values)
                self._shapes[tenant, shape] = encode(pattern.shape).decode()
            rows.append(
                (
                    process,
                    effect.activity,
                    ordinal,
                    tenant,
                    effect.reference,
                    pattern.type,
                    shape,
                    value,
                    self._now,
                    effect.look_back and ordinal == 0,
                )
            )
        return rows

    def _human_task(self, process: UUID, tenant: str, effect: e.OpenHumanTask) -> tuple[Any, ...]:
        return (
            effect.activity,
            tenant,
            process,
            effect.title,
            effect.description,
            SEPARATOR.join(effect.assignees),
            SEPARATOR.join(effect.candidate_groups),
            SEPARATOR.join(effect.exclude_users),
            SEPARATOR.join(effect.outcomes),
            encode(effect.form),
            effect.due,
            self._now,
        )

    def _job(self, process: UUID, tenant: str, effect: e.OpenJob) -> tuple[Any, ...]:
        return (
            effect.activity,
            tenant,
            process,
            effect.type,
            effect.priority,
            effect.input,
            effect.attempt,
            effect.lease_seconds,
            self._now,
        )

    async def write(self, connection: Connection) -> Saved:
        await self._write_timers(connection)
        calls = await self._write_calls(connection)
        await self._write_subscriptions(connection)
        await self._write_people_and_callbacks(connection)
        await self._write_jobs(connection)
        events = []
        if self._events:
            events = await connection.fetch(ADD_EVENTS, *columns(self._events))
        return Saved(events=tuple(row["id"] for row in events), calls=calls)

    async def _write_timers(self, connection: Connection) -> None:
        timers = [row for row in self._timers.values() if row is not None]
        if timers:
            await connection.execute(SET_TIMERS, *columns(timers))
        cancelled = [key for key, row in self._timers.items() if row is None]
        if cancelled:
            await connection.execute(CANCEL_TIMERS, *columns(cancelled))

    async def _write_calls(self, connection: Connection) -> tuple[LeasedCall, ...]:
        """Answers those that are leased."""
        calls = [self._call(*call) for call in self._calls.values() if call is not None]
        sent_at: dict[UUID, datetime] = {}
        if calls:
            seconds = 0.0 if self._lease is None else self._lease.seconds
            found = await connection.fetch(SET_CALLS, *columns(calls), seconds)
            sent_at = {row["activity"]: row["sent_at"] for row in found}
        gone = [activity for activity, call in self._calls.items() if call is None]
        if gone:
            await connection.execute(CANCEL_CALLS, gone)
        return () if self._lease is None else self._leased(self._lease, sent_at)

    def _leased(self, lease: Lease, sent_at: Mapping[UUID, datetime]) -> tuple[LeasedCall, ...]:
        found = [(self._calls.get(activity), sent_at.get(activity)) for activity in lease.activities]
        return tuple(_leased(*call, lease, at) for call, at in found if call is not None and at is not None)

    def _call(self, effect: e.PerformCall, outcome: Outcome) -> tuple[Any, ...]:
        lease = self._lease
        return (
            effect.activity,
            outcome.process.id,
            outcome.process.tenant,
            effect.attempt,
            effect.function,
            effect.reference,
            encode(effect.request),
            effect.detached,
            SEPARATOR.join(sorted(outcome.secrets)),
            effect.lookup,
            effect.in_doubt,
            self._now,
            lease.token if lease is not None and effect.activity in lease.activities else None,
        )

    async def _write_subscriptions(self, connection: Connection) -> None:
        ended = [key for key, rows in self._subscriptions.items() if rows is None]
        if ended:
            await connection.execute(UNSUBSCRIBE, *columns(ended))
        if self._shapes:
            shapes = sorted((tenant, shape, text) for (tenant, shape), text in self._shapes.items())
            await connection.execute(ADD_SHAPES, *columns(shapes))
        patterns = [row for rows in self._subscriptions.values() if rows is not None for row in rows]
        if patterns:
            await connection.execute(SUBSCRIBE, *columns(patterns))

    async def _write_people_and_callbacks(self, connection: Connection) -> None:
        tasks = [row for row in self._tasks.values() if row is not None]
        if tasks:
            await connection.execute(OPEN_HUMAN_TASKS, *columns(tasks))
        if self._escalated:
            await connection.execute(ESCALATE_HUMAN_TASKS, *columns(self._escalated))
        closed = [task for task, row in self._tasks.items() if row is None]
        if closed:
            await connection.execute(CLOSE_HUMAN_TASKS, closed, [self._now] * len(closed))
        callbacks = [row for row in self._callbacks.values() if row is not None]
        if callbacks:
            await connection.execute(OPEN_CALLBACKS, *columns(callbacks))
        answered = [activity for activity, row in self._callbacks.items() if row is None]
        if answered:
            await connection.execute(CLOSE_CALLBACKS, answered)

    async def _write_jobs(self, connection: Connection) -> None:
        opened = [row for row in self._jobs.values() if row is not None]
        if opened:
            await connection.execute(OPEN_JOBS, *columns(opened))
        if self._held_jobs:
            await connection.execute(HOLD_JOBS, list(self._held_jobs), list(self._held_jobs.values()))
        closed = [job for job, row in self._jobs.items() if row is None]
        if closed:
            await connection.execute(CLOSE_JOBS, closed)


def _leased(effect: e.PerformCall, outcome: Outcome, lease: Lease, sent_at: datetime) -> LeasedCall:
    return LeasedCall(
        activity=effect.activity,
        process=outcome.process.id,
        tenant=outcome.process.tenant,
        attempt=effect.attempt,
        function=effect.function,
        reference=effect.reference,
        request=effect.request,
        detached=effect.detached,
        secrets=outcome.secrets,
        token=lease.token,
        sent_at=sent_at,
        lost_at=None,
        lookup=effect.lookup,
        in_doubt=effect.in_doubt,
    )
