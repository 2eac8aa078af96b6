"""What operators do with a process: suspend, resume, retry, repair."""

from perdure.codec import Json
from perdure.definition.program import CallSubscription, Listen, Task, Try
from perdure.engine import process, scopes
from perdure.engine.dataflow import due_after
from perdure.engine.draft import OWN, TASK, Draft
from perdure.engine.facts import RepairRequested, ResumeRequested, RetryRequested, SuspendRequested
from perdure.engine.payloads import Flow
from perdure.engine.refs import NULL
from perdure.engine.release import cancel_beneath, release
from perdure.engine.state import ROOT, CallFrame, ForkFrame, Frame, ListenFrame, SubscriptionFrame, TryFrame
from perdure.engine.step import PROCESS_REFERENCE
from perdure.engine.tasks import call, job, listen, subscription
from perdure.engine.timers import arm, arm_process, arm_timeout, rearm

PROCESS_RETRIED = OWN + "process.retried"
PROCESS_REPAIRED = OWN + "process.repaired"
TASK_SUSPENDED = TASK + "suspended.v1"
TASK_RESUMED = TASK + "resumed.v1"


def suspend(draft: Draft, fact: SuspendRequested) -> None:
    """Nothing new begins from here on."""
    draft.state.suspended = True
    process.note(draft, "suspended", fact.actor, **_reason(fact.reason))
    for frame in draft.frames.values():
        draft.record(frame, "suspended")
        draft.note_task(TASK_SUSPENDED, frame, fact.actor)
        job.hold(draft, frame, held=True)


def resume(draft: Draft, fact: ResumeRequested) -> None:
    """Go on; what came meanwhile acts now."""
    draft.state.suspended = False
    process.note(draft, "resumed", fact.actor, **_reason(fact.reason))
    for frame in draft.frames.values():
        draft.record(frame, frame.status)
        draft.note_task(TASK_RESUMED, frame, fact.actor)
        job.hold(draft, frame, held=False)


def retry(draft: Draft, fact: RetryRequested) -> Flow[None]:
    """Go on at the activity that faulted, with the data it had; cancelled siblings begin again."""
    state = draft.state
    faulted, state.faulted = state.faulted, None
    state.status, state.error, state.ended_at = "running", None, None
    draft.note(PROCESS_RETRIED, None, _reason(fact.reason), fact.actor)
    if state.phase == "input":
        yield from process.take_in(draft)
        return
    if state.phase == "output":
        yield from process.give_out(draft, NULL if state.output is None else state.output)
        return
    if draft.program.timeout is not None:
        yield from arm_process(draft, draft.program.timeout)
    base = state.attempt_max
    for frame in sorted(draft.frames.values(), key=lambda frame: frame.order):
        if frame.order == faulted or frame.status == "cancelled":
            scopes.restart(draft, frame, base)
        else:
            yield from _reopen(draft, frame, draft.task_of(frame))
    if faulted == ROOT and not draft.frames:
        scopes.begin(draft, None, draft.program.body, state.argument)


def repair(draft: Draft, fact: RepairRequested) -> Flow[None]:
    """Ask once more for wake-ups that were lost, as far as the state says how; begin again what else was waited for.

    What was not lost after all is asked for twice, which changes nothing.
    """
    done: list[Json] = []
    for id_ in fact.activities:
        frame = draft.live(id_)
        if id_ == draft.process.id:
            rearm(draft, None)
            done.append({"task": PROCESS_REFERENCE})
        elif frame is None:
            continue  # it has ended meanwhile
        elif fact.restart:
            release(draft, frame)
            cancel_beneath(draft, frame.order, fact.actor)
            scopes.restart(draft, frame, frame.base)
            done.append({"task": draft.task_of(frame).reference, "restarted": True})
        else:
            yield from _ask_again(draft, frame, draft.task_of(frame))
            done.append({"task": draft.task_of(frame).reference})
    draft.note(PROCESS_REPAIRED, None, {"activities": done}, fact.actor)


def _ask_again(draft: Draft, frame: Frame, task: Task) -> Flow[None]:
    rearm(draft, frame)
    if isinstance(frame, CallFrame) and frame.callback:
        call.open_callback(draft, frame)
    if type(frame) is ListenFrame and isinstance(task, Listen) and frame.listening:
        yield from listen.subscribe(draft, frame, task)


def _reopen(draft: Draft, frame: Frame, task: Task) -> Flow[None]:
    """An activity that encloses the one that faulted goes on; its limits begin anew."""
    frame.status = "waiting" if isinstance(frame, ListenFrame) else "running"
    draft.record(frame, frame.status)
    draft.note_task(TASK_RESUMED, frame)
    yield from arm_timeout(draft, frame)
    if isinstance(frame, ForkFrame) and frame.left:
        draft.ready.append(frame.order)
    if isinstance(frame, ListenFrame) and isinstance(task, Listen) and frame.listening:
        yield from listen.subscribe(draft, frame, task)
    if isinstance(frame, SubscriptionFrame) and isinstance(task, CallSubscription) and frame.listening:
        yield from subscription.subscribe(draft, frame, task)
    if isinstance(frame, TryFrame) and isinstance(task, Try) and frame.phase == "try":
        frame.error, frame.retries, frame.since = None, 0, draft.now
        policy = task.catch.retry
        if policy is not None and policy.attempt_duration is not None:
            arm(draft, frame, "attempt", (yield from due_after(draft, frame, policy.attempt_duration)))


def _reason(reason: str | None) -> dict[str, str]:
    return {} if reason is None else {"reason": reason}
