"""What several processes of the platform agree upon to save work. Nothing correct may depend on it.

Every operation answers, also while the server behind it is away: then a lock is granted (doing the work twice
is safe, not doing it is not) and nothing is remembered.
"""

from contextlib import AbstractAsyncContextManager
from typing import Protocol


class Coordinator(Protocol):
    """All implementations keep this contract; `tests/contracts` holds them to it. No operation raises."""

    async def start(self) -> None:
        """Make ready. Does not fail where the server is away."""

    async def stop(self) -> None:
        """Let go of everything."""

    def lock(self, name: str, ttl_seconds: float) -> AbstractAsyncContextManager[bool]:
        """Whether nobody else does `name` now. Held until the block is left, at most `ttl_seconds`.

        ``async with coordinator.lock("sweep", 30) as mine: if mine: ...``
        """

    async def remember(self, key: str, value: bytes, ttl_seconds: float) -> None:
        """Keep `value` for up to `ttl_seconds`; it may be gone sooner, and other processes may not see it."""

    async def recall(self, key: str) -> bytes | None:
        """What was remembered, or None. May be out of date."""

    async def forget(self, key: str) -> None:
        """Drop the value, as far as this process can."""

    async def ready(self) -> str:
        """``ok``, or what is wrong (the platform works on without)."""
