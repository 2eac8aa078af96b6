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


async def examine(
    context: Context, actor: str, tenant: str | None, *, after: UUID | None, limit: int, repair: bool
) -> ExaminedView:
    """Look at the next `limit` processes after that one; of all tenants where `tenant` is None."""
    standings = await context.store.liveness.standings(tenant, after, limit)
    findings = [await _look_at(context, actor, standing, repair=repair) for standing in standings]
    return ExaminedView(
        examined=len(standings),
        findings=tuple(filter(None, findings)),
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
    """What is wrong with it, after what was done about that; None where nothing is."""
    missing, problem = _missing(standing)
    if not missing and problem is None:
        return None
    ends = [
        end for wake_up in missing if wake_up.kind == "child" and (end := await _end_of(context, standing, wake_up))
    ]
    heard = {end.child for end in ends}
    hopeless = [wake_up for wake_up in missing if wake_up.kind not in SAFE and wake_up.id not in heard]
    facts: list[AnyFact] = [*ends]
    facts += _repair(actor, [wake_up for wake_up in missing if wake_up.kind in SAFE], restart=False)
    if restart:
        facts += _repair(actor, hopeless, restart=True)
    if repair and facts:
        await context.store.record([(standing.id, encode_fact(fact)) for fact in facts], operator=True)
        await announce(context.broker, Announcement(steps=[standing.id]))
    repaired = repair and problem is None and (restart or not hopeless)
    explanation = problem or _explained(hopeless, repaired)
    return _told(standing, missing, repaired, explanation)


def _repair(actor: str, missing: Sequence[WakeUp], *, restart: bool) -> list[AnyFact]:
    activities = tuple(dict.fromkeys(wake_up.activity for wake_up in missing))
    return [RepairRequested(actor, activities, restart)] if activities else []


def _told(standing: Standing, missing: Sequence[WakeUp], repaired: bool, explanation: str) -> FindingView:
    names = tuple(f"{wake_up.kind} of {wake_up.activity}" for wake_up in missing) or ("start",)
    telemetry.record_stranded(repaired=repaired)
    log.warning(
        "nothing would have woken a process; it is repaired" if repaired else "nothing will wake a process",
        process_id=str(standing.id),
        missing=names,
        explanation=explanation,
    )
    return FindingView(standing.id, standing.status, names, repaired, explanation)


def _missing(standing: Standing) -> tuple[list[WakeUp], str | None]:
    """The wake-ups that are not recorded, or why that can't be told.

    Facts that have not been taken in yet may be what has become of them, so whoever has some is looked at later.
    """
    if standing.facts:
        return [], None
    if standing.state is None:
        begins = standing.has(WakeUp("timer", standing.id, standing.id)) or standing.owed_since is not None
        return [], None if begins else BEGUN_NEVER
    try:
        state = states.decode(standing.state)
    except states.StateUnreadable as error:
        return [], UNREADABLE.format(error)
    return [wake_up for wake_up in wake_ups(standing.id, state) if not standing.has(wake_up)], None


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
