"""Tells the broker and webhooks what happens to processes, soon after it is committed."""

import asyncio
from collections.abc import Callable

import structlog

from perdure import clock
from perdure.broker.contract import BrokerUnavailable
from perdure.runtime import lifecycle
from perdure.runtime.context import Context
from perdure.store.contract import StoreUnavailable
from perdure.store.lifecycle import Share

log = structlog.get_logger("perdure.lifecycle")

PACE_SECONDS = 0.05
"""Between two rounds: what comes together is told for the price of one. How late it may be told otherwise."""
PAUSE_SECONDS = 1.0
"""After an outage, or a failure."""


class Relay:
    """Any number may run; each partition is told by one at a time, in order."""

    def __init__(self, context: Context, on_delivery: Callable[[], None]) -> None:
        """`on_delivery` is called when there is something for webhooks."""
        self._context = context
        self._on_delivery = on_delivery
        self._publisher = lifecycle.Publisher(context)
        self._wanted = asyncio.Event()
        self._resting: dict[Share, float] = {}
        """Until when what has failed is left alone."""
        self._broker_away_until = 0.0

    def wake(self) -> None:
        """Something is to be told."""
        self._wanted.set()

    async def run(self) -> None:
        """For ever."""
        while True:
            self._wanted.clear()
            try:
                await self.once()
                await clock.sleep(PACE_SECONDS)
            except StoreUnavailable as error:
                log.warning("lifecycle events have to wait", reason=str(error))
                await clock.sleep(PAUSE_SECONDS)
                self._wanted.set()
            except Exception:
                log.exception("lifecycle events could not be told; it goes on")
                await clock.sleep(PAUSE_SECONDS)
                self._wanted.set()
            await self._wanted.wait()

    async def once(self) -> None:
        """Tell all that is owed and that others do not tell of, in rounds: no partition waits for another's rest."""
        while sum([await self._tell(share) for share in await self._context.store.lifecycle.owed()]):
            pass

    async def _tell(self, share: Share) -> int:
        """Answers how many rows. A failure is this share's own, but for that of the broker, which is publishing's."""
        now = clock.monotonic()
        publishes = share.purpose == "publish"
        if now < self._resting.get(share, now) or (publishes and now < self._broker_away_until):
            return 0
        try:
            if publishes:
                return await self._publisher.publish(share.partition)
            if rows := await lifecycle.deliver(self._context, share.partition):
                self._on_delivery()
            return rows
        except StoreUnavailable:
            raise
        except BrokerUnavailable as error:
            log.warning("lifecycle events have to wait", reason=str(error))
            self._broker_away_until = clock.monotonic() + PAUSE_SECONDS
        except Exception:
            log.exception(
                "lifecycle events could not be told; it goes on", purpose=share.purpose, partition=share.partition
            )
            self._resting[share] = clock.monotonic() + PAUSE_SECONDS
        return 0
