"""`switch`: the first case that holds says where to go (DSL reference, "Switch")."""

from perdure.definition.program import Case, Switch
from perdure.engine.dataflow import argument_of, condition
from perdure.engine.draft import Draft
from perdure.engine.payloads import Flow
from perdure.engine.refs import Ref
from perdure.engine.state import Frame, SwitchFrame


def begin(draft: Draft, frame: Frame, task: Switch) -> Flow[Ref]:
    """Without a matching or default case, the task's own `then` holds."""
    assert isinstance(frame, SwitchFrame)
    default = None
    for case in task.cases:
        if case.when is None:
            default = case
        elif (yield from condition(draft, frame, case.when, argument_of(frame))):
            _take(frame, case)
            break
    else:
        if default is not None:
            _take(frame, default)
    return argument_of(frame)


def _take(frame: SwitchFrame, case: Case) -> None:
    frame.then, frame.case = case.then, case.name
