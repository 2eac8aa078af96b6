"""What a process waits for: the reasons why it will move again."""

from perdure.engine.draft import PROCESS_REFERENCE, Draft
from perdure.engine.state import CallFrame, Frame, ListenFrame, MapFrame, RunFrame, SubscriptionFrame, Timer
from perdure.engine.step import Reason, Waiting
from perdure.engine.tasks.subscription import paused


def waits(draft: Draft) -> list[Waiting]:
    """One entry for each thing waited for; the process itself stands for what has no activity yet."""
    waiting: list[Waiting] = []
    for frame in draft.frames.values():
        if frame.status == "pending":
            waiting.append(_wait(draft, frame, "step"))
            continue
        match frame:
            case CallFrame():
                _of_call(draft, frame, waiting)
            case SubscriptionFrame(listening=True):
                if not paused(frame, draft.task_of(frame)):
                    waiting.append(_wait(draft, frame, "event"))
            case ListenFrame(listening=True):
                waiting.append(_wait(draft, frame, "event"))
            case RunFrame(child=child) if child is not None:
                waiting.append(_wait(draft, frame, "child"))
            case MapFrame(running=running) if running:
                waiting.append(_wait(draft, frame, "child"))
            case _:
                for timer in frame.timers:
                    if timer.purpose in ("wait", "retry"):
                        waiting.append(_wait(draft, frame, "timer" if timer.purpose == "wait" else "retry", timer))
    if not waiting and draft.state.phase == "new":
        since = draft.process.created_at
        waiting.append(Waiting(draft.process.id, PROCESS_REFERENCE, "step", since))
    return waiting


def _of_call(draft: Draft, frame: CallFrame, waiting: list[Waiting]) -> None:
    if frame.human_task:
        due = next((timer for timer in frame.timers if timer.purpose == "due"), None)
        waiting.append(_wait(draft, frame, "human-task", due))
    elif frame.callback:
        waiting.append(_wait(draft, frame, "callback"))
    elif frame.job:
        waiting.append(_wait(draft, frame, "job"))
    elif frame.calling:
        waiting.append(_wait(draft, frame, "call"))


def _wait(draft: Draft, frame: Frame, reason: Reason, timer: Timer | None = None) -> Waiting:
    since = timer.since if timer is not None else frame.started_at or frame.created_at
    until = None if timer is None else timer.due
    return Waiting(frame.id, draft.task_of(frame).reference, reason, since, until)
