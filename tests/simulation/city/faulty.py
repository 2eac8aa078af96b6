"""A store as a service process meets it: late, away at times, and the process may die at any commit."""

import asyncio
from collections.abc import Sequence
from contextlib import asynccontextmanager
from typing import Any, Protocol
from uuid import UUID

from perdure.store.contract import StoreUnavailable

from .owners import Owner

READS = frozenset({"now", "definition", "process", "ended", "activities", "history", "payloads", "with_facts"})
READS |= {"owed_steps", "owed_calls", "owed_events", "owed_look_backs", "events_to_finish", "shapes", "look_backs"}
READS |= {
    "recent_events",
    "next_timer",
    "next_job_due",
    "jobs_available",
    "human_tasks",
    "facts_left",
    "pins",
    "outlook",
    "is_owed",
}
LOCKING = frozenset({"put_off"})
"""Operations that wait for who holds their processes."""
UNORDERED = frozenset({"lease_calls", "owed_steps", "owed_calls", "owed_events", "owed_look_backs", "offer_events"})
"""Operations whose results come in no certain order."""
BEFORE, AFTER = "before", "after"


class Fates(Protocol):
    """What befalls an operation: nothing (None), or ``(before|after, dies)``."""

    def fate(self) -> tuple[str, bool] | None: ...
    async def pause(self) -> None: ...
    async def committed(self, operation: str, processes: Sequence[UUID]) -> None: ...


class Shared:
    """What all service processes have in common: the store itself, and who holds which process."""

    def __init__(self, inner: Any, fates: Fates) -> None:
        self.inner = inner
        self.fates = fates
        self.held: set[UUID] = set()

    async def free(self, processes: Sequence[UUID]) -> None:
        """Once nobody holds any of them."""
        while self.held & set(processes):
            await asyncio.sleep(0.001)


class FaultyStore:
    """One service process's view."""

    def __init__(self, shared: Shared, owner: Owner) -> None:
        self._shared = shared
        self._owner = owner
        self.liveness = FaultyPart(shared.inner.liveness, owner)
        self.lifecycle = Idle()
        self.schedules = Idle()

    def __getattr__(self, name: str) -> Any:
        operation = getattr(self._shared.inner, name)

        async def faulty(*arguments: Any, **named: Any) -> Any:
            fate = await self._reach(mutates=name not in READS)
            if name in LOCKING:
                await self._shared.free(arguments[0])
            await self._meet(fate, BEFORE)
            result = await operation(*arguments, **named)
            if name not in READS:
                await self._shared.fates.committed(name, ())
            await self._meet(fate, AFTER)
            return sorted(result, key=_order) if name in UNORDERED else result

        return faulty

    @asynccontextmanager
    async def take(self, processes: Sequence[UUID], *, facts_max: int, wait: bool = False) -> Any:
        fate = await self._reach(mutates=True)
        if wait:
            await self._shared.free(processes)
        mine = sorted(set(processes) - self._shared.held)
        self._shared.held |= set(mine)
        try:
            async with self._shared.inner.take(mine, facts_max=facts_max) as taken:
                await self._shared.fates.pause()  # while others go on
                yield None if taken is None else FaultyTaken(taken, self._meet, fate)
            await self._shared.fates.committed("take", mine)
            await self._meet(fate, AFTER)
        finally:
            self._shared.held -= set(mine)

    @asynccontextmanager
    async def accept(self, start: Any) -> Any:
        fate = await self._reach(mutates=True)
        await self._meet(fate, BEFORE)
        self._shared.held.add(start.process.id)
        try:
            async with self._shared.inner.accept(start) as (accepted, taken):
                yield accepted, taken
            await self._shared.fates.committed("accept", [] if taken is None else [start.process.id])
            await self._meet(fate, AFTER)
        finally:
            self._shared.held.discard(start.process.id)

    async def _reach(self, *, mutates: bool) -> tuple[str, bool] | None:
        self._owner.check()
        await self._shared.fates.pause()
        self._owner.check()
        return self._shared.fates.fate() if mutates else None

    async def _meet(self, fate: tuple[str, bool] | None, when: str) -> None:
        if fate is None or fate[0] != when:
            return
        if not fate[1]:
            raise StoreUnavailable(f"cut off {when} the commit")
        self._owner.kill()
        await asyncio.get_running_loop().create_future()


class FaultyTaken:
    """Processes under lock; who dies before the commit has written nothing."""

    def __init__(self, inner: Any, meet: Any, fate: tuple[str, bool] | None) -> None:
        self._inner = inner
        self._meet = meet
        self._fate = fate

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def save(self, *arguments: Any, **named: Any) -> Any:
        await self._meet(self._fate, BEFORE)
        return await self._inner.save(*arguments, **named)


class FaultyPart:
    """A part of the store that is only read."""

    def __init__(self, inner: Any, owner: Owner) -> None:
        self._inner = inner
        self._owner = owner

    def __getattr__(self, name: str) -> Any:
        self._owner.check()
        return getattr(self._inner, name)


class Idle:
    """Schedules and lifecycle events, of which there are none here."""

    schedules = ()
    now = None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("take"):
            return self._take

        async def nothing(*_: Any, **__: Any) -> Any:
            return None if name.startswith("next") else []

        return nothing

    @asynccontextmanager
    async def _take(self, *_: Any) -> Any:
        yield self

    async def save(self, *_: Any, **__: Any) -> dict[Any, Any]:
        return {}


def _order(item: Any) -> Any:
    return getattr(item, "activity", item)
