"""First steps of processes that somebody waits for: taken where the process was accepted, which saves the way through
the broker to a worker, and the signal back.

Only a few at a time. Under load workers are quicker, as they take many processes in one step.
"""

import asyncio
from collections.abc import Sequence
from uuid import UUID

import structlog

from perdure.runtime.announce import Announcement, announce
from perdure.runtime.context import Context
from perdure.runtime.step import Stepper
from perdure.store.contract import StoreUnavailable

log = structlog.get_logger("perdure.step")

AT_ONCE_MAX = 2


class FirstSteps:
    """One per service process."""

    def __init__(self, context: Context, stepper: Stepper) -> None:
        self._context = context
        self._stepper = stepper
        self._chosen: set[UUID] = set()
        self._tasks: dict[UUID, asyncio.Task[None]] = {}

    def choose(self, process: UUID) -> bool:
        """Whether the first step of a process, which is about to be accepted, is to be taken here."""
        if len(self._chosen) >= AT_ONCE_MAX:
            return False
        self._chosen.add(process)
        return True

    def begin(self, accepted: Sequence[UUID]) -> list[UUID]:
        """Begin those that were chosen; answers the others, which are for the workers."""
        for process in accepted:
            if process in self._chosen:
                self._tasks[process] = asyncio.create_task(self._take(process))
        return [process for process in accepted if process not in self._chosen]

    async def finish(self, process: UUID) -> None:
        """Returns once the step was taken; whoever chose a process calls this in any case."""
        try:
            if process in self._tasks:
                await asyncio.shield(self._tasks[process])
        finally:
            self._chosen.discard(process)

    async def stop(self) -> None:
        if self._tasks:
            await asyncio.wait(list(self._tasks.values()))

    async def _take(self, process: UUID) -> None:
        try:
            await self._stepper.step([process])
        except StoreUnavailable as error:
            log.warning("a first step could not be taken; the sweep will", process_id=str(process), reason=str(error))
            await announce(self._context.broker, Announcement(steps=[process]))
        finally:
            del self._tasks[process]
