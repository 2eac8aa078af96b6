"""Without Redis: locks and permits in unlogged tables of PostgreSQL, and a cache in each process's memory.

The facts behind the cache are in PostgreSQL too, so asking it for a cached answer would cost what the answer costs.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, TypeAlias
from uuid import UUID

import asyncpg

from perdure import clock
from perdure.coordination import queries
from perdure.coordination.memory import Memory
from perdure.coordination.outage import Outage
from perdure.coordination.permits import FULL_SECONDS, Permits
from perdure.limits import Limit

Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"

ANSWER_SECONDS_MAX: Final = 2.0
SWEEP_SECONDS: Final = 600.0

_ERRORS: Final = (
    OSError,
    TimeoutError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)


class PostgresCoordinator:
    """See `coordination.contract.Coordinator`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._memory = Memory()
        self._permits = Permits()
        self._swept_at = float("-inf")
        self._outage = Outage("PostgreSQL")

    async def start(self) -> None:
        await self._sweep()

    async def stop(self) -> None:
        """The pool is its maker's."""

    @asynccontextmanager
    async def lock(self, name: str, ttl_seconds: float) -> AsyncIterator[bool]:
        token = UUID(bytes=clock.random_bytes(16))
        mine = bool(await self._ask(queries.TAKE, name, token, ttl_seconds, otherwise=True))
        try:
            yield mine
        finally:
            if mine:
                await self._ask(queries.RELEASE, name, token, otherwise=None)

    async def remember(self, key: str, value: bytes, ttl_seconds: float) -> None:
        self._memory.remember(key, value, ttl_seconds)

    async def recall(self, key: str) -> bytes | None:
        return self._memory.recall(key)

    async def forget(self, key: str) -> None:
        self._memory.forget(key)

    async def admit(self, name: str, limit: Limit, permit: UUID, ttl_seconds: float) -> float:
        if clock.monotonic() - self._swept_at > SWEEP_SECONDS:
            await self._sweep()
        terms = (limit.rate_per_second, limit.burst, limit.concurrency)
        wait = await self._ask(queries.ADMIT, name, *terms, permit, ttl_seconds, otherwise=None)
        if wait is None:
            return self._permits.admit(name, limit, permit, ttl_seconds, clock.monotonic())
        if wait == 0:
            self._permits.note(name, limit, permit, ttl_seconds, clock.monotonic())
        return FULL_SECONDS if wait < 0 else float(wait)

    async def hold(self, permits: Sequence[tuple[str, UUID]], ttl_seconds: float) -> None:
        for name, permit in permits:
            self._permits.hold(name, permit, ttl_seconds, clock.monotonic())
        names, ids = [name for name, _ in permits], [permit for _, permit in permits]
        await self._ask(queries.HOLD, names, ids, ttl_seconds, otherwise=None)

    async def release(self, name: str, permit: UUID) -> None:
        self._permits.release(name, permit)
        await self._ask(queries.GIVE_BACK, name, permit, otherwise=None)

    async def ready(self) -> str:
        await self._ask("SELECT 1", otherwise=None)
        return self._outage.reason or "ok"

    async def _sweep(self) -> None:
        self._swept_at = clock.monotonic()
        for query in (queries.SWEEP, queries.SWEEP_PERMITS, queries.SWEEP_LIMITS):
            await self._ask(query, otherwise=None)

    async def _ask(self, query: str, *arguments: Any, otherwise: Any) -> Any:
        """PostgreSQL's answer, or `otherwise` where there is none to be had in time."""
        if self._outage.pausing:
            return otherwise
        try:
            # Both limits are needed: the first one also bounds handing the connection back.
            async with self._pool.acquire(timeout=ANSWER_SECONDS_MAX) as connection:
                answer = await connection.fetchval(query, *arguments, timeout=ANSWER_SECONDS_MAX)
        except _ERRORS as error:
            self._outage.begin(error)
            return otherwise
        self._outage.end()
        return answer
