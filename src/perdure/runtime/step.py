"""The one place where a process moves: lock, load, advance, save, commit; and only then let others know.

A batch of processes is stepped in one transaction. A process whose expressions take long leaves the batch and
is stepped alone, so that it delays nobody else. Whoever finds a process locked leaves it to the holder, who
looks into its inbox again after the commit.

A process that can't be stepped at all is put off, and delays nobody else either. One whose state a later release has
written, or has a fact for that this one does not know, is left to the workers of that release.
"""

import asyncio
import math
from collections.abc import AsyncIterator, Callable, Mapping, Sequence, Set
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

import structlog

from perdure import clock, telemetry
from perdure.codec import Json, decode
from perdure.engine import state as states
from perdure.engine.advance import advance
from perdure.engine.draft import ENDED, PERDURE
from perdure.engine.effects import CancelCall, CancelChild, OpenJob, PerformCall, SetTimer, StartChild, Subscribe
from perdure.engine.errors import Error, standard
from perdure.engine.facts import AnyFact, CancelRequested, ChildEnded
from perdure.engine.refs import Key, inline_value, key_of, ref_of
from perdure.engine.step import Process, Step
from perdure.runtime.announce import LOOK_SECONDS, TIMERS, Announcement, announce
from perdure.runtime.beginnings import beginning
from perdure.runtime.calling import Caller
from perdure.runtime.context import Context
from perdure.runtime.driver import Drive
from perdure.runtime.errors import Left
from perdure.runtime.grouping import Group
from perdure.settings import Settings
from perdure.store.contract import StoreUnavailable, Taken
from perdure.store.facts import FactNewer, decode_fact, encode_fact
from perdure.store.records import (
    Accepted,
    Answer,
    DefinitionName,
    Lease,
    NewProcess,
    Outcome,
    Saved,
    Start,
    TakenProcess,
)

log = structlog.get_logger("perdure.step")

FACTS_PER_STEP_MAX = 200
BATCH_WAIT_SECONDS_MAX = 0.1
"""How long a batch waits for expressions before those processes that need more are stepped alone."""
ALONE_MAX = 4
"""Processes stepped alone at the same time; each holds a database connection meanwhile."""
STEPS_NOW_MAX = 100
PUT_OFF_SECONDS = 30.0
"""How long the sweep leaves a process alone that could not be stepped, lest such processes are all it sees.
Anything that happens to it tries it sooner.
"""
LEAVE_SECONDS = 2.0
"""The same for those with a fact that only a later release knows, so that its workers see them first."""


NO_ANSWERS: Final[Mapping[UUID, Sequence[Answer]]] = {}


@dataclass(slots=True)
class Batch:
    """What became of a batch: `slow` ones need more time, `failed` ones raised, `left` ones are for a later release
    for the reason given; the rest was committed, of the `answered` ones with what their calls led to.
    """

    announcement: Announcement = field(default_factory=Announcement)
    taken: list[UUID] = field(default_factory=list)
    answered: set[UUID] = field(default_factory=set)
    slow: set[UUID] = field(default_factory=set)
    failed: dict[UUID, BaseException] = field(default_factory=dict)
    left: dict[UUID, BaseException] = field(default_factory=dict)

    @property
    def stepped(self) -> list[UUID]:
        others = self.slow | self.failed.keys() | self.left.keys()
        return [process for process in self.taken if process not in others]


@dataclass(frozen=True, slots=True)
class Done:
    """What is left of a lot: processes to be stepped again, and answers that are not recorded."""

    again: list[UUID]
    apart: list[Answer]


@dataclass(frozen=True, slots=True)
class Lot:
    """Processes to step, and what calls of theirs led to."""

    ids: list[UUID]
    answers: Sequence[Answer] = ()

    def done(self, again: Set[UUID], answered: Set[UUID]) -> Done:
        apart = [answer for answer in self.answers if answer.process not in answered]
        return Done([process for process in self.ids if process in again], apart)


@dataclass(slots=True)
class Others:
    """What the steps of a batch mean for other processes. `commands` reach them also while they are suspended."""

    children: list[NewProcess] = field(default_factory=list)
    facts: list[tuple[UUID, bytes]] = field(default_factory=list)
    commands: list[tuple[UUID, bytes]] = field(default_factory=list)


class Stepper:
    """Steps processes. Safe to run any number of, anywhere."""

    def __init__(
        self,
        context: Context,
        on_timer: Callable[[float], None] | None = None,
        on_commit: Callable[[], None] = lambda: None,
        caller: Caller | None = None,
    ) -> None:
        """`on_timer` is told in how many seconds a timer that was set is due, or else a worker is, where it is soon;
        `on_commit` that there is news. What `caller` has no room for goes through the broker.
        """
        self._context = context
        self._on_timer = on_timer
        self._on_commit = on_commit
        self._caller = caller
        self._alone = asyncio.Semaphore(ALONE_MAX)
        self._slow: set[asyncio.Task[None]] = set()
        self._following: set[asyncio.Task[None]] = set()
        self._gathering = Group(self._step_gathered, lambda lot: len(lot.ids), context.settings.step_batch_max)

    async def step(self, ids: Sequence[UUID]) -> None:
        """Advance those of the processes that nobody else holds, as far as they can go now.

        Raises `StoreUnavailable` and nothing else; whatever was not committed is still owed.
        """
        left = list(dict.fromkeys(ids))
        while left:
            left = (await self._gathering.add(Lot(left))).again

    async def answer(self, answers: Sequence[Answer]) -> list[Answer]:
        """Record what calls led to and step their processes, all in one transaction: apart, that would be two.

        Returns those answers that are not recorded, as their processes could not be stepped: somebody holds them, they
        are suspended, or need longer. Raises `StoreUnavailable` and nothing else.
        """
        done = await self._gathering.add(Lot(list(dict.fromkeys(answer.process for answer in answers)), answers))
        try:
            await self.step(done.again)
        except StoreUnavailable as error:
            log.warning("processes could not be stepped; the sweep will", reason=str(error))
        return done.apart

    async def _step_gathered(self, lots: Sequence[Lot]) -> list[Done]:
        """The work of the group: whoever wants steps meanwhile has them in the next transaction, together."""
        answers: dict[UUID, list[Answer]] = {}
        for lot in lots:
            for answer in lot.answers:
                answers.setdefault(answer.process, []).append(answer)
        ids = list(dict.fromkeys(process for lot in lots for process in lot.ids))
        try:
            batch = await self._batch(self._take(ids), answers=answers)
        except StoreUnavailable:
            raise
        except Exception as error:  # one of them is to blame
            if len(lots) > 1:
                raise
            return [await self._done_apart(lots[0], error)]
        try:
            again = set(await self._follow(batch))
        except StoreUnavailable as error:  # what is committed must not be recorded again
            log.warning("facts may be left; the sweep will find them", reason=str(error))
            again = set()
        return [lot.done(again, batch.answered) for lot in lots]

    async def _done_apart(self, lot: Lot, error: Exception) -> Done:
        if not lot.answers:
            await self._step_apart(lot.ids, error)
        return Done([], list(lot.answers))

    async def begin(self, start: Start) -> Accepted:
        """Accept a process and take its first step in one transaction; whoever waits for it hears of it before others.

        Raises `StoreUnavailable` and nothing else.
        """
        results: list[Accepted] = []

        @asynccontextmanager
        async def accept() -> AsyncIterator[Taken | None]:
            async with self._context.store.accept(start) as (accepted, taken):
                results.append(accepted)
                yield taken

        try:
            batch = await self._transact(accept())
        except StoreUnavailable:
            raise
        except Exception:  # its step can't be saved, which steps without the acceptance will tell
            results = await self._context.store.add_processes([start])
            batch = Batch(announcement=Announcement(steps=[start.process.id]))
        task = asyncio.create_task(self._begin_on(batch))
        self._following.add(task)
        task.add_done_callback(self._following.discard)
        return results[-1]

    async def _begin_on(self, batch: Batch) -> None:
        batch.announcement.steps += batch.left
        await announce(self._context.broker, batch.announcement)
        try:
            await self.step(await self._follow(batch))
        except StoreUnavailable as error:
            log.warning("a process could not be stepped; the sweep will", reason=str(error))

    async def step_now(self, process: UUID) -> None:
        """Step one process here and now, waiting for whoever holds it, until it has taken in all its facts.

        For commands that answer with the result. Raises what the step raises, and `Left`.
        """
        for _ in range(STEPS_NOW_MAX):
            batch = await self._batch(self._take([process], wait=True), alone=True)
            if process in batch.failed:
                raise batch.failed[process]
            if process in batch.left:
                await announce(self._context.broker, Announcement(steps=[process]))
                raise Left
            if not await self._context.store.with_facts([process]):
                return

    async def stop(self) -> None:
        """Give up what is being stepped alone; it is still owed."""
        if self._following:
            await asyncio.wait(self._following)
        await self._gathering.stop()
        for task in tuple(self._slow):
            task.cancel()
        await asyncio.gather(*self._slow, return_exceptions=True)

    def _step_alone_soon(self, process: UUID) -> None:
        task = asyncio.create_task(self._step_alone(process))
        self._slow.add(task)
        task.add_done_callback(self._slow.discard)

    async def _step_alone(self, process: UUID) -> None:
        try:
            async with self._alone:
                batch = await self._batch(self._take([process], wait=True), alone=True)
            await self.step(await self._follow(batch))
        except StoreUnavailable as error:
            log.warning("a process could not be stepped; the sweep will", process_id=str(process), reason=str(error))
        except Exception as error:
            await self._step_apart([process], error)

    async def _step_apart(self, ids: Sequence[UUID], error: Exception) -> None:
        """A batch could not be saved: find those to blame by halves, so that all others go on."""
        if len(ids) == 1:
            log.error("a process could not be stepped; it is put off", process_id=str(ids[0]), exc_info=error)
            await self._put_off(Batch(failed={ids[0]: error}))
            return
        middle = len(ids) // 2
        await self._try(ids[:middle])
        await self._try(ids[middle:])

    async def _try(self, ids: Sequence[UUID]) -> None:
        left = list(ids)
        while left:
            try:
                batch = await self._batch(self._take(left))
            except StoreUnavailable:
                raise
            except Exception as error:
                await self._step_apart(left, error)
                return
            left = await self._follow(batch)

    async def _follow(self, batch: Batch) -> list[UUID]:
        """What a batch has left to do. Answers those to step again: who met our lock meanwhile has left facts to us."""
        for process in batch.slow:
            self._step_alone_soon(process)
        await self._put_off(batch)
        return await self._context.store.with_facts(batch.stepped) if batch.stepped else []

    async def _put_off(self, batch: Batch) -> None:
        if batch.failed:
            await self._context.store.put_off(list(batch.failed), PUT_OFF_SECONDS)
        # The sweep does not see those whose state is of a later release, as long as this one does it.
        unread = [process for process, error in batch.left.items() if isinstance(error, FactNewer)]
        if unread:
            await self._context.store.put_off(unread, LEAVE_SECONDS)

    def _take(self, ids: Sequence[UUID], *, wait: bool = False) -> AbstractAsyncContextManager[Taken | None]:
        return self._context.store.take(ids, facts_max=FACTS_PER_STEP_MAX, wait=wait)

    async def _batch(
        self,
        taking: AbstractAsyncContextManager[Taken | None],
        *,
        alone: bool = False,
        answers: Mapping[UUID, Sequence[Answer]] = NO_ANSWERS,
    ) -> Batch:
        batch = await self._transact(taking, alone=alone, answers=answers)
        await announce(self._context.broker, batch.announcement)
        return batch

    async def _transact(
        self,
        taking: AbstractAsyncContextManager[Taken | None],
        *,
        alone: bool = False,
        answers: Mapping[UUID, Sequence[Answer]] = NO_ANSWERS,
    ) -> Batch:
        """One transaction. What is to be made known of it is left to the caller."""
        started = clock.monotonic()
        batch = Batch()
        announcement = batch.announcement
        lease = None
        try:
            async with taking as taken:
                if taken is None:
                    return batch
                batch.taken = [process.id for process in taken.processes]
                outcomes = await self._advance_all(taken, batch, alone, answers)
                lease = await self._reserve(outcomes)
                saved = await self._save(taken, outcomes, lease, announcement)
        except BaseException:
            if self._caller is not None and lease is not None:
                self._caller.give_back(lease)
            raise
        if self._caller is not None and lease is not None:
            self._caller.begin(lease, saved.calls)
        batch.answered = {outcome.process.id for outcome in outcomes if outcome.answers}
        telemetry.record_batch(len(outcomes), clock.monotonic() - started)
        for outcome in outcomes:
            telemetry.record_step(outcome.step)
        if outcomes:
            self._on_commit()
        if self._on_timer is None:
            announcement.steps += [TIMERS] if announcement.timer_seconds < LOOK_SECONDS else []
        elif announcement.timer_seconds != math.inf:
            self._on_timer(announcement.timer_seconds)
        return batch

    async def _reserve(self, outcomes: Sequence[Outcome]) -> Lease | None:
        if self._caller is None:
            return None
        calls: dict[UUID, PerformCall] = {}
        for outcome in outcomes:
            for effect in outcome.step.effects:
                match effect:
                    case PerformCall():
                        calls[effect.activity] = effect
                    case CancelCall():
                        calls.pop(effect.activity, None)
                    case _:
                        pass
        return await self._caller.reserve(list(calls.values())) if calls else None

    async def _advance_all(
        self, taken: Taken, batch: Batch, alone: bool, answers: Mapping[UUID, Sequence[Answer]]
    ) -> list[Outcome]:
        lock = asyncio.Lock()  # the drives share the transaction's connection
        outcomes: list[Outcome] = []
        waiting: dict[asyncio.Task[Step], tuple[TakenProcess, Drive]] = {}
        given = {p.id: tuple(answers.get(p.id, ())) if p.status != "suspended" else () for p in taken.processes}
        for process in taken.processes:
            try:
                drive = await self._drive(process, given[process.id], taken, lock)
                step = drive.run_inline() if drive else None
            except StoreUnavailable:
                raise
            except (states.StateNewer, FactNewer) as error:
                log.info("a process is left to a later release", process_id=str(process.id), reason=str(error))
                batch.left[process.id] = error
                continue
            except Exception as error:  # a fault of one process must not stop the others
                _blame(batch, process, error)
                continue
            if drive is not None and step is None:
                waiting[asyncio.create_task(drive.run())] = (process, drive)
            elif step is not None:
                outcomes.append(await self._outcome(process, given[process.id], step, taken, lock))
        if waiting:
            await asyncio.wait(waiting, timeout=None if alone else BATCH_WAIT_SECONDS_MAX)
        for task, (process, drive) in waiting.items():
            if not task.done():
                await _abandon(task, drive)
                batch.slow.add(process.id)
            elif failure := task.exception():
                _blame(batch, process, failure)
            else:
                outcomes.append(await self._outcome(process, given[process.id], task.result(), taken, lock))
        async with lock:  # queries of drives that were given up have ended
            return outcomes

    async def _drive(
        self, process: TakenProcess, answers: Sequence[Answer], taken: Taken, lock: asyncio.Lock
    ) -> Drive | None:
        """The process's step, ready to run; None where there is nothing to do for it."""
        facts = [data for _, data in process.facts] + [answer.fact for answer in answers]
        if not facts and (not process.owed or process.status in ENDED | {"suspended"}):
            return None
        context = self._context
        state = None if process.state is None else states.decode(process.state)
        async with lock:
            program = await context.programs.get(_definition(process), taken)
            if state is not None and any(frame.task >= len(program.tasks) for frame in state.frames):
                program = await context.programs.load(_definition(process), taken)  # a function was pinned since

        async def fetch(keys: Sequence[Key]) -> dict[Key, Json]:
            async with lock:
                return await taken.load(process.id, keys)

        async def load(keys: Sequence[Key]) -> dict[Key, Json]:
            # A drive may be given up; a query cut off in the middle would spoil the transaction for all.
            return await asyncio.shield(fetch(keys))

        generator = advance(
            program,
            Process(process.id, process.created_at, process.seed, process.sequence),
            state,
            [_decoded(data) for data in facts],
            taken.now,
            context.environment,
            context.limits,
        )
        return Drive(generator, context.evaluator, load)

    async def _outcome(
        self, process: TakenProcess, answers: tuple[Answer, ...], step: Step, taken: Taken, lock: asyncio.Lock
    ) -> Outcome:
        async with lock:
            program = await self._context.programs.get(_definition(process), taken)
        return Outcome(
            process=process,
            step=step,
            state=states.encode(step.state),
            facts=tuple(number for number, _ in process.facts),
            answers=answers,
            secrets=program.secrets,
            runs_again=program.schedule is not None
            and program.schedule.after is not None
            and step.status in ENDED
            and process.status not in ENDED,
        )

    async def _save(
        self, taken: Taken, outcomes: Sequence[Outcome], lease: Lease | None, announcement: Announcement
    ) -> Saved:
        if not outcomes:
            return Saved(events=())
        others = Others()
        for outcome in outcomes:
            await self._hand_on(taken, outcome, others, announcement)
        saved = await taken.save(
            outcomes, children=others.children, facts=others.facts, commands=others.commands, lease=lease
        )
        announcement.steps += [child.id for child in others.children]
        announcement.steps += [process for process, _ in others.facts + others.commands]
        announcement.events += saved.events
        here = {call.activity for call in saved.calls}
        announcement.calls = [activity for activity in announcement.calls if activity not in here]
        return saved

    async def _hand_on(
        self,
        taken: Taken,
        outcome: Outcome,
        others: Others,
        announcement: Announcement,
    ) -> None:
        """What a step means for other processes and other rooms."""
        process, step = outcome.process, outcome.step
        if step.more:
            announcement.steps.append(process.id)
        for effect in step.effects:
            match effect:
                case SetTimer():
                    announcement.timer_seconds = min(
                        announcement.timer_seconds, (effect.due - taken.now).total_seconds()
                    )
                case PerformCall():
                    announcement.calls.append(effect.activity)
                case Subscribe(look_back=True):
                    announcement.look_backs.append((process.id, effect.activity))
                case OpenJob():
                    announcement.jobs.add((process.tenant, effect.type))
                case StartChild():
                    child = await _child(taken, process, effect, self._context.settings)
                    if isinstance(child, NewProcess):
                        others.children.append(child)
                    else:
                        others.facts.append((process.id, encode_fact(child)))
                case CancelChild():
                    cancel = CancelRequested(actor=PERDURE, reason="the parent process no longer waits for it")
                    others.commands.append((effect.child, encode_fact(cancel)))
                case _:
                    pass  # rows only
        # An ended process takes refusals only; others heard of the end when it happened.
        if step.status not in ENDED or process.status in ENDED:
            return
        announcement.ended.append(process.id)
        if process.parent_activity is not None:
            assert process.parent_process is not None
            ended = await _child_ended(taken, process, step)
            others.facts.append((process.parent_process, encode_fact(ended)))


async def _child(taken: Taken, parent: TakenProcess, effect: StartChild, settings: Settings) -> NewProcess | ChildEnded:
    """The child to accept, or why it can't be, as the parent's fact."""
    depth = parent.depth + 1 if effect.await_ else 0
    if depth > settings.nesting_max:
        detail = (
            f"processes that wait for each other are nested more than {settings.nesting_max} deep (PERDURE_NESTING_MAX)"
        )
        return _no_child(effect, standard("runtime", detail))
    version = None if effect.version == "latest" else effect.version
    definition = await taken.definition(parent.tenant, effect.namespace, effect.name, version)
    if definition is None:
        wanted = f"{effect.namespace}/{effect.name}:{effect.version}"
        return _no_child(
            effect, standard("configuration", f"no definition {wanted} is registered; register it, then retry")
        )
    input_, payload = ref_of(effect.input)
    return NewProcess(
        id=effect.child,
        tenant=parent.tenant,
        namespace=definition.namespace,
        name=definition.name,
        version=definition.version,
        key=None,
        tags={},
        seed=clock.random_bytes(32),
        input=input_,
        payload=payload,
        fact=beginning(effect.input, payload, PERDURE, settings.payload_bytes_max),
        parent_process=parent.id,
        parent_activity=effect.activity if effect.await_ else None,
        depth=depth,
    )


def _no_child(effect: StartChild, error: Error) -> ChildEnded:
    return ChildEnded(activity=effect.activity, child=effect.child, status="faulted", error=error)


async def _child_ended(taken: Taken, child: TakenProcess, step: Step) -> ChildEnded:
    assert child.parent_activity is not None
    output = None
    if step.output is not None:
        key = key_of(step.output)
        if key is None:
            output = inline_value(step.output)
        elif key in step.payloads:
            output = decode(step.payloads[key])
        else:
            output = (await taken.load(child.id, [key]))[key]
    return ChildEnded(
        activity=child.parent_activity, child=child.id, status=step.status, output=output, error=step.error
    )


def _decoded(data: bytes) -> AnyFact:
    fact = decode_fact(data)
    telemetry.record_facts(type(fact).__name__)
    return fact


def _definition(process: TakenProcess) -> DefinitionName:
    return (process.tenant, process.namespace, process.name, process.version)


def _blame(batch: Batch, process: TakenProcess, error: BaseException) -> None:
    log.error("a process could not be stepped; it is put off", process_id=str(process.id), exc_info=error)
    batch.failed[process.id] = error


async def _abandon(task: asyncio.Task[Step], drive: Drive) -> None:
    task.cancel()
    await asyncio.wait([task])
    drive.close()
