"""What the tests of performers have in common: calls, how they fail, and web servers that they lead to."""

import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import UUID

import pytest
from aiohttp import web

from perdure.activities.contract import TRACE, Call, CallFailed, Performer, Trace
from perdure.engine.errors import Error

PROCESS = UUID("01890a5d-ac96-774b-bcce-b302099a8057")
ACTIVITY = UUID("01890a5d-ac96-874b-8cce-b302099a8058")


def made(function: str, request: Any, *secrets: str, **changes: Any) -> Call:
    """A call that may use these secrets."""
    usual = {
        "process": PROCESS,
        "activity": ACTIVITY,
        "attempt": 1,
        "function": function,
        "reference": "/do/0/x",
        "request": request,
        "tenant": "default",
        "idempotency_key": f"{PROCESS}/{ACTIVITY}",
        "secrets": frozenset(secrets),
    }
    return Call(**{**usual, **changes})


async def failure(performer: Performer, call: Call) -> tuple[str, int, str | None]:
    """The name, status and detail of the error that a call ends with."""
    error = await _error(performer, call)
    return error.type.rpartition("/")[2], error.status, error.detail


async def titled_failure(performer: Performer, call: Call) -> tuple[str, int, str | None, str | None]:
    """The same, with its title before the detail."""
    error = await _error(performer, call)
    return error.type.rpartition("/")[2], error.status, error.title, error.detail


async def _error(performer: Performer, call: Call) -> Error:
    with pytest.raises(CallFailed) as caught:
        await performer.perform(call)
    return caught.value.error


@contextlib.contextmanager
def traced() -> Iterator[Trace]:
    """The trace of the call that is performed within, as the history will tell it."""
    trace = Trace()
    token = TRACE.set(trace)
    try:
        yield trace
    finally:
        TRACE.reset(token)


@contextlib.asynccontextmanager
async def serving_app(app: web.Application) -> AsyncIterator[str]:
    """Serves while the context lasts; where is what it gives."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
