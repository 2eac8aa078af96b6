"""Doing together what is asked for at the same time, as one transaction costs little more than a single write in it.

Nobody waits for a group to fill: while one is under way, whoever comes gathers for the next.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from perdure.store.contract import StoreUnavailable

T = TypeVar("T")
R = TypeVar("R")

ITEMS_MAX = 500
GROUPS_MAX = 2
"""Under way at a time: one waits for the database while the other is prepared."""


class Group(Generic[T, R]):
    """`work` answers for each of the items, in order. Where it fails, those to blame are found by halves, so that they
    can't spoil the others; not where the store is away.
    """

    def __init__(
        self,
        work: Callable[[Sequence[T]], Awaitable[Sequence[R]]],
        size: Callable[[T], int] = lambda _: 1,
        size_max: int = ITEMS_MAX,
    ) -> None:
        """Items that have more than `size_max` together do not come together."""
        self._work = work
        self._size = size
        self._size_max = size_max
        self._waiting: deque[tuple[T, asyncio.Future[R]]] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._running = 0
        """How many of the tasks will look again for who waits."""

    async def add(self, item: T) -> R:
        """What the work answers for this item, or raises. It is done also where the caller is cancelled meanwhile."""
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._running < GROUPS_MAX:
            self._running += 1
            task = asyncio.create_task(self._run())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return await future

    async def stop(self) -> None:
        """Returns once nothing is under way."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def _run(self) -> None:
        try:
            while self._waiting:
                await self._do(self._gathered())
        finally:
            self._running -= 1

    def _gathered(self) -> list[tuple[T, "asyncio.Future[R]"]]:
        lot = [self._waiting.popleft()]
        left = self._size_max - self._size(lot[0][0])
        while self._waiting and (left := left - self._size(self._waiting[0][0])) >= 0:
            lot.append(self._waiting.popleft())
        return lot

    async def _do(self, lot: list[tuple[T, "asyncio.Future[R]"]]) -> None:
        try:
            results = await self._work([item for item, _ in lot])
        except Exception as error:
            if len(lot) > 1 and not isinstance(error, StoreUnavailable):
                middle = len(lot) // 2
                await self._do(lot[:middle])
                await self._do(lot[middle:])
                return
            for _, future in lot:
                if not future.done():
                    future.set_exception(error)
            return
        for (_, future), result in zip(lot, results, strict=True):
            if not future.done():
                future.set_result(result)
