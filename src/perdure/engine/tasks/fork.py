"""`fork`: branches beside each other (DSL reference, "Fork")."""

from perdure.definition.program import Fork
from perdure.engine import scopes
from perdure.engine.dataflow import argument_of
from perdure.engine.draft import Draft
from perdure.engine.payloads import Flow
from perdure.engine.refs import NULL, Ref
from perdure.engine.release import cancel_beneath
from perdure.engine.state import ForkFrame, Frame

BRANCHES_AT_ONCE = 100
"""How many branches begin before others get their turn: what has begun is in the state, what has not costs nothing."""


def begin(draft: Draft, frame: Frame, task: Fork) -> Flow[Ref | None]:
    """Every branch gets the task's input."""
    yield from ()
    assert isinstance(frame, ForkFrame)
    branches = task.branches.tasks
    if not branches:
        return draft.payloads.put([]) if not task.compete else argument_of(frame)
    if len(branches) > draft.limits.fork_branches_max:
        limit = f"at most {draft.limits.fork_branches_max} branches (PERDURE_FORK_BRANCHES_MAX)"
        raise draft.too_much(frame, f"expected {limit}, found {len(branches)}")
    frame.outputs = [None] * len(branches)
    frame.remaining = frame.left = len(branches)
    go_on(draft, frame)
    return None


def go_on(draft: Draft, frame: ForkFrame) -> None:
    """Begin the next branches; the rest after what is ready by then. Competing ones begin together."""
    task = draft.task_of(frame)
    assert isinstance(task, Fork)
    branches = task.branches.tasks
    first = len(branches) - frame.left
    some = branches[first:] if task.compete else branches[first : first + BRANCHES_AT_ONCE]
    frame.left -= len(some)
    for branch in some:
        scopes.enter(draft, frame, branch, argument_of(frame))
    if frame.left:
        draft.ready.append(frame.order)


def branch_done(draft: Draft, frame: Frame, task: Fork, branch: Frame, output: Ref) -> Flow[Ref | None]:
    """Competing, the first branch to complete wins and the others are cancelled; else all are joined."""
    assert isinstance(frame, ForkFrame)
    if task.compete:
        cancel_beneath(draft, frame.order)
        return output
    frame.outputs[task.branches.positions[draft.task_of(branch).name]] = output
    frame.remaining -= 1
    if frame.remaining:
        return None
    outputs = [NULL if output is None else output for output in frame.outputs]
    yield from draft.payloads.load(outputs)
    values = []
    for ref in outputs:
        values.append((yield from draft.payloads.get(ref)))
    return draft.store(frame, values)
