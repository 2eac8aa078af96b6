"""CloudEvents: taken in once, published, and offered to the processes that listen for them.

The event's row is the outbox entry of its publication and of its routing: it stays owed until both are done.
"""

from collections.abc import AsyncIterator, Sequence
from uuid import UUID

import structlog

from perdure import telemetry
from perdure.broker.contract import BrokerUnavailable
from perdure.codec import Json
from perdure.definition.template import Expression
from perdure.engine.asks import AskFailed, Evaluate
from perdure.engine.facts import EventReceived
from perdure.expressions.contract import NotInline
from perdure.runtime.announce import Announcement, announce
from perdure.runtime.context import Context
from perdure.runtime.grouping import Group
from perdure.runtime.views import Principal
from perdure.store.contract import StoreUnavailable
from perdure.store.digests import value_digest
from perdure.store.facts import encode_fact
from perdure.store.records import EventOffer, LookBack, PendingEvent, RecentEvent

log = structlog.get_logger("perdure.events")

RECENT_MAX = 500
"""How many recent events are read at once."""


class Intake:
    """Records events that come from outside, those of the same time together. One per service process."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._recording = Group(self._record)

    async def stop(self) -> None:
        await self._recording.stop()

    async def receive(self, who: Principal, events: Sequence[Json]) -> None:
        """Returns once they are recorded. A repeat of source and id changes nothing."""
        await self._recording.add([(who.tenant, event) for event in events])

    async def _record(self, lots: Sequence[Sequence[tuple[str, Json]]]) -> Sequence[None]:
        new = await self._context.store.add_events([event for lot in lots for event in lot])
        telemetry.EVENTS_RECEIVED.inc(len(new))
        await announce(self._context.broker, Announcement(events=new))
        return [None] * len(lots)


async def finish(context: Context, ids: Sequence[int]) -> int:
    """Route and publish events that still want it; answers how many are finished.

    One that can't be routed stays owed and does not keep others back; so do all that the broker does not take.
    """
    events = await context.store.events_to_finish(ids)
    routed = await _routed(context, [event for event in events if not event.routed])
    return await _publish(context, [event for event in events if event.routed or event.id in routed])


async def look_back(context: Context, subscriptions: Sequence[tuple[UUID, UUID]]) -> None:
    """Offer recent events to subscriptions that began after them.

    The recent events of a type are gone through once for all subscriptions at hand, and a subscription is
    offered only those that have its values: an event counts as offered to a task, also where a loop comes back
    to it later and then wants the others.
    """
    found: dict[tuple[UUID, UUID, str], list[tuple[int, bytes]]] = {}
    by_kind: dict[tuple[str, str | None], list[LookBack]] = {}
    for wanted in await context.store.look_backs(subscriptions):
        found.setdefault((wanted.process, wanted.activity, wanted.reference), [])
        by_kind.setdefault((wanted.tenant, wanted.type), []).append(wanted)
    for (tenant, type_), look_backs in by_kind.items():
        async for recent, wanted in _recent(context, tenant, type_, look_backs):
            fact = _fact(wanted.activity, recent.event)
            found[wanted.process, wanted.activity, wanted.reference].append((recent.id, fact))
    woken = []
    for (process, activity, reference), facts in found.items():
        if await context.store.finish_look_back(process, activity, reference, facts):
            woken.append(process)
    await announce(context.broker, Announcement(steps=woken))


async def _recent(
    context: Context, tenant: str, type_: str | None, look_backs: Sequence[LookBack]
) -> AsyncIterator[tuple[RecentEvent, LookBack]]:
    """Each recent event with each of the look-backs that it answers."""
    by_value: dict[tuple[tuple[str, ...], bytes | None], list[LookBack]] = {}
    for wanted in look_backs:
        by_value.setdefault((wanted.expressions, wanted.value), []).append(wanted)
    shapes = {expressions for expressions, _ in by_value}
    after = (min(wanted.since for wanted in look_backs), 0)
    while recent := await context.store.recent_events(tenant, type_, after, RECENT_MAX):
        for event in recent:
            for expressions in shapes:
                for wanted in by_value.get((expressions, await _digest(context, expressions, event.event)), ()):
                    if event.received_at >= wanted.since:
                        yield event, wanted
        after = (recent[-1].received_at, recent[-1].id)


async def _routed(context: Context, events: Sequence[PendingEvent]) -> set[int]:
    """Which of them have got to whoever listens. Where they can't together, each is tried by itself."""
    try:
        if events:
            await _route(context, events)
    except StoreUnavailable:
        raise
    except Exception:
        if len(events) > 1:
            return {id_ for event in events for id_ in await _routed(context, [event])}
        log.exception("an event could not be routed; it is tried again", event=events[0].id)
        return set()
    return {event.id for event in events}


async def _route(context: Context, events: Sequence[PendingEvent]) -> None:
    kinds = list(dict.fromkeys((event.tenant, event.event["type"]) for event in events))
    shapes = dict(zip(kinds, await context.store.shapes(kinds), strict=True))
    offers = []
    for event in events:
        values = []
        for shape in shapes[event.tenant, event.event["type"]]:
            digest = await _digest(context, shape.expressions, event.event)
            if digest is not None:
                values.append((shape.digest, digest))
        offers.append(EventOffer(event, tuple(values)))
    await announce(context.broker, Announcement(steps=await context.store.offer_events(offers, _fact)))


async def _publish(context: Context, events: Sequence[PendingEvent]) -> int:
    """Publish those that want it, until the broker refuses one; answers for how many nothing is left to be done."""
    for done, event in enumerate(events):
        if not event.to_publish:
            continue
        try:
            await context.broker.publish_event(event.event)
        except BrokerUnavailable as error:
            telemetry.EVENTS_PUBLISHED.labels("failed").inc()
            log.warning("events could not be published; the sweep will", events=len(events) - done, reason=str(error))
            return done
        telemetry.EVENTS_PUBLISHED.labels("published").inc()
        await context.store.event_published(event.id)
    return len(events)


async def _digest(context: Context, expressions: Sequence[str], event: Json) -> bytes | None:
    """Names what the correlation expressions yield on the event; None where there are none, or one fails on it."""
    if not expressions:
        return None
    values = []
    for text in expressions:
        ask = Evaluate(Expression(text), event, {}, None)
        try:
            try:
                values.append(context.evaluator.evaluate_inline(ask))
            except NotInline:
                values.append(await context.evaluator.evaluate(ask))
        except AskFailed:
            return None
    return value_digest(values)


def _fact(activity: UUID, event: Json) -> bytes:
    return encode_fact(EventReceived(activity=activity, event=event))
