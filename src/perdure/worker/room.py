"""The room for calls in a worker: so many at once, and so many more that only wait for a host with a limit."""

import asyncio

from perdure.activities.contract import Postponed


class Room:
    """`places` calls may be under way, `waiting_max` others wait."""

    def __init__(self, places: int, waiting_max: int) -> None:
        self._free = asyncio.Semaphore(places)
        self._waiting_max = waiting_max
        self.taken = 0
        self.waiting = 0

    async def take(self, most: int) -> "list[Place]":
        """Places for up to `most` calls, as many as there are, but at least one; waits for that."""
        return [await self._take(), *await self.spare(most - 1)]

    async def spare(self, most: int) -> "list[Place]":
        """The same without waiting: perhaps none."""
        places: list[Place] = []
        while len(places) < most and not self._free.locked():
            places.append(await self._take())
        return places

    async def _take(self) -> "Place":
        place = Place(self)
        await place.enter()
        return place

    async def acquire(self) -> None:
        await self._free.acquire()
        self.taken += 1

    def release(self) -> None:
        self.taken -= 1
        self._free.release()

    @property
    def crowded(self) -> bool:
        """Whether no more may wait."""
        return self.waiting >= self._waiting_max


class Place:
    """One call's part of the room. The implementation of `activities.contract.Place`."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._inside = False
        self.waits = False
        self.begun = False

    def leave(self) -> None:
        if self._room.crowded and not self.begun:
            raise Postponed
        self._room.waiting += 1
        self.waits = True
        self._go()

    async def enter(self) -> None:
        await self._room.acquire()
        self._inside = True
        self._wait_no_longer()

    def close(self) -> None:
        """The call has ended, wherever it was."""
        self._wait_no_longer()
        self._go()

    def _wait_no_longer(self) -> None:
        if self.waits:
            self.waits = False
            self._room.waiting -= 1

    def _go(self) -> None:
        if self._inside:
            self._inside = False
            self._room.release()
