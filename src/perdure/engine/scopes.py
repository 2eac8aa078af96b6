"""Entering the lists of tasks that a program consists of."""

from perdure.definition.program import (
    Call,
    CallMap,
    CallSubscription,
    Extended,
    For,
    Fork,
    Listen,
    RunProgram,
    RunWorkflow,
    Scope,
    Switch,
    Task,
    Try,
)
from perdure.engine.dataflow import fault
from perdure.engine.draft import TASK_CREATED, TASK_RETRIED, Draft
from perdure.engine.ids import activity_id
from perdure.engine.refs import Ref
from perdure.engine.state import (
    ROOT,
    CallFrame,
    ExtendedFrame,
    ForFrame,
    ForkFrame,
    Frame,
    ListenFrame,
    MapFrame,
    RunFrame,
    SubscriptionFrame,
    SwitchFrame,
    TryFrame,
)

DEPTH_MAX = 200
"""How deep activities may be nested."""

ROUNDS_MAX = 1_000_000
"""How often the flow within one activity may go backwards."""


def enter(draft: Draft, parent: Frame | None, task: Task, input_: Ref, index: int | None = None) -> None:
    """Make a task the next thing to do within `parent` (None: the process), in its `index`-th iteration."""
    state = draft.state
    if parent is None:
        id_ = activity_id(draft.process.id, task.reference, 0, state.round)
        frame = _frame(task)(state.order, id_, task.index, ROOT, (), 0, input_, draft.now)
    else:
        if parent.depth >= DEPTH_MAX:
            raise fault(draft, parent, "runtime", f"activities are nested more than {DEPTH_MAX} deep")
        id_ = activity_id(parent.id, task.reference, index or 0, parent.round)
        iteration = parent.iteration if index is None else (*parent.iteration, index)
        frame = _frame(task)(state.order, id_, task.index, parent.order, iteration, parent.depth + 1, input_, draft.now)
        _inherit(draft, frame, parent)
    state.order += 1
    draft.insert(frame)
    draft.ready.append(frame.order)
    draft.record(frame, "pending")
    draft.note_task(TASK_CREATED if frame.attempt == 1 else TASK_RETRIED, frame)


def restart(draft: Draft, frame: Frame, base: int) -> None:
    """Let an activity begin again, from its start, as another attempt; `base` as in `Frame`."""
    again = _frame(draft.task_of(frame))(
        frame.order,
        frame.id,
        frame.task,
        frame.parent,
        frame.iteration,
        frame.depth,
        frame.input,
        frame.created_at,
        attempt=frame.attempt + 1,
        base=base,
        guard=frame.guard,
    )
    count_attempt(draft, again)
    draft.insert(again)
    draft.ready.append(again.order)
    draft.record(again, "pending")
    draft.note_task(TASK_RETRIED, again)


def count_attempt(draft: Draft, frame: Frame) -> None:
    """Remember an attempt beyond the life of its frame, in every enclosing try that may repeat it."""
    draft.state.attempt_max = max(draft.state.attempt_max, frame.attempt)
    guard = frame.guard
    while guard != ROOT:
        enclosing = draft.frames[guard]
        assert isinstance(enclosing, TryFrame)
        enclosing.current[frame.task] = max(frame.attempt, enclosing.current.get(frame.task, 0))
        guard = enclosing.guard


def go_backwards(draft: Draft, parent: Frame | None) -> None:
    """Count a backward jump, so that the activities after it are new ones."""
    holder = draft.state if parent is None else parent
    holder.round += 1
    if holder.round > ROUNDS_MAX:
        raise fault(draft, parent, "runtime", f"the flow went backwards more than {ROUNDS_MAX} times")


def _inherit(draft: Draft, frame: Frame, parent: Frame) -> None:
    """Take over what attempts have been made of this activity before."""
    frame.base = parent.base
    if isinstance(parent, TryFrame) and _may_retry(draft.task_of(parent)):
        frame.guard = parent.order
    else:
        frame.guard = parent.guard
    if frame.base or frame.guard != ROOT:
        attempts, guard = frame.base, frame.guard
        while guard != ROOT:
            enclosing = draft.frames[guard]
            assert isinstance(enclosing, TryFrame)
            attempts = max(attempts, enclosing.prior.get(frame.task, 0))
            guard = enclosing.guard
        frame.attempt = attempts + 1
        count_attempt(draft, frame)


def _may_retry(task: Task) -> bool:
    return isinstance(task, Try) and task.catch.retry is not None


def _frame(task: Task) -> type[Frame]:
    """The class of frame that a task needs."""
    return _FRAMES.get(type(task), Frame)


_FRAMES: dict[type[Task], type[Frame]] = {
    Switch: SwitchFrame,
    For: ForFrame,
    Fork: ForkFrame,
    Try: TryFrame,
    Call: CallFrame,
    CallMap: MapFrame,
    CallSubscription: SubscriptionFrame,
    RunProgram: CallFrame,
    RunWorkflow: RunFrame,
    Listen: ListenFrame,
    Extended: ExtendedFrame,
}


def begin(draft: Draft, parent: Frame | None, scope: Scope, input_: Ref, index: int | None = None) -> bool:
    """Enter a list of tasks at its first; False where the list is empty."""
    if not scope.tasks:
        return False
    enter(draft, parent, scope.tasks[0], input_, index)
    return True
