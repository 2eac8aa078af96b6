"""Lets calls go to a host as often, and as many at once, as the operator allows (``PERDURE_CALL_LIMITS``), and of a
tenant as many at once (``PERDURE_TENANT_CALLS_MAX``).

Who may go is agreed upon by all workers. Within a worker calls wait in line, one line for each host: only the first
asks. A call that waits has no place in its worker, so that calls to other hosts go on; see `contract.Place`.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from uuid import UUID

import structlog

from perdure import clock, telemetry
from perdure.activities.contract import PLACE, Permits
from perdure.activities.deadlines import paused
from perdure.limits import CallLimits, Limit

log = structlog.get_logger("perdure.calls")


class _Line:
    """Those who wait for one host."""

    def __init__(self) -> None:
        self.turn = asyncio.Lock()
        self.ended = asyncio.Event()
        """Set when a call of this worker to the host has ended, so that the first in line need not wait longer."""


class Limiter:
    """One per worker. Without `permits` nothing is limited."""

    def __init__(
        self, limits: CallLimits, permits: Permits | None, ttl_seconds: float, tenant_calls_max: int | None = None
    ) -> None:
        self._limits = limits
        self._of_tenant = None if tenant_calls_max is None else Limit(concurrency=tenant_calls_max)
        self._permits = permits
        self._ttl_seconds = ttl_seconds
        self._lines: dict[str, _Line] = {}
        self._users: Counter[str] = Counter()
        self._held: dict[UUID, str] = {}
        self._holding: asyncio.Task[None] | None = None

    async def start(self) -> None:
        if self._permits is not None and (self._limits or self._of_tenant):
            self._holding = asyncio.create_task(self._hold(self._permits))

    async def stop(self) -> None:
        if self._holding is not None:
            self._holding.cancel()
            await asyncio.gather(self._holding, return_exceptions=True)

    @contextlib.asynccontextmanager
    async def permit(self, host: str, port: int) -> AsyncIterator[None]:
        """Waits until a request may go to the host, and lasts as long as it does.

        Raises `contract.Postponed` where too many wait already.
        """
        found = None if self._permits is None else self._limits.of(host, port)
        if self._permits is None or found is None:
            _begin()
            yield
            return
        async with self._permitted(self._permits, *found):
            _begin()
            yield

    @contextlib.asynccontextmanager
    async def permit_tenant(self, tenant: str) -> AsyncIterator[None]:
        """Waits until a call of the tenant may begin, and lasts as long as it does.

        Raises `contract.Postponed` where too many wait already.
        """
        if self._permits is None or self._of_tenant is None:
            yield
            return
        async with self._permitted(self._permits, f"tenant {tenant}", self._of_tenant):
            yield

    @contextlib.asynccontextmanager
    async def _permitted(self, permits: Permits, name: str, limit: Limit) -> AsyncIterator[None]:
        permit = clock.uuid7()
        with self._line(name) as line:
            try:
                with paused():
                    await self._admitted(line, permits, name, limit, permit)
                yield
            finally:
                if self._held.pop(permit, None) is not None:
                    await permits.release(name, permit)
                    line.ended.set()

    @contextlib.contextmanager
    def _line(self, name: str) -> Iterator[_Line]:
        """The line of a host, which is there as long as somebody is in it or goes by it."""
        line = self._lines.setdefault(name, _Line())
        self._users[name] += 1
        try:
            yield line
        finally:
            self._users[name] -= 1
            if not self._users[name]:
                del self._users[name], self._lines[name]

    async def _admitted(self, line: _Line, permits: Permits, name: str, limit: Limit, permit: UUID) -> None:
        """Returns when the permit is given and the call has its place in the worker."""
        if not line.turn.locked():
            async with line.turn:
                if await self._ask(permits, name, limit, permit) == 0:
                    return
        place = PLACE.get()
        if place is not None:
            place.leave()
        with telemetry.call_waiting():
            async with line.turn:
                line.ended.clear()
                while (seconds := await self._ask(permits, name, limit, permit)) > 0:
                    await _ended(line, seconds)
                    line.ended.clear()
            if place is not None:
                await place.enter()

    async def _ask(self, permits: Permits, name: str, limit: Limit, permit: UUID) -> float:
        try:
            seconds = await permits.admit(name, limit, permit, self._ttl_seconds)
        except asyncio.CancelledError:
            await permits.release(name, permit)  # it may have been given all the same
            raise
        if seconds == 0 and limit.concurrency is not None:
            self._held[permit] = name
        return seconds

    async def _hold(self, permits: Permits) -> None:
        """Keep the permits of calls under way from running out, which they do where this worker has died."""
        while True:
            await clock.sleep(self._ttl_seconds / 3)
            held = dict(self._held)
            if not held:
                continue
            try:
                await permits.hold([(name, permit) for permit, name in held.items()], self._ttl_seconds)
                for permit in held.keys() - self._held.keys():  # ended meanwhile, and perhaps put back
                    await permits.release(held[permit], permit)
            except Exception:
                log.exception("permits of calls could not be held; it goes on")


def _begin() -> None:
    place = PLACE.get()
    if place is not None:
        place.begun = True


async def _ended(line: _Line, seconds: float) -> None:
    """Waits until a call has ended, at most so long."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await line.ended.wait()
