"""A platform of one's own, in this process and for as long as it is needed."""

import asyncio
import contextlib
import signal
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TextIO

from perdure import wiring
from perdure.client import AsyncClient
from perdure.demo.ports import LOOPBACK
from perdure.settings import Settings

LOG_FILE = "perdure.log"


@asynccontextmanager
async def embedded(settings: Settings, *, port: int, data_dir: Path) -> AsyncIterator[str]:
    """The address of a platform on an embedded PostgreSQL in the data directory, stopped cleanly at the end.

    Its logs go to `LOG_FILE` in the data directory, afresh at each start. Raises `hosting.CannotStart`; if
    it stops before its time (SIGINT, SIGTERM), `Stopped`.
    """
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    with _log_file(data_dir) as logs, contextlib.redirect_stderr(logs):
        wiring.configure(settings)
        platform = asyncio.create_task(
            wiring.run_dev(settings, host=LOOPBACK, port=port, data_dir=data_dir, on_ready=ready.set_result)
        )
        either: list[asyncio.Future[Any]] = [platform, ready]
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if platform.done():
            platform.result()
            raise Stopped
        try:
            async with _unless_stopped(platform):
                yield ready.result()
        finally:
            if not platform.done():
                signal.raise_signal(signal.SIGTERM)
            await platform


def _log_file(data_dir: Path) -> TextIO:
    data_dir.mkdir(parents=True, exist_ok=True)
    return (data_dir / LOG_FILE).open("w", buffering=1)


class Stopped(Exception):
    """Somebody stopped the platform (SIGINT or SIGTERM)."""


@asynccontextmanager
async def _unless_stopped(platform: asyncio.Task[None]) -> AsyncIterator[None]:
    """Leave the block with `Stopped` as soon as the platform has stopped."""
    stopped = asyncio.timeout(None)

    def interrupt(_: asyncio.Task[None]) -> None:
        stopped.reschedule(0)

    platform.add_done_callback(interrupt)
    try:
        async with stopped:
            yield
    except TimeoutError:
        if not stopped.expired():
            raise
        raise Stopped from None
    finally:
        platform.remove_done_callback(interrupt)


@asynccontextmanager
async def platform(settings: Settings | None = None) -> AsyncIterator[AsyncClient]:
    """A client of the platform that PERDURE_API_URL names, or of an embedded one that leaves nothing behind.

    A running platform must be allowed to call services on loopback (`perdure dev` is).
    """
    settings = settings or Settings()
    if "api_url" in settings.model_fields_set:
        async with AsyncClient(settings.api_url, settings.api_key) as client:
            yield client
        return
    with tempfile.TemporaryDirectory(prefix="perdure-") as directory:
        async with embedded(settings, port=0, data_dir=Path(directory)) as url, AsyncClient(url) as client:
            yield client
