"""Processes in a world of their own: the real engine, a clock that only moves when told, and nothing outside."""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any, TypeAlias
from uuid import UUID

from perdure.codec import Json, decode
from perdure.definition.program import Program
from perdure.engine import effects as e
from perdure.engine import state as states
from perdure.engine.advance import advance
from perdure.engine.draft import ENDED
from perdure.engine.facts import AnyFact, CancelRequested, ChildEnded, EventReceived, ProcessStarted, TimerFired
from perdure.engine.refs import Key, Ref, inline_value, key_of
from perdure.engine.step import Activity, Entry, Environment, Limits, Process, Step
from perdure.expressions.contract import Evaluator
from perdure.runtime.driver import Drive

Waiter: TypeAlias = e.PerformCall | e.OpenHumanTask | e.OpenCallback | e.OpenJob | e.StartChild

ROOT = UUID("01890000-0000-7000-8000-000000000001")
STEPS_MAX = 1_000_000
"""A life of more steps is taken for one that never ends."""


class Endless(Exception):
    """The processes have taken `STEPS_MAX` steps."""


@dataclass
class Life:
    """One process and what is known of it."""

    process: Process
    program: Program
    parent: tuple[UUID, UUID] | None = None
    """Process and activity that wait for its end."""
    state: bytes | None = None
    status: str = "pending"
    payloads: dict[Key, bytes] = field(default_factory=dict)
    activities: dict[UUID, Activity] = field(default_factory=dict)
    history: list[Entry] = field(default_factory=list)
    step: Step | None = None

    @property
    def ended(self) -> bool:
        return self.status in ENDED

    def value(self, ref: Ref | None) -> Json:
        """The value that a reference of this process names."""
        if ref is None:
            return None
        key = key_of(ref)
        return inline_value(ref) if key is None else decode(self.payloads[key])


class World:
    """All processes of one scenario. Whoever plays it answers what is in `open`."""

    def __init__(self, evaluator: Evaluator, programs: Sequence[Program], now: datetime) -> None:
        self.now = now
        self.lives: dict[UUID, Life] = {}
        self.open: dict[tuple[UUID, UUID], Waiter] = {}
        """By process and activity: what waits for an answer from outside."""
        self.subscriptions: dict[tuple[UUID, UUID], e.Subscribe] = {}
        self.published: list[Json] = []
        self._evaluator = evaluator
        self._programs = programs
        self._due: list[tuple[datetime, int, UUID, AnyFact]] = []
        self._timers: set[tuple[UUID, UUID]] = set()
        self._number = count()
        self._steps = 0

    async def start(self, program: Program, input_: Json) -> Life:
        life = Life(Process(ROOT, self.now, b"s" * 32), program)
        self.lives[ROOT] = life
        await self.take(life, ProcessStarted(input_, "scenario"))
        return life

    async def take(self, life: Life, *facts: AnyFact) -> None:
        """Let facts happen to a process, and everything that follows at this moment."""
        await self._step(life, facts)
        while life.step is not None and life.step.more:
            await self._step(life, ())

    def at(self, due: datetime, life: Life, fact: AnyFact) -> None:
        """Let a fact happen later."""
        heapq.heappush(self._due, (due, next(self._number), life.process.id, fact))

    async def next(self, until: datetime) -> bool:
        """Turn the clock to what happens next and let it happen; False where nothing will, until then."""
        while self._due and self._due[0][0] <= until:
            due, _, process, fact = heapq.heappop(self._due)
            if isinstance(fact, TimerFired):
                if (process, fact.timer) not in self._timers:
                    continue
                self._timers.discard((process, fact.timer))
            self.now = max(self.now, due)
            await self.take(self.lives[process], fact)
            return True
        return False

    async def offer(self, event: Json) -> None:
        """An event comes in; the engine decides who it is for."""
        for process, activity in list(self.subscriptions):
            if (process, activity) in self.subscriptions:
                await self.take(self.lives[process], EventReceived(activity, event))

    def listens_for(self, type_: str) -> bool:
        """Whether somebody waits for events of this type."""
        patterns = (pattern for effect in self.subscriptions.values() for pattern in effect.patterns)
        return any(pattern.type in (None, type_) for pattern in patterns)

    async def _step(self, life: Life, facts: Sequence[AnyFact]) -> None:
        self._steps += 1
        if self._steps > STEPS_MAX:
            raise Endless
        state = None if life.state is None else states.decode(life.state)
        environment = Environment("http://scenario.invalid", "0")
        generator = advance(life.program, life.process, state, list(facts), self.now, environment, Limits())

        async def load(keys: Sequence[Key]) -> dict[Key, Json]:
            return {key: decode(life.payloads[key]) for key in keys}

        drive = Drive(generator, self._evaluator, load)
        step = drive.run_inline() or await drive.run()
        before, life.status = life.status, step.status
        life.step, life.state = step, states.encode(step.state)
        life.payloads.update(step.payloads)
        life.activities.update(step.activities)
        life.history += step.history
        for effect in step.effects:
            await self._apply(life, effect)
        if life.ended and before not in ENDED and life.parent is not None:
            process, activity = life.parent
            ended = ChildEnded(activity, life.process.id, step.status, life.value(step.output), step.error)
            self.at(self.now, self.lives[process], ended)

    async def _apply(self, life: Life, effect: Any) -> None:
        process = life.process.id
        match effect:
            case e.SetTimer():
                self._timers.add((process, effect.timer))
                self.at(effect.due, life, TimerFired(effect.timer))
            case e.CancelTimer():
                self._timers.discard((process, effect.timer))
            case e.PerformCall(detached=True):
                pass
            case e.PerformCall() | e.OpenHumanTask() | e.OpenCallback() | e.OpenJob():
                self._open(life, effect)
            case e.CancelCall() | e.CloseHumanTask() | e.CloseCallback() | e.CloseJob():
                self.open.pop((process, effect.activity), None)
            case e.Subscribe():
                self.subscriptions[process, effect.activity] = effect
            case e.Unsubscribe():
                self.subscriptions.pop((process, effect.activity), None)
            case e.PublishEvent():
                self.published.append(effect.event)
                for key in list(self.subscriptions):
                    self.at(self.now, self.lives[key[0]], EventReceived(key[1], effect.event))
            case e.StartChild():
                self._start_child(life, effect)
            case e.CancelChild():
                if effect.child in self.lives:
                    self.at(self.now, self.lives[effect.child], CancelRequested("perdure", None))
            case _:
                pass

    def _open(self, life: Life, effect: Waiter) -> None:
        """A callback with a request waits for two answers: that to its request first."""
        key = (life.process.id, effect.activity)
        waiting = self.open.get(key)
        if isinstance(waiting, e.OpenCallback) and isinstance(effect, e.PerformCall):
            return  # what the request is answered counts for nothing
        self.open[key] = effect

    def _start_child(self, life: Life, effect: e.StartChild) -> None:
        program = self._program(effect.namespace, effect.name, effect.version)
        if program is None:
            self._open(life, effect)
            return
        parent = (life.process.id, effect.activity) if effect.await_ else None
        child = Life(Process(effect.child, self.now, b"s" * 32), program, parent)
        self.lives[effect.child] = child
        self.at(self.now, child, ProcessStarted(effect.input, "perdure"))

    def _program(self, namespace: str, name: str, version: str) -> Program | None:
        for program in self._programs:
            if (program.namespace, program.name) == (namespace, name) and version in ("latest", program.version):
                return program
        return None
