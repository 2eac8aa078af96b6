"""What happens next: one step of one process.

`advance` takes what has happened (facts) and decides what follows: the new state, the effects to be had in
the world, the records of activities and the audit trail. It does no I/O and knows no clock; it asks for
evaluations and stored payloads by yielding (`asks`). The same arguments always give the same step.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, assert_never

import msgspec

from perdure.definition.program import CallMap, CallSubscription, Listen, Program, RunProgram, RunWorkflow, Try
from perdure.engine import flow, operator
from perdure.engine import process as process_
from perdure.engine.dataflow import fault, reference_of
from perdure.engine.draft import OWN, PERDURE, Draft, Fault
from perdure.engine.facts import (
    ActivityFailed,
    ActivitySucceeded,
    AnyFact,
    CallbackReceived,
    CancelRequested,
    ChildEnded,
    EventReceived,
    HumanTaskActed,
    HumanTaskCompleted,
    JobCompleted,
    JobFailed,
    JobLeased,
    JobReturned,
    MessageReceived,
    ProcessStarted,
    ResumeRequested,
    RetryRequested,
    RunEnded,
    SuspendRequested,
    TimerFired,
)
from perdure.engine.faults import propagate, settle
from perdure.engine.payloads import Flow
from perdure.engine.refs import Ref
from perdure.engine.state import (
    CallFrame,
    ExtendedFrame,
    Frame,
    ListenFrame,
    MapFrame,
    RunFrame,
    State,
    SubscriptionFrame,
    Timer,
    TryFrame,
)
from perdure.engine.step import Environment, Limits, Process, Step, Waiting
from perdure.engine.tasks import call, job, listen, map_, run, run_program, subscription, try_
from perdure.engine.waiting import waits

FACT_REFUSED = OWN + "fact.refused"
TIMER_FIRED = OWN + "timer.fired"

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
        if frame is not None and frame.status == "pending":
            draft.budget -= 1
            try:
                yield from flow.perform(draft, frame)
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
    if draft.ended and not (isinstance(fact, RetryRequested) and state.status == "faulted"):
        refuse(draft, fact, f"the process is {state.status}")
        return
    match fact:
        case CancelRequested():
            process_.cancel(draft, fact.actor, fact.reason)
        case RetryRequested():
            if state.status == "faulted":
                yield from operator.retry(draft, fact)
            else:
                refuse(draft, fact, f"the process is {state.status}, not faulted")
        case SuspendRequested():
            if state.suspended:
                refuse(draft, fact, "the process is suspended already")
            else:
                operator.suspend(draft, fact)
        case ResumeRequested():
            if state.suspended:
                yield from _resume(draft, fact)
            else:
                refuse(draft, fact, "the process is not suspended")
        case _ if state.suspended:
            state.held.append(msgspec.json.encode(fact))
        case ProcessStarted():
            if state.phase == "new":
                yield from process_.start(draft, fact)
            else:
                refuse(draft, fact, "the process has started already")
        case TimerFired():
            yield from _timer_fired(draft, fact)
        case ActivitySucceeded() | ActivityFailed():
            yield from _call_ended(draft, fact)
        case EventReceived():
            frame = draft.live(fact.activity)
            task = None if frame is None else draft.task_of(frame)
            if isinstance(frame, ListenFrame) and isinstance(task, Listen) and frame.listening:
                yield from _complete(draft, frame, (yield from listen.received(draft, frame, task, fact.event)))
            else:
                refuse(draft, fact, "the activity does not listen", frame)
        case MessageReceived():
            yield from _message_received(draft, fact)
        case CallbackReceived():
            frame = draft.live(fact.activity)
            if isinstance(frame, CallFrame) and frame.callback:
                yield from _complete(draft, frame, call.called_back(draft, frame, fact.body))
            else:
                refuse(draft, fact, "the activity does not wait for a callback", frame)
        case HumanTaskActed():
            frame = draft.live(fact.activity)
            if isinstance(frame, CallFrame) and frame.human_task:
                call.note_act(draft, frame, fact)
            else:
                refuse(draft, fact, "the activity does not wait for a person", frame)
        case HumanTaskCompleted():
            frame = draft.live(fact.activity)
            if isinstance(frame, CallFrame) and frame.human_task:
                yield from _complete(draft, frame, call.decided(draft, frame, fact))
            else:
                refuse(draft, fact, "the activity does not wait for a person", frame)
        case JobLeased() | JobReturned() | JobCompleted() | JobFailed():
            yield from _job_moved(draft, fact)
        case ChildEnded():
            frame = draft.live(fact.activity)
            if isinstance(frame, RunFrame) and frame.child == fact.child:
                task = draft.task_of(frame)
                assert isinstance(task, RunWorkflow)
                yield from _complete(draft, frame, run.child_ended(draft, frame, task, fact))
            elif isinstance(frame, MapFrame) and fact.child in frame.running:
                task = draft.task_of(frame)
                assert isinstance(task, CallMap)
                yield from _complete(draft, frame, (yield from map_.child_ended(draft, frame, task, fact)))
            else:
                refuse(draft, fact, "the activity does not wait for this process", frame)
        case _:
            assert_never(fact)


def refuse(draft: Draft, fact: AnyFact, reason: str, frame: Frame | None = None) -> None:
    """Say in the audit trail that a fact had no consequences, and why."""
    data = {"fact": type(fact).__name__, "reason": reason}
    for name in ("activity", "timer", "child"):
        if hasattr(fact, name):
            data[name] = str(getattr(fact, name))
    actor = getattr(fact, "actor", None)
    draft.note(FACT_REFUSED, frame, data, actor or PERDURE)


def _complete(draft: Draft, frame: Frame, output: Ref | None) -> Flow[None]:
    if output is None:
        return
    frame.status = "running"
    yield from flow.complete(draft, frame, output)


def _call_ended(draft: Draft, fact: ActivitySucceeded | ActivityFailed) -> Flow[None]:
    frame = draft.live(fact.activity)
    open_ = frame.listening if isinstance(frame, SubscriptionFrame) else isinstance(frame, CallFrame) and frame.calling
    if not isinstance(frame, CallFrame | SubscriptionFrame) or not open_:
        refuse(draft, fact, "the activity does not wait for a call", frame)
    elif frame.attempt != fact.attempt:
        refuse(draft, fact, f"it is of attempt {fact.attempt}, the activity is at {frame.attempt}", frame)
    elif isinstance(frame, SubscriptionFrame):
        yield from _subscription_ended(draft, frame, fact)
    elif isinstance(fact, ActivityFailed):
        raise call.failed(draft, frame, fact.error)
    else:
        task = draft.task_of(frame)
        if isinstance(task, RunProgram):
            yield from _complete(draft, frame, run_program.succeeded(draft, frame, task, fact.output))
        else:
            yield from _complete(draft, frame, call.succeeded(draft, frame, fact.output))


def _job_moved(draft: Draft, fact: JobLeased | JobReturned | JobCompleted | JobFailed) -> Flow[None]:
    frame = draft.live(fact.activity)
    if not isinstance(frame, CallFrame) or not frame.job:
        refuse(draft, fact, "the activity does not wait for a job", frame)
    elif frame.attempt != fact.attempt:
        refuse(draft, fact, f"it is of attempt {fact.attempt}, the activity is at {frame.attempt}", frame)
    else:
        match fact:
            case JobCompleted():
                yield from _complete(draft, frame, job.completed(draft, frame, fact))
            case JobFailed():
                raise job.failed(draft, frame, fact)
            case JobLeased():
                job.leased(draft, frame, fact)
            case JobReturned():
                job.returned(draft, frame, fact)


def _message_received(draft: Draft, fact: MessageReceived) -> Flow[None]:
    frame = draft.live(fact.activity)
    if not isinstance(frame, SubscriptionFrame) or not frame.listening:
        refuse(draft, fact, "the activity does not wait for messages", frame)
    elif frame.attempt != fact.attempt:
        refuse(draft, fact, f"it is of attempt {fact.attempt}, the activity is at {frame.attempt}", frame)
    elif subscription.is_repeated(frame, fact):
        refuse(draft, fact, "the message was received before", frame)
    else:
        task = draft.task_of(frame)
        assert isinstance(task, CallSubscription)
        yield from _complete(draft, frame, (yield from subscription.received(draft, frame, task, fact)))


def _subscription_ended(draft: Draft, frame: SubscriptionFrame, fact: ActivitySucceeded | ActivityFailed) -> Flow[None]:
    """No more messages come."""
    if isinstance(fact, ActivityFailed):
        raise subscription.failed(draft, frame, fact.error)
    task = draft.task_of(frame)
    assert isinstance(task, CallSubscription)
    frame.listening = False
    yield from _complete(draft, frame, (yield from subscription.go_on(draft, frame, task)))


def _timer_fired(draft: Draft, fact: TimerFired) -> Flow[None]:
    state = draft.state
    if state.timer is not None and state.timer.id == fact.timer:
        state.timer = None
        draft.note(TIMER_FIRED, None, {"purpose": "timeout"})
        raise fault(draft, None, "timeout", "the process took longer than its timeout allows")
    for frame in draft.frames.values():
        for timer in frame.timers:
            if timer.id == fact.timer:
                frame.timers = tuple(t for t in frame.timers if t is not timer)
                draft.note_task(TIMER_FIRED, frame, purpose=timer.purpose)
                yield from _act(draft, frame, timer)
                return
    refuse(draft, fact, "no such timer is set")


def _act(draft: Draft, frame: Frame, timer: Timer) -> Flow[None]:
    match timer.purpose:
        case "wait":
            yield from _complete(draft, frame, frame.argument)
        case "retry":
            task = draft.task_of(frame)
            assert isinstance(frame, TryFrame) and isinstance(task, Try)
            yield from _complete(draft, frame, (yield from try_.retry(draft, frame, task)))
        case "until":
            task = draft.task_of(frame)
            assert isinstance(frame, SubscriptionFrame) and isinstance(task, CallSubscription)
            yield from _complete(draft, frame, (yield from subscription.elapsed(draft, frame, task)))
        case "due":
            assert isinstance(frame, CallFrame)
            call.overdue(draft, frame)
        case "attempt":
            raise _attempt_timed_out(draft, frame)
        case _:
            reference = reference_of(draft, frame)
            raise fault(draft, frame, "timeout", f"{reference} took longer than its timeout allows")


def _attempt_timed_out(draft: Draft, frame: Frame) -> Fault:
    """An attempt of a try took too long: that is an error of what it tries, so the try may catch it."""
    tried = frame
    while tried is frame or isinstance(tried, ExtendedFrame):
        tried = next(f for f in draft.frames.values() if f.parent == tried.order)
    return fault(draft, tried, "timeout", "the attempt took longer than limit.attempt.duration allows")


def _resume(draft: Draft, fact: ResumeRequested) -> Flow[None]:
    """Go on; the facts held meanwhile act now, in their order."""
    operator.resume(draft, fact)
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
