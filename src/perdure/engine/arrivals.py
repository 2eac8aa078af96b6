"""What an activity has waited for: the end of its call, an event, a person, a job, another process.

Each of these facts names the activity. It goes to the frame that waits for just that, or is refused.
"""

from typing import TypeAlias, assert_never

from perdure.definition.program import CallMap, CallSubscription, Listen, RunProgram, RunWorkflow
from perdure.engine import flow
from perdure.engine.draft import OWN, PERDURE, Draft
from perdure.engine.facts import (
    ActivityFailed,
    ActivitySucceeded,
    AnyFact,
    CallbackReceived,
    CallInDoubt,
    ChildEnded,
    EventReceived,
    HumanTaskActed,
    HumanTaskCompleted,
    JobCompleted,
    JobFailed,
    JobLeased,
    JobReturned,
    MessageReceived,
)
from perdure.engine.payloads import Flow
from perdure.engine.refs import Ref
from perdure.engine.state import CallFrame, Frame, ListenFrame, MapFrame, RunFrame, SubscriptionFrame
from perdure.engine.tasks import call, doubt, job, listen, map_, run, run_program, subscription

FACT_REFUSED = OWN + "fact.refused"

CallEnd: TypeAlias = ActivitySucceeded | ActivityFailed
PersonsAct: TypeAlias = HumanTaskActed | HumanTaskCompleted
JobsMove: TypeAlias = JobLeased | JobReturned | JobCompleted | JobFailed
Arrival: TypeAlias = (
    CallEnd | CallInDoubt | EventReceived | MessageReceived | CallbackReceived | PersonsAct | JobsMove | ChildEnded
)


def take(draft: Draft, fact: Arrival) -> Flow[None]:
    """Let it have its consequences for the activity that waits for it, or refuse it."""
    match fact:
        case ActivitySucceeded() | ActivityFailed():
            yield from _call_ended(draft, fact)
        case CallInDoubt():
            yield from _call_in_doubt(draft, fact)
        case EventReceived():
            yield from _event_received(draft, fact)
        case MessageReceived():
            yield from _message_received(draft, fact)
        case CallbackReceived():
            yield from _called_back(draft, fact)
        case HumanTaskActed() | HumanTaskCompleted():
            yield from _person_acted(draft, fact)
        case JobLeased() | JobReturned() | JobCompleted() | JobFailed():
            yield from _job_moved(draft, fact)
        case ChildEnded():
            yield from _child_ended(draft, fact)
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


def complete(draft: Draft, frame: Frame, output: Ref | None) -> Flow[None]:
    """End the activity with this output; where there is none yet, it goes on waiting."""
    if output is None:
        return
    frame.status = "running"
    yield from flow.complete(draft, frame, output)


def _call_ended(draft: Draft, fact: CallEnd) -> Flow[None]:
    frame = draft.live(fact.activity)
    if not isinstance(frame, CallFrame | SubscriptionFrame) or not _open(frame):
        refuse(draft, fact, "the activity does not wait for a call", frame)
    elif frame.attempt != fact.attempt:
        refuse(draft, fact, f"it is of attempt {fact.attempt}, the activity is at {frame.attempt}", frame)
    elif isinstance(frame, SubscriptionFrame):
        yield from _subscription_ended(draft, frame, fact)
    elif fact.lookup:
        yield from _looked_up(draft, frame, fact)
    else:
        if frame.doubt is not None:
            doubt.answered(draft, frame)
        yield from _answered(draft, frame, fact)


def _open(frame: CallFrame | SubscriptionFrame) -> bool:
    """Whether the end of a call may mean something: one in doubt may still be answered."""
    if isinstance(frame, SubscriptionFrame):
        return frame.listening
    return frame.calling or frame.doubt is not None


def _answered(draft: Draft, frame: CallFrame, fact: CallEnd) -> Flow[None]:
    if isinstance(fact, ActivityFailed):
        raise call.failed(draft, frame, fact)
    task = draft.task_of(frame)
    if isinstance(task, RunProgram):
        yield from complete(draft, frame, run_program.succeeded(draft, frame, task, fact))
    else:
        yield from complete(draft, frame, call.succeeded(draft, frame, fact))


def _looked_up(draft: Draft, frame: CallFrame, fact: CallEnd) -> Flow[None]:
    if frame.doubt is None or not frame.calling or frame.doubt.lookups != fact.lookup:
        refuse(draft, fact, "the activity does not wait for this lookup", frame)
    elif isinstance(fact, ActivityFailed):
        yield from doubt.lookup_failed(draft, frame, fact)
    else:
        yield from complete(draft, frame, (yield from doubt.looked_up(draft, frame, fact)))


def _call_in_doubt(draft: Draft, fact: CallInDoubt) -> Flow[None]:
    frame = draft.live(fact.activity)
    if not isinstance(frame, CallFrame) or not frame.calling or frame.doubt is not None:
        refuse(draft, fact, "the activity does not wait for a call", frame)
    elif frame.attempt != fact.attempt:
        refuse(draft, fact, f"it is of attempt {fact.attempt}, the activity is at {frame.attempt}", frame)
    else:
        yield from doubt.arose(draft, frame, fact)


def _subscription_ended(draft: Draft, frame: SubscriptionFrame, fact: CallEnd) -> Flow[None]:
    """No more messages come."""
    if isinstance(fact, ActivityFailed):
        raise subscription.failed(draft, frame, fact.error)
    task = draft.task_of(frame)
    assert isinstance(task, CallSubscription)
    frame.listening = False
    yield from complete(draft, frame, (yield from subscription.go_on(draft, frame, task)))


def _event_received(draft: Draft, fact: EventReceived) -> Flow[None]:
    frame = draft.live(fact.activity)
    task = None if frame is None else draft.task_of(frame)
    if isinstance(frame, ListenFrame) and isinstance(task, Listen) and frame.listening:
        yield from complete(draft, frame, (yield from listen.received(draft, frame, task, fact.event)))
    else:
        refuse(draft, fact, "the activity does not listen", frame)


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
        yield from complete(draft, frame, (yield from subscription.received(draft, frame, task, fact)))


def _called_back(draft: Draft, fact: CallbackReceived) -> Flow[None]:
    frame = draft.live(fact.activity)
    if isinstance(frame, CallFrame) and frame.callback:
        yield from complete(draft, frame, call.called_back(draft, frame, fact.body))
    else:
        refuse(draft, fact, "the activity does not wait for a callback", frame)


def _person_acted(draft: Draft, fact: PersonsAct) -> Flow[None]:
    frame = draft.live(fact.activity)
    if not isinstance(frame, CallFrame) or not frame.human_task:
        refuse(draft, fact, "the activity does not wait for a person", frame)
    elif isinstance(fact, HumanTaskActed):
        call.note_act(draft, frame, fact)
    elif frame.doubt is not None:
        yield from complete(draft, frame, (yield from doubt.decided(draft, frame, fact)))
    else:
        yield from complete(draft, frame, call.decided(draft, frame, fact))


def _job_moved(draft: Draft, fact: JobsMove) -> Flow[None]:
    frame = draft.live(fact.activity)
    if not isinstance(frame, CallFrame) or not frame.job:
        refuse(draft, fact, "the activity does not wait for a job", frame)
    elif frame.attempt != fact.attempt:
        refuse(draft, fact, f"it is of attempt {fact.attempt}, the activity is at {frame.attempt}", frame)
    else:
        match fact:
            case JobCompleted():
                yield from complete(draft, frame, job.completed(draft, frame, fact))
            case JobFailed():
                raise job.failed(draft, frame, fact)
            case JobLeased():
                job.leased(draft, frame, fact)
            case JobReturned():
                job.returned(draft, frame, fact)


def _child_ended(draft: Draft, fact: ChildEnded) -> Flow[None]:
    frame = draft.live(fact.activity)
    if isinstance(frame, RunFrame) and frame.child == fact.child:
        task = draft.task_of(frame)
        assert isinstance(task, RunWorkflow)
        yield from complete(draft, frame, run.child_ended(draft, frame, task, fact))
    elif isinstance(frame, MapFrame) and fact.child in frame.running:
        task = draft.task_of(frame)
        assert isinstance(task, CallMap)
        yield from complete(draft, frame, (yield from map_.child_ended(draft, frame, task, fact)))
    else:
        refuse(draft, fact, "the activity does not wait for this process", frame)
