"""Why a process is where it is: what it waits for, and what is recorded that will wake it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from perdure.engine import state as states
from perdure.engine.draft import WORKFLOW
from perdure.engine.state import Frame, State, TryFrame
from perdure.engine.step import Waiting
from perdure.engine.tasks.call import CALL_ANSWERED
from perdure.runtime import sentences
from perdure.runtime.context import Context
from perdure.runtime.errors import NotFound
from perdure.runtime.views import Principal, WaitView, WakeUpView, WhyView
from perdure.store.liveness import Line, Recorded, Standing
from perdure.store.records import ProcessRecord

WAITS_MAX = 100
"""How many of the things that a process waits for are told of."""
LINES_MAX = 5_000
"""How far back in the audit trail is looked for what belongs to them."""

KINDS = {"event": ("subscription", "call"), "callback": ("callback", "call")}
"""The kinds of wake-ups that may end a wait, where they are not named as its reason is."""

SUSPENDED = WORKFLOW + "suspended.v1"


async def why(context: Context, who: Principal, process: UUID) -> WhyView:
    """See `runtime.platform.Platform.why`."""
    # Its standing first: who has ended in between is then seen to have ended.
    standing = await context.store.liveness.standing(who.tenant, process)
    record = await context.store.process(who.tenant, process)
    if record is None:
        raise NotFound(f"There is no process {process}.")
    now = await context.store.now()
    if record.ended_at is not None or standing is None:
        ended_at = record.ended_at or now
        sentence = sentences.of_end(record.status, ended_at, record.error, now)
        return WhyView(process, record.status, context.secrets.redact(sentence), 0, ())
    lines = await context.store.liveness.last_lines(process, (CALL_ANSWERED, SUSPENDED), LINES_MAX)
    waits = await _waits(context, record, standing, lines, now)
    if record.status == "suspended":
        line = next((line for line in lines if line.type == SUSPENDED), None)
        sentence = sentences.of_suspended(line, standing.facts, now)
    elif standing.facts_since is not None and record.started_at is not None:
        sentence = sentences.of_facts(standing.facts, standing.facts_since, now)
    else:
        sentence = sentences.of_waits([wait.sentence for wait in waits], len(record.waiting))
    return WhyView(process, record.status, context.secrets.redact(sentence), len(record.waiting), tuple(waits))


async def _waits(
    context: Context, record: ProcessRecord, standing: Standing, lines: Sequence[Line], now: datetime
) -> list[WaitView]:
    told = record.waiting[:WAITS_MAX]
    recorded: dict[UUID, list[Recorded]] = {}
    for one in await context.store.liveness.recorded(record.id, [wait.activity for wait in told]):
        recorded.setdefault(one.activity, []).append(one)
    answers = {line.activity: line for line in lines if line.type == CALL_ANSWERED and "lookup" not in line.data}
    state = _state(standing)
    frames: dict[UUID, Frame] = {} if state is None else {frame.id: frame for frame in state.frames}
    views = []
    for wait in told:
        frame = frames.get(wait.activity)
        found = _fitting(wait, state, recorded.get(wait.activity, []), standing, frame)
        error = frame.error if isinstance(frame, TryFrame) else None
        sentence = sentences.of_wait(wait, found, _answered(wait, frame, answers), error, now)
        views.append(
            WaitView(
                activity=wait.activity,
                reference=wait.reference,
                reason=wait.reason,
                since=wait.since,
                until=wait.until,
                times_out_at=wait.times_out_at,
                wake_ups=tuple(_wake_up(context, one) for one in found),
                sentence=context.secrets.redact(sentence),
            )
        )
    return views


def _answered(wait: Waiting, frame: Frame | None, answers: Mapping[UUID | None, Line]) -> Line | None:
    """The line about the answer to the request of a callback. That of an earlier attempt is of no interest."""
    line = answers.get(wait.activity) if wait.reason == "callback" else None
    attempt = 1 if frame is None else frame.attempt
    return line if line is not None and line.data.get("attempt", 1) == attempt else None


def _fitting(
    wait: Waiting, state: State | None, recorded: Sequence[Recorded], standing: Standing, frame: Frame | None
) -> list[Recorded]:
    """The wake-ups that end this wait."""
    kinds = KINDS.get(wait.reason, (wait.reason,))
    found = [one for kind in kinds for one in recorded if one.kind == kind]
    if wait.reason in ("timer", "retry"):
        found += _timers(wait, frame, standing)
    return found or _step(wait, standing, state)


def _step(wait: Waiting, standing: Standing, state: State | None) -> list[Recorded]:
    """What has happened and waits to be taken in may end any wait, and so may what a suspended process holds back."""
    details = {"facts": standing.facts}
    if standing.status == "suspended" and (wait.reason == "step" or standing.facts or (state and state.held)):
        return [Recorded("step", wait.activity, "held", None, details)]
    since = standing.facts_since or standing.owed_since
    return [] if since is None else [Recorded("step", wait.activity, "owed", since, details)]


def _timers(wait: Waiting, frame: Frame | None, standing: Standing) -> list[Recorded]:
    """The timer that the wait is over with, if it is still set. That of a later start bears the process's own id."""
    set_ = (standing.id,) if frame is None else tuple(timer.id for timer in frame.timers if timer.due == wait.until)
    return [
        Recorded("timer", wait.activity, "set", wait.until, {"timer": str(timer)})
        for timer in set_
        if ("timer", timer) in standing.recorded
    ]


def _state(standing: Standing) -> State | None:
    """None where the process has not begun, or this release can't read it."""
    try:
        return None if standing.state is None else states.decode(standing.state)
    except states.StateUnreadable:
        return None


def _wake_up(context: Context, one: Recorded) -> WakeUpView:
    details = context.secrets.redact(one.details)
    id_ = details.get("timer") or details.get("process") or str(one.activity)
    return WakeUpView(kind=one.kind, id=id_, state=one.state, at=one.at, details=details)
