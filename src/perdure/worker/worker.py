"""The worker service: takes wake-ups, performs calls, fires timers, routes events, and sweeps up."""

import asyncio
from functools import partial
from uuid import UUID

import structlog

from perdure import clock
from perdure.activities.contract import Activities
from perdure.broker.contract import CALLS, EVENTS, STEPS, Consumer
from perdure.codec import Json
from perdure.runtime import announce, events
from perdure.runtime.admission import Admission
from perdure.runtime.context import Context
from perdure.runtime.errors import Busy
from perdure.runtime.scheduling import is_schedule
from perdure.runtime.step import Stepper
from perdure.runtime.views import Principal
from perdure.worker.jobs import JobLeases
from perdure.worker.lifecycle import Relay
from perdure.worker.lookout import Lookout
from perdure.worker.performer import Calls
from perdure.worker.schedules import Scheduler
from perdure.worker.sweeper import Sweeper
from perdure.worker.timers import Timers
from perdure.worker.webhooks import Webhooks

log = structlog.get_logger("perdure.worker")

BROKER = Principal(name="broker", tenant="default", role="admin")
"""As whom events from the inbound exchange enter."""

ROOM_TRIES = 60
"""How often an event that the broker has delivered waits for room."""

STEPPERS = 2
"""Batches stepped at the same time: one waits for the database while the other computes."""


class Worker:
    """All roles in one. Run as many workers as needed; none knows of the others."""

    def __init__(self, context: Context, performer: Activities) -> None:
        self._context = context
        self._performer = performer
        self._admission = Admission(context.store, context.settings)
        self._timers = Timers(context)
        self._webhooks = Webhooks(context, performer)
        self._relay = Relay(context, partial(self._webhooks.expect, 0.0))
        self._calls = Calls(context, performer)
        self._stepper = Stepper(context, self._timers.expect, self._relay.wake, self._calls)
        self._sweeper = Sweeper(context, self._stepper, self._calls)
        self._job_leases = JobLeases(context, self._stepper)
        self._scheduler = Scheduler(context)
        self._lookout = Lookout(context, self._timers, self._job_leases, self._scheduler, self._webhooks, self._relay)
        self._intake = events.Intake(context)
        self._consumers: list[Consumer] = []
        self._loops: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        settings, broker = self._context.settings, self._context.broker
        await self._performer.start()
        await self._calls.start(self._stepper)
        self._consumers = [
            broker.consume(STEPS, self._step, prefetch=16, batch_max=settings.step_batch_max, concurrency=STEPPERS),
            broker.consume(CALLS, self._call, prefetch=8, batch_max=100, concurrency=4),
            broker.consume(EVENTS, self._event, prefetch=32, batch_max=100, concurrency=2),
            broker.consume_events(self._receive),
        ]
        for consumer in self._consumers:
            await consumer.start()
        self._loops = [
            asyncio.create_task(self._lookout.run()),
            asyncio.create_task(self._timers.run(self._stepper)),
            asyncio.create_task(self._sweeper.run()),
            asyncio.create_task(self._job_leases.run()),
            asyncio.create_task(self._scheduler.run()),
            asyncio.create_task(self._relay.run()),
            asyncio.create_task(self._webhooks.run()),
        ]

    async def stop(self) -> None:
        """Take nothing more, finish what is under way or hand it back, within the settings' stop time."""
        seconds = self._context.settings.stop_seconds_max
        for loop in self._loops:
            loop.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        await self._webhooks.stop()
        await asyncio.gather(*(consumer.stop(seconds / 4) for consumer in self._consumers))
        await self._intake.stop()
        await self._calls.stop(seconds / 2)
        await self._stepper.stop()
        await self._performer.stop()

    async def _step(self, ids: list[str]) -> None:
        woken = _uuids(ids)
        if announce.TIMERS in woken:
            self._timers.expect(0.0)
        if any(map(is_schedule, woken)):
            self._scheduler.expect(0.0)
        await self._stepper.step([id_ for id_ in woken if id_ != announce.TIMERS])

    async def _call(self, ids: list[str]) -> None:
        await self._calls.take(_uuids(ids))

    async def _event(self, ids: list[str]) -> None:
        event_ids, subscriptions = announce.parse_ids(ids)
        await events.finish(self._context, event_ids)
        if subscriptions:
            await events.look_back(self._context, subscriptions)

    async def _receive(self, event: Json) -> None:
        """While there is too much to do events stay in the broker; not for ever, as it takes back what nobody
        acknowledges.
        """
        for _ in range(ROOM_TRIES):
            try:
                await self._admission.facts(1)
                break
            except Busy as busy:
                log.warning("events wait at the broker for room", reason=busy.detail)
                await clock.sleep(busy.again_seconds)
        await self._intake.receive(BROKER, [event])


def _uuids(ids: list[str]) -> list[UUID]:
    """Ids of a message; what is none was not sent by us, and is left out."""
    found = []
    for text in ids:
        try:
            found.append(UUID(text))
        except ValueError:
            log.warning("a wake-up names no id", found=text[:40])
    return found
