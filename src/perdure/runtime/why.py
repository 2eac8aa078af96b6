"""Why a process is where it is: what it waits for, and what is recorded that will wake it."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from perdure.engine import state as states
from perdure.engine.draft import WORKFLOW
from perdure.engine.errors import Error
from perdure.engine.state import TryFrame
from perdure.engine.step import Waiting
from perdure.engine.tasks.call import CALL_ANSWERED
from perdure.runtime import sentences
from perdure.runtime.context import Context
from perdure.runtime.errors import NotFound
from perdure.runtime.views import Principal, WaitView, WakeUpView, WhyView
from perdure.store.contract import ProcessRecord
from perdure.store.liveness import Line, Recorded, Standing

WAITS_MAX = 100
"""How many of the things that a process waits for are told of."""
LINES_MAX = 5_000
"""How far back in the audit trail is looked for what belongs to them."""

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
    waits = await _waits(context, record, standing, lines)
    if record.status == "suspended":
        line = next((line for line in lines if line.type == SUSPENDED), None)
        sentence = sentences.of_suspended(line, standing.facts, now)
    elif standing.facts and record.started_at is not None:
        since = standing.owed_since or max((wait.since for wait in waits), default=record.created_at)
        sentence = sentences.of_facts(standing.facts, since, now)
    else:
        sentence = sentences.of_waits([wait.sentence for wait in waits], len(record.waiting))
    return WhyView(process, record.status, context.secrets.redact(sentence), len(record.waiting), tuple(waits))


async def _waits(context: Context, record: ProcessRecord, standing: Standing, lines: Sequence[Line]) -> list[WaitView]:
    told = record.waiting[:WAITS_MAX]
    recorded: dict[UUID, list[Recorded]] = {}
    for one in await context.store.liveness.recorded(record.id, [wait.activity for wait in told]):
        recorded.setdefault(one.activity, []).append(one)
    answers = {line.activity: line for line in lines if line.type == CALL_ANSWERED}
    errors = _errors(standing)
    now = await context.store.now()
    views = []
    for wait in told:
        found = _fitting(wait, recorded.get(wait.activity, []), standing)
        sentence = sentences.of_wait(wait, found, answers.get(wait.activity), errors.get(wait.activity), now)
        views.append(
            WaitView(
                activity=wait.activity,
                reference=wait.reference,
                reason=wait.reason,
                since=wait.since,
                until=wait.until,
                times_out_at=wait.times_out_at,
                wake_ups=tuple(_wake_up(one) for one in found),
                sentence=context.secrets.redact(sentence),
            )
        )
    return views


def _fitting(wait: Waiting, recorded: Sequence[Recorded], standing: Standing) -> list[Recorded]:
    """The wake-ups that end this wait. What has happened and waits to be taken in may be that of any."""
    kinds = {"event": ("subscription", "call")}.get(wait.reason, (wait.reason,))
    found = [one for kind in kinds for one in recorded if one.kind == kind]
    if wait.reason in ("timer", "retry") and any(kind == "timer" for kind, _ in standing.recorded):
        found.append(Recorded("timer", wait.activity, "set", wait.until, {}))
    if not found and (standing.facts or standing.owed_since is not None):
        found.append(Recorded("step", wait.activity, "owed", standing.owed_since, {"facts": standing.facts}))
    return found


def _errors(standing: Standing) -> Mapping[UUID, Error | None]:
    """By activity, what a try that waits to try again has caught."""
    if standing.state is None:
        return {}
    frames = states.decode(standing.state).frames
    return {frame.id: frame.error for frame in frames if isinstance(frame, TryFrame)}


def _wake_up(one: Recorded) -> WakeUpView:
    id_ = str(one.activity)
    if one.kind == "child":
        id_ = one.details["process"]
    return WakeUpView(kind=one.kind, id=id_, state=one.state, at=one.at, details=one.details)
