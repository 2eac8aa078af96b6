"""The one place where a process moves: lock, load, advance, save, commit; and only then let others know.

A batch of processes is stepped in one transaction. A process whose expressions take long leaves the batch and
is stepped alone, so that it delays nobody else. Whoever finds a process locked leaves it to the holder, who
looks into its inbox again after the commit.
"""

import asyncio
import math
from collections.abc import Callable, Sequence
from uuid import UUID

import structlog

from perdure import clock, telemetry
from perdure.codec import Json, decode
from perdure.engine import state as states
from perdure.engine.advance import advance
from perdure.engine.effects import CancelChild, PerformCall, SetTimer, StartChild, Subscribe
from perdure.engine.errors import standard
from perdure.engine.facts import AnyFact, CancelRequested, ChildEnded, ProcessStarted
from perdure.engine.refs import Key, inline_value, key_of, ref_of
from perdure.engine.step import Process, Step
from perdure.runtime.announce import Announcement, announce
from perdure.runtime.context import Context
from perdure.runtime.driver import Drive
from perdure.runtime.programs import Name
from perdure.store.contract import NewProcess, Outcome, Taken, TakenProcess
from perdure.store.facts import decode_fact, encode_fact

log = structlog.get_logger("perdure.step")

FACTS_PER_STEP_MAX = 200
BATCH_WAIT_SECONDS_MAX = 0.1
"""How long a batch waits for expressions before those processes that need more are stepped alone."""
ALONE_MAX = 4
"""Processes stepped alone at the same time; each holds a database connection meanwhile."""
STEPS_NOW_MAX = 100
SETTLED = frozenset({"completed", "faulted", "cancelled"})


class Stepper:
    """Steps processes. Safe to run any number of, anywhere."""

    def __init__(
        self,
        context: Context,
        on_timer: Callable[[float], None] = lambda seconds: None,
        on_commit: Callable[[], None] = lambda: None,
    ) -> None:
        """`on_timer` is told in how many seconds a timer that was set is due, `on_commit` that there is news."""
        self._context = context
        self._on_timer = on_timer
        self._on_commit = on_commit
        self._alone = asyncio.Semaphore(ALONE_MAX)
        self._slow: set[asyncio.Task[None]] = set()

    async def step(self, ids: Sequence[UUID]) -> None:
        """Advance those of the processes that nobody else holds, as far as they can go now.

        Raises `StoreUnavailable`; whatever was not committed is still owed.
        """
        left = list(dict.fromkeys(ids))
        while left:
            slow, taken = await self._batch(left)
            for process in slow:
                self._step_alone_soon(process)
            left = await self._context.store.with_facts([p for p in taken if p not in slow]) if taken else []

    async def step_now(self, process: UUID) -> None:
        """Step one process here and now, waiting for whoever holds it, until it has taken in all its facts.

        For commands that answer with the result.
        """
        for _ in range(STEPS_NOW_MAX):
            await self._batch([process], alone=True)
            if not await self._context.store.with_facts([process]):
                return

    async def stop(self) -> None:
        """Give up what is being stepped alone; it is still owed."""
        for task in tuple(self._slow):
            task.cancel()
        await asyncio.gather(*self._slow, return_exceptions=True)

    def _step_alone_soon(self, process: UUID) -> None:
        task = asyncio.create_task(self._step_alone(process))
        self._slow.add(task)
        task.add_done_callback(self._slow.discard)

    async def _step_alone(self, process: UUID) -> None:
        async with self._alone:
            try:
                await self._batch([process], alone=True)
            except Exception:
                log.exception("a process could not be stepped; it is tried again", process_id=str(process))

    async def _batch(self, ids: Sequence[UUID], *, alone: bool = False) -> tuple[set[UUID], list[UUID]]:
        """One transaction. Answers the processes that need more time, and all that were taken."""
        started = clock.monotonic()
        announcement = Announcement()
        async with self._context.store.take(ids, facts_max=FACTS_PER_STEP_MAX, wait=alone) as taken:
            if taken is None:
                return set(), []
            outcomes, slow = await self._advance_all(taken, alone)
            await self._save(taken, outcomes, announcement)
        telemetry.record_batch(len(outcomes), clock.monotonic() - started)
        for outcome in outcomes:
            telemetry.record_step(outcome.step)
        if outcomes:
            self._on_commit()
        if announcement.timer_seconds != math.inf:
            self._on_timer(announcement.timer_seconds)
        await announce(self._context.broker, announcement)
        return slow, [process.id for process in taken.processes]

    async def _advance_all(self, taken: Taken, alone: bool) -> tuple[list[Outcome], set[UUID]]:
        lock = asyncio.Lock()  # the drives share the transaction's connection
        outcomes: list[Outcome] = []
        waiting: dict[asyncio.Task[Step], tuple[TakenProcess, Drive]] = {}
        for process in taken.processes:
            try:
                drive = await self._drive(process, taken, lock)
                step = drive.run_inline() if drive else None
            except Exception:  # a fault of one process must not stop the others
                log.exception("a process could not be stepped; it is tried again", process_id=str(process.id))
                continue
            if drive is not None and step is None:
                waiting[asyncio.create_task(drive.run())] = (process, drive)
            elif step is not None:
                outcomes.append(await self._outcome(process, step))
        if waiting:
            await asyncio.wait(waiting, timeout=None if alone else BATCH_WAIT_SECONDS_MAX)
        slow = set()
        for task, (process, drive) in waiting.items():
            if not task.done():
                await _abandon(task, drive)
                slow.add(process.id)
            elif error := task.exception():
                log.error(
                    "a process could not be stepped; it is tried again",
                    process_id=str(process.id),
                    exc_info=error,
                )
            else:
                outcomes.append(await self._outcome(process, task.result()))
        async with lock:  # queries of drives that were given up have ended
            return outcomes, slow

    async def _drive(self, process: TakenProcess, taken: Taken, lock: asyncio.Lock) -> Drive | None:
        """The process's step, ready to run; None where there is nothing to do for it."""
        if not process.facts and (not process.owed or process.status in SETTLED | {"suspended"}):
            return None
        context = self._context
        program = await context.programs.get(_definition(process))

        async def fetch(keys: Sequence[Key]) -> dict[Key, Json]:
            async with lock:
                return await taken.load(process.id, keys)

        async def load(keys: Sequence[Key]) -> dict[Key, Json]:
            # A drive may be given up; a query cut off in the middle would spoil the transaction for all.
            return await asyncio.shield(fetch(keys))

        generator = advance(
            program,
            Process(id=process.id, created_at=process.created_at, seed=process.seed),
            None if process.state is None else states.decode(process.state),
            [_decoded(data) for _, data in process.facts],
            taken.now,
            context.environment,
            context.limits,
        )
        return Drive(generator, context.evaluator, load)

    async def _outcome(self, process: TakenProcess, step: Step) -> Outcome:
        program = await self._context.programs.get(_definition(process))
        return Outcome(
            process=process,
            step=step,
            state=states.encode(step.state),
            facts=tuple(number for number, _ in process.facts),
            secrets=program.secrets,
            runs_again=program.schedule is not None
            and program.schedule.after is not None
            and step.status in SETTLED
            and process.status not in SETTLED,
        )

    async def _save(self, taken: Taken, outcomes: Sequence[Outcome], announcement: Announcement) -> None:
        if not outcomes:
            return
        children: list[NewProcess] = []
        facts: list[tuple[UUID, bytes]] = []
        for outcome in outcomes:
            await self._hand_on(taken, outcome, children, facts, announcement)
        saved = await taken.save(outcomes, children=children, facts=facts)
        announcement.steps += [child.id for child in children] + [process for process, _ in facts]
        announcement.events += saved.events

    async def _hand_on(
        self,
        taken: Taken,
        outcome: Outcome,
        children: list[NewProcess],
        facts: list[tuple[UUID, bytes]],
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
                case StartChild():
                    child = await self._child(process, effect)
                    if isinstance(child, NewProcess):
                        children.append(child)
                    else:
                        facts.append((process.id, encode_fact(child)))
                case CancelChild():
                    cancel = CancelRequested(actor="perdure", reason="the parent process no longer waits for it")
                    facts.append((effect.child, encode_fact(cancel)))
                case _:
                    pass  # rows only
        # An ended process takes refusals only; its parent heard of the end when it happened.
        if step.status in SETTLED and process.status not in SETTLED and process.parent_activity is not None:
            assert process.parent_process is not None
            ended = await _child_ended(taken, process, step)
            facts.append((process.parent_process, encode_fact(ended)))

    async def _child(self, parent: TakenProcess, effect: StartChild) -> NewProcess | ChildEnded:
        """The child to accept, or why it can't be, as the parent's fact."""
        version = None if effect.version == "latest" else effect.version
        definition = await self._context.store.definition(parent.tenant, effect.namespace, effect.name, version)
        if definition is None:
            wanted = f"{effect.namespace}/{effect.name}:{effect.version}"
            error = standard("configuration", f"no definition {wanted} is registered; register it, then retry")
            return ChildEnded(activity=effect.activity, child=effect.child, status="faulted", error=error)
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
            fact=encode_fact(ProcessStarted(input=effect.input, actor="perdure")),
            parent_process=parent.id,
            parent_activity=effect.activity if effect.await_ else None,
        )


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


def _definition(process: TakenProcess) -> Name:
    return (process.tenant, process.namespace, process.name, process.version)


async def _abandon(task: asyncio.Task[Step], drive: Drive) -> None:
    task.cancel()
    await asyncio.wait([task])
    drive.close()
