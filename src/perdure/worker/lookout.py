"""Looks every second for what the parts of a worker have to do and have not heard of: what another worker has left
that died, or a service that does no such work. One look does for all of them, so that an idle platform costs next to
nothing.
"""

import structlog

from perdure import clock
from perdure.runtime.announce import LOOK_SECONDS
from perdure.runtime.context import Context
from perdure.store.contract import StoreUnavailable
from perdure.worker.jobs import JobLeases
from perdure.worker.lifecycle import Relay
from perdure.worker.schedules import Scheduler
from perdure.worker.timers import Timers
from perdure.worker.webhooks import Webhooks

log = structlog.get_logger("perdure.worker")


class Lookout:
    """Tells the others of what comes; they do it."""

    def __init__(
        self,
        context: Context,
        timers: Timers,
        job_leases: JobLeases,
        scheduler: Scheduler,
        webhooks: Webhooks,
        relay: Relay,
    ) -> None:
        self._store = context.store
        self._timers = timers
        self._job_leases = job_leases
        self._scheduler = scheduler
        self._webhooks = webhooks
        self._relay = relay

    async def run(self) -> None:
        """For ever."""
        while True:
            try:
                await self.once()
            except StoreUnavailable as error:
                log.warning("nobody looks for what there is to do", reason=str(error))
            except Exception:
                log.exception("looking for what there is to do failed; it goes on")
            await clock.sleep(clock.jittered(LOOK_SECONDS, 0.1))

    async def once(self) -> None:
        outlook = await self._store.outlook()
        if outlook.timer is not None:
            self._timers.expect(outlook.timer)
        if outlook.job is not None:
            self._job_leases.expect(outlook.job)
        if outlook.schedule is not None:
            self._scheduler.expect(outlook.schedule)
        if outlook.delivery is not None:
            self._webhooks.expect(outlook.delivery)
        if outlook.telling:
            self._relay.wake()
