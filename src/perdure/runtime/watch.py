"""Waiting for processes to end: one query for all who wait in this service process."""

import asyncio
from collections import Counter
from uuid import UUID

import structlog

from perdure import clock
from perdure.store.contract import Store, StoreUnavailable

log = structlog.get_logger("perdure.watch")

INTERVAL_SECONDS_MIN = 0.005
INTERVAL_SECONDS_MAX = 0.25
BACKOFF = 1.3


class Watch:
    """Asks the store often at first and then more and more seldom, and not at all while nobody waits."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: Counter[UUID] = Counter()
        self._ended: dict[UUID, asyncio.Event] = {}
        self._poller: asyncio.Task[None] | None = None
        self._hurry = asyncio.Event()

    async def ended(self, process: UUID, seconds: float) -> bool:
        """Whether the process has ended within that time."""
        event = self._ended.setdefault(process, asyncio.Event())
        self._waiting[process] += 1
        self._hurry.set()
        if self._poller is None or self._poller.done():
            self._poller = asyncio.create_task(self._poll())
        try:
            async with asyncio.timeout(seconds):
                await event.wait()
        except TimeoutError:
            return False
        finally:
            self._waiting[process] -= 1
            if not self._waiting[process]:
                del self._waiting[process], self._ended[process]
        return True

    async def stop(self) -> None:
        if self._poller is not None:
            self._poller.cancel()
            await asyncio.gather(self._poller, return_exceptions=True)

    async def _poll(self) -> None:
        interval = INTERVAL_SECONDS_MIN
        while self._waiting:
            if self._hurry.is_set():
                self._hurry.clear()
                interval = INTERVAL_SECONDS_MIN
            try:
                for process in await self._store.ended(list(self._waiting)):
                    if process in self._ended:
                        self._ended[process].set()
            except StoreUnavailable as error:
                log.warning("waiting for processes is interrupted", reason=str(error))
                interval = INTERVAL_SECONDS_MAX
            await clock.sleep(interval)
            interval = min(interval * BACKOFF, INTERVAL_SECONDS_MAX)
