"""Timers of activities and of the process."""

from datetime import datetime
from uuid import UUID

from perdure.definition.program import DurationTemplate
from perdure.engine.dataflow import due_after
from perdure.engine.draft import Draft
from perdure.engine.effects import CancelTimer, SetTimer
from perdure.engine.ids import timer_id
from perdure.engine.payloads import Flow
from perdure.engine.state import Frame, Timer


def arm(draft: Draft, frame: Frame, purpose: str, due: datetime) -> None:
    """Set a timer of an activity."""
    id_ = timer_id(frame.id, purpose, frame.attempt, frame.timer_count)
    frame.timer_count += 1
    frame.timers += (Timer(id_, purpose, due, draft.now),)
    _set(draft, id_, due, purpose)


def disarm(draft: Draft, frame: Frame, purpose: str | None = None) -> None:
    """Cancel an activity's timers of one purpose, or all."""
    for timer in frame.timers:
        if purpose is None or timer.purpose == purpose:
            draft.withdraw("timer", timer.id, CancelTimer(timer.id))
    frame.timers = () if purpose is None else tuple(t for t in frame.timers if t.purpose != purpose)


def arm_timeout(draft: Draft, frame: Frame) -> Flow[None]:
    """Set the timeout of a task that has one (DSL, "Timeouts")."""
    template = draft.task_of(frame).timeout
    if template is not None:
        due = yield from due_after(draft, frame, template)
        arm(draft, frame, "timeout", due)


def arm_process(draft: Draft, template: DurationTemplate) -> Flow[None]:
    """Set the timeout of the process."""
    due = yield from due_after(draft, None, template)
    state = draft.state
    id_ = timer_id(draft.process.id, "timeout", 1, state.timer_count)
    state.timer_count += 1
    state.timer = Timer(id_, "timeout", due, draft.now)
    _set(draft, id_, due, "timeout")


def rearm(draft: Draft, frame: Frame | None) -> None:
    """Set again the timers that an activity (None: the process) has, whether or not they are still set outside."""
    own = frame.timers if frame is not None else tuple(filter(None, (draft.state.timer,)))
    for timer in own:
        _set(draft, timer.id, timer.due, timer.purpose)


def disarm_process(draft: Draft) -> None:
    timer = draft.state.timer
    if timer is not None:
        draft.withdraw("timer", timer.id, CancelTimer(timer.id))
        draft.state.timer = None


def disarm_start(draft: Draft) -> None:
    """Cancel the timer of a process that was to start later; the store sets it, by the process's own id."""
    if draft.state.phase == "new":
        draft.withdraw("timer", draft.process.id, CancelTimer(draft.process.id))


def _set(draft: Draft, id_: UUID, due: datetime, purpose: str) -> None:
    # The purpose ``attempt`` is the engine's own; outside it is one more timeout.
    outside = "timeout" if purpose == "attempt" else purpose
    draft.effect("timer", id_, SetTimer(id_, due, outside))
