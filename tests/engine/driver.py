"""Drives the engine alone: a definition, facts and a clock in, steps out.

Evaluations are answered by jq directly and payloads from a dict. The state goes through its stored form
after every step, and every step is checked for what must always hold.
"""

import textwrap
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import jq
import yaml
from msgspec import structs

from folding import Trail, stored
from perdure.codec import decode, encode
from perdure.definition.loader import load
from perdure.definition.program import Program
from perdure.definition.template import (
    ArrayTemplate,
    Expression,
    Interpolation,
    Literal,
    ObjectTemplate,
    Template,
)
from perdure.engine import state as states
from perdure.engine.advance import advance
from perdure.engine.asks import Ask, AskFailed, Evaluate, Load
from perdure.engine.effects import (
    CancelCall,
    CancelChild,
    CancelTimer,
    CloseCallback,
    CloseHumanTask,
    CloseJob,
    HoldJob,
    OpenCallback,
    OpenHumanTask,
    OpenJob,
    PerformCall,
    PublishEvent,
    SetTimer,
    StartChild,
    Subscribe,
    Unsubscribe,
)
from perdure.engine.errors import standard
from perdure.engine.facts import (
    ActivityFailed,
    ActivitySucceeded,
    AnyFact,
    CallbackReceived,
    CallInDoubt,
    ChildEnded,
    EventReceived,
    HumanTaskCompleted,
    ProcessStarted,
    TimerFired,
)
from perdure.engine.refs import Ref, content_key, inline_value, key_of
from perdure.engine.state import State
from perdure.engine.step import Activity, Entry, Environment, Limits, Process, Step
from perdure.engine.wake_ups import wake_ups

START = datetime(2026, 1, 1, tzinfo=UTC)
ENVIRONMENT = Environment("http://perdure.test", "0.0")
PROCESS = UUID("01890000-0000-7000-8000-000000000001")
ENDED = ("completed", "faulted", "cancelled")

_programs: dict[tuple[str, tuple[str, ...]], Any] = {}


def program_of(text: str) -> Program:
    """The program of a definition's text, which may leave out ``document``."""
    value = yaml.safe_load(textwrap.dedent(text))
    head = {"dsl": "1.0.3", "namespace": "test", "name": "tested", "version": "1.0.0"}
    definition = load(encode({"document": head} | value), "application/json")
    return definition.program


def evaluate(ask: Evaluate, secrets: dict[str, Any]) -> Any:
    variables = dict(ask.variables)
    if ask.secrets is not None:
        variables["secrets"] = {name: secrets[name] for name in ask.secrets}
    if ask.authorization is not None:
        variables["authorization"] = ask.authorization.policy
    return _value(ask.template, ask.input, variables)


def _value(template: Template, input_: Any, variables: dict[str, Any]) -> Any:
    match template:
        case Literal(value):
            return value
        case Expression():
            return _run(template, input_, variables)
        case Interpolation(parts):
            values = [part if isinstance(part, str) else _run(part, input_, variables) for part in parts]
            return "".join(value if isinstance(value, str) else encode(value).decode() for value in values)
        case ObjectTemplate(members):
            return {name: _value(value, input_, variables) for name, value in members}
        case ArrayTemplate(items):
            return [_value(item, input_, variables) for item in items]


def _run(expression: Expression, input_: Any, variables: dict[str, Any]) -> Any:
    key = (expression.text, tuple(sorted(variables)))
    try:
        program = _programs.get(key)
        if program is None:
            bindings = "".join(f".[1].{name} as ${name} | " for name in key[1])
            program = _programs[key] = jq.compile(f"{bindings}.[0] | (\n{expression.text}\n)")
        return program.input_value([input_, variables]).first()
    except (ValueError, StopIteration) as problem:
        if expression.fallback is not None:
            return expression.fallback
        raise AskFailed(standard("expression", f"{expression.text}: {problem}")) from None


def decide(
    program: Program,
    process: Process,
    state: State | None,
    facts: Sequence[AnyFact],
    now: datetime,
    limits: Limits,
    answer: Callable[[Ask], Any],
) -> Step:
    """One step of the engine; `answer` gives what it asks for, or raises `AskFailed`."""
    generator = advance(program, process, state, facts, now, ENVIRONMENT, limits)
    try:
        ask = next(generator)
        while True:
            try:
                answered = answer(ask)
            except AskFailed as failed:
                ask = generator.throw(failed)
            else:
                ask = generator.send(answered)
    except StopIteration as stop:
        step: Step = stop.value
    return step


AFTER_THE_END = ("dev.perdure.fact.refused", "dev.perdure.run.ended", "dev.perdure.call.in-doubt")
"""What may be written down of a process that has ended."""


class Run:
    """One process, step by step."""

    def __init__(
        self,
        definition: str | Program,
        *,
        activities_max: int = 200,
        limits: Mapping[str, int] | None = None,
        secrets: dict[str, Any] | None = None,
        process: UUID = PROCESS,
    ) -> None:
        self.program = program_of(definition) if isinstance(definition, str) else definition
        self.process = Process(process, START, b"s" * 32)
        self.now = START
        self.limits = Limits(activities_max, **(limits or {}))
        self.secrets = secrets or {}
        self.state: bytes | None = None
        self.payloads: dict[bytes, bytes] = {}
        self.accepted: dict[bytes, bytes] = {}
        """Those that were stored before the first step."""
        self.activities: dict[UUID, Activity] = {}
        self.history: list[Entry] = []
        self.trail = Trail()
        self.steps: list[Step] = []
        self.loads = 0
        self.evaluations: list[Evaluate] = []
        # What is open in the world, by the effects so far.
        self.timers: dict[UUID, SetTimer] = {}
        self.calls: dict[UUID, PerformCall] = {}
        self.subscriptions: dict[UUID, Subscribe] = {}
        self.human_tasks: dict[UUID, OpenHumanTask] = {}
        self.callbacks: dict[UUID, OpenCallback] = {}
        self.jobs: dict[UUID, OpenJob] = {}
        self.held: set[UUID] = set()
        self.children: dict[UUID, StartChild] = {}
        self.published: list[Any] = []

    # stepping

    def start(self, input_: Any = None, *, drain: bool = True) -> "Run":
        return self.take(ProcessStarted({} if input_ is None else input_, "tester"), drain=drain)

    def start_with_stored(self, input_: Any, *, drain: bool = True) -> "Run":
        """Begin with an input that was stored when the process was accepted."""
        encoded = encode(input_)
        self.payloads[content_key(encoded)] = self.accepted[content_key(encoded)] = encoded
        return self.take(ProcessStarted(None, "tester", content_key(encoded)), drain=drain)

    def take(self, *facts: AnyFact, drain: bool = True) -> "Run":
        """Let facts happen; with `drain`, also the steps that the process then owes itself."""
        self._step(facts)
        while drain and self.step.more:
            self._step(())
        return self

    def _step(self, facts: Sequence[AnyFact]) -> None:
        state = None if self.state is None else states.decode(self.state)
        before = None if state is None else state.status
        process = structs.replace(self.process, sequence=len(self.history))
        step = decide(self.program, process, state, facts, self.now, self.limits, self._answer)
        self.steps.append(step)
        self.state = states.encode(step.state)
        assert states.encode(states.decode(self.state)) == self.state
        self.payloads.update(step.payloads)
        self.activities.update(step.activities)
        self.history += step.history
        for effect in step.effects:
            self._apply(effect)
        self._check(before, step)
        self._check_trail(step)

    def _answer(self, ask: Ask) -> Any:
        match ask:
            case Evaluate():
                self.evaluations.append(ask)
                return evaluate(ask, self.secrets)
            case Load(keys):
                self.loads += 1
                return {key: decode(self.payloads[key]) for key in keys}

    def _apply(self, effect: Any) -> None:
        match effect:
            case SetTimer(timer):
                assert timer not in self.timers
                self.timers[timer] = effect
            case CancelTimer(timer):
                self.timers.pop(timer, None)
            case PerformCall(detached=True):
                pass  # nobody waits for it
            case PerformCall(activity):
                assert activity not in self.calls
                self.calls[activity] = effect
            case CancelCall(activity):
                self.calls.pop(activity, None)
            case Subscribe(activity):
                assert activity not in self.subscriptions
                self.subscriptions[activity] = effect
            case Unsubscribe(activity):
                del self.subscriptions[activity]
            case OpenHumanTask(activity):
                assert activity not in self.human_tasks
                self.human_tasks[activity] = effect
            case CloseHumanTask(activity):
                self.human_tasks.pop(activity, None)
            case OpenCallback(activity):
                assert activity not in self.callbacks
                self.callbacks[activity] = effect
            case CloseCallback(activity):
                self.callbacks.pop(activity, None)
            case OpenJob(activity):
                assert activity not in self.jobs
                self.jobs[activity] = effect
            case HoldJob(activity, held):
                (self.held.add if held else self.held.discard)(activity)
            case CloseJob(activity):
                self.jobs.pop(activity, None)
            case StartChild(_, child):
                if effect.await_:
                    self.children[child] = effect
            case CancelChild(child):
                self.children.pop(child, None)
            case PublishEvent(_, event):
                self.published.append(event)

    def _check(self, before: str | None, step: Step) -> None:
        """What must hold after every step."""
        retried = any(entry.type == "dev.perdure.process.retried" for entry in step.history)
        if before in ENDED and step.status == before and not retried:
            assert not step.effects and not step.activities, "an ended process did something"
            assert all(entry.type in AFTER_THE_END for entry in step.history)
        open_ = (
            self.timers
            or self.calls
            or self.subscriptions
            or self.human_tasks
            or self.callbacks
            or self.jobs
            or self.children
        )
        if step.status in ENDED:
            assert not open_, f"an ended process still waits: {self.open}"
            assert not step.waiting and not step.more
        else:
            assert step.waiting
            assert open_ or step.more or step.status in ("suspended", "pending"), "nothing will wake it"
        self._check_wake_ups(step)
        for wait in step.waiting:
            assert wait.reason == "step" or self.activities[wait.activity].status not in ENDED
        live = {frame.id for frame in step.state.frames}
        if step.status not in ENDED:
            for activity in self.activities.values():
                ended = activity.status in (*ENDED, "skipped")
                assert ended != (activity.id in live), (activity.reference, activity.status)
                assert ended == (activity.ended_at is not None)

    def _check_wake_ups(self, step: Step) -> None:
        """What the state says is to be recorded outside has been asked for, and nothing else."""
        if step.status in ENDED or step.state.held:
            return
        open_ = {
            *(("timer", timer) for timer in self.timers),
            *(("call", activity) for activity in self.calls),
            *(("subscription", activity) for activity in self.subscriptions),
            *(("human-task", activity) for activity in self.human_tasks),
            *(("callback", activity) for activity in self.callbacks),
            *(("job", activity) for activity in self.jobs),
            *(("child", child) for child in self.children),
        }
        wanted = {(w.kind, w.id) for w in wake_ups(self.process.id, step.state) if w.kind != "step"}
        assert wanted == open_, (wanted, open_)

    def _check_trail(self, step: Step) -> None:
        """Folding the audit trail gives what is stored."""
        trail = self.trail.fold(step.history)
        error = None if step.error is None else (step.error.type, step.error.status)
        assert trail.process == stored(step.status, 1, None, step.ended_at, error)
        activities = {
            activity.id: stored(
                activity.status,
                activity.attempt,
                activity.reference,
                activity.ended_at,
                None if activity.error is None else (activity.error.type, activity.error.status),
            )
            for activity in self.activities.values()
        }
        assert trail.activities == activities

    # looking

    @property
    def step(self) -> Step:
        return self.steps[-1]

    @property
    def status(self) -> str:
        return self.step.status

    @property
    def open(self) -> dict[str, int]:
        return {
            name: len(getattr(self, name))
            for name in ("timers", "calls", "subscriptions", "human_tasks", "callbacks", "jobs", "children")
            if getattr(self, name)
        }

    def value(self, ref: Ref | None) -> Any:
        if ref is None:
            return None
        key = key_of(ref)
        return inline_value(ref) if key is None else decode(self.payloads[key])

    @property
    def output(self) -> Any:
        assert self.status == "completed", (self.status, self.step.error)
        return self.value(self.step.output)

    @property
    def error(self) -> Any:
        assert self.status == "faulted", self.status
        return self.step.error

    def types(self) -> list[str]:
        """The types in the audit trail, without what they all share."""
        return [
            entry.type.removeprefix("io.serverlessworkflow.").removeprefix("dev.perdure.").removesuffix(".v1")
            for entry in self.history
        ]

    def refusals(self) -> list[str]:
        return [entry.data["reason"] for entry in self.history if entry.type == "dev.perdure.fact.refused"]

    def named(self, name: str) -> list[Activity]:
        """The activities of the tasks with a name, in order of start."""
        found = [activity for activity in self.activities.values() if activity.name == name]
        return sorted(found, key=lambda activity: activity.order)

    def activity(self, name: str) -> Activity:
        (found,) = self.named(name)
        return found

    def statuses(self) -> dict[str, str]:
        ordered = sorted(self.activities.values(), key=lambda activity: activity.order)
        return {activity.name: activity.status for activity in ordered}

    # answering

    def after(self, seconds: float) -> "Run":
        self.now += timedelta(seconds=seconds)
        return self

    def call(self, name: str) -> PerformCall:
        return self.calls[self.named(name)[-1].id]

    def succeed(self, name: str, output: Any = None) -> "Run":
        call = self.call(name)
        del self.calls[call.activity]
        return self.take(ActivitySucceeded(call.activity, call.attempt, output, lookup=call.lookup))

    def fail(self, name: str, error: Any = None) -> "Run":
        call = self.call(name)
        del self.calls[call.activity]
        error = error or standard("communication", "no", status=503)
        return self.take(ActivityFailed(call.activity, call.attempt, error, lookup=call.lookup))

    def doubt(self, name: str) -> "Run":
        """Nobody knows whether the call was made; who had it is gone."""
        call = self.call(name)
        request = None
        if call.in_doubt != "retry":
            del self.calls[call.activity]
            request = call.request
        return self.take(CallInDoubt(call.activity, call.attempt, self.now, call.function, request))

    def fire(self, purpose: str | None = None) -> "Run":
        """Let the next timer fire, at its time."""
        timers = [timer for timer in self.timers.values() if purpose in (None, timer.purpose)]
        timer = min(timers, key=lambda timer: timer.due)
        del self.timers[timer.timer]
        self.now = max(self.now, timer.due)
        return self.take(TimerFired(timer.timer))

    def event(self, type_: str, data: Any = None, **attributes: Any) -> "Run":
        """Offer an event to every subscription that listens now."""
        event = {"specversion": "1.0", "id": "1", "source": "/tests", "type": type_, "data": data} | attributes
        for activity in list(self.subscriptions):
            self.take(EventReceived(activity, event))
        return self

    def call_back(self, body: Any) -> "Run":
        (activity,) = self.callbacks
        del self.callbacks[activity]
        return self.take(CallbackReceived(activity, body))

    def decide(self, outcome: str, data: Any = None) -> "Run":
        (activity,) = self.human_tasks
        del self.human_tasks[activity]
        output = {"outcome": outcome, "data": data, "comment": None, "completedBy": "ann", "completedAt": "now"}
        return self.take(HumanTaskCompleted(activity, output, "ann"))

    def end_child(self, status: str = "completed", output: Any = None, error: Any = None) -> "Run":
        (child,) = self.children.values()
        del self.children[child.child]
        return self.take(ChildEnded(child.activity, child.child, status, output, error))
