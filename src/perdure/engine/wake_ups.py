"""What must be recorded outside the state so that a process moves again: one wake-up for each thing it waits for.

The state is the truth and the rows outside follow from it (`effects`), so whoever compares the two finds what was
lost.
"""

from typing import Literal, TypeAlias
from uuid import UUID

import msgspec

from perdure.engine.state import AnyFrame, CallFrame, ListenFrame, MapFrame, RunFrame, State, SubscriptionFrame

Kind: TypeAlias = Literal["step", "timer", "call", "subscription", "human-task", "callback", "job", "child"]


class WakeUp(msgspec.Struct, frozen=True):
    """`activity` waits for it (the process itself for its own timeout). `id` is that of the timer or the child
    process, of all others the activity's."""

    kind: Kind
    activity: UUID
    id: UUID


def wake_ups(process: UUID, state: State) -> list[WakeUp]:
    """All that must be recorded of a process that has not ended.

    Nothing of one that has taken in facts while it was suspended: what they end is known when they act.
    """
    if state.held:
        return []
    found = [WakeUp("timer", process, state.timer.id)] if state.timer is not None else []
    if state.ready and not state.suspended:
        found.append(WakeUp("step", process, process))
    for frame in state.frames:
        found += [WakeUp("timer", frame.id, timer.id) for timer in frame.timers]
        found += _of_frame(frame)
    return found


def _of_frame(frame: AnyFrame) -> list[WakeUp]:
    match frame:
        case CallFrame():
            open_: dict[Kind, bool] = {
                "call": frame.calling,
                "human-task": frame.human_task,
                "callback": frame.callback,
                "job": frame.job,
            }
            return [WakeUp(kind, frame.id, frame.id) for kind, is_open in open_.items() if is_open]
        case SubscriptionFrame():
            return [WakeUp("call", frame.id, frame.id)] if frame.listening else []
        case ListenFrame():
            return [WakeUp("subscription", frame.id, frame.id)] if frame.listening else []
        case RunFrame():
            return [] if frame.child is None else [WakeUp("child", frame.id, frame.child)]
        case MapFrame():
            return [WakeUp("child", frame.id, child) for child in frame.running]
        case _:
            return []
