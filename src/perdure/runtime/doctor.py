"""Finds processes for which a wake-up is not recorded that their state wants, repairs what is provably safe, and
explains the rest.

Safe is what follows from the state alone and changes nothing where it was there after all: timers, a step owed, the
token of a callback, a subscription, the end of a child that has ended. A call, a job, a human task or a child that is
gone would have to begin anew, which is for an operator to decide.
"""

from collections.abc import Sequence
from uuid import UUID

import structlog

from perdure import telemetry
from perdure.engine import state as states
from perdure.engine.draft import ENDED
from perdure.engine.facts import AnyFact, ChildEnded, RepairRequested
from perdure.engine.wake_ups import WakeUp, wake_ups
from perdure.runtime.announce import Announcement, announce
from perdure.runtime.context import Context
from perdure.runtime.errors import NotFound
from perdure.runtime.payloads import resolve
from perdure.runtime.views import ExaminedView, FindingView
from perdure.store.contract import StoreUnavailable
from perdure.store.facts import encode_fact
from perdure.store.liveness import Standing

log = structlog.get_logger("perdure.doctor")

SAFE = frozenset({"step", "timer", "callback", "subscription"})
"""Kinds of wake-ups that are had again from the state alone."""

UNREADABLE = "Its stored state can't be read: {}. Nothing was done."
BEGUN_NEVER = (
    "It has not begun, and neither its start nor a timer for that is recorded. Its input is there: start another with "
    "it, then cancel this one."
)
BEGIN_ANEW = (
    "Its {} is not recorded any more, so how far that came is not known. perdure doctor ID --restart begins the "
    "activity anew (a call with the same idempotency key as before); perdure cancel ID ends the process."
)
REPAIRED = "Recorded again from its state; it goes on."
REPAIRABLE = "Can be recorded again from its state: run perdure doctor --repair, or leave it to the workers."
RESTARTED = "The activity was begun anew."
EVENTS_MISSED = " Events that came while nothing listened may have been missed."


async def examine(
    context: Context, actor: str, tenant: str | None, *, after: UUID | None, limit: int, repair: bool
) -> ExaminedView:
    """Look at the next `limit` processes after that one; of all tenants where `tenant` is None."""
    standings = await context.store.liveness.standings(tenant, after, limit)
    findings = []
    for standing in standings:
        try:
            findings.append(await _look_at(context, actor, standing, repair=repair))
        except StoreUnavailable:
            raise
        except Exception:  # one process must not keep the others from being looked at
            log.exception("a process can't be examined", process_id=str(standing.id))
    return ExaminedView(
        examined=len(standings),
        findings=tuple(finding for finding in findings if finding is not None),
        next=standings[-1].id if len(standings) == limit else None,
    )


async def examine_one(
    context: Context, actor: str, tenant: str, process: UUID, *, repair: bool, restart: bool
) -> ExaminedView:
    """With `restart`, activities whose wake-ups can't be had again otherwise begin anew. Raises `NotFound`."""
    standing = await context.store.liveness.standing(tenant, process)
    if standing is None:
        if await context.store.process(tenant, process) is None:
            raise NotFound(f"There is no process {process}.")
        return ExaminedView(examined=0, findings=(), next=None)
    finding = await _look_at(context, actor, standing, repair=repair or restart, restart=restart)
    return ExaminedView(examined=1, findings=() if finding is None else (finding,), next=None)


async def _look_at(
    context: Context, actor: str, standing: Standing, *, repair: bool, restart: bool = False
) -> FindingView | None:
    """What is wrong with it, after what was done about that; None where nothing is.

    Facts that have not been taken in yet may be what has become of a wake-up, so whoever has some is looked at later.
    """
    if standing.facts:
        return None
    if standing.state is None:
        begins = standing.has(WakeUp("timer", standing.id, standing.id)) or standing.owed_since is not None
        return None if begins else _told(standing, ("start",), False, BEGUN_NEVER)
    try:
        state = states.decode(standing.state)
    except states.StateNewer:
        return None  # the workers of that release look at it
    except states.StateUnreadable as error:
        return _told(standing, (), False, UNREADABLE.format(error))
    missing = [wake_up for wake_up in wake_ups(standing.id, state) if not standing.has(wake_up)]
    return await _treat(context, actor, standing, missing, repair, restart) if missing else None


async def _treat(
    context: Context, actor: str, standing: Standing, missing: Sequence[WakeUp], repair: bool, restart: bool
) -> FindingView:
    """Do what may be done about wake-ups that are missing."""
    ends = [
        end for wake_up in missing if wake_up.kind == "child" and (end := await _end_of(context, standing, wake_up))
    ]
    heard = {end.child for end in ends}
    safe = [wake_up for wake_up in missing if wake_up.kind in SAFE]
    hopeless = [wake_up for wake_up in missing if wake_up.kind not in SAFE and wake_up.id not in heard]
    facts: list[AnyFact] = [*ends, *_asked_again(actor, safe, restart=False)]
    if restart:
        facts += _asked_again(actor, hopeless, restart=True)
    if repair and facts:
        await context.store.record([(standing.id, encode_fact(fact)) for fact in facts], operator=True)
        await announce(context.broker, Announcement(steps=[standing.id]))
    repaired = repair and (restart or not hopeless)
    explanation = _explained(hopeless, repaired)
    if any(wake_up.kind == "subscription" for wake_up in safe):
        explanation += EVENTS_MISSED
    return _told(standing, [f"{wake_up.kind} of {wake_up.activity}" for wake_up in missing], repaired, explanation)


def _asked_again(actor: str, missing: Sequence[WakeUp], *, restart: bool) -> list[AnyFact]:
    activities = tuple(dict.fromkeys(wake_up.activity for wake_up in missing))
    return [RepairRequested(actor, activities, restart)] if activities else []


def _told(standing: Standing, missing: Sequence[str], repaired: bool, explanation: str) -> FindingView:
    """The finding, in metrics and log as well. With nothing missing, it is not known whether anything is."""
    event = "a process can't be examined"
    if missing:
        telemetry.record_stranded(repaired=repaired)
        event = "nothing would have woken a process; it is repaired" if repaired else "nothing will wake a process"
    log.warning(event, process_id=str(standing.id), missing=list(missing), explanation=explanation)
    return FindingView(standing.id, standing.status, tuple(missing), repaired, explanation)


def _explained(hopeless: Sequence[WakeUp], repaired: bool) -> str:
    if repaired:
        return RESTARTED if hopeless else REPAIRED
    if not hopeless:
        return REPAIRABLE
    return BEGIN_ANEW.format(" and its ".join(sorted({wake_up.kind for wake_up in hopeless})))


async def _end_of(context: Context, standing: Standing, wake_up: WakeUp) -> ChildEnded | None:
    """That an awaited child has ended, of which its parent has not heard; None where it is not known."""
    child = await context.store.process(standing.tenant, wake_up.id)
    if child is None or child.status not in ENDED or child.parent_activity != wake_up.activity:
        return None
    output = None
    if child.output is not None:
        output = (await resolve(context, [(child.id, child.output)])).plain(child.id, child.output)
    return ChildEnded(wake_up.activity, child.id, child.status, output, child.error)
