"""`wait`: let time pass (DSL reference, "Wait")."""

from perdure.definition.program import Wait
from perdure.engine.dataflow import argument_of, due_after
from perdure.engine.draft import Draft
from perdure.engine.payloads import Flow
from perdure.engine.refs import Ref
from perdure.engine.state import Frame
from perdure.engine.timers import arm


def begin(draft: Draft, frame: Frame, task: Wait) -> Flow[Ref | None]:
    due = yield from due_after(draft, frame, task.duration)
    if due <= draft.now:
        return argument_of(frame)
    arm(draft, frame, "wait", due)
    frame.status = "waiting"
    return None
