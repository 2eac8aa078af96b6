"""A store in memory that does what PostgreSQL's does, by another way: plain tables, one thing at a time.

Locks of processes are kept by who uses it (`faulty.FaultyStore`), as it has nobody to wait for.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from perdure import clock
from perdure.codec import decode, encode
from perdure.engine import effects as e
from perdure.engine.draft import PROCESS_REFERENCE
from perdure.engine.facts import TimerFired
from perdure.engine.refs import key_of
from perdure.engine.step import Waiting
from perdure.store import contract as c
from perdure.store.digests import shape_digest, token_digest, value_digest
from perdure.store.facts import encode_fact
from perdure.store.liveness import Standing

LOOK_BACK_SECONDS = 60
UNDECIDED = ("open", "claimed")
UNDONE = ("available", "leased", "delayed")


@dataclass
class Process:
    new: c.NewProcess
    created_at: datetime
    status: str = "pending"
    state: bytes | None = None
    output: bytes | None = None
    error: Any = None
    waiting: tuple[Waiting, ...] = ()
    sequence: int = 0
    owed_since: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass
class Fact:
    process: UUID
    fact: bytes
    recorded_at: datetime
    operator: bool


@dataclass
class Call:
    process: UUID
    tenant: str
    attempt: int
    function: str
    reference: str
    request: bytes
    detached: bool
    secrets: frozenset[str]
    lease_until: datetime
    lease_token: UUID | None = None


@dataclass
class Subscription:
    reference: str
    tenant: str
    type: str | None
    shape: bytes | None
    value: bytes | None
    since: datetime
    look_back_pending: bool


@dataclass
class Event:
    tenant: str
    event: Any
    received_at: datetime
    routed: bool = False
    to_publish: bool = False


@dataclass
class Callback:
    process: UUID
    activity: UUID
    status: str = "open"
    body_digest: bytes | None = None


@dataclass
class Tables:
    definitions: dict[c.DefinitionName, c.DefinitionRecord] = field(default_factory=dict)
    processes: dict[UUID, Process] = field(default_factory=dict)
    inbox: dict[int, Fact] = field(default_factory=dict)
    payloads: dict[tuple[UUID, bytes], bytes] = field(default_factory=dict)
    activities: dict[UUID, dict[UUID, c.ActivityRecord]] = field(default_factory=dict)
    history: dict[UUID, list[c.HistoryRecord]] = field(default_factory=dict)
    timers: dict[tuple[UUID, UUID], tuple[datetime, bytes]] = field(default_factory=dict)
    calls: dict[UUID, Call] = field(default_factory=dict)
    subscriptions: dict[tuple[UUID, UUID], list[Subscription]] = field(default_factory=dict)
    shapes: dict[tuple[str, bytes], tuple[str, ...]] = field(default_factory=dict)
    events: dict[int, Event] = field(default_factory=dict)
    event_ids: dict[tuple[str, str, str], int] = field(default_factory=dict)
    offers: set[tuple[UUID, str, int]] = field(default_factory=set)
    human_tasks: dict[UUID, c.HumanTaskRecord] = field(default_factory=dict)
    callbacks: dict[bytes, Callback] = field(default_factory=dict)
    jobs: dict[UUID, c.JobRecord] = field(default_factory=dict)
    idempotency: dict[tuple[str, str], tuple[bytes, UUID]] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=lambda: iter(range(1, 1 << 40)))


class MemoryStore:
    """See `perdure.store.contract.Store`."""

    def __init__(self) -> None:
        self.t = Tables()
        self.liveness = MemoryLiveness(self.t)

    async def ready(self) -> str:
        return "ok"

    async def now(self) -> datetime:
        return clock.now()

    # definitions

    async def add_definition(
        self, record: c.DefinitionRecord, resources: Sequence[Any] = (), schedules: Sequence[Any] = ()
    ) -> c.DefinitionRecord | None:
        name = (record.tenant, record.namespace, record.name, record.version)
        return self.t.definitions.setdefault(name, record) if name in self.t.definitions else self._add(name, record)

    def _add(self, name: c.DefinitionName, record: c.DefinitionRecord) -> None:
        self.t.definitions[name] = record

    async def definition(
        self, tenant: str, namespace: str, name: str, version: str | None
    ) -> c.DefinitionRecord | None:
        if version is not None:
            return self.t.definitions.get((tenant, namespace, name, version))
        found = [d for k, d in self.t.definitions.items() if k[:3] == (tenant, namespace, name) and d.stable]
        return max(found, key=lambda d: d.version_order, default=None)

    async def pins(self, definition: c.DefinitionName) -> list[Any]:
        return []

    # processes

    async def add_processes(self, processes: Sequence[c.NewProcess]) -> None:
        self._add_processes(processes, clock.now())

    def _add_processes(self, processes: Sequence[c.NewProcess], now: datetime) -> None:
        for new in processes:
            waiting: tuple[Waiting, ...] = ()
            if new.start_at is not None:
                waiting = (Waiting(new.id, PROCESS_REFERENCE, "timer", now, new.start_at),)
                self.t.timers[new.id, new.id] = (new.start_at, new.fact)
            else:
                self._add_facts([(new.id, new.fact)], now)
            self.t.processes[new.id] = Process(new, now, waiting=waiting)
            if new.payload is not None:
                key = key_of(new.input)
                assert key is not None
                self.t.payloads[new.id, key] = new.payload

    async def add_process_once(
        self, process: c.NewProcess, *, idempotency: tuple[str, bytes] | None, on_conflict: str
    ) -> tuple[str, UUID]:
        if idempotency is not None:
            known = self.t.idempotency.get((process.tenant, idempotency[0]))
            if known is not None:
                return ("repeated" if known[0] == idempotency[1] else "mismatch"), known[1]
            self.t.idempotency[process.tenant, idempotency[0]] = (idempotency[1], process.id)
        self._add_processes([process], clock.now())
        return "added", process.id

    async def process(self, tenant: str, process: UUID) -> c.ProcessRecord | None:
        row = self.t.processes.get(process)
        if row is None or row.new.tenant != tenant:
            return None
        waiting = row.waiting
        if not waiting and row.ended_at is None:
            waiting = (Waiting(process, PROCESS_REFERENCE, "step", row.created_at),)
        new = row.new
        return c.ProcessRecord(
            id=process,
            tenant=tenant,
            namespace=new.namespace,
            name=new.name,
            version=new.version,
            status=row.status,
            key=new.key,
            tags=new.tags,
            input=new.input,
            output=row.output,
            error=row.error,
            waiting=waiting,
            parent_process=new.parent_process,
            parent_activity=new.parent_activity,
            created_at=row.created_at,
            started_at=row.started_at,
            ended_at=row.ended_at,
        )

    async def ended(self, processes: Sequence[UUID]) -> set[UUID]:
        return {id_ for id_ in processes if self.t.processes[id_].ended_at is not None}

    async def activities(self, process: UUID, limit: int, after: int | None) -> list[c.ActivityRecord]:
        found = sorted(self.t.activities.get(process, {}).values(), key=lambda a: a.number)
        return [a for a in found if after is None or a.number > after][:limit]

    async def history(self, process: UUID, limit: int, after: int | None) -> list[c.HistoryRecord]:
        return [h for h in self.t.history.get(process, []) if after is None or h.sequence > after][:limit]

    async def payloads(self, keys: Sequence[tuple[UUID, bytes]]) -> dict[tuple[UUID, bytes], bytes]:
        return {key: self.t.payloads[key] for key in keys if key in self.t.payloads}

    # steps

    @asynccontextmanager
    async def take(self, processes: Sequence[UUID], *, facts_max: int, wait: bool = False) -> Any:
        taken = [self._taken(id_, facts_max) for id_ in sorted(set(processes)) if id_ in self.t.processes]
        yield MemoryTaken(self, taken) if taken else None

    def _taken(self, id_: UUID, facts_max: int) -> c.TakenProcess:
        row = self.t.processes[id_]
        facts = [(n, f.fact) for n, f in self._facts_of(id_) if f.operator or row.status != "suspended"]
        return c.TakenProcess(
            id=id_,
            tenant=row.new.tenant,
            namespace=row.new.namespace,
            name=row.new.name,
            version=row.new.version,
            status=row.status,
            seed=row.new.seed,
            state=row.state,
            sequence=row.sequence,
            parent_process=row.new.parent_process,
            parent_activity=row.new.parent_activity,
            created_at=row.created_at,
            owed=row.owed_since is not None,
            facts=tuple(facts[:facts_max]),
        )

    def _facts_of(self, process: UUID) -> list[tuple[int, Fact]]:
        return [(number, fact) for number, fact in self.t.inbox.items() if fact.process == process]

    async def record(self, facts: Sequence[tuple[UUID, bytes]], *, operator: bool = False) -> None:
        self._add_facts(facts, clock.now(), operator=operator)

    def _add_facts(self, facts: Sequence[tuple[UUID, bytes]], now: datetime, *, operator: bool = False) -> list[int]:
        numbers = []
        for process, fact in facts:
            number = next(self.t.numbers)
            self.t.inbox[number] = Fact(process, fact, now, operator)
            numbers.append(number)
        return numbers

    async def with_facts(self, processes: Sequence[UUID]) -> list[UUID]:
        return [id_ for id_ in processes if self._taken(id_, 1).facts]

    async def owed_steps(self, older_than_seconds: float, limit: int) -> list[UUID]:
        before = clock.now() - timedelta(seconds=older_than_seconds)
        owed = [
            fact.process
            for fact in self.t.inbox.values()
            if fact.recorded_at < before
            and fact.process in self.t.processes
            and (fact.operator or self.t.processes[fact.process].status != "suspended")
        ]
        owed += [
            id_
            for id_, row in self.t.processes.items()
            if row.owed_since is not None and row.owed_since < before and row.status != "suspended"
        ]
        return list(dict.fromkeys(owed))[:limit]

    async def put_off(self, processes: Sequence[UUID], seconds: float) -> None:
        then = clock.now() + timedelta(seconds=seconds)
        for id_ in processes:
            if self.t.processes[id_].owed_since is not None:
                self.t.processes[id_].owed_since = then
            for _, fact in self._facts_of(id_):
                fact.recorded_at = then

    # calls and timers

    async def lease_calls(self, activities: Sequence[UUID], lease_seconds: float, token: UUID) -> list[c.LeasedCall]:
        now, leased = clock.now(), []
        for activity in activities:
            call = self.t.calls.get(activity)
            if call is None or call.lease_until > now:
                continue
            call.lease_until, call.lease_token = now + timedelta(seconds=lease_seconds), token
            leased.append(
                c.LeasedCall(
                    activity=activity,
                    process=call.process,
                    tenant=call.tenant,
                    attempt=call.attempt,
                    function=call.function,
                    reference=call.reference,
                    request=decode(call.request),
                    detached=call.detached,
                    secrets=call.secrets,
                    token=token,
                )
            )
        return leased

    async def extend_calls(self, tokens: Mapping[UUID, UUID], lease_seconds: float) -> dict[UUID, int | None]:
        lost: dict[UUID, int | None] = {}
        for activity, token in tokens.items():
            call = self.t.calls.get(activity)
            if call is not None and call.lease_token == token:
                call.lease_until = clock.now() + timedelta(seconds=lease_seconds)
            else:
                lost[activity] = None if call is None else call.attempt
        return lost

    async def release_calls(self, tokens: Mapping[UUID, UUID]) -> None:
        for activity, token in tokens.items():
            call = self.t.calls.get(activity)
            if call is not None and call.lease_token == token:
                call.lease_until, call.lease_token = clock.now(), None

    async def finish_calls(self, results: Sequence[tuple[UUID, UUID, int, bytes]]) -> None:
        for process, activity, attempt, fact in results:
            call = self.t.calls.get(activity)
            if call is not None and call.attempt == attempt:
                del self.t.calls[activity]
            self._add_facts([(process, fact)], clock.now())

    async def owed_calls(self, older_than_seconds: float, limit: int) -> list[UUID]:
        before = clock.now() - timedelta(seconds=older_than_seconds)
        owed = [(call.lease_until, id_) for id_, call in self.t.calls.items() if call.lease_until < before]
        return [id_ for _, id_ in sorted(owed)[:limit]]

    async def fire_timers(self, limit: int) -> list[tuple[UUID, float]]:
        now = clock.now()
        due = sorted((due, process, id_) for (process, id_), (due, _) in self.t.timers.items() if due <= now)[:limit]
        for _, process, id_ in sorted(due, key=lambda timer: (timer[0], timer[2])):
            self._add_facts([(process, self.t.timers.pop((process, id_))[1])], now)
        return [(process, (now - at).total_seconds()) for at, process, _ in due]

    async def next_timer(self) -> float | None:
        due = min((due for due, _ in self.t.timers.values()), default=None)
        return None if due is None else (due - clock.now()).total_seconds()

    # events and callbacks

    async def add_events(self, tenant: str, events: Sequence[Any]) -> list[int]:
        return [id_ for event in events if (id_ := self._add_event(tenant, event, False, clock.now())) is not None]

    def _add_event(self, tenant: str, event: Any, to_publish: bool, now: datetime) -> int | None:
        name = (tenant, event["source"], event["id"])
        if name in self.t.event_ids:
            return None
        number = self.t.event_ids[name] = next(self.t.numbers)
        self.t.events[number] = Event(tenant, decode(encode(event)), now, to_publish=to_publish)
        return number

    async def events_to_finish(self, ids: Sequence[int]) -> list[c.PendingEvent]:
        found = [(id_, self.t.events[id_]) for id_ in sorted(set(ids)) if id_ in self.t.events]
        return [
            c.PendingEvent(id=id_, tenant=x.tenant, event=x.event, routed=x.routed, to_publish=x.to_publish)
            for id_, x in found
            if not x.routed or x.to_publish
        ]

    async def owed_events(self, older_than_seconds: float, limit: int) -> list[int]:
        before = clock.now() - timedelta(seconds=older_than_seconds)
        owed = [
            (x.routed, x.received_at, id_)
            for id_, x in self.t.events.items()
            if (not x.routed or x.to_publish) and x.received_at < before
        ]
        return [id_ for _, _, id_ in sorted(owed)[:limit]]

    async def shapes(self, tenant: str, type_: str) -> list[c.Shape]:
        used = {
            s.shape
            for rows in self.t.subscriptions.values()
            for s in rows
            if s.tenant == tenant and s.type in (type_, None) and s.shape is not None
        }
        return [c.Shape(digest=digest, expressions=self.t.shapes[tenant, digest]) for digest in sorted(used)]

    async def offer_event(
        self, event: c.PendingEvent, values: Sequence[tuple[bytes, bytes]], fact_of: c.FactOf
    ) -> list[UUID]:
        row = self.t.events[event.id]
        if row.routed:
            return []
        wanted = set(values)
        targets = {}
        for (process, activity), rows in sorted(self.t.subscriptions.items()):
            for s in rows:
                fits = s.shape is None or (s.shape, s.value) in wanted
                if s.tenant == event.tenant and s.type in (event.event["type"], None) and fits:
                    targets[process, s.reference] = activity
        woken = []
        for (process, reference), activity in sorted(targets.items()):
            if self._offer(process, reference, event.id):
                self._add_facts([(process, fact_of(activity, event.event))], clock.now())
                woken.append(process)
        row.routed = True
        return list(dict.fromkeys(woken))

    def _offer(self, process: UUID, reference: str, event: int) -> bool:
        offer = (process, reference, event)
        if offer in self.t.offers:
            return False
        self.t.offers.add(offer)
        return True

    async def event_published(self, event: int) -> None:
        self.t.events[event].to_publish = False

    async def look_backs(self, subscriptions: Sequence[tuple[UUID, UUID]]) -> list[c.LookBack]:
        found = []
        for process, activity in subscriptions:
            rows = self.t.subscriptions.get((process, activity), [])
            if not any(s.look_back_pending for s in rows):
                continue
            created_at = self.t.processes[process].created_at
            for s in rows:
                expressions = () if s.shape is None else self.t.shapes[s.tenant, s.shape]
                since = max(s.since - timedelta(seconds=LOOK_BACK_SECONDS), created_at)
                found.append(c.LookBack(process, activity, s.reference, s.tenant, s.type, expressions, s.value, since))
        return found

    async def recent_events(
        self, tenant: str, type_: str | None, after: tuple[datetime, int], limit: int
    ) -> list[c.RecentEvent]:
        found = [
            c.RecentEvent(id_, x.event, x.received_at)
            for id_, x in self.t.events.items()
            if x.tenant == tenant and type_ in (x.event["type"], None) and (x.received_at, id_) > after
        ]
        return sorted(found, key=lambda recent: (recent.received_at, recent.id))[:limit]

    async def owed_look_backs(self, older_than_seconds: float, limit: int) -> list[tuple[UUID, UUID]]:
        before = clock.now() - timedelta(seconds=older_than_seconds)
        return sorted(
            key
            for key, rows in self.t.subscriptions.items()
            if any(s.look_back_pending and s.since < before for s in rows)
        )[:limit]

    async def finish_look_back(
        self, process: UUID, activity: UUID, reference: str, matching: Sequence[tuple[int, bytes]]
    ) -> bool:
        pending = [s for s in self.t.subscriptions.get((process, activity), []) if s.look_back_pending]
        if not pending:
            return False
        for s in pending:
            s.look_back_pending = False
        facts = dict(matching)
        new = sorted(event for event in facts if self._offer(process, reference, event))
        self._add_facts([(process, facts[event]) for event in new], clock.now())
        return bool(new)

    async def receive_callback(
        self, token_digest: bytes, body_digest: bytes, fact_of: c.CallbackFactOf
    ) -> tuple[str, UUID | None]:
        row = self.t.callbacks.get(token_digest)
        if row is None:
            return "unknown", None
        if row.status == "open":
            row.status, row.body_digest = "answered", body_digest
            self._add_facts([(row.process, fact_of(row.activity))], clock.now())
            return "recorded", row.process
        return ("repeated" if row.body_digest == body_digest else "conflict"), row.process

    # people and jobs

    async def human_tasks(
        self, tenant: str, filter_: Mapping[str, Any], limit: int, before: Any
    ) -> list[c.HumanTaskRecord]:
        found = [t for t in self.t.human_tasks.values() if filter_.get("status") in (t.status, None)]
        return sorted(found, key=lambda t: (t.created_at, t.id), reverse=True)[:limit]

    async def change_human_task(self, tenant: str, task: UUID, change: c.TaskChange) -> c.HumanTaskRecord | None:
        record = self.t.human_tasks.get(task)
        if record is None:
            return None
        changed, fact = change(record, clock.now())
        self.t.human_tasks[task] = changed
        if fact is not None:
            self._add_facts([(changed.process, fact)], clock.now())
        return changed

    async def lease_jobs(
        self,
        tenant: str,
        type_: str,
        most: int,
        *,
        lease_seconds: float | None,
        lease_seconds_default: float,
        worker: str,
        actor: str,
        fact_of: c.JobFactOf,
    ) -> list[c.JobRecord]:
        free = [j for j in self.t.jobs.values() if j.type == type_ and j.state == "available" and not j.held]
        leased = []
        for job in sorted(free, key=lambda j: (-j.priority, j.created_at, j.id))[:most]:
            seconds = lease_seconds or job.lease_seconds_wanted or lease_seconds_default
            given = msgspec.structs.replace(
                job,
                state="leased",
                deliveries=job.deliveries + 1,
                token=UUID(int=next(self.t.numbers)),
                worker=worker,
                actor=actor,
                lease_seconds=seconds,
                due=clock.now() + timedelta(seconds=seconds),
                progress=None,
            )
            self.t.jobs[job.id] = given
            self._add_facts([(job.process, fact_of(given))], clock.now())
            leased.append(given)
        return leased

    async def change_job(self, tenant: str, job: UUID, change: c.JobChange) -> c.JobRecord | None:
        return self._change_job(job, change) if job in self.t.jobs else None

    def _change_job(self, job: UUID, change: c.JobChange) -> c.JobRecord:
        changed, fact = change(self.t.jobs[job], clock.now())
        self.t.jobs[job] = changed
        if fact is not None:
            self._add_facts([(changed.process, fact)], clock.now())
        return changed

    async def change_due_jobs(self, limit: int, change: c.JobChange) -> list[c.JobRecord]:
        due = [j for j in self.t.jobs.values() if j.state in ("leased", "delayed") and j.due and j.due <= clock.now()]
        return [self._change_job(j.id, change) for j in sorted(due, key=lambda j: (j.due, j.id))[:limit]]

    async def next_job_due(self) -> float | None:
        due = min((j.due for j in self.t.jobs.values() if j.state in ("leased", "delayed") and j.due), default=None)
        return None if due is None else (due - clock.now()).total_seconds()

    async def jobs_available(self, kinds: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
        free = {(j.tenant, j.type) for j in self.t.jobs.values() if j.state == "available" and not j.held}
        return free & set(kinds)

    async def purge(self, retention_seconds: float, event_seconds: float, limit: int) -> int:
        return 0


class MemoryTaken:
    """See `perdure.store.contract.Taken`."""

    def __init__(self, store: MemoryStore, taken: Sequence[c.TakenProcess]) -> None:
        self._store = store
        self.processes = taken
        self.now = clock.now()

    async def load(self, process: UUID, keys: Sequence[bytes]) -> dict[bytes, Any]:
        try:
            return {key: decode(self._store.t.payloads[process, key]) for key in keys}
        except KeyError:
            raise LookupError(f"process {process} names payloads that are not stored") from None

    async def definition(
        self, tenant: str, namespace: str, name: str, version: str | None
    ) -> c.DefinitionRecord | None:
        return await self._store.definition(tenant, namespace, name, version)

    async def pins(self, definition: c.DefinitionName) -> list[Any]:
        return []

    async def save(
        self,
        outcomes: Sequence[c.Outcome],
        *,
        children: Sequence[c.NewProcess] = (),
        facts: Sequence[tuple[UUID, bytes]] = (),
        commands: Sequence[tuple[UUID, bytes]] = (),
    ) -> c.Saved:
        store, t = self._store, self._store.t
        for outcome in outcomes:
            self._save_process(outcome)
            for number in outcome.facts:
                del t.inbox[number]
        store._add_processes(children, self.now)
        store._add_facts(facts, self.now)
        store._add_facts(commands, self.now, operator=True)
        events: list[int] = []
        for outcome in outcomes:
            for effect in outcome.step.effects:
                self._apply(outcome, effect, events)
        return c.Saved(events=tuple(events))

    def _save_process(self, outcome: c.Outcome) -> None:
        t, step, id_ = self._store.t, outcome.step, outcome.process.id
        row = t.processes[id_]
        for key, data in step.payloads.items():
            t.payloads.setdefault((id_, key), data)
        row.status, row.state, row.output, row.error = step.status, outcome.state, step.output, step.error
        row.waiting = tuple(step.waiting)
        row.owed_since = self.now if step.more else None
        row.started_at, row.ended_at = step.started_at, step.ended_at
        for activity in step.activities.values():
            self._save_activity(id_, activity)
        lines = t.history.setdefault(id_, [])
        for entry in step.history:
            row.sequence += 1
            data = decode(encode(entry.data))
            lines.append(c.HistoryRecord(row.sequence, entry.at, entry.type, entry.activity, entry.actor, data))

    def _save_activity(self, process: UUID, a: Any) -> None:
        rows = self._store.t.activities.setdefault(process, {})
        known = rows.get(a.id)
        fresh = c.ActivityRecord(
            id=a.id,
            process=process,
            number=a.order if known is None else known.number,
            parent=a.parent if known is None else known.parent,
            reference=a.reference,
            name=a.name,
            kind=a.kind,
            iteration=a.iteration,
            status=a.status,
            attempt=a.attempt,
            input=a.input,
            output=a.output,
            error=a.error,
            created_at=a.created_at if known is None else known.created_at,
            started_at=a.started_at,
            ended_at=a.ended_at,
        )
        rows[a.id] = fresh

    def _apply(self, outcome: c.Outcome, effect: e.AnyEffect, events: list[int]) -> None:
        t, process, tenant = self._store.t, outcome.process.id, outcome.process.tenant
        match effect:
            case e.SetTimer(timer, due):
                t.timers[process, timer] = (due, encode_fact(TimerFired(timer)))
            case e.CancelTimer(timer):
                t.timers.pop((process, timer), None)
            case e.PerformCall():
                t.calls[effect.activity] = Call(
                    process,
                    tenant,
                    effect.attempt,
                    effect.function,
                    effect.reference,
                    encode(effect.request),
                    effect.detached,
                    outcome.secrets,
                    self.now,
                )
            case e.CancelCall(activity):
                t.calls.pop(activity, None)
            case e.Subscribe():
                self._subscribe(process, tenant, effect)
            case e.Unsubscribe(activity):
                t.subscriptions.pop((process, activity), None)
            case e.PublishEvent(_, event):
                number = self._store._add_event(tenant, event, True, self.now)
                if number is not None:
                    events.append(number)
            case e.OpenHumanTask():
                t.human_tasks[effect.activity] = _human_task(process, tenant, effect, self.now)
            case e.EscalateHumanTask(activity, groups):
                task = t.human_tasks[activity]
                if task.status in UNDECIDED:
                    more = tuple(sorted({*task.candidate_groups, *groups}))
                    t.human_tasks[activity] = msgspec.structs.replace(task, candidate_groups=more)
            case e.CloseHumanTask(activity):
                task = t.human_tasks[activity]
                if task.status in UNDECIDED:
                    closed = msgspec.structs.replace(task, status="cancelled", completed_at=self.now)
                    t.human_tasks[activity] = closed
            case e.OpenCallback(activity, token):
                t.callbacks[token_digest(token)] = Callback(process, activity)
            case e.CloseCallback(activity):
                for row in t.callbacks.values():
                    if row.activity == activity and row.status == "open":
                        row.status = "closed"
            case e.OpenJob():
                t.jobs[effect.activity] = _job(process, tenant, effect, self.now)
            case e.HoldJob(activity, held):
                t.jobs[activity] = msgspec.structs.replace(t.jobs[activity], held=held)
            case e.CloseJob(activity):
                if t.jobs[activity].state in UNDONE:
                    closed_job = msgspec.structs.replace(t.jobs[activity], state="cancelled", token=None, due=None)
                    t.jobs[activity] = closed_job
            case e.StartChild() | e.CancelChild():
                pass

    def _subscribe(self, process: UUID, tenant: str, effect: e.Subscribe) -> None:
        rows = []
        for ordinal, pattern in enumerate(effect.patterns):
            shape = value = None
            if pattern.shape:
                shape, value = shape_digest(pattern.shape), value_digest(pattern.values)
                self._store.t.shapes[tenant, shape] = pattern.shape
            look_back = effect.look_back and ordinal == 0
            rows.append(Subscription(effect.reference, tenant, pattern.type, shape, value, self.now, look_back))
        self._store.t.subscriptions.setdefault((process, effect.activity), rows)


class MemoryLiveness:
    """See `perdure.store.liveness.Liveness`, as far as the check-ups go."""

    def __init__(self, tables: Tables) -> None:
        self._t = tables

    async def standings(self, tenant: str | None, after: UUID | None, limit: int) -> list[Standing]:
        alive = sorted(id_ for id_, row in self._t.processes.items() if row.ended_at is None)
        return [self._standing(id_) for id_ in alive if after is None or id_ > after][:limit]

    def _standing(self, id_: UUID) -> Standing:
        t, row = self._t, self._t.processes[id_]
        recorded: set[tuple[Any, UUID]] = {("timer", timer) for process, timer in t.timers if process == id_}
        recorded |= {("call", activity) for activity, call in t.calls.items() if call.process == id_}
        recorded |= {("subscription", activity) for process, activity in t.subscriptions if process == id_}
        recorded |= {("human-task", x.id) for x in t.human_tasks.values() if x.process == id_ and x.status in UNDECIDED}
        recorded |= {("callback", x.activity) for x in t.callbacks.values() if x.process == id_ and x.status == "open"}
        recorded |= {("job", x.id) for x in t.jobs.values() if x.process == id_ and x.state in UNDONE}
        recorded |= {
            ("child", child)
            for child, x in t.processes.items()
            if x.new.parent_process == id_ and x.new.parent_activity is not None and x.ended_at is None
        }
        facts = sum(fact.process == id_ for fact in t.inbox.values())
        return Standing(
            id_, row.new.tenant, row.status, row.state, row.created_at, row.owed_since, facts, frozenset(recorded)
        )


def _human_task(process: UUID, tenant: str, effect: e.OpenHumanTask, now: datetime) -> c.HumanTaskRecord:
    return c.HumanTaskRecord(
        id=effect.activity,
        tenant=tenant,
        process=process,
        title=effect.title,
        description=effect.description,
        status="open",
        assignee=None,
        assignees=effect.assignees,
        candidate_groups=effect.candidate_groups,
        exclude_users=effect.exclude_users,
        outcomes=effect.outcomes,
        form=effect.form,
        due=effect.due,
        outcome=None,
        output=None,
        created_at=now,
        completed_at=None,
    )


def _job(process: UUID, tenant: str, effect: e.OpenJob, now: datetime) -> c.JobRecord:
    return c.JobRecord(
        id=effect.activity,
        tenant=tenant,
        process=process,
        type=effect.type,
        priority=effect.priority,
        input=effect.input,
        attempt=effect.attempt,
        state="available",
        held=False,
        deliveries=0,
        failures=0,
        lease_seconds_wanted=effect.lease_seconds,
        lease_seconds=None,
        due=None,
        token=None,
        worker=None,
        actor=None,
        progress=None,
        answer=None,
        created_at=now,
    )
