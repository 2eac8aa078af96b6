"""Time, chance and identity from a seed: an event loop that jumps to whatever is next, and the product's clock on it."""

import asyncio
import random
import selectors
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch
from uuid import UUID

from perdure import clock

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
SECONDS_MAX = 3_000_000.0
"""Nothing that is planned takes so long: a process that has not ended by then is stuck."""


class TimeIsOver(Exception):
    """Nothing is left to happen, or not before the end of time."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """Where nothing is ready, it is the time at which something will be."""

    def __init__(self) -> None:
        super().__init__(_Selector(self))
        self.seconds = 0.0

    def time(self) -> float:
        return self.seconds

    def run_in_executor(self, executor: Any, work: Any, *arguments: Any) -> Any:
        """Here and now: threads would take their own time."""
        done = self.create_future()
        try:
            done.set_result(work(*arguments))
        except Exception as error:
            done.set_exception(error)
        return done


class _Selector(selectors.DefaultSelector):
    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._virtual = loop

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        if not ready and timeout is None:
            raise TimeIsOver("nothing will ever happen again")
        if not ready and timeout:
            self._virtual.seconds += timeout
            if self._virtual.seconds > SECONDS_MAX:
                raise TimeIsOver(f"{SECONDS_MAX} seconds have passed")
        return ready


@contextmanager
def virtual_clock(loop: VirtualLoop, chance: random.Random) -> Iterator[None]:
    """The product's `clock` by this loop and this chance."""

    def now() -> datetime:
        return EPOCH + timedelta(seconds=loop.seconds)

    def uuid7() -> UUID:
        milliseconds = int(now().timestamp() * 1000)
        value = (milliseconds & 0xFFFF_FFFF_FFFF) << 80 | chance.getrandbits(80)
        return UUID(int=value & ~(0xF << 76) | 0x7 << 76 & ~(0x3 << 62) | 0x2 << 62)

    def jittered(seconds: float, spread: float = 0.2) -> float:
        return seconds * (1 + chance.uniform(-spread, spread))

    with patch.multiple(
        clock,
        now=now,
        monotonic=loop.time,
        uuid7=uuid7,
        random_bytes=chance.randbytes,
        jittered=jittered,
    ):
        yield
