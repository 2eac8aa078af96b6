"""What several processes of the platform agree upon to save work. Nothing correct may depend on it.

Every operation answers, also while the server behind it is away: then a lock is granted (doing the work twice
is safe, not doing it is not), nothing is remembered, and limits count what this process does.
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol
from uuid import UUID

from perdure.limits import Limit


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

    async def admit(self, name: str, limit: Limit, permit: UUID, ttl_seconds: float) -> float:
        """0: what is limited under this name may begin. Else in how many seconds to ask again.

        A permit counts as under way until it is released, at most `ttl_seconds` unless it is held for longer. One
        that was given already is given again where the limit has a concurrency.
        """

    async def hold(self, permits: Sequence[tuple[str, UUID]], ttl_seconds: float) -> None:
        """They are still under way: keep them (``(name, permit)``) for `ttl_seconds` from now, even if forgotten."""

    async def release(self, name: str, permit: UUID) -> None:
        """It is no longer under way. Nothing happens where the permit has run out."""

    async def ready(self) -> str:
        """``ok``, or what is wrong (the platform works on without)."""
