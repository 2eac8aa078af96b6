"""The flow of tasks (DSL, "Task Flow", "Flow Directive"): beginning an activity, completing it, going on."""

from perdure.definition.program import (
    Call,
    CallFunction,
    CallMap,
    CallSubscription,
    Do,
    Emit,
    Extended,
    For,
    Fork,
    Listen,
    Raise,
    RunProgram,
    RunWorkflow,
    Scope,
    Set,
    Switch,
    Task,
    Try,
    Wait,
)
from perdure.engine import process, scopes
from perdure.engine.dataflow import BEFORE, evaluate, fault, give_out, holds, take_in
from perdure.engine.draft import TASK_COMPLETED, TASK_SKIPPED, TASK_STARTED, Draft
from perdure.engine.payloads import Flow
from perdure.engine.refs import Ref
from perdure.engine.release import cancel_beneath, release
from perdure.engine.state import ExtendedFrame, Frame, SwitchFrame, TryFrame
from perdure.engine.tasks import (
    call,
    do,
    emit,
    extended,
    for_,
    fork,
    function,
    listen,
    map_,
    raise_,
    run,
    run_program,
    set_,
    subscription,
    switch,
    try_,
    wait,
)
from perdure.engine.timers import arm_timeout


def perform(draft: Draft, frame: Frame) -> Flow[None]:
    """Begin a pending activity, and complete it where nothing more is needed for that."""
    task = draft.program.tasks[frame.task]
    if task.condition is not None:
        value = yield from evaluate(draft, frame, task.condition, frame.input, BEFORE)
        if not holds(value):
            yield from skip(draft, frame, task)
            return
    frame.started_at = draft.now
    frame.status = "running"
    yield from take_in(draft, frame, task)
    draft.note_task(TASK_STARTED, frame)
    output = extended.given(draft, frame) if task.extended else None
    if output is None:
        output = yield from begin(draft, frame, task)
    if output is not None:
        yield from complete(draft, frame, output)
        return
    draft.record(frame, frame.status)
    if task.timeout is not None:
        yield from arm_timeout(draft, frame)


def begin(draft: Draft, frame: Frame, task: Task) -> Flow[Ref | None]:
    """Do what the task says; answers its raw output, or None while there is none yet."""
    if task.unavailable is not None:
        raise fault(draft, frame, "configuration", task.unavailable)
    match task:
        case Set():
            return set_.begin(draft, frame, task)
        case Switch():
            return switch.begin(draft, frame, task)
        case Do():
            return do.begin(draft, frame, task)
        case For():
            return for_.begin(draft, frame, task)
        case Call():
            return call.begin(draft, frame, task)
        case CallSubscription():
            return subscription.begin(draft, frame, task)
        case CallMap():
            return map_.begin(draft, frame, task)
        case CallFunction():
            return function.begin(draft, frame, task)
        case Extended():
            return extended.begin(draft, frame, task)
        case Fork():
            return fork.begin(draft, frame, task)
        case Try():
            return try_.begin(draft, frame, task)
        case Raise():
            return raise_.begin(draft, frame, task)
        case Wait():
            return wait.begin(draft, frame, task)
        case Emit():
            return emit.begin(draft, frame, task)
        case Listen():
            return listen.begin(draft, frame, task)
        case RunWorkflow():
            return run.begin(draft, frame, task)
        case RunProgram():
            return run_program.begin(draft, frame, task)
        case _:
            raise fault(draft, frame, "runtime", f"tasks of the kind {task.kind} can't run yet")


def skip(draft: Draft, frame: Frame, task: Task) -> Flow[None]:
    """The condition does not hold: the raw input is the output, and the flow goes to the next task."""
    draft.show(frame)
    draft.record(frame, "skipped", output=frame.input, ended=True)
    draft.note_task(TASK_SKIPPED, frame)
    enclosing = yield from proceed(draft, frame, task, frame.input, "continue")
    if enclosing is not None:
        yield from complete(draft, *enclosing)


def complete(draft: Draft, frame: Frame, raw: Ref) -> Flow[None]:
    """Complete an activity with its raw output, and every enclosing one that ends with it."""
    while True:
        task = draft.program.tasks[frame.task]
        output = yield from give_out(draft, frame, task, raw)
        _completed(draft, frame, output)
        then = task.then
        if isinstance(frame, SwitchFrame | ExtendedFrame) and frame.then is not None:
            then = frame.then
        enclosing = yield from proceed(draft, frame, task, output, then)
        if enclosing is None:
            return
        frame, raw = enclosing


def proceed(draft: Draft, frame: Frame, task: Task, output: Ref, then: str) -> Flow[tuple[Frame, Ref] | None]:
    """Leave an ended activity for what follows it.

    Answers the enclosing activity and its raw output, if it ends thereby.
    """
    del draft.frames[frame.order]
    if task.extended:
        then = extended.keep_directive(draft, frame, then)
    if then == "end":
        yield from _end_process(draft, frame, output)
        return None
    parent = draft.parent_of(frame)
    scope = _scope(draft, parent)
    if scope is not None and then != "exit":
        following = _following(draft, parent, scope, task, then)
        if following is not None:
            index = frame.iteration[-1] if _iterates(draft, parent) else None
            scopes.enter(draft, parent, following, output, index)
            return None
    if parent is None:
        yield from process.give_out(draft, output)
        return None
    raw = yield from _scope_done(draft, parent, frame, output, then)
    return None if raw is None else (parent, raw)


def _completed(draft: Draft, frame: Frame, output: Ref) -> None:
    if frame.timers:
        release(draft, frame)
    draft.record(frame, "completed", output=output, ended=True)
    if isinstance(frame, SwitchFrame) and frame.case is not None:
        draft.note_task(TASK_COMPLETED, frame, case=frame.case)
    else:
        draft.note_task(TASK_COMPLETED, frame)


def _scope(draft: Draft, parent: Frame | None) -> Scope | None:
    """The sequence that a task within `parent` belongs to; None for the branches of a fork, which are none."""
    if parent is None:
        return draft.program.body
    match draft.task_of(parent):
        case Do(body=body) | For(body=body):
            return body
        case CallFunction(function=name):
            return draft.program.functions[name]
        case Extended() as task:
            return extended.scope_of(draft, parent, task)
        case Try(body=body, catch=catch):
            assert isinstance(parent, TryFrame)
            return catch.body if parent.phase == "catch" else body
        case Listen(foreach=iterator) | CallSubscription(foreach=iterator) if iterator is not None:
            return iterator.body
        case _:
            return None


def _following(draft: Draft, parent: Frame | None, scope: Scope, task: Task, then: str) -> Task | None:
    """The task to go to, or None at the end of the scope."""
    position = scope.positions[task.name]
    if then == "continue":
        return scope.tasks[position + 1] if position + 1 < len(scope.tasks) else None
    target = scope.positions.get(then)
    if target is None:
        raise fault(draft, parent, "configuration", f"then: there is no task {then!r} beside {task.reference}")
    if target <= position:
        scopes.go_backwards(draft, parent)
    return scope.tasks[target]


def _iterates(draft: Draft, parent: Frame | None) -> bool:
    return parent is not None and isinstance(draft.task_of(parent), For | Listen | CallSubscription)


def _scope_done(draft: Draft, parent: Frame, frame: Frame, output: Ref, then: str) -> Flow[Ref | None]:
    """The last task within `parent` has ended, with the directive `then`.

    Answers the raw output of `parent`, if it ends too.
    """
    task = draft.task_of(parent)
    match task:
        case Do() | Try() | CallFunction():
            return output
        case Extended():
            return (yield from extended.part_done(draft, parent, task, output, then))
        case For():
            return (yield from for_.iteration_done(draft, parent, task, output))
        case Fork():
            return (yield from fork.branch_done(draft, parent, task, frame, output))
        case Listen():
            return (yield from listen.iteration_done(draft, parent, task, output))
        case CallSubscription():
            return (yield from subscription.iteration_done(draft, parent, task, output))
        case _:
            raise AssertionError(f"{task.kind} has no tasks within")


def _end_process(draft: Draft, frame: Frame, output: Ref) -> Flow[None]:
    """`end`: all enclosing activities complete with this output as it is, all others are cancelled."""
    enclosing = []
    while (parent := draft.parent_of(frame)) is not None:
        enclosing.append(parent)
        frame = parent
    for parent in enclosing:
        release(draft, parent)
        _completed(draft, parent, output)
        cancel_beneath(draft, parent.order)
        del draft.frames[parent.order]
    yield from process.give_out(draft, output)
