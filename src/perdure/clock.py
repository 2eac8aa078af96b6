"""The one place where time, identity and chance enter the program.

Everything else takes them as arguments, so that tests and the simulator decide them.
"""

import asyncio
import os
import random
import secrets
import time
from datetime import UTC, datetime
from uuid import UUID


def now() -> datetime:
    """The current time, in UTC with microseconds."""
    return datetime.now(UTC)


def monotonic() -> float:
    """Seconds on a clock that never goes back; its zero means nothing."""
    return time.monotonic()


async def sleep(seconds: float) -> None:
    """Let other tasks run for at least `seconds`."""
    await asyncio.sleep(seconds)


def block(seconds: float) -> None:
    """Let this thread rest for at least `seconds`."""
    time.sleep(seconds)


def uuid7() -> UUID:
    """A new time-ordered id (UUIDv7, RFC 9562 section 5.7)."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds & 0xFFFF_FFFF_FFFF) << 80 | int.from_bytes(os.urandom(10))
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return UUID(int=value)


def random_bytes(count: int) -> bytes:
    """`count` unguessable bytes."""
    return secrets.token_bytes(count)


def jittered(seconds: float, spread: float = 0.2) -> float:
    """`seconds` more or less up to `spread` of it, so that many waiters do not wake together."""
    return seconds * (1 + random.uniform(-spread, spread))
