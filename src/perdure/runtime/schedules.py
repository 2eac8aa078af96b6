"""Schedules as operators see them, and how those of a new version come to act."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

import msgspec

from perdure.codec import Json
from perdure.definition.problems import DefinitionInvalid, Problem
from perdure.definition.program import Program
from perdure.engine.dataflow import text_of
from perdure.engine.ids import schedule_id
from perdure.engine.schedules import between, following
from perdure.runtime import collecting, cursors, processes
from perdure.runtime.announce import Announcement, announce
from perdure.runtime.context import Context
from perdure.runtime.errors import Conflict, Invalid, NotFound
from perdure.runtime.schedule_starts import new_process, rhythm_of
from perdure.runtime.views import (
    BackfillView,
    DefinitionReference,
    LastRun,
    Page,
    Principal,
    ProcessView,
    ScheduleEntryView,
    ScheduleView,
)
from perdure.store.records import DefinitionRecord
from perdure.store.schedules import AuditEntry, NewSchedule, ScheduleRecord, TakenSchedules, Tick, Turn

BACKFILL_TICKS_MAX = 1_000
NO_INPUT: Json = object()


async def of_version(context: Context, record: DefinitionRecord, program: Program) -> list[NewSchedule]:
    """The schedules of a version that is about to be registered. Raises `DefinitionInvalid`."""
    schedule = program.schedule
    if schedule is None or not record.stable:
        return []
    made = []
    said = program.document["schedule"]
    for kind in ("every", "cron", "after", "on"):
        if kind not in said:
            continue
        delay = schedule.after
        new = ScheduleRecord(
            id=schedule_id(record.tenant, record.namespace, record.name, kind),
            tenant=record.tenant,
            namespace=record.namespace,
            name=record.name,
            version=record.version,
            kind=kind,
            expression=said[kind],
            timezone=schedule.timezone,
            overlap=schedule.overlap,
            catch_up=schedule.catch_up,
            anchor=record.created_at,
            delay_months=delay.months if delay is not None else 0,
            delay_seconds=delay.seconds if delay is not None else 0.0,
            next_at=None,
            last_at=None,
            last_process=None,
            paused=False,
            queued=0,
        )
        rhythm = rhythm_of(new)
        if rhythm is not None:
            new = msgspec.structs.replace(new, next_at=following(rhythm, record.created_at))
        made.append(await _subscribed(context, program, new))
    return made


async def page(context: Context, who: Principal, *, limit: int, cursor: str | None) -> Page[ScheduleView]:
    after = cursors.read(cursor, cursors.texts(3))
    found = await context.store.schedules.page(who.tenant, limit + 1, after)  # type: ignore[arg-type]
    items, next_ = cursors.page(found, limit, lambda r: (r.namespace, r.name, r.kind))
    return Page([_view(record) for record in items], next_)


async def get(context: Context, who: Principal, schedule: UUID) -> ScheduleView:
    record = await context.store.schedules.get(who.tenant, schedule)
    if record is None:
        raise _unknown(schedule)
    return _view(record)


async def history(
    context: Context, who: Principal, schedule: UUID, *, limit: int, cursor: str | None
) -> Page[ScheduleEntryView]:
    before = cursors.read(cursor, cursors.number)
    await get(context, who, schedule)
    found = await context.store.schedules.audit(who.tenant, schedule, limit + 1, before)
    items, next_ = cursors.page(found, limit, lambda numbered: (numbered[0],))
    return Page([ScheduleEntryView(e.at, e.actor, e.action, e.data) for _, e in items], next_)


async def pause(context: Context, who: Principal, schedule: UUID, reason: str | None) -> ScheduleView:
    """Nothing is started until it is resumed; ticks and events of that time are not made up for."""

    def turn(record: ScheduleRecord, now: datetime) -> Turn:
        if record.paused:
            raise Conflict("pause: expected a schedule that runs; this one is paused.")
        return Turn(_with(record, paused=True), audit=(_entry(who, now, "paused", _reason(reason)),))

    return await _change(context, who, schedule, turn)


async def resume(context: Context, who: Principal, schedule: UUID, reason: str | None) -> ScheduleView:
    def turn(record: ScheduleRecord, now: datetime) -> Turn:
        if not record.paused:
            raise Conflict("resume: expected a paused schedule; this one is not paused.")
        rhythm = rhythm_of(record)
        next_at = record.next_at if rhythm is None else following(rhythm, now)
        changed = _with(record, paused=False, next_at=next_at)
        return Turn(changed, audit=(_entry(who, now, "resumed", _reason(reason)),))

    return await _change(context, who, schedule, turn)


async def trigger(context: Context, who: Principal, schedule: UUID, input_: Json, reason: str | None) -> ProcessView:
    """Start a process now, paused or not, whatever else runs."""
    async with context.store.schedules.take_one(who.tenant, schedule) as taken:
        record = _only(taken, schedule)
        given = ([] if record.kind == "on" else {}) if input_ is NO_INPUT else input_
        new = new_process(record, taken.now, given, actor=who.name, by="trigger")
        entry = _entry(who, taken.now, "triggered", {"process": str(new.id), **_reason(reason)})
        await taken.save([Turn(record, (Tick(taken.now, "started", new),), (entry,))])
    await announce(context.broker, Announcement(steps=[new.id]))
    return await processes.get(context, who, new.id)


async def backfill(
    context: Context, who: Principal, schedule: UUID, first: datetime, last: datetime, reason: str | None
) -> BackfillView:
    """Start a process for each tick of a past range that has started none, all at once."""
    async with context.store.schedules.take_one(who.tenant, schedule) as taken:
        record = _only(taken, schedule)
        moments = _past_ticks(record, first, last, taken.now)
        ticks = [Tick(at, "started", new_process(record, at, {}, actor=who.name, by="backfill")) for at in moments]
        data = {"from": text_of(first), "to": text_of(last), "ticks": len(ticks), **_reason(reason)}
        entry = _entry(who, taken.now, "backfilled", data)
        saved = await taken.save([Turn(record, tuple(ticks), (entry,))])
        new = set(saved[record.id])
    started = [tick.process.id for tick in ticks if tick.process is not None and tick.at in new]
    await announce(context.broker, Announcement(steps=started))
    return BackfillView(len(started), len(ticks) - len(started), started)


def _past_ticks(record: ScheduleRecord, first: datetime, last: datetime, now: datetime) -> list[datetime]:
    rhythm = rhythm_of(record)
    if rhythm is None:
        raise Conflict(f"backfill: expected a schedule of the kind every or cron; this one is {record.kind}.")
    if last > now:
        raise _invalid("/to", f"expected a time that is past, found {text_of(last)}")
    if first > last:
        raise _invalid("/from", f"expected a time not later than `to`, found {text_of(first)}")
    ticks = between(rhythm, first, last, BACKFILL_TICKS_MAX + 1)
    if len(ticks) > BACKFILL_TICKS_MAX:
        limit = text_of(ticks[BACKFILL_TICKS_MAX - 1])
        raise _invalid("/to", f"expected a range of at most {BACKFILL_TICKS_MAX} ticks; the first ones end at {limit}")
    return ticks


async def _subscribed(context: Context, program: Program, record: ScheduleRecord) -> NewSchedule:
    if record.kind != "on":
        return NewSchedule(record)
    assert program.schedule is not None and program.schedule.on is not None
    try:
        activity, patterns = await collecting.subscription(
            context, program, program.schedule.on, record.id, record.anchor
        )
    except ValueError as error:
        raise DefinitionInvalid((Problem("/schedule/on", str(error)),)) from None
    return NewSchedule(record, activity, patterns)


async def _change(
    context: Context, who: Principal, schedule: UUID, turn_of: Callable[[ScheduleRecord, datetime], Turn]
) -> ScheduleView:
    async with context.store.schedules.take_one(who.tenant, schedule) as taken:
        turn = turn_of(_only(taken, schedule), taken.now)
        await taken.save([turn])
    return await get(context, who, schedule)


def _with(record: ScheduleRecord, **fields: Json) -> ScheduleRecord:
    changed: ScheduleRecord = msgspec.structs.replace(record, **fields)
    return changed


def _only(taken: TakenSchedules, schedule: UUID) -> ScheduleRecord:
    if not taken.schedules:
        raise _unknown(schedule)
    return taken.schedules[0]


def _entry(who: Principal, at: datetime, action: str, data: Json) -> AuditEntry:
    return AuditEntry(at, who.name, action, data)


def _reason(reason: str | None) -> dict[str, Json]:
    return {} if reason is None else {"reason": reason}


def _unknown(schedule: UUID) -> NotFound:
    return NotFound(f"There is no schedule {schedule}; only those of the highest stable versions act.")


def _invalid(pointer: str, detail: str) -> Invalid:
    return Invalid(f"{pointer[1:]}: {detail}", (Problem(pointer, detail),))


def _view(record: ScheduleRecord) -> ScheduleView:
    last = None
    if record.last_at is not None and record.last_process is not None:
        last = LastRun(record.last_at, record.last_process)
    return ScheduleView(
        id=record.id,
        definition=DefinitionReference(record.namespace, record.name, record.version),
        kind=record.kind,
        expression=record.expression,
        timezone=record.timezone,
        overlap=record.overlap,
        catch_up=record.catch_up,
        paused=record.paused,
        next=None if record.paused else record.next_at,
        last=last,
        queued=record.queued,
        since=record.anchor,
    )
