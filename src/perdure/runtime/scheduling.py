"""What schedules owe: their due ticks become processes, each tick one, whoever else looks at the same time."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec
import structlog

from perdure.engine.dataflow import text_of
from perdure.engine.schedules import QUEUED_MAX, admit, due
from perdure.runtime.announce import Announcement, announce
from perdure.runtime.context import Context
from perdure.runtime.schedule_starts import new_process, rhythm_of
from perdure.store.contract import StoreUnavailable
from perdure.store.schedules import AuditEntry, ScheduleRecord, TakenSchedules, Tick, Turn

log = structlog.get_logger("perdure.schedules")

SCHEDULES_PER_TURN_MAX = 20


async def run_due(context: Context) -> int:
    """One turn; answers how many processes were started."""
    async with context.store.schedules.take_due(SCHEDULES_PER_TURN_MAX) as taken:
        turns = []
        for record in taken.schedules:
            try:
                turns.append(await _turn(taken, record))
            except StoreUnavailable:
                raise
            except Exception:  # one schedule's fault must not stop the others
                log.exception("a schedule can't be run", schedule=str(record.id))
        started = await taken.save(turns)
    processes = [
        tick.process.id
        for turn in turns
        for tick in turn.ticks
        if tick.process is not None and tick.at in started[turn.schedule.id]
    ]
    await announce(context.broker, Announcement(steps=processes))
    return len(processes)


async def _turn(taken: TakenSchedules, record: ScheduleRecord) -> Turn:
    owed = _owed(record, taken.now)
    overlap = "skip" if record.kind == "after" else record.overlap
    running = 0 if overlap == "allow" else await taken.running(record.id)
    waiting = await _released(taken, record, overlap, running)
    if waiting:
        running += len(waiting)
    admitted = admit(overlap, owed.ticks, running=running, queued=record.queued - len(waiting))
    ticks: list[Tick] = [_started(record, at) for at in (*waiting, *admitted.start)]
    ticks += _decided("queued", admitted.queue) + _decided("skipped", admitted.skip)
    changed = msgspec.structs.replace(record, next_at=owed.next_at)
    return Turn(changed, tuple(ticks), tuple(owed.audit))


@dataclass(frozen=True, slots=True)
class _Owed:
    ticks: tuple[datetime, ...]
    next_at: datetime | None
    audit: tuple[AuditEntry, ...] = ()


def _owed(record: ScheduleRecord, now: datetime) -> _Owed:
    next_at = record.next_at
    if next_at is None or next_at > now:
        return _Owed((), next_at)
    rhythm = rhythm_of(record)
    if rhythm is None:  # `after`, which goes on when the run ends
        return _Owed((next_at,), None)
    found = due(rhythm, next_at, now, record.catch_up)
    if found.missed is None:
        return _Owed(found.ticks, found.next_at)
    first, last = found.missed
    data = {"from": text_of(first), "to": text_of(last), "run": len(found.ticks)}
    return _Owed(found.ticks, found.next_at, (AuditEntry(now, "perdure", "missed", data),))


async def _released(taken: TakenSchedules, record: ScheduleRecord, overlap: str, running: int) -> list[datetime]:
    """Queued ticks whose turn it is: one where nothing runs, all where runs may overlap by now."""
    if not record.queued or running:
        return []
    return await taken.queued(record.id, QUEUED_MAX if overlap == "allow" else 1)


def _started(record: ScheduleRecord, at: datetime) -> Tick:
    return Tick(at, "started", new_process(record, at, {}, actor="perdure"))


def _decided(outcome: str, moments: Iterable[datetime]) -> list[Tick]:
    return [Tick(at, outcome) for at in moments]


async def next_due(context: Context) -> float | None:
    """Seconds until the next tick."""
    return await context.store.schedules.next_due()


def is_schedule(id_: UUID) -> bool:
    """Whether an id among wake-ups names a schedule: those are derived (UUIDv8), ids of processes are UUIDv7."""
    return id_.version == 8
