"""Tells the broker and webhooks what happens to processes, soon after it is committed."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from perdure import clock
from perdure.broker.contract import BrokerUnavailable
from perdure.runtime import lifecycle
from perdure.runtime.context import Context
from perdure.store.contract import StoreUnavailable
from perdure.store.lifecycle import PARTITIONS

log = structlog.get_logger("perdure.lifecycle")

SLEEP_SECONDS_MAX = 1.0
"""How late it may be told what another service process has committed."""
PAUSE_SECONDS = 1.0
"""After an outage of the broker."""

Tell = Callable[[Context, int], Awaitable[int]]


class Relay:
    """Any number may run; each partition is told by one at a time, in order."""

    def __init__(self, context: Context, on_delivery: Callable[[], None]) -> None:
        """`on_delivery` is called when there is something for webhooks."""
        self._context = context
        self._on_delivery = on_delivery
        self._wanted = asyncio.Event()

    def wake(self) -> None:
        """A step was committed."""
        self._wanted.set()

    async def run(self) -> None:
        """For ever."""
        while True:
            self._wanted.clear()
            seconds = await self.once()
            try:
                async with asyncio.timeout(clock.jittered(seconds)):
                    await self._wanted.wait()
            except TimeoutError:
                pass

    async def once(self) -> float:
        """Tell all that is owed; answers in how many seconds to come again, if nothing wakes it."""
        if await self._tell(lifecycle.deliver):
            self._on_delivery()
        await self._tell(lifecycle.publish)
        return SLEEP_SECONDS_MAX

    async def _tell(self, tell: Tell) -> int:
        """All partitions as far as others do not have them; answers how many rows."""
        count = 0
        try:
            for partition in range(PARTITIONS):
                while rows := await tell(self._context, partition):
                    count += rows
        except (StoreUnavailable, BrokerUnavailable) as error:
            log.warning("lifecycle events have to wait", reason=str(error))
            await clock.sleep(PAUSE_SECONDS)
        except Exception:
            log.exception("lifecycle events could not be told; it goes on")
            await clock.sleep(PAUSE_SECONDS)
        return count
