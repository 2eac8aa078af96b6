"""Finds what is owed and was not done: wake-ups that were lost, leases whose holder died, work left by a restart.

It does the work itself instead of sending new wake-ups, so that it also serves while the broker is away.
"""

import structlog

from perdure import clock
from perdure.definition.durations import parse as parse_duration
from perdure.runtime import events
from perdure.runtime.context import Context
from perdure.runtime.step import Stepper
from perdure.store.contract import StoreUnavailable
from perdure.worker.performer import Calls

log = structlog.get_logger("perdure.sweep")

BATCH_MAX = 200
ROUNDS_MAX = 50
"""Full batches handled in a row before a pause."""
PURGE_SECONDS = 600.0
PURGE_BATCH_MAX = 500
EVENT_SECONDS = 24 * 3600.0
"""How long an event is remembered, so that a repeat changes nothing."""
DAYS_PER_MONTH = 30.44


class Sweeper:
    """One round finds what has been owed for longer than the sweep interval."""

    def __init__(self, context: Context, stepper: Stepper, calls: Calls) -> None:
        self._context = context
        self._stepper = stepper
        self._calls = calls
        self._purged_at = clock.monotonic()

    async def run(self) -> None:
        """For ever."""
        interval = self._context.settings.sweep_seconds
        while True:
            await clock.sleep(clock.jittered(interval))
            try:
                async with self._context.coordinator.lock("sweep", interval * 10) as mine:
                    if mine:
                        await self._rounds()
            except StoreUnavailable as error:
                log.warning("the sweep is interrupted", reason=str(error))
            except Exception:
                log.exception("the sweep failed; it goes on")

    async def _rounds(self) -> None:
        for _ in range(ROUNDS_MAX):
            if await self.once() < BATCH_MAX:
                break
        if clock.monotonic() - self._purged_at > PURGE_SECONDS:
            self._purged_at = clock.monotonic()
            await self.purge()

    async def once(self) -> int:
        """One round; answers how much of the most frequent kind it found."""
        store, older = self._context.store, self._context.settings.sweep_seconds
        steps = await store.owed_steps(older, BATCH_MAX)
        await self._stepper.step(steps)
        calls = await store.owed_calls(older, BATCH_MAX)
        await self._calls.take(calls)
        owed_events = await store.owed_events(older, BATCH_MAX)
        await events.finish(self._context, owed_events)
        look_backs = await store.owed_look_backs(older, BATCH_MAX)
        if look_backs:
            await events.look_back(self._context, look_backs)
        return max(len(steps), len(calls), len(owed_events), len(look_backs))

    async def purge(self) -> None:
        """Forget processes that ended longer ago than the retention, and events of yesterday."""
        retention = retention_seconds(self._context.settings.retention)
        forgotten = PURGE_BATCH_MAX
        while forgotten == PURGE_BATCH_MAX:
            forgotten = await self._context.store.purge(retention, EVENT_SECONDS, PURGE_BATCH_MAX)
        await self._context.store.schedules.purge(retention)


def retention_seconds(text: str) -> float:
    """Seconds of an ISO 8601 duration; a month counts 30.44 days. Raises `ValueError`."""
    duration = parse_duration(text)
    return duration.seconds + duration.months * DAYS_PER_MONTH * 86400
