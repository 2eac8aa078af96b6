"""The step in the making: what is known when it begins, and what has been decided so far."""

from collections import deque
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from perdure.codec import Json
from perdure.definition.program import Extended, Program, Task
from perdure.engine.effects import AnyEffect
from perdure.engine.errors import Error, standard
from perdure.engine.ids import activity_id
from perdure.engine.payloads import Payloads, Unkeepable
from perdure.engine.refs import Key, Ref
from perdure.engine.state import ROOT, ExtendedFrame, Frame, State
from perdure.engine.step import PROCESS_REFERENCE, Activity, Entry, Environment, Limits, Process

PERDURE = "perdure"
"""The actor of what nobody in particular did."""

ENDED = frozenset({"completed", "faulted", "cancelled"})

WORKFLOW = "io.serverlessworkflow.workflow."
TASK = "io.serverlessworkflow.task."
OWN = "dev.perdure."

TASK_CREATED = TASK + "created.v1"
TASK_STARTED = TASK + "started.v1"
TASK_COMPLETED = TASK + "completed.v1"
TASK_RETRIED = TASK + "retried.v1"
TASK_SKIPPED = OWN + "task.skipped"


class Fault(Exception):
    """An error was raised in an activity, or (`frame` is None) in the process outside its tasks."""

    def __init__(self, frame: Frame | None, error: Error) -> None:
        super().__init__(error.detail)
        self.frame = frame
        self.error = error


class Draft:
    """Mutable; lives for one step. The engine's functions take it first."""

    __slots__ = (
        "_by_id",
        "budget",
        "effects",
        "environment",
        "frames",
        "history",
        "limits",
        "now",
        "payloads",
        "process",
        "program",
        "ready",
        "records",
        "state",
    )

    def __init__(
        self,
        program: Program,
        process: Process,
        state: State,
        now: datetime,
        environment: Environment,
        limits: Limits,
    ) -> None:
        self.program = program
        self.process = process
        self.state = state
        self.now = now
        self.environment = environment
        self.limits = limits
        self.budget = limits.activities_max
        self.frames: dict[int, Frame] = {frame.order: frame for frame in state.frames}
        self.ready: deque[int] = deque(state.ready)
        self.payloads = Payloads(limits.payload_bytes_max)
        self.effects: dict[tuple[str, UUID], AnyEffect] = {}
        self.records: dict[int, Activity] = {}
        """Activities touched in this step, by order."""
        self.history: list[Entry] = []
        self._by_id: dict[UUID, int] | None = None

    # frames

    @property
    def ended(self) -> bool:
        return self.state.status in ENDED

    def task_of(self, frame: Frame) -> Task:
        return self.program.tasks[frame.task]

    def parent_of(self, frame: Frame) -> Frame | None:
        return self.frames.get(frame.parent) if frame.parent != ROOT else None

    def live(self, activity: UUID) -> Frame | None:
        """The frame of an activity, if it has not ended."""
        if self._by_id is None:
            self._by_id = {frame.id: frame.order for frame in self.frames.values()}
        frame = self.frames.get(self._by_id.get(activity, ROOT))
        return frame if frame is not None and frame.id == activity else None

    def insert(self, frame: Frame) -> None:
        self.frames[frame.order] = frame
        if self._by_id is not None:
            self._by_id[frame.id] = frame.order

    def descendants(self, order: int) -> list[Frame]:
        """All frames beneath one, the enclosing before the enclosed."""
        children: dict[int, list[Frame]] = {}
        for frame in self.frames.values():
            children.setdefault(frame.parent, []).append(frame)
        found = list(children.get(order, ()))
        for frame in found:
            found.extend(children.get(frame.order, ()))
        return found

    # payloads

    def store(self, frame: Frame | None, value: Json) -> Ref:
        """The reference of a value that an activity came to. Raises `Fault` if it can't be kept."""
        try:
            return self.payloads.put(value)
        except Unkeepable as problem:
            raise self.too_much(frame, str(problem)) from None

    def keep(self, frame: Frame, key: Key, value: Json) -> None:
        """Store a value under a derived key. Raises `Fault` if it can't be kept."""
        try:
            self.payloads.keep(key, value)
        except Unkeepable as problem:
            raise self.too_much(frame, str(problem)) from None

    def too_much(self, frame: Frame | None, detail: str) -> Fault:
        """The error of an activity, or of the process outside its tasks, where a bound is met."""
        reference = PROCESS_REFERENCE if frame is None else self.task_of(frame).reference
        error = standard("runtime", detail)
        return Fault(frame, Error(error.type, error.status, error.title, error.detail, reference))

    def check_history(self) -> None:
        """Raises a `Fault` of the whole process, which no task can catch, where its audit trail is full."""
        lines_max = self.limits.history_lines_max
        if self.process.sequence + len(self.history) >= lines_max:
            limit = f"at most {lines_max} lines (PERDURE_HISTORY_LINES_MAX)"
            raise self.too_much(None, f"the history of a process has {limit}; split the work into several processes")

    # effects

    def effect(self, kind: str, id_: UUID, effect: AnyEffect) -> None:
        self.effects[kind, id_] = effect

    def withdraw(self, kind: str, id_: UUID, undo: AnyEffect) -> None:
        """Undo an effect: forget it if this very step wanted it, else order the undoing.

        So for one id, an undoing effect of a step always stands before a doing one.
        """
        if self.effects.pop((kind, id_), None) is None:
            self.effects["-" + kind, id_] = undo

    def answered(self, kind: str, id_: UUID) -> None:
        """What is asked for has been answered: if this very step wanted it, nobody is to be asked once more."""
        self.effects.pop((kind, id_), None)

    # records

    def note(self, type_: str, frame: Frame | None, data: Mapping[str, Json], actor: str = PERDURE) -> None:
        """Add a line to the audit trail."""
        self.history.append(Entry(self.now, type_, None if frame is None else frame.id, actor, data))

    def note_task(self, type_: str, frame: Frame, actor: str = PERDURE, **data: Any) -> None:
        """Add a line about an activity."""
        if isinstance(frame, ExtendedFrame) and not frame.shown:
            return
        data["task"] = self.program.tasks[frame.task].reference
        if frame.attempt > 1:
            data["attempt"] = frame.attempt
        self.history.append(Entry(self.now, type_, shown_id(frame, data["task"]), actor, data))

    def show(self, frame: Frame) -> None:
        """Let the frame of an extended task stand for the task, which will not begin."""
        if isinstance(frame, ExtendedFrame) and not frame.shown:
            frame.shown = True
            self.note_task(TASK_CREATED if frame.attempt == 1 else TASK_RETRIED, frame)

    def record(
        self,
        frame: Frame,
        status: str,
        *,
        output: Ref | None = None,
        error: Error | None = None,
        ended: bool = False,
    ) -> None:
        """Bring the record of an activity up to date."""
        if isinstance(frame, ExtendedFrame) and not frame.shown:
            return
        activity = self.records.get(frame.order)
        input_ = frame.input if frame.argument is None else frame.argument
        ended_at = self.now if ended else None
        if activity is None or activity.attempt != frame.attempt:
            self.records[frame.order] = self._activity(frame, status, input_, output, error, ended_at)
            return
        activity.status = status
        activity.input = input_
        activity.started_at = frame.started_at
        activity.output = output
        activity.error = error
        activity.ended_at = ended_at

    def _activity(
        self,
        frame: Frame,
        status: str,
        input_: Ref,
        output: Ref | None,
        error: Error | None,
        ended_at: datetime | None,
    ) -> Activity:
        task = self.program.tasks[frame.task]
        if isinstance(task, Extended):
            task = task.body.tasks[0]
        parent = self.parent_of(frame)
        while isinstance(parent, ExtendedFrame):
            parent = self.parent_of(parent)
        return Activity(
            shown_id(frame, task.reference),
            frame.order,
            None if parent is None else parent.id,
            task.reference,
            task.name,
            task.kind,
            frame.iteration,
            status,
            frame.attempt,
            input_,
            output,
            error,
            frame.created_at,
            frame.started_at,
            ended_at,
        )

    @property
    def activities(self) -> dict[UUID, Activity]:
        """The records by id: of attempts that began anew, the last."""
        return {activity.id: activity for activity in self.records.values()}


def shown_id(frame: Frame, reference: str) -> UUID:
    """The id of the activity that records and history show for a frame."""
    if isinstance(frame, ExtendedFrame):  # it stands for the task within it, which was not begun
        return activity_id(frame.id, reference, 0, frame.round)
    return frame.id
