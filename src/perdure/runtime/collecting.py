"""Events that schedules wait for: gathered into sets, of which each whole one starts a process.

Events come into the inbox of the schedule as they come into those of processes, once each. They are taken in under
the schedule's lock, in one transaction with the processes that they start.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
import structlog

from perdure import clock
from perdure.codec import Json, decode
from perdure.definition.program import Program, Strategy
from perdure.engine import collector
from perdure.engine import state as states
from perdure.engine.advance import advance
from perdure.engine.effects import EventPattern, Subscribe
from perdure.engine.facts import AnyFact, EventReceived, ProcessStarted
from perdure.engine.refs import Key, inline_value, key_of
from perdure.engine.step import Process, Step
from perdure.runtime.announce import Announcement, announce
from perdure.runtime.context import Context
from perdure.runtime.driver import Drive
from perdure.runtime.schedule_starts import new_process
from perdure.store.contract import StoreUnavailable
from perdure.store.facts import decode_fact
from perdure.store.schedules import AuditEntry, EventSet, ScheduleRecord, TakenSchedules, Tick, Turn

log = structlog.get_logger("perdure.schedules")

PUT_OFF_SECONDS = 30.0
"""How long a schedule rests whose turn has failed."""
EVENTS_PER_TURN_MAX = 200
TURN_SECONDS_MAX = 2.0
"""How long one turn takes on further events."""
SETS_ASKED_MAX = 1_000
"""How many open sets of one correlation an event is offered to, the oldest first."""

SEED = bytes(32)

_payloads_decoder = msgspec.msgpack.Decoder(dict[bytes, bytes])


class Collector:
    """The consumption of one schedule, with the definition's own expressions."""

    def __init__(self, context: Context, program: Program, strategy: Strategy, schedule: UUID, since: datetime) -> None:
        self._context = context
        self._program = collector.program_of(program, strategy)
        self._process = Process(id=schedule, created_at=since, seed=SEED)
        self.strategy = strategy

    async def begin(self, now: datetime) -> tuple[Step, EventSet]:
        """The set without any event, and the step that subscribes it."""
        step = await self._step(None, {}, ProcessStarted(input={}, actor="perdure"), now)
        return step, self._set(None, step, {})

    async def take(self, set_: EventSet, fact: EventReceived, now: datetime) -> tuple[Step, EventSet]:
        """What becomes of the set by an event."""
        payloads = _payloads_decoder.decode(set_.payloads)
        step = await self._step(set_.state, payloads, fact, now)
        return step, self._set(set_.id, step, payloads)

    async def output(self, step: Step, set_: EventSet) -> list[Json]:
        """The events of a whole set; empty where it faulted."""
        if step.output is None:
            return []
        key = key_of(step.output)
        found = inline_value(step.output) if key is None else decode(_payloads_decoder.decode(set_.payloads)[key])
        return list(found)

    def _set(self, id_: int | None, step: Step, payloads: Mapping[Key, bytes]) -> EventSet:
        correlation = collector.correlation_of(self.strategy, step.state)
        kept = msgspec.msgpack.encode({**payloads, **step.payloads})
        return EventSet(id=id_, correlation=correlation, state=states.encode(step.state), payloads=kept)

    async def _step(self, state: bytes | None, payloads: Mapping[Key, bytes], fact: AnyFact, now: datetime) -> Step:
        async def load(keys: Sequence[Key]) -> dict[Key, Json]:
            return {key: decode(payloads[key]) for key in keys}

        generator = advance(
            self._program,
            self._process,
            None if state is None else states.decode(state),
            [fact],
            now,
            self._context.environment,
            self._context.limits,
        )
        drive = Drive(generator, self._context.evaluator, load)
        return drive.run_inline() or await drive.run()


async def subscription(
    context: Context, program: Program, strategy: Strategy, schedule: UUID, now: datetime
) -> tuple[UUID, tuple[EventPattern, ...]]:
    """Which activity of a new `on` schedule waits for which events."""
    step, _ = await Collector(context, program, strategy, schedule, now).begin(now)
    for effect in step.effects:
        if isinstance(effect, Subscribe):
            return effect.activity, effect.patterns
    detail = step.error.detail if step.error is not None else "it waits for no event"
    raise ValueError(f"the events to consume can't be determined: {detail}")


async def consume(context: Context) -> bool:
    """Take in events of one schedule, and start the processes of whole sets; answers whether any had events.

    A schedule whose turn fails is put off, so that those behind it are not stopped.
    """
    record: ScheduleRecord | None = None
    try:
        async with context.store.schedules.take_consuming() as taken:
            if not taken.schedules:
                return False
            (record,) = taken.schedules
            turn = await _turn(context, taken, record)
            await taken.save([turn])
    except StoreUnavailable:
        raise
    except Exception:
        if record is None:
            raise
        log.exception("a schedule can't take in events; it will be tried again", schedule=str(record.id))
        await context.store.put_off([record.id], PUT_OFF_SECONDS)
        return True
    started = [tick.process.id for tick in turn.ticks if tick.process is not None]
    await announce(context.broker, Announcement(steps=started))
    return True


async def _turn(context: Context, taken: TakenSchedules, record: ScheduleRecord) -> Turn:
    facts = await taken.facts(record.id, EVENTS_PER_TURN_MAX)
    if record.paused:
        return Turn(record, facts=tuple(number for number, _ in facts))
    program = await context.programs.get((record.tenant, record.namespace, record.name, record.version))
    if program.schedule is None or program.schedule.on is None:
        raise LookupError("the definition has no schedule.on")
    made = Collector(context, program, program.schedule.on, record.id, record.anchor)
    return await _Gathering(made, taken, record).run(facts)


class _Gathering:
    """One turn of one schedule: which sets its events have opened, grown and completed."""

    def __init__(self, made: Collector, taken: TakenSchedules, record: ScheduleRecord) -> None:
        self._collector = made
        self._taken = taken
        self._record = record
        self._now = taken.now
        self._fresh: EventSet | None = None
        self._open: dict[bytes, list[EventSet]] = {}
        self._touched: dict[int, EventSet] = {}
        """Sets that have rows, by id; new ones are found in `_open` alone."""
        self._closed: list[int] = []
        self._whole: list[list[Json]] = []
        self._audit: list[AuditEntry] = []

    async def run(self, facts: Sequence[tuple[int, bytes]]) -> Turn:
        _, self._fresh = await self._collector.begin(self._now)
        until = clock.monotonic() + TURN_SECONDS_MAX
        done = []
        for number, data in facts:
            fact = decode_fact(data)
            if isinstance(fact, EventReceived):
                await self._take(fact)
            done.append(number)
            if clock.monotonic() > until:
                break
        new = [set_ for sets in self._open.values() for set_ in sets if set_.id is None]
        return Turn(
            self._record,
            ticks=tuple(self._ticks()),
            audit=tuple(self._audit),
            facts=tuple(done),
            closed_sets=tuple(self._closed),
            sets=(*self._touched.values(), *new),
        )

    async def _take(self, fact: EventReceived) -> None:
        """The oldest open set that the event fits has it; else it opens one."""
        assert self._fresh is not None
        step, set_ = await self._collector.take(self._fresh, fact, self._now)
        if not collector.has_consumed(step):
            return
        sets = await self._sets(set_.correlation) if _keeps_sets(self._collector.strategy) else []
        for index, open_ in enumerate(sets):
            grown, changed = await self._collector.take(open_, fact, self._now)
            if collector.has_consumed(grown):
                await self._settle(sets, index, grown, changed)
                return
        if collector.is_whole(step) or collector.size(step.state):
            sets.append(set_)
            await self._settle(sets, len(sets) - 1, step, set_)

    async def _settle(self, sets: list[EventSet], index: int, step: Step, changed: EventSet) -> None:
        whole = collector.is_whole(step)
        if not whole and collector.size(step.state) <= collector.EVENTS_PER_SET_MAX:
            sets[index] = changed
            if changed.id is not None:
                self._touched[changed.id] = changed
            return
        del sets[index]
        if changed.id is not None:
            self._touched.pop(changed.id, None)
            self._closed.append(changed.id)
        events = await self._collector.output(step, changed) if whole else []
        if events:
            self._whole.append(events)
        elif not whole or step.error is not None:
            detail = step.error.detail if step.error is not None else "a set holds too many events"
            self._audit.append(AuditEntry(self._now, "perdure", "dropped", {"reason": detail}))

    async def _sets(self, correlation: bytes) -> list[EventSet]:
        if correlation not in self._open:
            self._open[correlation] = await self._taken.sets(self._record.id, correlation, SETS_ASKED_MAX)
        return self._open[correlation]

    def _ticks(self) -> list[Tick]:
        first = self._now
        if self._record.last_at is not None:
            first = max(first, self._record.last_at + timedelta(microseconds=1))
        moments = [first + timedelta(microseconds=number) for number in range(len(self._whole))]
        return [
            Tick(at, "started", new_process(self._record, at, events, actor="perdure"))
            for at, events in zip(moments, self._whole, strict=True)
        ]


def _keeps_sets(strategy: Strategy) -> bool:
    """Whether a set may take more than one event."""
    return strategy.mode == "all" or (strategy.mode == "any" and strategy.until is not None)
