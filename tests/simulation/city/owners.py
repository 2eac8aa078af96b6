"""Who does something: a service process that can be killed at any instant, with all its tasks."""

import asyncio
from collections.abc import Coroutine
from contextvars import Context, ContextVar, copy_context
from typing import Any, TypeVar

T = TypeVar("T")

OWNER: ContextVar["Owner | None"] = ContextVar("owner", default=None)


class Owner:
    """One life of a service process."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.dead = False
        self.tasks: set[asyncio.Task[Any]] = set()
        self.context: Context = copy_context()
        self.context.run(OWNER.set, self)

    def begin(self, work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        """Let it do something."""
        return asyncio.get_running_loop().create_task(work, context=self.context)

    def kill(self) -> None:
        """It does nothing more: whatever awaits is cut off, and the world is closed to what goes on nevertheless."""
        self.dead = True
        for task in tuple(self.tasks):
            task.cancel()

    def check(self) -> None:
        """Raises where it is dead."""
        if self.dead:
            raise asyncio.CancelledError(f"{self.name} is dead")


def task_factory(loop: asyncio.AbstractEventLoop, coroutine: Any, **more: Any) -> asyncio.Task[Any]:
    """Notes whose task it is."""
    task = asyncio.Task(coroutine, loop=loop, **more)
    context = more.get("context")
    owner = OWNER.get() if context is None else context.get(OWNER)
    if owner is not None:
        owner.tasks.add(task)
        task.add_done_callback(owner.tasks.discard)
    return task
