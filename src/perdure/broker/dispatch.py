"""What every consumer does alike: gather messages into batches, call the handler, settle what comes of it."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, Protocol, TypeVar

import structlog

from perdure.broker.contract import DELIVERIES_MAX

_log = structlog.get_logger(__name__)

_CANCEL_SECONDS: Final = 1.0
"""How long a cancelled handler may take to notice."""


class Delivery(Protocol):
    """A message in hand: what it carries, and which delivery of it this is, from 1."""

    @property
    def items(self) -> list[Any]: ...
    @property
    def attempt(self) -> int: ...


@dataclass(frozen=True)
class Redelivery:
    """How long a message that failed rests, and how often it is delivered at most."""

    deliveries_max: int = DELIVERIES_MAX
    pause_seconds: float = 0.2
    pause_seconds_max: float = 15.0

    def pause(self, attempt: int) -> float:
        """Seconds until the message comes again after its `attempt`-th delivery failed."""
        return min(self.pause_seconds * 2.0 ** min(attempt - 1, 30), self.pause_seconds_max)


DeliveryT = TypeVar("DeliveryT", bound=Delivery)


class Dispatcher(Generic[DeliveryT]):
    """Runs a handler over deliveries, at most `concurrency` at a time.

    Each delivery ends up exactly once in `done`, in `failed`, or in what `stop` returns.
    """

    def __init__(
        self,
        queue: str,
        handler: Callable[[list[Any]], Awaitable[None]],
        *,
        batch_max: int,
        concurrency: int,
        done: Callable[[Sequence[DeliveryT]], Awaitable[None]],
        failed: Callable[[Sequence[DeliveryT]], Awaitable[None]],
    ) -> None:
        self._queue = queue
        self._handler = handler
        self._batch_max = batch_max
        self._concurrency = concurrency
        self._done = done
        self._failed = failed
        self._waiting: deque[DeliveryT] = deque()
        self._running: set[asyncio.Task[None]] = set()
        self._given_up: list[DeliveryT] = []
        self._scheduled = False
        self._stopping = False

    def offer(self, deliveries: Iterable[DeliveryT]) -> None:
        """Take these on. The caller bounds how many are offered and not yet settled."""
        self._waiting.extend(deliveries)
        if not self._scheduled:  # later in this turn of the loop, so that what arrives together runs together
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._run_more)

    async def stop(self, timeout: float) -> list[DeliveryT]:
        """Begin nothing, and end what runs, by force after `timeout` seconds. Returns what was not handled."""
        self._stopping = True
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=max(timeout, 0.0))
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late, timeout=_CANCEL_SECONDS)
        left = [*self._given_up, *self._waiting]
        self._waiting.clear()
        return left

    def forget(self) -> None:
        """Drop what no handler has begun with: it will come again."""
        self._waiting.clear()

    def _run_more(self) -> None:
        self._scheduled = False
        while self._waiting and len(self._running) < self._concurrency and not self._stopping:
            task = asyncio.create_task(self._handle(self._take()))
            self._running.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("settling messages failed", queue=self._queue, exc_info=error)
        self._run_more()

    def _take(self) -> list[DeliveryT]:
        """The next batch: a message that failed before for itself, others together while they fit."""
        first = self._waiting.popleft()
        batch = [first]
        if first.attempt > 1:
            return batch
        size = len(first.items)
        while self._waiting:
            following = self._waiting[0]
            size += len(following.items)
            if size > self._batch_max or following.attempt > 1:
                break
            batch.append(self._waiting.popleft())
        return batch

    async def _handle(self, batch: list[DeliveryT]) -> None:
        try:
            await self._call(batch)
        except asyncio.CancelledError:
            self._given_up += batch
            raise
        except Exception as error:
            _log.warning(
                "handling messages failed, they will come again",
                queue=self._queue,
                messages=len(batch),
                attempt=batch[0].attempt,
                exc_info=error,
            )
            await self._failed(batch)
        else:
            await self._done(batch)

    async def _call(self, batch: list[DeliveryT]) -> None:
        if len(batch) == 1 and len(batch[0].items) == 1:
            await self._handler(batch[0].items)
            return
        items = list(dict.fromkeys(item for delivery in batch for item in delivery.items))
        failure: Exception | None = None
        for piece in _pieces(items, batch[0].attempt):
            try:
                await self._handler(piece)
            except Exception as error:
                failure = error
        if failure is not None:
            raise failure


def _pieces(items: list[Any], attempt: int) -> list[list[Any]]:
    """All at once at first, then finer, so that one bad item does not hold up its neighbours for long."""
    size = max(1, len(items) >> 2 * (attempt - 1))
    return [items[start : start + size] for start in range(0, len(items), size)]
