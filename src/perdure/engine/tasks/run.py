"""`run: workflow`: another process, awaited or not (DSL reference, "Workflow Process")."""

from perdure.codec import Json
from perdure.definition.program import RunWorkflow
from perdure.engine.dataflow import DEFINITION, argument_of, evaluate, fault
from perdure.engine.draft import OWN, Draft, Fault
from perdure.engine.effects import StartChild
from perdure.engine.errors import Error
from perdure.engine.facts import ChildEnded
from perdure.engine.ids import child_id
from perdure.engine.payloads import Flow
from perdure.engine.refs import NULL, Ref
from perdure.engine.state import Frame, RunFrame

CHILD_STARTED = OWN + "child.started"
CHILD_ENDED = OWN + "child.ended"


def begin(draft: Draft, frame: Frame, task: RunWorkflow) -> Flow[Ref | None]:
    """Without `input` the child gets an empty object. Not awaited, the task outputs its transformed input."""
    assert isinstance(frame, RunFrame)
    input_: Json = {}
    if task.input is not None:
        input_ = yield from evaluate(draft, frame, task.input, argument_of(frame), DEFINITION)
    child = child_id(frame.id, frame.attempt, draft.now)
    draft.effect(
        "child",
        child,
        StartChild(frame.id, child, task.namespace, task.workflow, task.version, input_, task.await_),
    )
    draft.note_task(CHILD_STARTED, frame, child=str(child))
    if not task.await_:
        return argument_of(frame)
    frame.child = child
    frame.status = "waiting"
    return None


def child_ended(draft: Draft, frame: RunFrame, task: RunWorkflow, fact: ChildEnded) -> Ref:
    """The output that `return` asks for; a child that did not complete raises its error here."""
    frame.child = None
    draft.note_task(CHILD_ENDED, frame, child=str(fact.child), status=fact.status)
    if fact.status == "faulted" and fact.error is not None:
        error = fact.error
        raise Fault(frame, Error(error.type, error.status, error.title, error.detail, task.reference))
    if fact.status != "completed":
        raise fault(draft, frame, "runtime", f"the child process {fact.child} was {fact.status}")
    match task.return_:
        case "code":
            return draft.store(frame, 0)
        case "all":
            return draft.store(frame, {"code": 0, "stdout": fact.output, "stderr": None})
        case "none" | "stderr":
            return NULL
        case _:
            return draft.store(frame, fact.output)
