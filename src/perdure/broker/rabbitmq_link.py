"""The connection to RabbitMQ, renewed whenever it breaks, and how to live with the ways in which aiormq tells of it."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import aio_pika
import structlog
from aio_pika.abc import AbstractChannel, AbstractConnection
from aio_pika.exceptions import CONNECTION_EXCEPTIONS

from perdure import amqp_properties, clock
from perdure.broker.contract import BrokerUnavailable

CONNECT_SECONDS_MAX: Final = 5.0
DECLARE_SECONDS_MAX: Final = 10.0
CLOSE_SECONDS_MAX: Final = 2.0
RECONNECT_SECONDS: Final = 0.2
RECONNECT_SECONDS_MAX: Final = 3.0
HEARTBEAT_SECONDS: Final = 10
CANCEL_AGAIN_SECONDS: Final = CLOSE_SECONDS_MAX + 0.5
"""Longer than what a task may spend on closing when it is cancelled."""

ERRORS: Final = (*CONNECTION_EXCEPTIONS, TimeoutError)
"""What calls of aio-pika raise, within `honest`, when the broker or the connection fails."""

_log = structlog.get_logger(__name__)

amqp_properties.install()


@contextmanager
def honest() -> Iterator[None]:
    """Make a lost connection an error.

    aiormq ends what waits for the broker with `CancelledError`, which would end the waiting task as if somebody had
    cancelled it. Raises `ConnectionResetError` where nobody has.
    """
    task = asyncio.current_task()
    assert task is not None
    before = task.cancelling()
    try:
        yield
    except asyncio.CancelledError as error:
        if task.cancelling() > before:
            raise
        raise ConnectionResetError("the connection was lost") from error


@contextmanager
def tolerant() -> Iterator[None]:
    """For acts that are moot when the connection is gone."""
    with suppress(*ERRORS), honest():
        yield


async def end(*tasks: asyncio.Task[Any]) -> None:
    """Cancel tasks until they are over.

    Once is not enough: where a connection breaks at that moment, aiormq takes the cancellation for its own and raises
    the connection's error instead, after which the task would try again for ever.
    """
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=CANCEL_AGAIN_SECONDS)
    await asyncio.gather(*tasks, return_exceptions=True)


async def close(closable: AbstractChannel | AbstractConnection | None) -> None:
    if closable is None or closable.is_closed:
        return
    with tolerant():
        async with asyncio.timeout(CLOSE_SECONDS_MAX):
            await closable.close()


def reason(error: BaseException) -> str:
    """The kind and the words; no library among these puts the URL's password there."""
    words = str(error)
    return f"{type(error).__name__}: {words}" if words else type(error).__name__


class _Connection(aio_pika.Connection):
    """Closed at once where it can't be opened: the library leaves that to the garbage collection, loop or no loop."""

    async def connect(self, timeout: float | None = None) -> None:
        try:
            await super().connect(timeout)
        except BaseException:
            await close(self)
            raise


class Link:
    """The connection, renewed whenever it breaks."""

    def __init__(self, url: str) -> None:
        self.state = "not started"
        self._url = _with_heartbeat(url)
        self._connection: AbstractConnection | None = None
        self._task: asyncio.Task[None] | None = None
        self._tried = asyncio.Event()
        self._up = asyncio.Event()

    async def start(self) -> None:
        """Returns after the first attempt to connect."""
        self._task = asyncio.create_task(self._run())
        await self._tried.wait()

    async def stop(self) -> None:
        if self._task is not None:
            await end(self._task)
            self._task = None
        self.state = "stopped"

    async def wait(self) -> None:
        """Until there is a connection."""
        await self._up.wait()

    async def channel(self) -> AbstractChannel:
        """A new channel with confirms. Raises `BrokerUnavailable` at once where there is no connection."""
        connection = self._connection
        if connection is None or not connection.connected.is_set():
            raise BrokerUnavailable(f"RabbitMQ can't be reached: {self.state}")
        channel = connection.channel(publisher_confirms=True, on_return_raises=True)
        await channel.initialize(timeout=DECLARE_SECONDS_MAX)
        return channel

    async def _run(self) -> None:
        pause = RECONNECT_SECONDS
        while True:
            try:
                with honest():
                    self._connection = await aio_pika.connect(
                        self._url, timeout=CONNECT_SECONDS_MAX, connection_class=_Connection
                    )
                    self.state, pause = "ok", RECONNECT_SECONDS
                    self._up.set()
                    self._tried.set()
                    await _lost(self._connection)
                    self.state = "the connection was lost"
            except ERRORS as error:
                self.state = reason(error)
            finally:
                self._up.clear()
                await close(self._connection)
                self._connection = None
            _log.warning("broker connection to RabbitMQ lost or refused", reason=self.state)
            self._tried.set()
            await clock.sleep(clock.jittered(pause))
            pause = min(pause * 2, RECONNECT_SECONDS_MAX)


async def _lost(connection: AbstractConnection) -> None:
    """Until the connection is gone. aio-pika's own `closed` only tells of connections that we have closed."""
    gone = asyncio.Event()
    connection.close_callbacks.add(lambda *_: gone.set(), weak=False)
    if connection.connected.is_set():
        await gone.wait()


def _with_heartbeat(url: str) -> str:
    """So that a broker that says nothing is noticed; what the URL asks for itself wins."""
    parts = urlsplit(url)
    if "heartbeat=" in parts.query:
        return url
    query = f"{parts.query}&heartbeat={HEARTBEAT_SECONDS}".lstrip("&")
    return urlunsplit(parts._replace(query=query))
