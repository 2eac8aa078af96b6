"""Starts what schedules owe: due ticks, and the sets of events that `on` schedules wait for."""

import asyncio

import structlog

from perdure import clock, telemetry
from perdure.runtime import collecting, scheduling
from perdure.runtime.context import Context
from perdure.store.contract import StoreUnavailable

log = structlog.get_logger("perdure.schedules")

SLEEP_SECONDS_MAX = 1.0
"""Also how late it is noticed that an earlier run has ended, or an event whose wake-up was lost."""
SLEEP_SECONDS_MIN = 0.002


class Scheduler:
    """Sleeps until the next tick is due, or until events come. Any number may run; a tick starts one process."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._events = asyncio.Event()

    def wake(self) -> None:
        """A schedule has events in its inbox."""
        self._events.set()

    async def run(self) -> None:
        """For ever."""
        while True:
            try:
                seconds = await self.once()
            except StoreUnavailable as error:
                log.warning("schedules can't be run now", reason=str(error))
                seconds = SLEEP_SECONDS_MAX
            except Exception:
                log.exception("schedules could not be run; it goes on")
                seconds = SLEEP_SECONDS_MAX
            await self._sleep(clock.jittered(seconds, 0.1) if seconds == SLEEP_SECONDS_MAX else seconds)

    async def once(self) -> float:
        """One turn; answers in how many seconds to come again."""
        self._events.clear()
        started = await scheduling.run_due(self._context)
        telemetry.SCHEDULE_STARTS.inc(started)
        consumed = await collecting.consume(self._context)
        if started or consumed:
            return 0.0
        due = await scheduling.next_due(self._context)
        return SLEEP_SECONDS_MAX if due is None or due <= 0 else min(due, SLEEP_SECONDS_MAX)

    async def _sleep(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(max(seconds, SLEEP_SECONDS_MIN)):
                await self._events.wait()
        except TimeoutError:
            return
