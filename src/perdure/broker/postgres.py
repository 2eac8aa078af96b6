"""PostgreSQL as the broker: a table, SKIP LOCKED, and NOTIFY with polling behind it.

Publishing goes through the pool and is durable. Everything else (claiming, acknowledging, notifying) is done by
one task on one connection of its own, the session, in turns; there losing the last commits in a crash costs no
more than a second delivery, so it does not wait for the disk. As a broker's channel does, the session owns what
it has claimed: it holds an advisory lock, and claims of a session that has lost its lock are free again.

There is no outside world to exchange CloudEvents with: none leave and none enter.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import asyncpg
import structlog

from perdure import clock, codec
from perdure.broker import queries
from perdure.broker.contract import (
    DEAD_MAX,
    IDS_PER_MESSAGE_MAX,
    BrokerUnavailable,
    Consumer,
    EventHandler,
    IdsHandler,
    SignalHandler,
)
from perdure.broker.dispatch import Dispatcher, Redelivery
from perdure.codec import Json

Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"
Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

CHANNEL: Final = "perdure_message"
LOCK_CLASS: Final = 0x50455244
"""Sets our advisory locks apart from others in the same database."""
POLL_SECONDS: Final = 5.0
"""How late a message is noticed whose notification was lost, or whose session has ended."""
PUBLISH_SECONDS_MAX: Final = 3.0
COMMAND_SECONDS_MAX: Final = 10.0
CONNECT_SECONDS_MAX: Final = 5.0
RECONNECT_SECONDS: Final = 0.1
RECONNECT_SECONDS_MAX: Final = 2.0
SIGNAL: Final = "!"
"""Sets topics apart from names of queues, as both travel on one channel."""
FLUSH_SECONDS_MAX: Final = 2.0
"""How long stopping waits for the last acknowledgements to be written."""

_ERRORS: Final = (
    OSError,
    TimeoutError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)

_log = structlog.get_logger(__name__)


class PostgresBroker:
    """See `broker.contract.Broker`. `dsn` is for the session's own connection."""

    def __init__(self, pool: Pool, dsn: str, *, redelivery: Redelivery | None = None) -> None:
        self._pool = pool
        self._session = _Session(dsn)
        self._redelivery = redelivery or Redelivery()

    async def start(self) -> None:
        await self._session.start()

    async def stop(self) -> None:
        await self._session.stop()

    async def publish(self, queue: str, ids: Sequence[str]) -> None:
        if not ids:
            return
        messages = [
            codec.encode(list(ids[start : start + IDS_PER_MESSAGE_MAX])).decode()
            for start in range(0, len(ids), IDS_PER_MESSAGE_MAX)
        ]
        try:
            # Both limits are needed: the first one also bounds handing the connection back.
            async with self._pool.acquire(timeout=PUBLISH_SECONDS_MAX) as connection:
                await connection.execute(queries.INSERT, queue, messages, timeout=PUBLISH_SECONDS_MAX)
        except _ERRORS as error:
            raise BrokerUnavailable(f"PostgreSQL did not take the message: {_reason(error)}") from error
        self._session.announce(queue)

    def consume(
        self, queue: str, handler: IdsHandler, *, prefetch: int, batch_max: int, concurrency: int = 1
    ) -> Consumer:
        return _Consumer(
            self._session,
            queue,
            handler,
            prefetch=prefetch,
            batch_max=batch_max,
            concurrency=concurrency,
            redelivery=self._redelivery,
        )

    async def signal(self, topics: Sequence[str]) -> None:
        for topic in topics:
            self._session.announce(SIGNAL + topic)

    def listen(self, handler: SignalHandler) -> Consumer:
        return _Listener(self._session, handler)

    async def publish_event(self, event: Json) -> bool:
        """Nothing: no one outside listens to this database."""
        return False

    def consume_events(self, handler: EventHandler, *, prefetch: int = 50, concurrency: int = 8) -> Consumer:
        """A consumer that never gets an event."""
        return _NoEvents()

    async def ready(self) -> str:
        return self._session.state


class _NoEvents:
    async def start(self) -> None:
        """Nothing to take."""

    async def stop(self, timeout: float) -> None:
        """Nothing in flight."""


class _Listener:
    """Hears of signals as long as it is started."""

    def __init__(self, session: "_Session", handler: SignalHandler) -> None:
        self._session = session
        self._handler = handler

    async def start(self) -> None:
        self._session.listeners.append(self._handler)

    async def stop(self, timeout: float) -> None:
        self._session.listeners.remove(self._handler)


@dataclass(slots=True)
class _Message:
    id: int
    items: list[str]
    attempt: int


class _Consumer:
    """One queue's deliveries in this process; the session gives it its turns."""

    def __init__(
        self,
        session: "_Session",
        queue: str,
        handler: IdsHandler,
        *,
        prefetch: int,
        batch_max: int,
        concurrency: int,
        redelivery: Redelivery,
    ) -> None:
        self.queue = queue
        self.due = True
        """Whether the queue may hold something to claim."""
        self._session = session
        self._prefetch = prefetch
        self._redelivery = redelivery
        self._active = False
        self._held: set[int] = set()
        self._done: list[int] = []
        self._failed: list[_Message] = []
        self._released: list[int] = []
        self._dispatcher: Dispatcher[_Message] = Dispatcher(
            queue,
            handler,
            batch_max=batch_max,
            concurrency=concurrency,
            done=self._note_done,
            failed=self._note_failed,
        )

    async def start(self) -> None:
        self._active = True
        self._session.add(self)

    async def stop(self, timeout: float) -> None:
        self._active = False
        self._released += [message.id for message in await self._dispatcher.stop(timeout)]
        await self._session.remove(self)

    @property
    def settled(self) -> bool:
        """Whether the database knows what became of every message."""
        return not (self._done or self._failed or self._released)

    async def turn(self, connection: Connection, session: int) -> None:
        """Tell the database what is settled, and claim what there is room for."""
        if self._failed:
            await self._retry_or_bury(connection, session)
        if self._released:
            await connection.execute(queries.RELEASE, self._released, session)
            self._held.difference_update(self._released)
            self._released = []
        room = self._prefetch - len(self._held) + len(self._done) if self._active and self.due else 0
        if room or self._done:
            await self._exchange(connection, session, room)

    async def _exchange(self, connection: Connection, session: int, room: int) -> None:
        done = self._done.copy()
        if room:
            self.due = False  # before asking: news that come meanwhile count
        try:
            rows = await connection.fetch(queries.EXCHANGE, done, self.queue, room, session)
        except BaseException:
            self.due = True
            raise
        del self._done[: len(done)]
        self._held.difference_update(done)
        if room and len(rows) == room:
            self.due = True
        fresh = [
            _Message(row["id"], codec.decode(row["ids"]), row["deliveries"])
            for row in rows
            if row["id"] not in self._held  # else in flight here, its claim lost in a crash of the server
        ]
        self._held.update(message.id for message in fresh)
        self._offer(sorted(fresh, key=lambda message: message.id))

    def _offer(self, messages: list[_Message]) -> None:
        """Those that were delivered too often, their consumers dying each time, are not tried again."""
        allowed = self._redelivery.deliveries_max
        self._failed += [message for message in messages if message.attempt > allowed]
        if self._failed:
            self._session.wake()
        self._dispatcher.offer([message for message in messages if message.attempt <= allowed])

    async def _retry_or_bury(self, connection: Connection, session: int) -> None:
        failed = self._failed.copy()
        dead = [m.id for m in failed if m.attempt >= self._redelivery.deliveries_max]
        again = [m for m in failed if m.attempt < self._redelivery.deliveries_max]
        if dead:
            _log.error("messages failed too often, put aside", queue=self.queue, messages=len(dead))
            await connection.execute(queries.BURY, dead)
            await connection.execute(queries.TRIM_DEAD, self.queue, DEAD_MAX)
        if again:
            pauses = [self._redelivery.pause(message.attempt) for message in again]
            await connection.execute(queries.RETRY, [message.id for message in again], pauses, session)
            for pause in set(pauses):
                asyncio.get_running_loop().call_later(pause, self._session.notice, self.queue)
        del self._failed[: len(failed)]
        self._held.difference_update(message.id for message in failed)

    async def _note_done(self, messages: Sequence[_Message]) -> None:
        self._done += [message.id for message in messages]
        self._session.wake()

    async def _note_failed(self, messages: Sequence[_Message]) -> None:
        self._failed += messages
        self._session.wake()


class _Session:
    """The connection that claims, and the task that has it to itself and renews it whenever it breaks."""

    def __init__(self, dsn: str) -> None:
        self.state = "not started"
        self._dsn = dsn
        self.listeners: list[SignalHandler] = []
        self._consumers: list[_Consumer] = []
        self._news: set[str] = set()
        self._wake = asyncio.Event()
        self._turned = asyncio.Condition()
        self._number = 0
        self._task: asyncio.Task[None] | None = None
        self._tried = asyncio.Event()

    async def start(self) -> None:
        """Returns after the first attempt to connect."""
        self._task = asyncio.create_task(self._run())
        await self._tried.wait()

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        self.state = "stopped"

    def add(self, consumer: _Consumer) -> None:
        self._consumers.append(consumer)
        self.wake()

    async def remove(self, consumer: _Consumer) -> None:
        """After what it has settled is written, or could not be."""
        if consumer not in self._consumers:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(FLUSH_SECONDS_MAX), self._turned:
                self.wake()
                await self._turned.wait_for(lambda: consumer.settled)
        self._consumers.remove(consumer)

    def wake(self) -> None:
        """Have a turn soon."""
        self._wake.set()

    def notice(self, queue: str) -> None:
        """`queue`, or a topic, has something for whoever consumes it here."""
        if queue.startswith(SIGNAL):
            for handler in self.listeners:
                handler(queue.removeprefix(SIGNAL))
            return
        for consumer in self._consumers:
            if consumer.queue == queue:
                consumer.due = True
        self.wake()

    def announce(self, queue: str) -> None:
        """`queue` has something, for here and for all other processes."""
        self._news.add(queue)
        self.notice(queue)
        self.wake()

    async def _run(self) -> None:
        pause = RECONNECT_SECONDS
        while True:
            try:
                connection = await self._connect()
                try:
                    self.state, pause = "ok", RECONNECT_SECONDS
                    self._tried.set()
                    await self._take_turns(connection)
                finally:
                    connection.terminate()
            except _ERRORS as error:
                self.state = _reason(error)
                _log.warning("broker connection to PostgreSQL lost or refused", reason=self.state)
            except Exception as error:
                self.state = type(error).__name__
                _log.error("broker session failed, beginning a new one", exc_info=error)
            self._tried.set()
            await clock.sleep(clock.jittered(pause))
            pause = min(pause * 2, RECONNECT_SECONDS_MAX)

    async def _connect(self) -> Connection:
        connection: Connection = await asyncpg.connect(
            self._dsn,
            timeout=CONNECT_SECONDS_MAX,
            command_timeout=COMMAND_SECONDS_MAX,
            server_settings={
                "application_name": "perdure broker",
                "synchronous_commit": "off",
                "jit": "off",
            },
        )
        try:
            connection.add_termination_listener(lambda _: self.wake())
            await connection.add_listener(CHANNEL, self._heard)
            number: int = await connection.fetchval(queries.BEGIN_SESSION, LOCK_CLASS)
            await connection.execute(queries.ADOPT, self._number, number)
        except BaseException:
            connection.terminate()
            raise
        self._number = number
        return connection

    def _heard(self, connection: Any, sender: int, _: str, queue: Any) -> None:
        if sender != connection.get_server_pid():  # what comes from here was noticed at once
            self.notice(queue)

    async def _take_turns(self, connection: Connection) -> None:
        polled = float("-inf")
        while True:
            if clock.monotonic() - polled >= POLL_SECONDS:
                await self._poll(connection)
                polled = clock.monotonic()
            self._wake.clear()
            for consumer in list(self._consumers):
                await consumer.turn(connection, self._number)
            if self._news:
                await self._notify(connection)
            async with self._turned:
                self._turned.notify_all()
            if connection.is_closed():
                raise asyncpg.InterfaceError("the connection was closed")
            with suppress(TimeoutError):
                async with asyncio.timeout(polled + POLL_SECONDS - clock.monotonic()):
                    await self._wake.wait()

    async def _poll(self, connection: Connection) -> None:
        if not self._consumers:
            return
        for row in await connection.fetch(queries.RECLAIM, LOCK_CLASS):
            self._news.add(row["queue"])
        for consumer in self._consumers:
            consumer.due = True

    async def _notify(self, connection: Connection) -> None:
        news = list(self._news)
        await connection.execute(queries.NOTIFY, news)
        self._news.difference_update(news)


def _reason(error: BaseException) -> str:
    """The kind and, where it can't quote data, the words."""
    words = error.args[0] if isinstance(error, asyncpg.PostgresError) and error.args else str(error)
    return f"{type(error).__name__}: {words}" if words else type(error).__name__
