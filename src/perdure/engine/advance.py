"""What happens next: one step of one process.

`advance` takes what has happened (facts) and decides what follows: the new state, the effects to be had in
the world, the records of activities and the audit trail. It does no I/O and knows no clock; it asks for
evaluations and stored payloads by yielding (`asks`). The same arguments always give the same step.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeAlias

import msgspec

from perdure.definition.program import Program
from perdure.engine import alarms, arrivals, flow, operator
from perdure.engine import process as process_
from perdure.engine.arrivals import refuse
from perdure.engine.draft import Draft, Fault
from perdure.engine.facts import (
    AnyFact,
    CallInDoubt,
    CancelRequested,
    ProcessStarted,
    RepairRequested,
    ResumeRequested,
    RetryRequested,
    RunEnded,
    SuspendRequested,
    TimerFired,
)
from perdure.engine.faults import propagate, settle
from perdure.engine.payloads import Flow
from perdure.engine.state import ForkFrame, State
from perdure.engine.step import Environment, Limits, Process, Step, Waiting
from perdure.engine.tasks import doubt, fork, run_program
from perdure.engine.waiting import waits

_facts: Any = msgspec.json.Decoder(AnyFact)


def advance(
    program: Program,
    process: Process,
    state: State | None,
    facts: Sequence[AnyFact],
    now: datetime,
    environment: Environment,
    limits: Limits,
) -> Flow[Step]:
    """One step. Takes ownership of `state`, which is None for a new process.

    Facts that come too late, twice or out of place are refused with a line in the audit trail and change
    nothing else. With no facts, a step goes on where the one before stopped at its limit.
    """
    draft = Draft(program, process, State() if state is None else state, now, environment, limits)
    for fact in facts:
        yield from settle(draft, take(draft, fact))
        yield from drain(draft)
    yield from drain(draft)
    return conclude(draft)


def drain(draft: Draft) -> Flow[None]:
    """Perform what is ready, in order, as far as the step may go."""
    while draft.ready and draft.budget > 0 and not draft.state.suspended and not draft.ended:
        frame = draft.frames.get(draft.ready.popleft())
        if frame is None:
            continue
        try:
            if frame.status == "pending":
                draft.budget -= 1
                draft.check_history()
                yield from flow.perform(draft, frame)
            elif isinstance(frame, ForkFrame):
                fork.go_on(draft, frame)
        except Fault as raised:
            yield from settle(draft, propagate(draft, raised))


def conclude(draft: Draft) -> Step:
    """The step, from what was decided."""
    state = draft.state
    ready = draft.frames.keys() & draft.ready
    state.ready = [order for order in draft.ready if order in ready]
    state.frames = list(draft.frames.values())
    waiting, status, more = [], state.status, False
    if not draft.ended:
        waiting = waits(draft)
        more = bool(state.ready) and not state.suspended
        status = state.status = _status(state, waiting)
        assert waiting, "a process that has not ended waits for something"
    return Step(
        state=state,
        status=status,
        effects=list(draft.effects.values()),
        activities=draft.activities,
        history=draft.history,
        payloads=draft.payloads.new,
        waiting=waiting,
        output=state.output if state.status == "completed" else None,
        error=state.error,
        started_at=state.started_at,
        ended_at=state.ended_at,
        more=more,
    )


def take(draft: Draft, fact: AnyFact) -> Flow[None]:
    """Let a fact have its consequences, or refuse it."""
    state = draft.state
    if isinstance(fact, RunEnded):  # nobody waits for it: it is only written down, even after the process's end
        run_program.note_end(draft, fact)
        return
    if isinstance(fact, CallInDoubt) and fact.reference is not None:
        doubt.note_unawaited(draft, fact)
        return
    if draft.ended and not (isinstance(fact, RetryRequested) and state.status == "faulted"):
        refuse(draft, fact, f"the process is {state.status}")
        return
    match fact:
        case CancelRequested() | RetryRequested() | SuspendRequested() | ResumeRequested() | RepairRequested():
            yield from _obey(draft, fact)
        case _ if state.suspended:
            state.held.append(msgspec.json.encode(fact))
        case ProcessStarted():
            if state.phase == "new":
                yield from process_.start(draft, fact)
            else:
                refuse(draft, fact, "the process has started already")
        case TimerFired():
            yield from alarms.take(draft, fact)
        case _:
            yield from arrivals.take(draft, fact)


Command: TypeAlias = CancelRequested | RetryRequested | SuspendRequested | ResumeRequested | RepairRequested


def _obey(draft: Draft, fact: Command) -> Flow[None]:
    """Do what an operator asks for, where the process is in a state for it."""
    state = draft.state
    match fact:
        case CancelRequested():
            process_.cancel(draft, fact.actor, fact.reason)
            yield from _take_held(draft)  # to be refused, each with a line
        case RetryRequested() if state.status == "faulted":
            yield from operator.retry(draft, fact)
        case RetryRequested():
            refuse(draft, fact, f"the process is {state.status}, not faulted")
        case SuspendRequested() if state.suspended:
            refuse(draft, fact, "the process is suspended already")
        case SuspendRequested():
            operator.suspend(draft, fact)
        case ResumeRequested() if state.suspended:
            operator.resume(draft, fact)
            yield from _take_held(draft)
        case ResumeRequested():
            refuse(draft, fact, "the process is not suspended")
        case RepairRequested():
            yield from operator.repair(draft, fact)


def _take_held(draft: Draft) -> Flow[None]:
    """The facts that came while the process was suspended act now, in their order."""
    held, draft.state.held = draft.state.held, []
    for encoded in held:
        yield from settle(draft, take(draft, _facts.decode(encoded)))
        yield from drain(draft)


def _status(state: State, waiting: list[Waiting]) -> str:
    """`waiting` is a process of which every live branch waits for something other than a call."""
    if state.suspended:
        return "suspended"
    if state.phase == "new":
        return "pending"
    return "running" if any(wait.reason in ("call", "step") for wait in waiting) else "waiting"
