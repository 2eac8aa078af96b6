"""`set`: the output is what the definition says (DSL reference, "Set")."""

from perdure.definition.program import Set
from perdure.engine.dataflow import DEFINITION, argument_of, evaluate
from perdure.engine.draft import Draft
from perdure.engine.payloads import Flow
from perdure.engine.refs import Ref
from perdure.engine.state import Frame


def begin(draft: Draft, frame: Frame, task: Set) -> Flow[Ref]:
    value = yield from evaluate(draft, frame, task.value, argument_of(frame), DEFINITION)
    return draft.store(frame, value)
