"""Starts what schedules owe: due ticks, and the sets of events that `on` schedules wait for."""

import math

import structlog

from perdure import telemetry
from perdure.runtime import collecting, scheduling
from perdure.runtime.context import Context
from perdure.store.contract import StoreUnavailable
from perdure.worker.alarm import Alarm

log = structlog.get_logger("perdure.schedules")

AGAIN_SECONDS = 1.0
"""After a failure, and where a tick waits for an earlier run to end."""


class Scheduler:
    """Sleeps until the next tick is due, or until events come. Any number may run; a tick starts one process."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._alarm = Alarm()

    def expect(self, seconds: float) -> None:
        """In that many seconds a tick is due; or a schedule has events in its inbox."""
        self._alarm.expect(seconds)

    async def run(self) -> None:
        """For ever."""
        while True:
            try:
                seconds = await self.once()
            except StoreUnavailable as error:
                log.warning("schedules can't be run now", reason=str(error))
                seconds = AGAIN_SECONDS
            except Exception:
                log.exception("schedules could not be run; it goes on")
                seconds = AGAIN_SECONDS
            await self._alarm.rest(seconds)

    async def once(self) -> float:
        """One turn; answers in how many seconds to come again."""
        started = await scheduling.run_due(self._context)
        telemetry.SCHEDULE_STARTS.inc(started)
        consumed = await collecting.consume(self._context)
        if started or consumed:
            return 0.0
        due = await scheduling.next_due(self._context)
        if due is None:
            return math.inf
        return due if due > 0 else AGAIN_SECONDS
