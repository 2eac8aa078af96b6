"""Fires timers when they are due."""

import asyncio

import structlog

from perdure import clock, telemetry
from perdure.runtime.announce import TIMER_SECONDS
from perdure.runtime.context import Context
from perdure.runtime.step import Stepper
from perdure.store.contract import StoreUnavailable

log = structlog.get_logger("perdure.timers")

BATCH_MAX = 500
SLEEP_SECONDS_MAX = TIMER_SECONDS
"""Also how late a timer may be that another worker set and did not live to fire."""
SLEEP_SECONDS_MIN = 0.001


class Timers:
    """Sleeps until the next timer is due, or sooner where this worker has just set one."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._sooner = asyncio.Event()
        self._next = 0.0

    def expect(self, seconds: float) -> None:
        """A timer is due in that many seconds."""
        due = clock.monotonic() + seconds
        if due < self._next:
            self._next = due
            self._sooner.set()

    async def run(self, stepper: Stepper) -> None:
        """For ever."""
        while True:
            try:
                seconds = await self.once(stepper)
            except StoreUnavailable as error:
                log.warning("timers can't be fired now", reason=str(error))
                seconds = SLEEP_SECONDS_MAX
            except Exception:
                log.exception("firing timers failed; it goes on")
                seconds = SLEEP_SECONDS_MAX
            await self._sleep(seconds)

    async def once(self, stepper: Stepper) -> float:
        """Fire what is due; answers in how many seconds to come again."""
        fired = await self._context.store.fire_timers(BATCH_MAX)
        if fired:
            for _, late_seconds in fired:
                telemetry.record_timer(late_seconds)
            await stepper.step([process for process, _ in fired])
            return 0.0
        due = await self._context.store.next_timer()
        return SLEEP_SECONDS_MAX if due is None else min(due, SLEEP_SECONDS_MAX)

    async def _sleep(self, seconds: float) -> None:
        self._next = clock.monotonic() + seconds
        while True:
            self._sooner.clear()
            left = self._next - clock.monotonic()
            if left <= 0:
                return
            try:
                async with asyncio.timeout(max(left, SLEEP_SECONDS_MIN)):
                    await self._sooner.wait()
            except TimeoutError:
                return
