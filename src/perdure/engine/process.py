"""The process as a whole: its beginning and its ends (DSL, "Workflow", "Data Flow")."""

from typing import Any

from perdure.codec import Json
from perdure.engine import scopes
from perdure.engine.dataflow import PROCESS_INPUT, PROCESS_OUTPUT, describe_error, evaluate, validate
from perdure.engine.dataflow import fault as fault_of
from perdure.engine.draft import PERDURE, TASK, WORKFLOW, Draft
from perdure.engine.errors import Error
from perdure.engine.facts import ProcessStarted
from perdure.engine.payloads import Flow
from perdure.engine.refs import Ref, stored
from perdure.engine.release import TASK_CANCELLED, cancel_beneath, release
from perdure.engine.release import cancel as cancel_activity
from perdure.engine.state import ROOT, Frame, ListenFrame
from perdure.engine.timers import arm_process, disarm_process, disarm_start

TASK_FAULTED = TASK + "faulted.v1"


def start(draft: Draft, fact: ProcessStarted) -> Flow[None]:
    """Begin the process with its input."""
    state = draft.state
    input_ = draft.store(None, fact.input) if fact.input_key is None else stored(fact.input_key)
    state.input = state.argument = input_
    state.status = "running"
    state.started_at = draft.now
    program = draft.program
    definition = {"namespace": program.namespace, "name": program.name, "version": program.version}
    note(draft, "started", fact.actor, definition=definition)
    yield from take_in(draft)


def take_in(draft: Draft) -> Flow[None]:
    """Validate and transform the input, then go to the first task."""
    state, program = draft.state, draft.program
    state.phase = "input"
    state.round = 0
    if program.unavailable is not None:
        raise fault_of(draft, None, "configuration", program.unavailable)
    if program.input_schema is not None:
        yield from validate(draft, None, program.input_schema, state.input, "input")
    if program.input_from is not None:
        value = yield from evaluate(draft, None, program.input_from, state.input, PROCESS_INPUT)
        state.argument = draft.store(None, value)
    state.context = state.argument
    if program.timeout is not None:
        yield from arm_process(draft, program.timeout)
    state.phase = "body"
    if not scopes.begin(draft, None, program.body, state.argument):
        yield from give_out(draft, state.argument)


def give_out(draft: Draft, raw: Ref) -> Flow[None]:
    """Transform and validate the output of the last task, and complete the process."""
    state, program = draft.state, draft.program
    state.phase = "output"
    output = state.output = raw
    if program.output_as is not None:
        value = yield from evaluate(draft, None, program.output_as, raw, PROCESS_OUTPUT)
        output = draft.store(None, value)
    if program.output_schema is not None:
        yield from validate(draft, None, program.output_schema, output, "output")
    state.output = output
    _end(draft, "completed")
    note(draft, "completed")


def fault(draft: Draft, chain: list[Frame], error: Error) -> None:
    """End the process as faulted. `chain` leads from the activity where the error arose outwards.

    The chain and the begun siblings along it stay in the state, so that a retry can go on there.
    """
    for frame in chain:
        end_faulted(draft, frame, error)
    kept = {frame.order for frame in chain}
    for frame in reversed(draft.descendants(ROOT)):
        if frame.order in kept:
            continue
        sibling = frame.parent in kept and frame.parent != (chain[0].order if chain else ROOT)
        if sibling or (not chain and frame.parent == ROOT):
            release(draft, frame)
            frame.status = "cancelled"
            draft.record(frame, "cancelled", ended=True)
            draft.note_task(TASK_CANCELLED, frame)
        else:
            cancel_activity(draft, frame)
    state = draft.state
    state.faulted = chain[0].order if chain else ROOT
    state.error = error
    _end(draft, "faulted")
    note(draft, "faulted", error=describe_error(error))


def end_faulted(draft: Draft, frame: Frame, error: Error) -> None:
    """Record that an activity faulted, and take back what it waited for."""
    listening = isinstance(frame, ListenFrame) and frame.listening
    release(draft, frame)
    if isinstance(frame, ListenFrame):
        frame.listening = listening  # a retry subscribes again
    frame.status = "faulted"
    draft.record(frame, "faulted", error=error, ended=True)
    draft.note_task(TASK_FAULTED, frame, error=describe_error(error))


def cancel(draft: Draft, actor: str, reason: str | None) -> None:
    """End the process as cancelled."""
    cancel_beneath(draft, ROOT, actor)
    disarm_start(draft)
    _end(draft, "cancelled")
    note(draft, "cancelled", actor, **_reason(reason))


def note(draft: Draft, event: str, actor: str = PERDURE, **data: Any) -> None:
    """Add a line about the process as the DSL's lifecycle event `event`. Whoever reads it adds name and time, which
    each process has anyway.
    """
    draft.note(f"{WORKFLOW}{event}.v1", None, data, actor)


def _reason(reason: str | None) -> dict[str, Json]:
    return {} if reason is None else {"reason": reason}


def _end(draft: Draft, status: str) -> None:
    state = draft.state
    disarm_process(draft)
    draft.ready.clear()
    state.status = status
    state.ended_at = draft.now
    state.suspended = False
    if status != "faulted":
        draft.frames.clear()
