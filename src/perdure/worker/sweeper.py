"""Finds what is owed and was not done: wake-ups that were lost, leases whose holder died, work left by a restart.

It does the work itself instead of sending new wake-ups, so that it also serves while the broker is away. Then
nothing else wakes processes, so it looks often, in every worker, and for all that is owed; and once more when the
broker is back, which may have lost what it held.
"""

from collections.abc import Awaitable
from uuid import UUID

import structlog

from perdure import clock
from perdure.definition import durations
from perdure.engine.draft import PERDURE
from perdure.runtime import doctor, events
from perdure.runtime.context import Context
from perdure.runtime.step import Stepper
from perdure.store.contract import StoreUnavailable
from perdure.worker.performer import Calls

log = structlog.get_logger("perdure.sweep")

BATCH_MAX = 200
ROUNDS_MAX = 50
"""Full batches handled in a row before a pause."""
AWAY_SECONDS = 0.25
"""How often to look whether the broker is away, and to sweep while it is."""
CHECKUP_SECONDS = 10.0
CHECKUP_PROCESSES_MAX = 500
"""How many processes are looked at in one round for whether anything will wake them, and how often."""
PURGE_SECONDS = 600.0
PURGE_BATCH_MAX = 100
"""How many processes are forgotten in one transaction; a single one may have many rows."""
EVENT_SECONDS = 24 * 3600.0
"""How long an event is remembered, so that a repeat changes nothing."""


class Sweeper:
    """One round finds what has been owed for longer than the sweep interval."""

    def __init__(self, context: Context, stepper: Stepper, calls: Calls) -> None:
        self._context = context
        self._stepper = stepper
        self._calls = calls
        self._purged_at = clock.monotonic()
        self._checked_at = clock.monotonic()
        self._checked: UUID | None = None
        """Where the next round of the check-up begins."""

    async def run(self) -> None:
        """For ever."""
        interval = self._context.settings.sweep_seconds
        due, lost = clock.monotonic() + clock.jittered(interval), False
        while True:
            await clock.sleep(clock.jittered(min(AWAY_SECONDS, interval)))
            away = await self._context.broker.ready() != "ok"
            if (away or lost) and await self._succeeds(self._sweep(0.0)):
                lost = away
            if clock.monotonic() > due:
                await self._succeeds(self._sweep_in_turn(interval))
                due = clock.monotonic() + clock.jittered(interval)

    async def once(self, older_than_seconds: float) -> int:
        """One round; answers how much of the most frequent kind it did."""
        store = self._context.store
        steps = await store.owed_steps(older_than_seconds, BATCH_MAX)
        await self._stepper.step(steps)
        # No more calls than can begin at once: waiting for others to end would keep everything else waiting.
        calls = await store.owed_calls(older_than_seconds, min(BATCH_MAX, self._calls.room))
        await self._calls.take(calls)
        owed_events = await store.owed_events(older_than_seconds, BATCH_MAX)
        finished = await events.finish(self._context, owed_events)
        look_backs = await store.owed_look_backs(older_than_seconds, BATCH_MAX)
        if look_backs:
            await events.look_back(self._context, look_backs)
        return max(len(steps), len(calls), finished, len(look_backs))

    async def purge(self) -> None:
        """Forget processes that ended longer ago than the retention, and events of yesterday."""
        retention = retention_seconds(self._context.settings.retention)
        forgotten = PURGE_BATCH_MAX
        while forgotten == PURGE_BATCH_MAX:
            forgotten = await self._context.store.purge(retention, EVENT_SECONDS, PURGE_BATCH_MAX)
        await self._context.store.schedules.purge(retention)

    async def check_up(self) -> None:
        """Look at the next processes for whether anything will wake them; repair what is provably safe."""
        examined = await doctor.examine(
            self._context, PERDURE, None, after=self._checked, limit=CHECKUP_PROCESSES_MAX, repair=True
        )
        self._checked = examined.next

    async def _sweep_in_turn(self, interval: float) -> None:
        """Sweep, check up and purge, unless another worker does so now, or nothing of it is to be done."""
        if not self._is_time_for_more and not await self._context.store.is_owed(interval):
            return
        async with self._context.coordinator.lock("sweep", interval * 10) as mine:
            if not mine:
                return
            await self._sweep(interval)
            if clock.monotonic() - self._checked_at > CHECKUP_SECONDS:
                self._checked_at = clock.monotonic()
                await self.check_up()
            if clock.monotonic() - self._purged_at > PURGE_SECONDS:
                self._purged_at = clock.monotonic()
                await self.purge()

    @property
    def _is_time_for_more(self) -> bool:
        now = clock.monotonic()
        return now - self._checked_at > CHECKUP_SECONDS or now - self._purged_at > PURGE_SECONDS

    async def _sweep(self, older_than_seconds: float) -> None:
        for _ in range(ROUNDS_MAX):
            if await self.once(older_than_seconds) < BATCH_MAX:
                break

    async def _succeeds(self, work: Awaitable[None]) -> bool:
        """Whether it was done to its end. What went wrong is said; the next turn comes."""
        try:
            await work
        except StoreUnavailable as error:
            log.warning("the sweep is interrupted", reason=str(error))
            await clock.sleep(AWAY_SECONDS)
        except Exception:
            log.exception("the sweep failed; it goes on")
        else:
            return True
        return False


def retention_seconds(text: str) -> float:
    """Seconds of an ISO 8601 duration; a month counts 30.44 days. Raises `ValueError`."""
    return durations.seconds_of(durations.parse(text))
