"""Giving up: what live activities have asked of the world is taken back."""

from perdure.engine.draft import PERDURE, TASK, Draft
from perdure.engine.effects import CancelCall, CancelChild, CloseCallback, CloseHumanTask, CloseJob, Unsubscribe
from perdure.engine.state import CallFrame, Frame, ListenFrame, MapFrame, RunFrame, SubscriptionFrame
from perdure.engine.timers import disarm

TASK_CANCELLED = TASK + "cancelled.v1"


def release(draft: Draft, frame: Frame) -> None:
    """Take back everything that an activity waits for."""
    if frame.timers:
        disarm(draft, frame)
    match frame:
        case CallFrame():
            release_call(draft, frame)
        case SubscriptionFrame(listening=True):
            end_subscription(draft, frame)
        case ListenFrame(listening=True):
            unsubscribe(draft, frame)
        case RunFrame(child=child) if child is not None:
            draft.withdraw("child", child, CancelChild(child))
            frame.child = None
        case MapFrame():
            for child in frame.running:
                draft.withdraw("child", child, CancelChild(child))
            frame.running = {}
        case _:
            pass


def release_call(draft: Draft, frame: CallFrame) -> None:
    """Forget a call's request, close its human task, its callback and its job, as far as they are open."""
    withdraw_call(draft, frame)
    withdraw_question(draft, frame)
    frame.doubt = None
    if frame.callback:
        draft.withdraw("callback", frame.id, CloseCallback(frame.id))
        frame.callback = False
    if frame.job:
        draft.withdraw("job", frame.id, CloseJob(frame.id))
        frame.job = False


def withdraw_call(draft: Draft, frame: CallFrame) -> None:
    if frame.calling:
        draft.withdraw("call", frame.id, CancelCall(frame.id))
        frame.calling = False


def withdraw_question(draft: Draft, frame: CallFrame) -> None:
    if frame.human_task:
        draft.withdraw("human-task", frame.id, CloseHumanTask(frame.id))
        frame.human_task = False


def unsubscribe(draft: Draft, frame: ListenFrame) -> None:
    draft.withdraw("subscription", frame.id, Unsubscribe(frame.id))
    frame.listening = False


def end_subscription(draft: Draft, frame: SubscriptionFrame) -> None:
    """Forget the call that keeps a subscription to messages open."""
    draft.withdraw("call", frame.id, CancelCall(frame.id))
    frame.listening = False


def cancel(draft: Draft, frame: Frame, actor: str = PERDURE) -> None:
    """End one activity as cancelled and drop its frame."""
    release(draft, frame)
    draft.record(frame, "cancelled", ended=True)
    draft.note_task(TASK_CANCELLED, frame, actor)
    del draft.frames[frame.order]


def cancel_beneath(draft: Draft, order: int, actor: str = PERDURE) -> None:
    """Cancel everything beneath a frame (or `ROOT`), the innermost first."""
    for frame in reversed(draft.descendants(order)):
        cancel(draft, frame, actor)
