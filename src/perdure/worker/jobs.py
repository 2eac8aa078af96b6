"""Offers jobs again whose lease has ended without a word, and those whose pause is over."""

import structlog

from perdure import clock
from perdure.runtime import jobs
from perdure.runtime.context import Context
from perdure.runtime.step import Stepper
from perdure.store.contract import StoreUnavailable

log = structlog.get_logger("perdure.jobs")

SLEEP_SECONDS_MAX = 1.0
"""Also how late a lease's end is noticed that was given elsewhere meanwhile."""
SLEEP_SECONDS_MIN = 0.01


class JobLeases:
    """Any number of workers may run one; a job is returned by one of them."""

    def __init__(self, context: Context, stepper: Stepper) -> None:
        self._context = context
        self._stepper = stepper

    async def run(self) -> None:
        """For ever."""
        while True:
            try:
                seconds = await self.once()
            except StoreUnavailable as error:
                log.warning("jobs can't be returned now", reason=str(error))
                seconds = SLEEP_SECONDS_MAX
            except Exception:
                log.exception("returning jobs failed; it goes on")
                seconds = SLEEP_SECONDS_MAX
            await clock.sleep(min(max(seconds, SLEEP_SECONDS_MIN), SLEEP_SECONDS_MAX))

    async def once(self) -> float:
        """Return what is due; answers in how many seconds to come again."""
        due = await self._context.store.next_job_due()
        if due is None:
            return SLEEP_SECONDS_MAX
        if due > 0:
            return due
        await self._stepper.step(await jobs.return_due(self._context))
        return 0.0
