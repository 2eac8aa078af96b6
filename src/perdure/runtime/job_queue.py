"""Workers that wait for jobs: woken by signals, a few at a time, and by a look at the database once a second.

However many wait for a type, a new job makes one of them ask the database for it. Who finds some wakes two more,
so that many jobs are soon taken by many; who finds none wakes nobody.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

import structlog

from perdure import clock
from perdure.broker.contract import Broker, Consumer
from perdure.runtime.announce import job_topic
from perdure.store.contract import Store, StoreUnavailable

log = structlog.get_logger("perdure.jobs")

LOOK_SECONDS = 1.0
"""How late a job is noticed whose signal was lost."""
WOKEN_BY_SUCCESS = 2

T = TypeVar("T")
Take: TypeAlias = Callable[[], Coroutine[Any, Any, list[T]]]
GiveBack: TypeAlias = Callable[[list[T]], Awaitable[None]]
Kind: TypeAlias = tuple[str, str]
"""Tenant and type."""


@dataclass(eq=False, slots=True)
class _Type:
    """Who waits for jobs of one type. `news` counts signals; `idle` are those who are not asking just now."""

    kind: Kind
    waiting: int = 0
    news: int = 0
    idle: deque[asyncio.Event] = field(default_factory=deque)

    def wake(self, count: int) -> None:
        while self.idle and count:
            self.idle.popleft().set()
            count -= 1

    def heard(self) -> None:
        self.news += 1
        self.wake(1)


class JobQueue:
    """One per service process. It listens and looks only while somebody waits."""

    def __init__(self, store: Store, broker: Broker) -> None:
        self._store = store
        self._broker = broker
        self._types: dict[str, _Type] = {}
        self._listener: Consumer | None = None
        self._looker: asyncio.Task[None] | None = None

    async def first(self, kind: Kind, seconds: float, take: Take[T], give_back: GiveBack[T]) -> list[T]:
        """What `take` answers as soon as that is something; empty when the time is over.

        Who is cancelled has given back what was taken meanwhile.
        """
        deadline = clock.monotonic() + seconds
        if seconds <= 0:
            return await _taken(take, give_back)
        topic = job_topic(*kind)
        type_ = self._types.setdefault(topic, _Type(kind))
        type_.waiting += 1
        try:
            await self._listen()
            while True:
                news = type_.news
                found = await _taken(take, give_back)
                if found:
                    type_.wake(WOKEN_BY_SUCCESS)
                    return found
                if news == type_.news and not await _woken(type_, deadline - clock.monotonic()):
                    return []
        finally:
            type_.waiting -= 1
            if not type_.waiting:
                del self._types[topic]

    async def stop(self) -> None:
        if self._listener is not None:
            await self._listener.stop(0)
        if self._looker is not None:
            self._looker.cancel()
            await asyncio.gather(self._looker, return_exceptions=True)

    async def _listen(self) -> None:
        if self._looker is None or self._looker.done():
            self._looker = asyncio.create_task(self._look())
        if self._listener is None:
            self._listener = self._broker.listen(self._heard)
            await self._listener.start()

    def _heard(self, topic: str) -> None:
        if topic in self._types:
            self._types[topic].heard()

    async def _look(self) -> None:
        while self._types:
            await clock.sleep(clock.jittered(LOOK_SECONDS))
            try:
                kinds = [type_.kind for type_ in self._types.values()]
                for kind in await self._store.jobs_available(kinds) if kinds else ():
                    self._heard(job_topic(*kind))
            except StoreUnavailable as error:
                log.warning("waiting for jobs is interrupted", reason=str(error))


async def _woken(type_: _Type, seconds: float) -> bool:
    """Whether somebody wakes this one within that time. Who was woken but leaves passes it on."""
    event = asyncio.Event()
    type_.idle.append(event)
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return event.is_set()
    except asyncio.CancelledError:
        if event.is_set():
            type_.wake(1)
        raise
    finally:
        if not event.is_set():
            type_.idle.remove(event)
    return True


async def _taken(take: Take[T], give_back: GiveBack[T]) -> list[T]:
    """What `take` answers. It is never cut off in the middle, so that nothing is taken by nobody."""
    taking = asyncio.ensure_future(take())
    try:
        return await asyncio.shield(taking)
    except asyncio.CancelledError:
        found = await taking
        if found:
            await give_back(found)
        raise
