"""Limits on the time of a call that stand still while it only waits for its turn."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from contextvars import ContextVar
from typing import Final

_RUNNING: Final[ContextVar[tuple[asyncio.Timeout, ...]]] = ContextVar("deadlines", default=())


@contextlib.asynccontextmanager
async def deadline(seconds: float) -> AsyncIterator[None]:
    """Like `asyncio.timeout`; what passes within `paused` does not count."""
    async with asyncio.timeout(seconds) as timeout:
        before = _RUNNING.set((*_RUNNING.get(), timeout))
        try:
            yield
        finally:
            _RUNNING.reset(before)


@contextlib.contextmanager
def paused() -> Iterator[None]:
    """Let the deadlines of this call stand still."""
    loop = asyncio.get_running_loop()
    began, ends = loop.time(), [(timeout, timeout.when()) for timeout in _RUNNING.get()]
    for timeout, _ in ends:
        timeout.reschedule(None)
    try:
        yield
    finally:
        for timeout, at in ends:
            timeout.reschedule(None if at is None else at + loop.time() - began)
