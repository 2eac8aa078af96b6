"""The store on PostgreSQL: each operation on one connection of the pool, in a transaction where it writes twice."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import UUID

from perdure.codec import Json
from perdure.definition.pins import Pin
from perdure.engine.refs import Key
from perdure.store import contract as c
from perdure.store import records as r
from perdure.store.lifecycle import Telling
from perdure.store.postgres import (
    definitions,
    events,
    functions,
    housekeeping,
    jobs,
    loads,
    outlook,
    people,
    pins,
    processes,
    steps,
    work,
)
from perdure.store.postgres.connection import Pool, connected, transaction
from perdure.store.postgres.lifecycle import PostgresLifecycle
from perdure.store.postgres.liveness import PostgresLiveness
from perdure.store.postgres.schedules import PostgresSchedules
from perdure.store.schedules import NewSchedule

TELLING = Telling()
"""Webhooks are told of everything, no broker of anything."""


class PostgresStore:
    """See `perdure.store.contract.Store`. The pool is the caller's to open and close."""

    def __init__(self, pool: Pool, telling: Telling = TELLING) -> None:
        """`telling` says which lines of the audit trail are owed to others."""
        self._pool = pool
        self._telling = telling
        self.lifecycle = PostgresLifecycle(pool)
        self.liveness = PostgresLiveness(pool)
        self.schedules = PostgresSchedules(pool)

    async def ready(self) -> str:
        try:
            async with connected(self._pool) as connection:
                await connection.fetchval("select 1 from process limit 1")
        except c.StoreUnavailable as error:
            return str(error)
        return "ok"

    async def now(self) -> datetime:
        async with connected(self._pool) as connection:
            now: datetime = await connection.fetchval("select clock_timestamp()")
            return now

    # definitions

    async def add_definition(
        self, record: r.DefinitionRecord, resources: Sequence[Pin] = (), schedules: Sequence[NewSchedule] = ()
    ) -> r.DefinitionRecord | None:
        async with transaction(self._pool) as connection:
            present = await definitions.add(connection, record, schedules)
            if resources and (present is None or present.digest == record.digest):
                await pins.add(connection, (record.tenant, record.namespace, record.name, record.version), resources)
            return present

    async def definition(
        self, tenant: str, namespace: str, name: str, version: str | None
    ) -> r.DefinitionRecord | None:
        async with connected(self._pool) as connection:
            return await definitions.get(connection, tenant, namespace, name, version)

    async def definitions(
        self, tenant: str, limit: int, after: tuple[str, str, str] | None
    ) -> list[r.DefinitionRecord]:
        async with connected(self._pool) as connection:
            return await definitions.page(connection, tenant, limit, after)

    async def versions(
        self, tenant: str, namespace: str, name: str, limit: int, after: str | None
    ) -> list[r.DefinitionRecord]:
        async with connected(self._pool) as connection:
            return await definitions.versions(connection, tenant, namespace, name, limit, after)

    async def newest_versions(self, names: Sequence[tuple[str, str, str]]) -> list[str | None]:
        async with connected(self._pool) as connection:
            return await definitions.newest(connection, names)

    async def pins(self, definition: r.DefinitionName) -> list[Pin]:
        async with connected(self._pool) as connection:
            return await pins.get(connection, definition)

    async def add_pins(self, definition: r.DefinitionName, new: Sequence[Pin]) -> list[Pin]:
        async with transaction(self._pool) as connection:
            return await pins.add(connection, definition, new)

    # functions

    async def add_function(self, record: r.FunctionRecord) -> r.FunctionRecord | None:
        async with connected(self._pool) as connection:
            return await functions.add(connection, record)

    async def function(self, tenant: str, name: str, version: str) -> r.FunctionRecord | None:
        async with connected(self._pool) as connection:
            return await functions.get(connection, tenant, name, version)

    async def functions(self, tenant: str, limit: int, after: tuple[str, str] | None) -> list[r.FunctionRecord]:
        async with connected(self._pool) as connection:
            return await functions.page(connection, tenant, limit, after)

    # processes

    async def add_processes(self, starts: Sequence[r.Start]) -> list[r.Accepted]:
        alone = all(start.claim is None for start in starts)  # then it is one statement, which needs no transaction
        async with connected(self._pool) if alone else transaction(self._pool) as connection:
            return await processes.add_all(connection, starts)

    async def add_process_once(
        self, process: r.NewProcess, *, idempotency: tuple[str, bytes] | None, on_conflict: str
    ) -> tuple[str, UUID]:
        async with transaction(self._pool) as connection:
            return await processes.add_once(connection, process, idempotency, on_conflict)

    async def process(self, tenant: str, process: UUID) -> r.ProcessRecord | None:
        async with connected(self._pool) as connection:
            return await processes.get(connection, tenant, process)

    async def ended(self, ids: Sequence[UUID]) -> set[UUID]:
        async with connected(self._pool) as connection:
            return await processes.ended(connection, ids)

    async def list_processes(
        self,
        tenant: str,
        filter_: Mapping[str, Json],
        limit: int,
        before: tuple[datetime, UUID] | None,
    ) -> list[r.ProcessRecord]:
        async with connected(self._pool) as connection:
            return await processes.page(connection, tenant, filter_, limit, before)

    async def activities(self, process: UUID, limit: int, after: int | None) -> list[r.ActivityRecord]:
        async with connected(self._pool) as connection:
            return await processes.activities(connection, process, limit, after)

    async def history(self, process: UUID, limit: int, after: int | None) -> list[r.HistoryRecord]:
        async with connected(self._pool) as connection:
            return await processes.history(connection, process, limit, after)

    async def payloads(self, keys: Sequence[tuple[UUID, Key]]) -> dict[tuple[UUID, Key], bytes]:
        async with connected(self._pool) as connection:
            return await processes.payloads(connection, keys)

    # steps

    @asynccontextmanager
    async def take(self, ids: Sequence[UUID], *, facts_max: int, wait: bool = False) -> AsyncIterator[c.Taken | None]:
        async with transaction(self._pool) as connection:
            yield await steps.take(connection, ids, facts_max, wait, self._telling)

    @asynccontextmanager
    async def accept(self, start: r.Start) -> AsyncIterator[tuple[r.Accepted, c.Taken | None]]:
        async with transaction(self._pool) as connection:
            yield await steps.accept(connection, start, self._telling)

    async def record(self, facts: Sequence[tuple[UUID, bytes]], *, operator: bool = False) -> None:
        async with connected(self._pool) as connection:
            await steps.add_facts(connection, facts, operator=operator)

    async def with_facts(self, ids: Sequence[UUID]) -> list[UUID]:
        async with connected(self._pool) as connection:
            return await steps.with_facts(connection, ids)

    async def owed_steps(self, older_than_seconds: float, limit: int) -> list[UUID]:
        async with connected(self._pool) as connection:
            return await steps.owed(connection, older_than_seconds, limit)

    async def put_off(self, ids: Sequence[UUID], seconds: float) -> None:
        async with transaction(self._pool) as connection:
            await steps.put_off(connection, ids, seconds)

    async def stranded(self, limit: int) -> list[UUID]:
        async with connected(self._pool) as connection:
            return await steps.stranded(connection, limit)

    async def unfinished(self, tenant: str, up_to: int) -> int:
        async with connected(self._pool) as connection:
            return await loads.unfinished(connection, tenant, up_to)

    async def backlog(self, up_to: int) -> int:
        async with connected(self._pool) as connection:
            return await loads.backlog(connection, up_to)

    # calls and timers

    async def lease_calls(self, activities: Sequence[UUID], lease_seconds: float, token: UUID) -> list[r.LeasedCall]:
        async with connected(self._pool) as connection:
            return await work.lease(connection, activities, lease_seconds, token)

    async def extend_calls(self, tokens: Mapping[UUID, UUID], lease_seconds: float) -> dict[UUID, int | None]:
        async with connected(self._pool) as connection:
            return await work.extend(connection, tokens, lease_seconds)

    async def release_calls(self, tokens: Mapping[UUID, UUID], *, sent: bool, after_seconds: float = 0.0) -> None:
        async with connected(self._pool) as connection:
            await work.release(connection, tokens, sent, after_seconds)

    async def give_up_call(self, call: r.LeasedCall, fact: bytes) -> bool:
        async with transaction(self._pool) as connection:
            return await work.give_up(connection, call, fact)

    async def record_of_call(
        self, call: r.LeasedCall, facts: Sequence[bytes], resume: bytes | None
    ) -> list[int] | None:
        async with transaction(self._pool) as connection:
            return await work.record(connection, call, facts, resume)

    async def facts_left(self, facts: Sequence[int]) -> bool:
        async with connected(self._pool) as connection:
            return await steps.facts_left(connection, facts)

    async def awaits_event(self, process: UUID, activity: UUID) -> bool:
        async with connected(self._pool) as connection:
            return await steps.awaits_event(connection, process, activity)

    async def forget_leases(self) -> None:
        async with connected(self._pool) as connection:
            await work.forget_leases(connection)

    async def finish_calls(self, answers: Sequence[r.Answer]) -> None:
        async with connected(self._pool) as connection:
            await work.finish(connection, answers)

    async def owed_calls(self, older_than_seconds: float, limit: int) -> list[UUID]:
        async with connected(self._pool) as connection:
            return await work.owed(connection, older_than_seconds, limit)

    async def fire_timers(self, limit: int) -> list[tuple[UUID, float]]:
        async with connected(self._pool) as connection:
            return await work.fire_timers(connection, limit)

    async def next_timer(self) -> float | None:
        async with connected(self._pool) as connection:
            return await work.next_timer(connection)

    async def outlook(self) -> r.Outlook:
        async with connected(self._pool) as connection:
            return await outlook.get(connection)

    async def is_owed(self, older_than_seconds: float) -> bool:
        async with connected(self._pool) as connection:
            return await outlook.is_owed(connection, older_than_seconds)

    # events and callbacks

    async def add_events(self, new: Sequence[tuple[str, Json]]) -> list[int]:
        async with connected(self._pool) as connection:
            return await events.add(connection, new)

    async def events_to_finish(self, ids: Sequence[int]) -> list[r.PendingEvent]:
        async with connected(self._pool) as connection:
            return await events.pending(connection, ids)

    async def owed_events(self, older_than_seconds: float, limit: int) -> list[int]:
        async with connected(self._pool) as connection:
            return await events.owed(connection, older_than_seconds, limit)

    async def shapes(self, kinds: Sequence[tuple[str, str]]) -> list[list[r.Shape]]:
        async with connected(self._pool) as connection:
            return await events.shapes(connection, kinds)

    async def offer_events(self, offers: Sequence[r.EventOffer], fact_of: c.FactOf) -> list[UUID]:
        woken: dict[UUID, None] = {}
        while offers:
            async with transaction(self._pool) as connection:
                processes, offers = await events.offer(connection, offers, fact_of)
            woken.update(dict.fromkeys(processes))
        return list(woken)

    async def event_published(self, event: int) -> None:
        async with connected(self._pool) as connection:
            await events.published(connection, event)

    async def look_backs(self, subscriptions: Sequence[tuple[UUID, UUID]]) -> list[r.LookBack]:
        async with connected(self._pool) as connection:
            return await events.look_backs(connection, subscriptions)

    async def owed_look_backs(self, older_than_seconds: float, limit: int) -> list[tuple[UUID, UUID]]:
        async with connected(self._pool) as connection:
            return await events.owed_look_backs(connection, older_than_seconds, limit)

    async def recent_events(
        self, tenant: str, type_: str | None, after: tuple[datetime, int], limit: int
    ) -> list[r.RecentEvent]:
        async with connected(self._pool) as connection:
            return await events.recent(connection, tenant, type_, after, limit)

    async def finish_look_back(
        self, process: UUID, activity: UUID, reference: str, matching: Sequence[tuple[int, bytes]]
    ) -> bool:
        async with transaction(self._pool) as connection:
            return await events.finish_look_back(connection, process, activity, reference, matching)

    async def receive_callback(
        self, token_digest: bytes, body_digest: bytes, fact_of: c.CallbackFactOf
    ) -> tuple[str, UUID | None]:
        async with transaction(self._pool) as connection:
            return await events.receive_callback(connection, token_digest, body_digest, fact_of)

    # people

    async def human_task(self, tenant: str, task: UUID) -> r.HumanTaskRecord | None:
        async with connected(self._pool) as connection:
            return await people.get(connection, tenant, task)

    async def human_tasks(
        self,
        tenant: str,
        filter_: Mapping[str, Json],
        limit: int,
        before: tuple[datetime, UUID] | None,
    ) -> list[r.HumanTaskRecord]:
        async with connected(self._pool) as connection:
            return await people.page(connection, tenant, filter_, limit, before)

    async def change_human_task(self, tenant: str, task: UUID, change: c.TaskChange) -> r.HumanTaskRecord | None:
        async with transaction(self._pool) as connection:
            return await people.change(connection, tenant, task, change)

    # jobs

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
        async with transaction(self._pool) as connection:
            return await jobs.lease(
                connection,
                tenant,
                type_,
                most,
                lease_seconds,
                lease_seconds_default,
                worker,
                actor,
                token_seed,
                fact_of,
            )

    async def change_jobs(self, changes: Sequence[tuple[str, UUID, c.JobChange]]) -> list[r.JobRecord | None]:
        changed: dict[int, r.JobRecord] = {}
        if len(changes) > 1:
            async with transaction(self._pool) as connection:
                changed = await jobs.change_free(connection, changes)
        return [
            changed[place] if place in changed else await self._change_job(change)
            for place, change in enumerate(changes)
        ]

    async def _change_job(self, change: tuple[str, UUID, c.JobChange]) -> r.JobRecord | None:
        async with transaction(self._pool) as connection:
            return await jobs.change(connection, change)

    async def change_due_jobs(self, limit: int, change: c.JobChange) -> list[r.JobRecord]:
        async with transaction(self._pool) as connection:
            return await jobs.change_due(connection, limit, change)

    async def next_job_due(self) -> float | None:
        async with connected(self._pool) as connection:
            return await jobs.next_due(connection)

    async def jobs_available(self, kinds: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
        async with connected(self._pool) as connection:
            return await jobs.available(connection, kinds)

    # keys

    async def add_key(self, record: r.KeyRecord, digest: bytes) -> None:
        async with connected(self._pool) as connection:
            await people.add_key(connection, record, digest)

    async def keys(self) -> list[r.KeyRecord]:
        async with connected(self._pool) as connection:
            return list(await people.keys(connection))

    async def revoke_key(self, key: UUID) -> r.KeyRecord | None:
        async with connected(self._pool) as connection:
            return await people.revoke_key(connection, key)

    async def keys_by_digest(self, digests: Sequence[bytes]) -> list[r.KeyRecord | None]:
        async with connected(self._pool) as connection:
            return await people.keys_by_digest(connection, digests)

    # housekeeping

    async def purge(self, retention_seconds: float, event_seconds: float, limit: int) -> int:
        async with transaction(self._pool) as connection:
            return await housekeeping.purge(connection, retention_seconds, event_seconds, limit)
