"""Offers jobs again whose lease has ended without a word, and those whose pause is over."""

import math

import structlog

from perdure.runtime import jobs
from perdure.runtime.context import Context
from perdure.runtime.step import Stepper
from perdure.store.contract import StoreUnavailable
from perdure.worker.alarm import Alarm

log = structlog.get_logger("perdure.jobs")

AGAIN_SECONDS = 1.0
"""After a failure."""
SECONDS_MIN = 0.01
"""While others hold what is due."""


class JobLeases:
    """Any number of workers may run one; a job is returned by one of them."""

    def __init__(self, context: Context, stepper: Stepper) -> None:
        self._context = context
        self._stepper = stepper
        self._alarm = Alarm()

    def expect(self, seconds: float) -> None:
        """A lease or a pause ends in that many seconds."""
        self._alarm.expect(seconds)

    async def run(self) -> None:
        """For ever."""
        while True:
            try:
                seconds = await self.once()
            except StoreUnavailable as error:
                log.warning("jobs can't be returned now", reason=str(error))
                seconds = AGAIN_SECONDS
            except Exception:
                log.exception("returning jobs failed; it goes on")
                seconds = AGAIN_SECONDS
            await self._alarm.rest(seconds)

    async def once(self) -> float:
        """Return what is due; answers in how many seconds to come again."""
        due = await self._context.store.next_job_due()
        if due is None:
            return math.inf
        if due > 0:
            return due
        await self._stepper.step(await jobs.return_due(self._context))
        return SECONDS_MIN
