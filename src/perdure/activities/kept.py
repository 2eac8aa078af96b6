"""Values that take a request to get, remembered for a while: fetched documents, access tokens."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from perdure import clock

_K = TypeVar("_K", bound=Hashable)
_V = TypeVar("_V")


class Kept(Generic[_K, _V]):
    """At most `entries_max` values, those used longest ago forgotten first.

    Of many callers who want a value that is not there, one makes it and all get it, or its failure: a service
    is asked once, however many wait. A failure is not remembered.
    """

    def __init__(self, entries_max: int) -> None:
        self._entries_max = entries_max
        self._kept: OrderedDict[_K, tuple[float, _V]] = OrderedDict()
        self._making: dict[_K, asyncio.Task[_V]] = {}

    async def get(self, key: _K, make: Callable[[], Awaitable[tuple[_V, float]]]) -> tuple[_V, bool]:
        """The value, and whether it had been kept. `make` answers a value and for how many seconds it holds."""
        until, value = self._kept.get(key, (0.0, None))
        if value is not None and until > clock.monotonic():
            self._kept.move_to_end(key)
            return value, True
        making = self._making.get(key)
        if making is None:
            making = self._making[key] = asyncio.create_task(self._make(key, make))
            making.add_done_callback(lambda task: self._made(key, task))
        return await asyncio.shield(making), False

    def last(self, key: _K) -> _V | None:
        """The value last kept, though it may have ended."""
        return self._kept.get(key, (0.0, None))[1]

    def end(self, key: _K, value: _V) -> None:
        """Let the value end now, unless it has been replaced by another."""
        if self.last(key) is value:
            self._kept[key] = (0.0, value)

    def all(self) -> list[_V]:
        """The values that have not ended."""
        return [value for until, value in self._kept.values() if until > clock.monotonic()]

    async def stop(self) -> None:
        """Stop making values and forget all."""
        making = list(self._making.values())
        for task in making:
            task.cancel()
        await asyncio.gather(*making, return_exceptions=True)
        self._kept.clear()

    async def _make(self, key: _K, make: Callable[[], Awaitable[tuple[_V, float]]]) -> _V:
        value, seconds = await make()
        self._kept[key] = (clock.monotonic() + seconds, value)
        self._kept.move_to_end(key)
        if len(self._kept) > self._entries_max:
            self._kept.popitem(last=False)
        return value

    def _made(self, key: _K, task: asyncio.Task[_V]) -> None:
        self._making.pop(key, None)
        if not task.cancelled():
            task.exception()  # nobody may be left to look at it
