"""What the runtime asks of a store about schedules. Whoever holds the lock of a schedule's row decides its ticks."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol
from uuid import UUID

from perdure.codec import Json
from perdure.engine.effects import EventPattern
from perdure.store.records import NewProcess, Record


class ScheduleRecord(Record, frozen=True):
    """The schedule of the version that acts. `kind`: ``every``, ``cron``, ``after``, ``on``."""

    id: UUID
    tenant: str
    namespace: str
    name: str
    version: str
    kind: str
    expression: Json
    timezone: str
    overlap: str
    catch_up: str
    anchor: datetime
    delay_months: int
    delay_seconds: float
    next_at: datetime | None
    last_at: datetime | None
    last_process: UUID | None
    paused: bool
    queued: int


class NewSchedule(Record, frozen=True):
    """A schedule to act from the registration of its version on. `activity` and `patterns` subscribe an ``on``."""

    record: ScheduleRecord
    activity: UUID | None = None
    patterns: tuple[EventPattern, ...] = ()


class Tick(Record, frozen=True):
    """What becomes of one tick: ``started`` with a process, ``queued`` or ``skipped``."""

    at: datetime
    outcome: str
    process: NewProcess | None = None


class AuditEntry(Record, frozen=True):
    """What was done with a schedule, by whom."""

    at: datetime
    actor: str
    action: str
    data: Mapping[str, Json]


class Turn(Record, frozen=True):
    """What is to be written of a schedule under lock. `ticks` that have a process already start no other."""

    schedule: ScheduleRecord
    """As it shall be; `queued`, `last_at` and `last_process` follow from the ticks."""
    ticks: tuple[Tick, ...] = ()
    audit: tuple[AuditEntry, ...] = ()
    facts: tuple[int, ...] = ()
    """Ids of facts that were taken in."""
    closed_sets: tuple[int, ...] = ()
    sets: tuple["EventSet", ...] = ()


class EventSet(Record, frozen=True):
    """Events consumed so far; `id` None is a new one."""

    id: int | None
    correlation: bytes
    state: bytes
    payloads: bytes


class TakenSchedules(Protocol):
    """Schedules under lock, until the context ends; leaving it without `save` changes nothing."""

    now: datetime
    schedules: Sequence[ScheduleRecord]

    async def running(self, schedule: UUID) -> int:
        """How many processes of its ticks have not ended, as far as its overlap policy needs them counted."""

    async def queued(self, schedule: UUID, limit: int) -> list[datetime]:
        """Ticks that wait, the oldest first."""

    async def facts(self, schedule: UUID, limit: int) -> list[tuple[int, bytes]]:
        """Facts in its inbox, with their ids, in order of arrival."""

    async def sets(self, schedule: UUID, correlation: bytes, limit: int) -> list[EventSet]:
        """Open sets with this correlation, the oldest first."""

    async def save(self, turns: Sequence[Turn], *, keep_running: bool = False) -> dict[UUID, list[datetime]]:
        """Write turns; answers for each schedule the ticks that were new and have started a process."""


class Schedules(Protocol):
    """Kept by `store.contract.Store` as `schedules`."""

    def take_due(self, limit: int) -> AbstractAsyncContextManager[TakenSchedules]:
        """Lock schedules with a tick that is due, or queued and free to run, and that nobody else holds."""

    def take_consuming(self) -> AbstractAsyncContextManager[TakenSchedules]:
        """Lock the ``on`` schedule whose events have waited longest and that nobody else holds. Empty without any."""

    def take_one(self, tenant: str, schedule: UUID) -> AbstractAsyncContextManager[TakenSchedules]:
        """Lock one schedule, waiting for whoever holds it. Empty where there is none."""

    async def next_due(self) -> float | None:
        """Seconds until the next tick is due, None where there is none."""

    async def get(self, tenant: str, schedule: UUID) -> ScheduleRecord | None: ...
    async def page(self, tenant: str, limit: int, after: tuple[str, str, str] | None) -> list[ScheduleRecord]:
        """By namespace, name and kind; after that position."""

    async def audit(self, tenant: str, schedule: UUID, limit: int, before: int | None) -> list[tuple[int, AuditEntry]]:
        """Newest first, each with its number; before that number."""

    async def purge(self, retention_seconds: float) -> None:
        """Forget ticks, audit entries and open sets that are too old or too many."""
