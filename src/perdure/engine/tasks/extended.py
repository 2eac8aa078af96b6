"""Extensions around a task (DSL reference, "Extension").

The first extension is the outermost. Each runs what it has before the task, unless its condition does not hold, then
what is within it, then what it has after. Neither changes the data that pass through: the task gets the input that it
would have got, and gives the output that it gives. But where ``before`` ends with ``exit``, its output takes the place
of the task's raw output: what is within is bypassed, and so is ``after`` of that extension.
"""

from perdure.definition.program import Extended, Extension, Scope
from perdure.engine import scopes
from perdure.engine.dataflow import BEFORE, describe_error, describe_extended, evaluate, holds, mentioned
from perdure.engine.draft import OWN, Draft, Fault
from perdure.engine.payloads import Flow
from perdure.engine.refs import Ref
from perdure.engine.state import ExtendedFrame, Frame

EXTENSION_SKIPPED = OWN + "extension.skipped"


def begin(draft: Draft, frame: Frame, task: Extended) -> Flow[None]:
    assert isinstance(frame, ExtendedFrame)
    frame.position = len(task.extensions) if not task.extending and _within_extension(draft, frame) else 0
    yield from _enter(draft, frame, task)


def given(draft: Draft, frame: Frame) -> Ref | None:
    """What an extension has given in place of the raw output of the task that is about to begin, if any did."""
    enclosing = draft.parent_of(frame)
    assert isinstance(enclosing, ExtendedFrame)
    return enclosing.output if enclosing.phase == "given" else None


def keep_directive(draft: Draft, frame: Frame, then: str) -> str:
    """The extended task has ended; where the flow goes is decided once the extensions are through."""
    enclosing = draft.parent_of(frame)
    assert isinstance(enclosing, ExtendedFrame)
    if then != "continue":
        enclosing.then = then
    return "continue"


def scope_of(draft: Draft, frame: Frame, task: Extended) -> Scope:
    """The list of tasks that is being performed."""
    assert isinstance(frame, ExtendedFrame)
    if frame.phase in ("task", "given"):
        return task.body
    extension = draft.program.extensions[task.extensions[frame.position]]
    return extension.before if frame.phase == "before" else extension.after


def part_done(draft: Draft, frame: Frame, task: Extended, output: Ref, then: str) -> Flow[Ref | None]:
    """What came before, the task itself, or what came after has ended. Answers the output once all have."""
    assert isinstance(frame, ExtendedFrame)
    match frame.phase:
        case "before" if then == "exit":
            frame.applied.remove(frame.position)
            frame.output = output
            _begin_task(draft, frame, task, "given")
            return None
        case "before":
            frame.position += 1
            yield from _enter(draft, frame, task)
            return None
        case "after":
            return _leave(draft, frame, task)
        case _:
            frame.output = output
            return _leave(draft, frame, task)


def _enter(draft: Draft, frame: ExtendedFrame, task: Extended) -> Flow[None]:
    """Go inwards from the extension at `position`, to the first that has something to do, or to the task."""
    frame.phase = "before"
    while frame.position < len(task.extensions):
        extension = draft.program.extensions[task.extensions[frame.position]]
        if (yield from _applies(draft, frame, extension)):
            frame.applied.append(frame.position)
            if scopes.begin(draft, frame, extension.before, frame.input):
                return
        frame.position += 1
    _begin_task(draft, frame, task, "task")


def _applies(draft: Draft, frame: ExtendedFrame, extension: Extension) -> Flow[bool]:
    """Whether the extension's condition holds. One that can't be evaluated does not; the audit trail says so.

    The specification's own example has a condition that fails for half of the calls that it means to look at.
    """
    if extension.when is None:
        return True
    own = {}
    if "task" in mentioned(extension.when):
        own["task"] = yield from describe_extended(draft, frame)
    try:
        return holds((yield from evaluate(draft, frame, extension.when, frame.input, BEFORE, own=own)))
    except Fault as fault:
        reference = draft.task_of(frame).reference
        reason = {"task": reference, "extension": extension.name, "error": describe_error(fault.error)}
        draft.note(EXTENSION_SKIPPED, None, reason)
        return False


def _begin_task(draft: Draft, frame: ExtendedFrame, task: Extended, phase: str) -> None:
    frame.phase = phase
    scopes.begin(draft, frame, task.body, frame.input)


def _leave(draft: Draft, frame: ExtendedFrame, task: Extended) -> Ref | None:
    """Go outwards, to the next extension that has something to do after the task. Answers the output at the end."""
    frame.phase = "after"
    output = frame.output
    assert output is not None
    while frame.applied:
        frame.position = frame.applied.pop()
        after = draft.program.extensions[task.extensions[frame.position]].after
        if scopes.begin(draft, frame, after, output):
            return None
    return output


def _within_extension(draft: Draft, frame: Frame) -> bool:
    """Whether an extension has called what is about to run: what is not extended itself."""
    enclosing = draft.parent_of(frame)
    while enclosing is not None:
        if draft.task_of(enclosing).extending:
            return True
        enclosing = draft.parent_of(enclosing)
    return False
