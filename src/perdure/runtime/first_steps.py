"""First steps of processes that somebody waits for: taken where the process is accepted and together with that, which
saves a commit, the way through the broker to a worker, and the signal back.

Only a few at a time. Under load workers are quicker, as they take many processes in one step.
"""

import asyncio

from perdure.runtime.step import Stepper
from perdure.store.records import Accepted, Start

AT_ONCE_MAX = 2


class FirstSteps:
    """One per service process."""

    def __init__(self, stepper: Stepper) -> None:
        self._stepper = stepper
        self._tasks: set[asyncio.Task[Accepted]] = set()

    @property
    def room(self) -> bool:
        """Whether one may be taken now."""
        return len(self._tasks) < AT_ONCE_MAX

    async def take(self, start: Start) -> Accepted:
        """Accept and step. It is done also where the caller is cancelled meanwhile."""
        task = asyncio.create_task(self._stepper.begin(start))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return await asyncio.shield(task)

    async def stop(self) -> None:
        if self._tasks:
            await asyncio.wait(self._tasks)
