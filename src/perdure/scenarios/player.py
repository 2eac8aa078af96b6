"""Plays one scenario: answers what the process asks of the world, moves the clock, compares what came of it."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeGuard
from uuid import UUID

import msgspec

from perdure.codec import Json, encode
from perdure.definition.program import Program
from perdure.engine import effects as e
from perdure.engine.errors import BASE, STATUS, Error
from perdure.engine.facts import (
    ActivityFailed,
    ActivitySucceeded,
    AnyFact,
    CallbackReceived,
    CancelRequested,
    ChildEnded,
    HumanTaskCompleted,
    JobCompleted,
    JobFailed,
    MessageReceived,
    ResumeRequested,
    RetryRequested,
    SuspendRequested,
)
from perdure.expressions.contract import Evaluator
from perdure.scenarios.document import Answer, Event, Expectation, Failure, Scenario, duration_of, time_of
from perdure.scenarios.world import Endless, Life, Waiter, World

SHOWN_CHARACTERS_MAX = 300

WORKER = "scenario"
"""Who does the jobs."""

_COMMANDS: Mapping[str, Callable[[str, str | None], AnyFact]] = {
    "suspend": SuspendRequested,
    "resume": ResumeRequested,
    "cancel": CancelRequested,
    "retry": RetryRequested,
}


class Unplayable(Exception):
    """The scenario lacks something that its process asks for; the words say what."""


@dataclass
class Outcome:
    """What came of a scenario. It holds what was expected where `failures` is empty."""

    name: str
    failures: list[str] = field(default_factory=list)
    lives: Sequence[Life] = ()


class Player:
    """Plays scenarios of one definition. `children` are the programs that processes may start."""

    def __init__(self, program: Program, children: Sequence[Program], evaluator: Evaluator) -> None:
        self._program = program
        self._children = children
        self._evaluator = evaluator

    async def play(self, scenario: Scenario) -> Outcome:
        """Never raises for what the scenario or the definition is to blame for."""
        program = _without_transformations(self._program, scenario)
        world = World(self._evaluator, (program, *self._children), time_of(scenario.start))
        game = _Game(scenario, world, program)
        try:
            await game.play()
        except (Unplayable, Endless) as problem:
            words = str(problem) or "the processes never come to rest"
            return Outcome(scenario.name, [words], list(world.lives.values()))
        return Outcome(scenario.name, list(_failures(scenario.expect, world, game.root)), list(world.lives.values()))


class _Game:
    """One scenario under way."""

    def __init__(self, scenario: Scenario, world: World, program: Program) -> None:
        self._scenario = scenario
        self._world = world
        self._program = program
        self._events = [event for event in scenario.events if event.at is msgspec.UNSET]
        self._asked: Counter[str] = Counter()
        self._answered: set[tuple[UUID, UUID, int]] = set()
        self.root: Life

    async def play(self) -> None:
        world, scenario = self._world, self._scenario
        began = world.now
        until = began + duration_of(scenario.until)
        self.root = await world.start(self._program, scenario.input)
        for command in scenario.commands:
            fact = _COMMANDS[command.command]("operator", command.reason)
            world.at(began + duration_of(command.at), self.root, fact)
        timed = sorted(
            ((began + duration_of(event.at), event) for event in scenario.events if event.at is not msgspec.UNSET),
            key=lambda pair: pair[0],
        )
        while True:
            self._answer_all()
            if await self._send_awaited():
                continue
            if timed and await self._send_timed(timed):
                continue
            if not await world.next(until):
                break
        if not self.root.ended:
            raise Unplayable(_stuck(self.root, world.now))

    def _answer_all(self) -> None:
        """Plan the answer to everything that waits for one and has none yet."""
        for (process, activity), waiter in self._world.open.items():
            life = self._world.lives[process]
            attempt = life.activities[activity].attempt
            if (process, activity, attempt) in self._answered:
                continue
            self._answered.add((process, activity, attempt))
            answer = self._answer(life, life.activities[activity].reference, waiter)
            if answer is not None and answer.kind != "never":
                due = self._world.now + duration_of(answer.after)
                for fact in _facts(life, activity, attempt, waiter, answer):
                    self._world.at(due, life, fact)

    def _answer(self, life: Life, reference: str, waiter: Waiter) -> Answer | None:
        """The next answer for a reference. None: a person or a callback that the scenario lets wait."""
        key = reference
        if life is not self.root:
            key = f"{life.program.namespace}/{life.program.name}:{reference}"
        given = self._scenario.answers.get(key)
        if given is None:
            if isinstance(waiter, e.OpenHumanTask | e.OpenCallback):
                return None
            raise Unplayable(f"no answer for {key}, which asks for {_asked(waiter)}")
        if not isinstance(given, list):
            return given
        number = self._asked[key]
        self._asked[key] += 1
        if number >= len(given):
            raise Unplayable(f"{key} asks for an answer for the {number + 1}. time, the scenario has {len(given)}")
        return given[number]

    async def _send_awaited(self) -> bool:
        """Send the first event without a time that somebody listens for."""
        for event in self._events:
            if self._world.listens_for(event.type):
                self._events.remove(event)
                await self._world.offer(_cloudevent(event, self._world.now))
                return True
        return False

    async def _send_timed(self, timed: list[tuple[datetime, Event]]) -> bool:
        """Send the next event with a time, unless something else happens before."""
        due, event = timed[0]
        if await self._world.next(due):
            return True
        timed.pop(0)
        self._world.now = max(self._world.now, due)
        await self._world.offer(_cloudevent(event, due))
        return True


def _without_transformations(program: Program, scenario: Scenario) -> Program:
    """The program whose tasks with a `transformed` answer don't transform it once more."""
    given = {
        reference
        for reference, answers in scenario.answers.items()
        if any(answer.kind == "transformed" for answer in (answers if isinstance(answers, list) else [answers]))
    }
    tasks = tuple(replace(task, output_as=None) if task.reference in given else task for task in program.tasks)
    return replace(program, tasks=tasks)


def _facts(life: Life, activity: UUID, attempt: int, waiter: Waiter, answer: Answer) -> Iterator[AnyFact]:
    """What an answer means to a process: for a subscription, its output is the messages that come."""
    messages = getattr(answer, "output", None)
    if not _subscribes(waiter) or answer.kind != "output":
        yield _fact(life, activity, attempt, waiter, answer)
        return
    if not isinstance(messages, list):
        raise Unplayable(f"the output for {waiter.reference} must be the list of the messages that come")
    for number, message in enumerate(messages):
        receipt = UUID(int=activity.int ^ (number + 1))
        yield MessageReceived(activity, attempt, receipt, _message(message))


def _subscribes(waiter: Waiter) -> TypeGuard[e.PerformCall]:
    return isinstance(waiter, e.PerformCall) and waiter.function == "asyncapi" and "subscription" in waiter.request


def _message(given: Json) -> Json:
    """A message as the process sees it; what has no payload of its own is one."""
    if isinstance(given, dict) and "payload" in given:
        return {"headers": {}, **given}
    return {"payload": given, "headers": {}}


def _fact(life: Life, activity: UUID, attempt: int, waiter: Waiter, answer: Answer) -> AnyFact:
    if answer.kind == "error":
        assert isinstance(answer.error, Failure)
        error = _error(answer.error)
        if isinstance(waiter, e.StartChild):
            return ChildEnded(activity, waiter.child, "faulted", error=error)
        if isinstance(waiter, e.OpenJob):
            return JobFailed(activity, attempt, 1, error, WORKER, WORKER)
        return ActivityFailed(activity, attempt, error)
    value = next(getattr(answer, name) for name in ("output", "transformed", "body", "outcome") if name == answer.kind)
    match waiter:
        case e.OpenHumanTask():
            return HumanTaskCompleted(activity, _decision(answer, value), answer.user)
        case e.OpenCallback():
            return CallbackReceived(activity, value)
        case e.OpenJob():
            return JobCompleted(activity, attempt, 1, value, WORKER, WORKER)
        case e.StartChild():
            return ChildEnded(activity, waiter.child, "completed", output=value)
        case _:
            return ActivitySucceeded(activity, attempt, value)


def _decision(answer: Answer, value: Json) -> Json:
    if answer.kind != "outcome":
        return value
    return {
        "outcome": value,
        "data": answer.data,
        "comment": answer.comment,
        "completedBy": answer.user,
        "completedAt": "2026-01-01T00:00:00Z",
    }


def _error(failure: Failure) -> Error:
    type_ = failure.type or "communication"
    name = type_.removeprefix(BASE)
    if name in STATUS:
        type_ = BASE + name
    status = failure.status if failure.status is not None else STATUS.get(name, 500)
    return Error(type_, status, failure.title, failure.detail)


def _cloudevent(event: Event, now: datetime) -> Json:
    attributes = {
        "specversion": "1.0",
        "id": event.event_id or f"{event.type}-{now.timestamp():f}",
        "source": event.source,
        "type": event.type,
        "time": now.isoformat().replace("+00:00", "Z"),
    }
    if event.subject is not None:
        attributes["subject"] = event.subject
    return {**attributes, "datacontenttype": "application/json", "data": event.data}


def _failures(expect: Expectation, world: World, root: Life) -> Iterator[str]:
    """Where what came of it is not what was expected."""
    status = expect.status or ("faulted" if expect.error is not None else "completed")
    step = root.step
    assert step is not None
    if root.status != status:
        reason = f": {_shown(msgspec.to_builtins(step.error))}" if step.error is not None else ""
        yield f"expected the status {status}, found {root.status}{reason}"
    if expect.output is not msgspec.UNSET:
        output = root.value(step.output)
        if output != expect.output:
            yield f"expected the output {_shown(expect.output)}, found {_shown(output)}"
    if expect.error is not None and step.error is not None:
        yield from _error_failures(expect.error, step.error)
    if expect.path is not None:
        found = path_of(root)
        if not _is_path(expect.path, found):
            yield f"expected the path {' '.join(expect.path)}, found {' '.join(found)}"
    for number, event in enumerate(expect.events or []):
        published = world.published[number] if number < len(world.published) else None
        if not _is_part(event, published):
            yield f"expected the emitted event {number} to be {_shown(event)}, found {_shown(published)}"
    if expect.events is not None and len(world.published) != len(expect.events):
        yield f"expected {len(expect.events)} emitted events, found {len(world.published)}"
    if expect.duration is not msgspec.UNSET:
        yield from _duration_failures(expect.duration, step.started_at, step.ended_at)


def _error_failures(expected: Failure, found: Error) -> Iterator[str]:
    wanted = {name: value for name, value in msgspec.to_builtins(expected).items() if value is not None}
    if wanted.get("type") in STATUS:
        wanted["type"] = BASE + wanted["type"]
    if not _is_part(wanted, msgspec.to_builtins(found)):
        yield f"expected the error {_shown(wanted)}, found {_shown(msgspec.to_builtins(found))}"


def _duration_failures(expected: Json, began: datetime | None, ended: datetime | None) -> Iterator[str]:
    took = None if began is None or ended is None else ended - began
    if took != duration_of(expected):
        yield f"expected it to take {expected}, found {took}"


def path_of(life: Life) -> list[str]:
    """References of the activities that began, in order."""
    activities = sorted(life.activities.values(), key=lambda activity: activity.order)
    return [activity.reference for activity in activities if activity.started_at is not None]


def _is_path(expected: Sequence[str], found: Sequence[str]) -> bool:
    """A step of the path is a reference or the bare name of a task."""
    return len(expected) == len(found) and all(
        wanted == reference or wanted == reference.rpartition("/")[2]
        for wanted, reference in zip(expected, found, strict=True)
    )


def _is_part(expected: Json, found: Json) -> bool:
    """Whether every member that is expected is there; arrays and scalars must be equal."""
    if isinstance(expected, Mapping) and isinstance(found, Mapping):
        return all(name in found and _is_part(value, found[name]) for name, value in expected.items())
    return bool(expected == found)


def _asked(waiter: Waiter) -> str:
    match waiter:
        case e.PerformCall(function="http", request=request):
            return f"{request['method']} {request['uri']}"
        case e.PerformCall(function=function):
            return f"a call of {function}"
        case e.StartChild():
            return f"the process {waiter.namespace}/{waiter.name}:{waiter.version} (list it under `definitions`)"
        case e.OpenJob():
            return f"a job of the type {waiter.type}"
        case e.OpenHumanTask():
            return f"a decision: {waiter.title}"
        case _:
            return "a callback"


def _stuck(life: Life, now: datetime) -> str:
    waits = [] if life.step is None else life.step.waiting
    what = ", ".join(f"{wait.reference} waits for a {wait.reason}" for wait in waits)
    return f"it never ends: at {now.isoformat()} {what or 'it is ' + life.status}, and the scenario has nothing more"


def _shown(value: Json) -> str:
    text = encode(value).decode()
    return text if len(text) <= SHOWN_CHARACTERS_MAX else text[:SHOWN_CHARACTERS_MAX] + "…"
