"""Reads that may be a little old: from a read replica, where there is one."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeVar

import structlog

from perdure.runtime.context import Context
from perdure.runtime.errors import NotFound
from perdure.store.contract import StoreUnavailable

log = structlog.get_logger("perdure.replica")

T = TypeVar("T")


class Reader:
    """One per service process."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._replica = None if context.replica is None else replace(context, store=context.replica)

    async def read(self, ask: Callable[[Context], Awaitable[T]], *, eventual: bool) -> T:
        """What `ask` answers, of the replica where the caller takes that. Where it is away, or has not heard of what is
        asked for, of the database itself.
        """
        if eventual and self._replica is not None:
            try:
                return await ask(self._replica)
            except StoreUnavailable as error:
                log.warning("the replica can't be read; the database is", reason=str(error))
            except NotFound:
                pass
        return await ask(self._context)
