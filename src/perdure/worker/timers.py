"""Fires timers when they are due."""

import math

import structlog

from perdure import telemetry
from perdure.runtime.context import Context
from perdure.runtime.step import Stepper
from perdure.store.contract import StoreUnavailable
from perdure.worker.alarm import Alarm

log = structlog.get_logger("perdure.timers")

BATCH_MAX = 500
AGAIN_SECONDS = 1.0
"""After a failure."""
SECONDS_MIN = 0.001
"""While others hold what is due."""


class Timers:
    """Sleeps until the next timer is due that it knows of."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._alarm = Alarm()

    def expect(self, seconds: float) -> None:
        """A timer is due in that many seconds."""
        self._alarm.expect(seconds)

    async def run(self, stepper: Stepper) -> None:
        """For ever."""
        while True:
            try:
                seconds = await self.once(stepper)
            except StoreUnavailable as error:
                log.warning("timers can't be fired now", reason=str(error))
                seconds = AGAIN_SECONDS
            except Exception:
                log.exception("firing timers failed; it goes on")
                seconds = AGAIN_SECONDS
            await self._alarm.rest(seconds)

    async def once(self, stepper: Stepper) -> float:
        """Fire what is due; answers in how many seconds to come again."""
        fired = await self._context.store.fire_timers(BATCH_MAX)
        if fired:
            for _, late_seconds in fired:
                telemetry.record_timer(late_seconds)
            await stepper.step([process for process, _ in fired])
            return 0.0
        due = await self._context.store.next_timer()
        return math.inf if due is None else max(due, SECONDS_MIN)
