"""A call of a function that is itself a task (DSL reference, "Call"): it runs within the call's activity.

So the function's activities keep their ids, and with them their idempotency keys, when the call is tried again.
"""

from perdure.definition.program import CallFunction
from perdure.engine import scopes
from perdure.engine.dataflow import DEFINITION, argument_of, evaluate
from perdure.engine.draft import Draft
from perdure.engine.payloads import Flow
from perdure.engine.state import Frame


def begin(draft: Draft, frame: Frame, task: CallFunction) -> Flow[None]:
    """The evaluated ``with`` is the input of the function's task, whose output is the call's raw output."""
    arguments = yield from evaluate(draft, frame, task.arguments, argument_of(frame), DEFINITION)
    scopes.begin(draft, frame, draft.program.functions[task.function], draft.store(frame, arguments))
