"""Redis 6.2 or newer: locks, permits and a cache that all processes share. Its absence is felt as slowness only."""

from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar
from uuid import UUID

import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from perdure import clock
from perdure.coordination import scripts
from perdure.coordination.outage import Outage
from perdure.coordination.permits import FULL_SECONDS, Permits
from perdure.limits import Limit

PREFIX: Final = "perdure:"
ANSWER_SECONDS_MAX: Final = 1.0
CONNECTIONS_MAX: Final = 50

_ERRORS: Final = (RedisError, OSError, TimeoutError, RuntimeError)
"""`RuntimeError` is what uvloop raises where one writes to a connection that was reset; redis-py passes it on."""

T = TypeVar("T")


class RedisCoordinator:
    """See `coordination.contract.Coordinator`."""

    def __init__(self, url: str) -> None:
        self._redis = redis.asyncio.Redis.from_url(
            url,
            socket_timeout=ANSWER_SECONDS_MAX,
            socket_connect_timeout=ANSWER_SECONDS_MAX,
            max_connections=CONNECTIONS_MAX,
            retry=Retry(NoBackoff(), 0),
        )
        self._unlock = self._redis.register_script(scripts.UNLOCK)
        self._admit = self._redis.register_script(scripts.ADMIT)
        self._hold = self._redis.register_script(scripts.HOLD)
        self._permits = Permits()
        self._outage = Outage("Redis")

    async def start(self) -> None:
        await self._ask(self._redis.ping(), False)

    async def stop(self) -> None:
        await self._redis.aclose()

    @asynccontextmanager
    async def lock(self, name: str, ttl_seconds: float) -> AsyncIterator[bool]:
        key, token = f"{PREFIX}lock:{name}", clock.random_bytes(16)
        taken = self._redis.set(key, token, nx=True, px=_milliseconds(ttl_seconds))
        mine = await self._ask(taken, True) is not None
        try:
            yield mine
        finally:
            if mine:
                await self._ask(self._unlock(keys=[key], args=[token]), 0)

    async def remember(self, key: str, value: bytes, ttl_seconds: float) -> None:
        await self._ask(self._redis.set(PREFIX + key, value, px=_milliseconds(ttl_seconds)), None)

    async def recall(self, key: str) -> bytes | None:
        return await self._ask(self._redis.get(PREFIX + key), None)

    async def forget(self, key: str) -> None:
        await self._ask(self._redis.delete(PREFIX + key), 0)

    async def admit(self, name: str, limit: Limit, permit: UUID, ttl_seconds: float) -> float:
        interval = 1_000_000 / limit.rate_per_second if limit.rate_per_second else 0
        terms = [interval, limit.burst, limit.concurrency or 0, permit.bytes, _milliseconds(ttl_seconds)]
        answer = await self._ask(self._admit(keys=[_due(name), _held(name)], args=terms), None)
        if answer is None:
            return self._permits.admit(name, limit, permit, ttl_seconds, clock.monotonic())
        if answer == 0:
            self._permits.note(name, limit, permit, ttl_seconds, clock.monotonic())
        return FULL_SECONDS if answer < 0 else float(answer) / 1_000_000

    async def hold(self, permits: Sequence[tuple[str, UUID]], ttl_seconds: float) -> None:
        for name, permit in permits:
            self._permits.hold(name, permit, ttl_seconds, clock.monotonic())
        ids = [permit.bytes for _, permit in permits]
        holding = self._hold(keys=[_held(name) for name, _ in permits], args=[_milliseconds(ttl_seconds), *ids])
        await self._ask(holding, None)

    async def release(self, name: str, permit: UUID) -> None:
        self._permits.release(name, permit)
        await self._ask(self._redis.zrem(_held(name), permit.bytes), 0)

    async def ready(self) -> str:
        await self._ask(self._redis.ping(), False)
        return self._outage.reason or "ok"

    async def _ask(self, asking: Awaitable[Any], otherwise: T) -> Any | T:
        """Redis's answer, or `otherwise` where there is none to be had in time."""
        if self._outage.pausing:
            _drop(asking)
            return otherwise
        try:
            answer = await asking
        except _ERRORS as error:
            self._outage.begin(error)
            return otherwise
        self._outage.end()
        return answer


def _drop(asking: Awaitable[Any]) -> None:
    close = getattr(asking, "close", None)
    if close is not None:
        close()


def _due(name: str) -> str:
    return f"{PREFIX}limit:due:{name}"


def _held(name: str) -> str:
    return f"{PREFIX}limit:held:{name}"


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))
