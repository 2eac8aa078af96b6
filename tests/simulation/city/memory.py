"""A store in memory that does what PostgreSQL's does, by another way: plain tables, one thing at a time.

Locks of processes are kept by who uses it (`faulty.FaultyStore`), as it has nobody to wait for.
"""

from collections.abc import Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from perdure import clock
from perdure.store import records as r

from .memory_liveness import MemoryLiveness
from .memory_taken import MemoryTaken
from .memory_world import MemoryWorld
from .tables import Tables


class MemoryStore(MemoryWorld):
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
        self, record: r.DefinitionRecord, resources: Sequence[Any] = (), schedules: Sequence[Any] = ()
    ) -> r.DefinitionRecord | None:
        name = (record.tenant, record.namespace, record.name, record.version)
        return self.t.definitions.setdefault(name, record) if name in self.t.definitions else self._add(name, record)

    def _add(self, name: r.DefinitionName, record: r.DefinitionRecord) -> None:
        self.t.definitions[name] = record

    async def definition(
        self, tenant: str, namespace: str, name: str, version: str | None
    ) -> r.DefinitionRecord | None:
        if version is not None:
            return self.t.definitions.get((tenant, namespace, name, version))
        found = [d for k, d in self.t.definitions.items() if k[:3] == (tenant, namespace, name) and d.stable]
        return max(found, key=lambda d: d.version_order, default=None)

    async def pins(self, definition: r.DefinitionName) -> list[Any]:
        return []

    # processes

    async def keys_by_digest(self, digests: Sequence[bytes]) -> list[None]:
        return [None] * len(digests)

    async def newest_versions(self, names: Sequence[tuple[str, str, str]]) -> list[str | None]:
        found = [await self.definition(*name, None) for name in names]
        return [None if record is None else record.version for record in found]

    async def add_processes(self, starts: Sequence[r.Start]) -> list[r.Accepted]:
        accepted = []
        for start in starts:
            how, id_ = await self.add_process_once(start.process, idempotency=start.claim, on_conflict="allow")
            accepted.append(r.Accepted(how, id_, clock.now() if how == "added" else None))
        return accepted

    async def add_process_once(
        self, process: r.NewProcess, *, idempotency: tuple[str, bytes] | None, on_conflict: str
    ) -> tuple[str, UUID]:
        if idempotency is not None:
            known = self.t.idempotency.get((process.tenant, idempotency[0]))
            if known is not None:
                return ("repeated" if known[0] == idempotency[1] else "mismatch"), known[1]
            self.t.idempotency[process.tenant, idempotency[0]] = (idempotency[1], process.id)
        self.t.add_processes([process], clock.now())
        return "added", process.id

    async def process(self, tenant: str, process: UUID) -> r.ProcessRecord | None:
        row = self.t.processes.get(process)
        if row is None or row.new.tenant != tenant:
            return None
        new = row.new
        return r.ProcessRecord(
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
            waiting=row.waiting,
            parent_process=new.parent_process,
            parent_activity=new.parent_activity,
            created_at=row.created_at,
            started_at=row.started_at,
            ended_at=row.ended_at,
        )

    async def ended(self, processes: Sequence[UUID]) -> set[UUID]:
        return {id_ for id_ in processes if self.t.processes[id_].ended_at is not None}

    async def activities(self, process: UUID, limit: int, after: int | None) -> list[r.ActivityRecord]:
        found = sorted(self.t.activities.get(process, {}).values(), key=lambda a: a.number)
        return [a for a in found if after is None or a.number > after][:limit]

    async def history(self, process: UUID, limit: int, after: int | None) -> list[r.HistoryRecord]:
        return [h for h in self.t.history.get(process, []) if after is None or h.sequence > after][:limit]

    async def payloads(self, keys: Sequence[tuple[UUID, bytes]]) -> dict[tuple[UUID, bytes], bytes]:
        return {key: self.t.payloads[key] for key in keys if key in self.t.payloads}

    # steps

    @asynccontextmanager
    async def take(self, processes: Sequence[UUID], *, facts_max: int, wait: bool = False) -> Any:
        taken = [self._taken(id_, facts_max) for id_ in sorted(set(processes)) if id_ in self.t.processes]
        yield MemoryTaken(self, taken) if taken else None

    @asynccontextmanager
    async def accept(self, start: r.Start) -> Any:
        (accepted,) = await self.add_processes([start])
        added = accepted.how == "added"
        yield accepted, MemoryTaken(self, [self._taken(start.process.id, 1)]) if added else None

    def _taken(self, id_: UUID, facts_max: int) -> r.TakenProcess:
        row = self.t.processes[id_]
        facts = [(n, f.fact) for n, f in self.t.facts_of(id_) if f.operator or row.status != "suspended"]
        return r.TakenProcess(
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
            depth=row.new.depth,
            created_at=row.created_at,
            owed=row.owed_since is not None,
            facts=tuple(facts[:facts_max]),
        )

    async def unfinished(self, tenant: str, up_to: int) -> int:
        return sum(row.ended_at is None and row.new.tenant == tenant for row in self.t.processes.values())

    async def backlog(self, up_to: int) -> int:
        return 0

    async def record(self, facts: Sequence[tuple[UUID, bytes]], *, operator: bool = False) -> None:
        self.t.add_facts(facts, clock.now(), operator=operator)

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
            for _, fact in self.t.facts_of(id_):
                fact.recorded_at = then

    # calls and timers

    async def lease_calls(self, activities: Sequence[UUID], lease_seconds: float, token: UUID) -> list[r.LeasedCall]:
        now, leased = clock.now(), []
        for activity in activities:
            call = self.t.calls.get(activity)
            if call is None or call.lease_until > now:
                continue
            call.lease_until, call.lease_token = now + timedelta(seconds=lease_seconds), token
            lost_at, call.sent_at = call.sent_at, now
            leased.append(call.leased(activity, lost_at))
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

    async def release_calls(self, tokens: Mapping[UUID, UUID], *, sent: bool, after_seconds: float = 0.0) -> None:
        for activity, token in tokens.items():
            call = self.t.calls.get(activity)
            if call is not None and call.lease_token == token:
                call.lease_until, call.lease_token = clock.now() + timedelta(seconds=after_seconds), None
                call.sent_at = call.sent_at if sent else None

    async def record_of_call(
        self, call: r.LeasedCall, facts: Sequence[bytes], resume: bytes | None
    ) -> list[int] | None:
        if not self._holds(call):
            return None
        self.t.add_facts([(call.process, fact) for fact in facts], clock.now())
        return []

    async def give_up_call(self, call: r.LeasedCall, fact: bytes) -> bool:
        if not self._holds(call):
            return False
        del self.t.calls[call.activity]
        self.t.add_facts([(call.process, fact)], clock.now())
        return True

    def _holds(self, call: r.LeasedCall) -> bool:
        row = self.t.calls.get(call.activity)
        return row is not None and (row.attempt, row.lease_token) == (call.attempt, call.token)

    async def finish_calls(self, answers: Sequence[r.Answer]) -> None:
        for answer in answers:
            self.t.end_call(answer)
            self.t.add_facts([(answer.process, answer.fact)], clock.now())

    async def owed_calls(self, older_than_seconds: float, limit: int) -> list[UUID]:
        before = clock.now() - timedelta(seconds=older_than_seconds)
        owed = [(call.lease_until, id_) for id_, call in self.t.calls.items() if call.lease_until < before]
        return [id_ for _, id_ in sorted(owed)[:limit]]

    async def fire_timers(self, limit: int) -> list[tuple[UUID, float]]:
        now = clock.now()
        due = sorted((due, process, id_) for (process, id_), (due, _) in self.t.timers.items() if due <= now)[:limit]
        for _, process, id_ in sorted(due, key=lambda timer: (timer[0], timer[2])):
            self.t.add_facts([(process, self.t.timers.pop((process, id_))[1])], now)
        return [(process, (now - at).total_seconds()) for at, process, _ in due]

    async def next_timer(self) -> float | None:
        due = min((due for due, _ in self.t.timers.values()), default=None)
        return None if due is None else (due - clock.now()).total_seconds()

    async def outlook(self) -> r.Outlook:
        return r.Outlook(await self.next_timer(), await self.next_job_due(), None, None, telling=False)

    async def is_owed(self, older_than_seconds: float) -> bool:
        asked = (self.owed_steps, self.owed_calls, self.owed_events, self.owed_look_backs)
        return any([await owed(older_than_seconds, 1) for owed in asked])

    async def purge(self, retention_seconds: float, event_seconds: float, limit: int) -> int:
        return 0
