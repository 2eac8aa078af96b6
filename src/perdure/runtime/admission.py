"""Whether more may be begun: a platform that is full says so, rather than take what it can't get through.

How much there is, is counted in the database from time to time, up to the bound, and seldom enough to cost little.
What this service has let in since is added. So one service keeps its bounds; several may exceed them by what the
others let in between two counts. What is under way already, such as callbacks, decisions, results of jobs and
children of processes, is always taken: it makes the platform emptier.
"""

from collections.abc import Awaitable, Callable
from typing import Final

from perdure import clock
from perdure.runtime.errors import Busy
from perdure.settings import Settings
from perdure.store.contract import Store

AGE_SECONDS_MIN: Final = 1.0
AGE_SECONDS_MAX: Final = 30.0
COST_FACTOR: Final = 100.0
"""A count holds for so many times the time that it took: counting takes at most a hundredth of a connection."""

PROCESSES_AGAIN_SECONDS: Final = 10
BACKLOG_AGAIN_SECONDS: Final = 5
"""What `Retry-After` says."""

Count = Callable[[int], Awaitable[int]]
"""How many there are, up to a bound."""


class Gauge:
    """How many there are of something of which there may be `most`."""

    def __init__(self, count: Count, most: int) -> None:
        self._count = count
        self._most = most
        self._known = 0
        self._counting = False
        self._again_at = float("-inf")
        self._full_until = float("-inf")

    async def take(self, number: int) -> bool:
        """Whether there is room for so many more, which are then taken for being there."""
        now = clock.monotonic()
        if now >= (self._full_until if self._known + number > self._most else self._again_at):
            await self._look()
        if self._known + number > self._most:
            return False
        self._known += number
        return True

    async def _look(self) -> None:
        if self._counting:  # by another, who began before: what is known will do
            return
        self._counting = True
        began, before = clock.monotonic(), self._known
        try:
            counted = await self._count(self._most + 1)
        finally:
            self._counting = False
        # Who was let in during the count may not be in it.
        self._known = counted + max(0, self._known - before)
        ended = clock.monotonic()
        seconds = min(AGE_SECONDS_MAX, max(AGE_SECONDS_MIN, COST_FACTOR * (ended - began)))
        self._again_at = ended + seconds
        self._full_until = ended + min(seconds, 2 * AGE_SECONDS_MIN)


class Admission:
    """One per service process. Raises `Busy` for what is not let in."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._processes_max = settings.processes_max
        self._backlog_max = settings.backlog_max
        self._backlog = Gauge(store.backlog, settings.backlog_max)
        self._unfinished: dict[str, Gauge] = {}

    async def processes(self, tenant: str, number: int) -> None:
        """Let a tenant begin so many processes."""
        if number > self._processes_max:
            raise Busy(f"At most {self._of_tenant()}; asked for {number} at once.", PROCESSES_AGAIN_SECONDS)
        await self.facts(number)
        gauge = self._unfinished.get(tenant)
        if gauge is None:
            gauge = self._unfinished[tenant] = Gauge(self._counting(tenant), self._processes_max)
        if not await gauge.take(number):
            raise Busy(
                f"At most {self._of_tenant()}, which it has; begin more once some have ended.", PROCESSES_AGAIN_SECONDS
            )

    async def facts(self, number: int) -> None:
        """Let so many things happen that somebody may have to be told."""
        if not await self._backlog.take(number):
            raise Busy(
                f"{self._backlog_max} facts (PERDURE_BACKLOG_MAX) wait for workers already; try again, or add workers.",
                BACKLOG_AGAIN_SECONDS,
            )

    def _counting(self, tenant: str) -> Count:
        async def count(up_to: int) -> int:
            return await self._store.unfinished(tenant, up_to)

        return count

    def _of_tenant(self) -> str:
        return f"{self._processes_max} processes of a tenant may be unfinished (PERDURE_PROCESSES_MAX)"
