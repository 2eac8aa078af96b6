"""Redis 6.2 or newer: locks and a cache that all processes share. Its absence is felt as slowness only."""

from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar

import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from perdure import clock
from perdure.coordination.outage import Outage

PREFIX: Final = "perdure:"
ANSWER_SECONDS_MAX: Final = 1.0
CONNECTIONS_MAX: Final = 50

_ERRORS: Final = (RedisError, OSError, TimeoutError)

_RELEASE: Final = """
if redis.call("GET", KEYS[1]) == ARGV[1] then return redis.call("DEL", KEYS[1]) end
return 0
"""
"""Delete the lock only while it is ours: it may have run out and be another's."""

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
        self._release = self._redis.register_script(_RELEASE)
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
                await self._ask(self._release(keys=[key], args=[token]), 0)

    async def remember(self, key: str, value: bytes, ttl_seconds: float) -> None:
        await self._ask(self._redis.set(PREFIX + key, value, px=_milliseconds(ttl_seconds)), None)

    async def recall(self, key: str) -> bytes | None:
        return await self._ask(self._redis.get(PREFIX + key), None)

    async def forget(self, key: str) -> None:
        await self._ask(self._redis.delete(PREFIX + key), 0)

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


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))
