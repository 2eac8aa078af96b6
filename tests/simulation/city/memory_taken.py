"""Processes under lock in memory, and what a step makes of the tables."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from perdure import clock
from perdure.codec import decode, encode
from perdure.engine import effects as e
from perdure.engine.facts import TimerFired
from perdure.store import records as r
from perdure.store.digests import shape_digest, token_digest, value_digest
from perdure.store.facts import encode_fact

from .tables import UNDECIDED, UNDONE, Call, Callback, Subscription


class MemoryTaken:
    """See `perdure.store.contract.Taken`."""

    def __init__(self, store: Any, taken: Sequence[r.TakenProcess]) -> None:
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
    ) -> r.DefinitionRecord | None:
        return await self._store.definition(tenant, namespace, name, version)

    async def pins(self, definition: r.DefinitionName) -> list[Any]:
        return []

    async def save(
        self,
        outcomes: Sequence[r.Outcome],
        *,
        children: Sequence[r.NewProcess] = (),
        facts: Sequence[tuple[UUID, bytes]] = (),
        commands: Sequence[tuple[UUID, bytes]] = (),
        lease: r.Lease | None = None,
    ) -> r.Saved:
        t = self._store.t
        for outcome in outcomes:
            self._save_process(outcome)
            for number in outcome.facts:
                del t.inbox[number]
            for answer in outcome.answers:
                t.end_call(answer)
        t.add_processes(children, self.now)
        t.add_facts(facts, self.now)
        t.add_facts(commands, self.now, operator=True)
        events: list[int] = []
        for outcome in outcomes:
            for effect in outcome.step.effects:
                self._apply(outcome, effect, events)
        return r.Saved(tuple(events), () if lease is None else self._leased(lease))

    def _leased(self, lease: r.Lease) -> tuple[r.LeasedCall, ...]:
        """Those that the steps have left."""
        leased = []
        for activity in lease.activities:
            call = self._store.t.calls.get(activity)
            if call is not None:
                call.lease_until, call.lease_token = self.now + timedelta(seconds=lease.seconds), lease.token
                call.sent_at = self.now
                leased.append(call.leased(activity, None))
        return tuple(leased)

    def _save_process(self, outcome: r.Outcome) -> None:
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
            lines.append(r.HistoryRecord(row.sequence, entry.at, entry.type, entry.activity, entry.actor, data))

    def _save_activity(self, process: UUID, a: Any) -> None:
        rows = self._store.t.activities.setdefault(process, {})
        known = rows.get(a.id)
        fresh = r.ActivityRecord(
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

    def _apply(self, outcome: r.Outcome, effect: e.AnyEffect, events: list[int]) -> None:
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
                    effect.lookup,
                    effect.in_doubt,
                    self.now,
                )
            case e.CancelCall(activity):
                t.calls.pop(activity, None)
            case e.Subscribe():
                self._subscribe(process, tenant, effect)
            case e.Unsubscribe(activity):
                t.subscriptions.pop((process, activity), None)
            case e.PublishEvent(_, event):
                number = t.add_event(tenant, event, True, self.now)
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


def _human_task(process: UUID, tenant: str, effect: e.OpenHumanTask, now: datetime) -> r.HumanTaskRecord:
    return r.HumanTaskRecord(
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


def _job(process: UUID, tenant: str, effect: e.OpenJob, now: datetime) -> r.JobRecord:
    return r.JobRecord(
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
