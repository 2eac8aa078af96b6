"""What a process waits for: the reasons why it will move again."""

from datetime import datetime

from perdure.engine.draft import Draft, shown_id
from perdure.engine.state import (
    ROOT,
    CallFrame,
    ForkFrame,
    Frame,
    ListenFrame,
    MapFrame,
    RunFrame,
    SubscriptionFrame,
    Timer,
)
from perdure.engine.step import Reason, Waiting, waits_to_begin
from perdure.engine.tasks.subscription import paused

TIMEOUTS = frozenset({"timeout", "attempt"})
"""Purposes of timers that end what takes too long."""


def waits(draft: Draft) -> list[Waiting]:
    """One entry for each thing waited for; the process itself stands for what has no activity yet.

    Every activity that encloses no other has one, or it would never go on.
    """
    found = _Waits(draft)
    enclosing = {frame.parent for frame in draft.frames.values()}
    for frame in draft.frames.values():
        count = len(found.waiting)
        _of_frame(found, frame)
        if len(found.waiting) == count:
            assert frame.order in enclosing, f"{draft.task_of(frame).reference} has not ended and waits for nothing"
    if not found.waiting and draft.state.phase == "new":
        found.waiting.append(waits_to_begin(draft.process.id, draft.process.created_at))
    return found.waiting


class _Waits:
    """The entries so far, and the first timeout of each activity looked at."""

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self.waiting: list[Waiting] = []
        timer = draft.state.timer
        self._timeouts: dict[int, datetime | None] = {ROOT: None if timer is None else timer.due}

    def add(self, frame: Frame, reason: Reason, timer: Timer | None = None) -> None:
        since = timer.since if timer is not None else frame.started_at or frame.created_at
        until = None if timer is None else timer.due
        reference = self.draft.task_of(frame).reference
        self.waiting.append(Waiting(shown_id(frame, reference), reference, reason, since, until, self._timeout(frame)))

    def _timeout(self, frame: Frame) -> datetime | None:
        """The first of its own and those of all that encloses it."""
        path = []
        order = frame.order
        while order not in self._timeouts:
            path.append(order)
            order = self.draft.frames[order].parent
        earliest = self._timeouts[order]
        for order in reversed(path):
            for timer in self.draft.frames[order].timers:
                if timer.purpose in TIMEOUTS and (earliest is None or timer.due < earliest):
                    earliest = timer.due
            self._timeouts[order] = earliest
        return earliest


def _of_frame(found: _Waits, frame: Frame) -> None:
    if frame.status == "pending":
        found.add(frame, "step")
        return
    match frame:
        case CallFrame():
            _of_call(found, frame)
        case SubscriptionFrame(listening=True):
            if not paused(frame, found.draft.task_of(frame)):
                found.add(frame, "event")
        case ListenFrame(listening=True):
            found.add(frame, "event")
        case ForkFrame(left=left) if left:
            found.add(frame, "step")
        case RunFrame(child=child) if child is not None:
            found.add(frame, "child")
        case MapFrame(running=running) if running:
            found.add(frame, "child")
        case _:
            for timer in frame.timers:
                if timer.purpose in ("wait", "retry"):
                    found.add(frame, "timer" if timer.purpose == "wait" else "retry", timer)


def _of_call(found: _Waits, frame: CallFrame) -> None:
    """Several things at once may end one that is in doubt, and the request of a callback belongs to the callback."""
    if frame.human_task:
        due = next((timer for timer in frame.timers if timer.purpose == "due"), None)
        found.add(frame, "human-task", due)
    if frame.callback:
        found.add(frame, "callback")
    elif frame.calling:
        found.add(frame, "call")
    if frame.job:
        found.add(frame, "job")
    for timer in frame.timers:
        if timer.purpose == "lookup":
            found.add(frame, "retry", timer)
