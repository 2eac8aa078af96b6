"""Waiting for processes to end: woken by signals, and by one query for all who wait in this service process."""

import asyncio
from collections import Counter
from uuid import UUID

import structlog

from perdure import clock
from perdure.broker.contract import Broker, Consumer
from perdure.runtime.announce import ENDED, ended_process
from perdure.store.contract import Store, StoreUnavailable

log = structlog.get_logger("perdure.watch")

INTERVAL_SECONDS_MIN = 0.02
"""Between two looks, as long as signals ask for them or somebody has just begun to wait."""
INTERVAL_SECONDS_MAX = 0.25
"""How late an end is noticed whose signal was lost."""
BACKOFF = 1.5


class Watch:
    """Listens, and asks the store, only while somebody waits."""

    def __init__(self, store: Store, broker: Broker) -> None:
        self._store = store
        self._broker = broker
        self._waiting: Counter[UUID] = Counter()
        self._ended: dict[UUID, asyncio.Event] = {}
        self._listener: Consumer | None = None
        self._poller: asyncio.Task[None] | None = None
        self._hurry = asyncio.Event()

    async def ended(self, process: UUID, seconds: float) -> bool:
        """Whether the process has ended within that time."""
        event = self._ended.setdefault(process, asyncio.Event())
        self._waiting[process] += 1
        await self._begin()
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
        if self._listener is not None:
            await self._listener.stop(0)
        if self._poller is not None:
            self._poller.cancel()
            await asyncio.gather(self._poller, return_exceptions=True)

    async def _begin(self) -> None:
        self._hurry.set()
        if self._poller is None or self._poller.done():
            self._poller = asyncio.create_task(self._poll())
        if self._listener is None:
            self._listener = self._broker.listen(self._heard)
            await self._listener.start()

    def _heard(self, topic: str) -> None:
        if topic == ENDED:
            self._hurry.set()
        elif (process := ended_process(topic)) in self._ended:
            assert process is not None
            self._ended[process].set()

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
            await clock.sleep(INTERVAL_SECONDS_MIN)
            if not self._hurry.is_set() and interval > INTERVAL_SECONDS_MIN:
                await self._rest(interval - INTERVAL_SECONDS_MIN)
            interval = min(interval * BACKOFF, INTERVAL_SECONDS_MAX)

    async def _rest(self, seconds: float) -> None:
        """Until somebody hurries, at most so long."""
        try:
            async with asyncio.timeout(seconds):
                await self._hurry.wait()
        except TimeoutError:
            pass
