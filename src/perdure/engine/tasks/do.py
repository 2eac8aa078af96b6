"""`do`: tasks one after another (DSL reference, "Do")."""

from perdure.definition.program import Do
from perdure.engine import scopes
from perdure.engine.dataflow import argument_of
from perdure.engine.draft import Draft
from perdure.engine.payloads import Flow
from perdure.engine.refs import Ref
from perdure.engine.state import Frame


def begin(draft: Draft, frame: Frame, task: Do) -> Flow[Ref | None]:
    yield from ()
    input_ = argument_of(frame)
    return None if scopes.begin(draft, frame, task.body, input_) else input_
