"""When a part of a worker is to look at the database again."""

import asyncio
import math

from perdure import clock

SECONDS_MIN = 0.001


class Alarm:
    """Goes off at the earliest moment that anybody has named, also where it was named before `rest`."""

    def __init__(self) -> None:
        self._due = math.inf
        self._sooner = asyncio.Event()

    def expect(self, seconds: float) -> None:
        """There is something to do in that many seconds."""
        due = clock.monotonic() + seconds
        if due < self._due:
            self._due = due
            self._sooner.set()

    async def rest(self, seconds: float = math.inf) -> None:
        """Until then at most."""
        self.expect(seconds)
        while (left := self._due - clock.monotonic()) > 0:
            self._sooner.clear()
            try:
                async with asyncio.timeout(None if left == math.inf else max(left, SECONDS_MIN)):
                    await self._sooner.wait()
            except TimeoutError:
                break
        self._due = math.inf
