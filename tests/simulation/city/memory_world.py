"""Events, callbacks, people and jobs: the part of the store in memory through which the world answers."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

import msgspec

from perdure import clock
from perdure.store import contract as c
from perdure.store import records as r

from .tables import Tables

LOOK_BACK_SECONDS = 60


class MemoryWorld:
    """Operations of `perdure.store.contract.Store`."""

    t: Tables

    # events and callbacks

    async def add_events(self, events: Sequence[tuple[str, Any]]) -> list[int]:
        added = [self.t.add_event(tenant, event, False, clock.now()) for tenant, event in events]
        return [id_ for id_ in added if id_ is not None]

    async def events_to_finish(self, ids: Sequence[int]) -> list[r.PendingEvent]:
        found = [(id_, self.t.events[id_]) for id_ in sorted(set(ids)) if id_ in self.t.events]
        return [
            r.PendingEvent(id=id_, tenant=x.tenant, event=x.event, routed=x.routed, to_publish=x.to_publish)
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

    async def shapes(self, kinds: Sequence[tuple[str, str]]) -> list[list[r.Shape]]:
        return [self._shapes(*kind) for kind in kinds]

    def _shapes(self, tenant: str, type_: str) -> list[r.Shape]:
        used = {
            s.shape
            for rows in self.t.subscriptions.values()
            for s in rows
            if s.tenant == tenant and s.type in (type_, None) and s.shape is not None
        }
        return [r.Shape(digest=digest, expressions=self.t.shapes[tenant, digest]) for digest in sorted(used)]

    async def offer_events(self, offers: Sequence[r.EventOffer], fact_of: c.FactOf) -> list[UUID]:
        woken = [process for offer in offers for process in self._offer_event(offer, fact_of)]
        return list(dict.fromkeys(woken))

    def _offer_event(self, offer: r.EventOffer, fact_of: c.FactOf) -> list[UUID]:
        event, wanted = offer.event, set(offer.values)
        row = self.t.events[event.id]
        if row.routed:
            return []
        fitting = [
            (s.since, activity, process, s.reference)
            for (process, activity), rows in self.t.subscriptions.items()
            for s in rows
            if s.tenant == event.tenant and s.type in (event.event["type"], None)
            if s.shape is None or (s.shape, s.value) in wanted
        ]
        targets = {(process, reference): activity for _, activity, process, reference in sorted(fitting, reverse=True)}
        woken = []
        for (process, reference), activity in sorted(targets.items()):
            if self._offer(process, reference, event.id):
                self.t.add_facts([(process, fact_of(activity, event.event))], clock.now())
                woken.append(process)
        row.routed = True
        return woken

    def _offer(self, process: UUID, reference: str, event: int) -> bool:
        offer = (process, reference, event)
        if offer in self.t.offers:
            return False
        self.t.offers.add(offer)
        return True

    async def event_published(self, event: int) -> None:
        self.t.events[event].to_publish = False

    async def look_backs(self, subscriptions: Sequence[tuple[UUID, UUID]]) -> list[r.LookBack]:
        found = []
        for process, activity in subscriptions:
            rows = self.t.subscriptions.get((process, activity), [])
            if not any(s.look_back_pending for s in rows):
                continue
            created_at = self.t.processes[process].created_at
            for s in rows:
                expressions = () if s.shape is None else self.t.shapes[s.tenant, s.shape]
                since = max(s.since - timedelta(seconds=LOOK_BACK_SECONDS), created_at)
                found.append(r.LookBack(process, activity, s.reference, s.tenant, s.type, expressions, s.value, since))
        return found

    async def recent_events(
        self, tenant: str, type_: str | None, after: tuple[datetime, int], limit: int
    ) -> list[r.RecentEvent]:
        found = [
            r.RecentEvent(id_, x.event, x.received_at)
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
        self.t.add_facts([(process, facts[event]) for event in new], clock.now())
        return bool(new)

    async def receive_callback(
        self, token_digest: bytes, body_digest: bytes, fact_of: c.CallbackFactOf
    ) -> tuple[str, UUID | None]:
        row = self.t.callbacks.get(token_digest)
        if row is None:
            return "unknown", None
        if row.status == "open":
            row.status, row.body_digest = "answered", body_digest
            self.t.add_facts([(row.process, fact_of(row.activity))], clock.now())
            return "recorded", row.process
        return ("repeated" if row.body_digest == body_digest else "conflict"), row.process

    # people and jobs

    async def human_tasks(
        self, tenant: str, filter_: Mapping[str, Any], limit: int, before: Any
    ) -> list[r.HumanTaskRecord]:
        found = [t for t in self.t.human_tasks.values() if filter_.get("status") in (t.status, None)]
        return sorted(found, key=lambda t: (t.created_at, t.id), reverse=True)[:limit]

    async def change_human_task(self, tenant: str, task: UUID, change: c.TaskChange) -> r.HumanTaskRecord | None:
        record = self.t.human_tasks.get(task)
        if record is None:
            return None
        changed, fact = change(record, clock.now())
        self.t.human_tasks[task] = changed
        if fact is not None:
            self.t.add_facts([(changed.process, fact)], clock.now())
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
        token_seed: bytes,
        fact_of: c.JobFactOf,
    ) -> list[r.JobRecord]:
        free = [j for j in self.t.jobs.values() if j.type == type_ and j.state == "available" and not j.held]
        leased = []
        for job in sorted(free, key=lambda j: (-j.priority, j.created_at, j.id))[:most]:
            seconds = lease_seconds or job.lease_seconds_wanted or lease_seconds_default
            given = msgspec.structs.replace(
                job,
                state="leased",
                deliveries=job.deliveries + 1,
                token=UUID(bytes=sha256(token_seed + job.id.bytes).digest()[:16]),
                worker=worker,
                actor=actor,
                lease_seconds=seconds,
                due=clock.now() + timedelta(seconds=seconds),
                progress=None,
            )
            self.t.jobs[job.id] = given
            self.t.add_facts([(job.process, fact_of(given))], clock.now())
            leased.append(given)
        return leased

    async def change_jobs(self, changes: Sequence[tuple[str, UUID, c.JobChange]]) -> list[r.JobRecord | None]:
        return [self._change_job(job, change) if job in self.t.jobs else None for _, job, change in changes]

    def _change_job(self, job: UUID, change: c.JobChange) -> r.JobRecord:
        changed, fact = change(self.t.jobs[job], clock.now())
        self.t.jobs[job] = changed
        if fact is not None:
            self.t.add_facts([(changed.process, fact)], clock.now())
        return changed

    async def change_due_jobs(self, limit: int, change: c.JobChange) -> list[r.JobRecord]:
        due = [j for j in self.t.jobs.values() if j.state in ("leased", "delayed") and j.due and j.due <= clock.now()]
        return [self._change_job(j.id, change) for j in sorted(due, key=lambda j: (j.due, j.id))[:limit]]

    async def next_job_due(self) -> float | None:
        due = min((j.due for j in self.t.jobs.values() if j.state in ("leased", "delayed") and j.due), default=None)
        return None if due is None else (due - clock.now()).total_seconds()

    async def jobs_available(self, kinds: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
        free = {(j.tenant, j.type) for j in self.t.jobs.values() if j.state == "available" and not j.held}
        return free & set(kinds)
