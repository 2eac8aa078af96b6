"""Timers that are due: a wait, a retry, a timeout, the end of a subscription, a person who is late."""

from perdure.definition.program import CallSubscription, Try
from perdure.engine.arrivals import complete, refuse
from perdure.engine.dataflow import fault, reference_of
from perdure.engine.draft import OWN, Draft, Fault
from perdure.engine.facts import TimerFired
from perdure.engine.payloads import Flow
from perdure.engine.state import CallFrame, ExtendedFrame, Frame, SubscriptionFrame, Timer, TryFrame
from perdure.engine.tasks import call, doubt, subscription, try_

TIMER_FIRED = OWN + "timer.fired"


def take(draft: Draft, fact: TimerFired) -> Flow[None]:
    """Let the timer have its consequences, or refuse it where none such is set."""
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
            yield from complete(draft, frame, frame.argument)
        case "retry":
            task = draft.task_of(frame)
            assert isinstance(frame, TryFrame) and isinstance(task, Try)
            yield from complete(draft, frame, (yield from try_.retry(draft, frame, task)))
        case "until":
            task = draft.task_of(frame)
            assert isinstance(frame, SubscriptionFrame) and isinstance(task, CallSubscription)
            yield from complete(draft, frame, (yield from subscription.elapsed(draft, frame, task)))
        case "due":
            assert isinstance(frame, CallFrame)
            call.overdue(draft, frame)
        case "lookup":
            assert isinstance(frame, CallFrame)
            yield from doubt.look_up(draft, frame)
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
