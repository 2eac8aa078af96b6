"""Errors on their way outwards (DSL, "Fault Tolerance"): caught by a try, or ending the process."""

from perdure.definition.program import Try
from perdure.engine import flow, process
from perdure.engine.draft import Draft, Fault
from perdure.engine.payloads import Flow
from perdure.engine.release import cancel
from perdure.engine.state import Frame, TryFrame
from perdure.engine.tasks import try_


def settle(draft: Draft, work: Flow[None]) -> Flow[None]:
    """Do a piece of work; an error that it raises goes outwards, as does one raised on the way.

    Each turn begins further out than the one before, so this ends.
    """
    while True:
        try:
            yield from work
        except Fault as fault:
            work = propagate(draft, fault)
        else:
            return


def propagate(draft: Draft, fault: Fault) -> Flow[None]:
    """Let the nearest try that wants it handle the error, or end the process with it."""
    chain: list[Frame] = []
    frame = fault.frame
    if frame is not None:
        draft.show(frame)
    while frame is not None:
        chain.append(frame)
        parent = draft.parent_of(frame)
        if isinstance(parent, TryFrame) and parent.phase == "try":
            task = draft.task_of(parent)
            assert isinstance(task, Try)
            try:
                reaction = yield from try_.react(draft, parent, task, fault.error)
            except Fault:
                _end_beneath(draft, parent, chain, fault)
                raise
            if reaction is not None:
                _end_beneath(draft, parent, chain, fault)
                output = yield from try_.handle(draft, parent, task, reaction)
                if output is not None:
                    yield from flow.complete(draft, parent, output)
                return
        frame = parent
    process.fault(draft, chain, fault.error)


def _end_beneath(draft: Draft, try_frame: TryFrame, chain: list[Frame], fault: Fault) -> None:
    """What the error came through has faulted, everything else beneath the try is cancelled."""
    faulted = {frame.order for frame in chain}
    for frame in chain:
        process.end_faulted(draft, frame, fault.error)
    for frame in reversed(draft.descendants(try_frame.order)):
        if frame.order in faulted:
            del draft.frames[frame.order]
        else:
            cancel(draft, frame)
