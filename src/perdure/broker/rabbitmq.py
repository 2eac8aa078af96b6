"""RabbitMQ 3.10 or newer as the broker: quorum queues, publisher confirms, dead-letter queues.

Everything is declared again on every new connection, so that a broker that was wiped is as good as one that was
restarted. Pauses between redeliveries are spent here, with the message unacknowledged: if this process ends, the
broker redelivers at once. Messages that failed too often go to the queue's own name with ``.dead`` behind it.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Final

import aio_pika
import structlog
from aio_pika.abc import AbstractChannel, AbstractExchange, AbstractIncomingMessage
from aio_pika.exceptions import DeliveryError, PublishError

from perdure import clock, codec
from perdure.broker import cloudevents
from perdure.broker.contract import (
    DEAD_MAX,
    EVENTS_IN,
    EVENTS_OUT,
    IDS_PER_MESSAGE_MAX,
    BrokerUnavailable,
    Consumer,
    EventHandler,
    IdsHandler,
    SignalHandler,
)
from perdure.broker.dispatch import Dispatcher, Redelivery
from perdure.broker.rabbitmq_link import (
    CLOSE_SECONDS_MAX,
    DECLARE_SECONDS_MAX,
    ERRORS,
    RECONNECT_SECONDS,
    Link,
    close,
    end,
    honest,
    reason,
    tolerant,
)
from perdure.codec import Json

QUEUE_PREFIX: Final = "perdure."
SIGNALS: Final = "perdure.signals"
"""The fanout exchange that tells every process at once."""
PUBLISH_SECONDS_MAX: Final = 5.0
EVENT_BYTES_MAX: Final = 1024 * 1024
"""Of an event that comes in, unless told otherwise."""
REDECLARE_SECONDS: Final = 0.5

_log = structlog.get_logger(__name__)


class RabbitBroker:
    """See `broker.contract.Broker`."""

    def __init__(
        self, url: str, *, redelivery: Redelivery | None = None, event_bytes_max: int = EVENT_BYTES_MAX
    ) -> None:
        self._event_bytes_max = event_bytes_max
        self._redelivery = redelivery or Redelivery()
        self._link = Link(url)
        self._publisher = _Publisher(self._link, self._redelivery)

    async def start(self) -> None:
        await self._link.start()

    async def stop(self) -> None:
        await self._link.stop()

    async def publish(self, queue: str, ids: Sequence[str]) -> None:
        bodies = [
            codec.encode(list(ids[start : start + IDS_PER_MESSAGE_MAX]))
            for start in range(0, len(ids), IDS_PER_MESSAGE_MAX)
        ]
        await asyncio.gather(*(self._publisher.wake(queue, body) for body in bodies))

    def consume(
        self, queue: str, handler: IdsHandler, *, prefetch: int, batch_max: int, concurrency: int = 1
    ) -> Consumer:
        return _Consumer(
            self._link,
            QUEUE_PREFIX + queue,
            handler,
            _ids,
            prefetch=prefetch,
            batch_max=batch_max,
            concurrency=concurrency,
            redelivery=self._redelivery,
        )

    async def signal(self, topics: Sequence[str]) -> None:
        if topics:
            await self._publisher.signal(codec.encode(list(topics)))

    def listen(self, handler: SignalHandler) -> Consumer:
        return _Listener(self._link, handler)

    async def publish_event(self, event: Json) -> bool:
        return await self._publisher.emit(cloudevents.encode(event))

    def consume_events(self, handler: EventHandler, *, prefetch: int = 50, concurrency: int = 8) -> Consumer:
        async def handle(events: list[Json]) -> None:
            for event in events:
                await handler(event)

        return _Consumer(
            self._link,
            EVENTS_IN,
            handle,
            partial(_event, self._event_bytes_max),
            prefetch=prefetch,
            batch_max=1,
            concurrency=concurrency,
            redelivery=self._redelivery,
            exchange=EVENTS_IN,
        )

    async def ready(self) -> str:
        return self._link.state


class _Publisher:
    """A channel for publishing, and what has been declared on it."""

    def __init__(self, link: Link, redelivery: Redelivery) -> None:
        self._link = link
        self._redelivery = redelivery
        self._channel: AbstractChannel | None = None
        self._events: AbstractExchange | None = None
        self._signals: AbstractExchange | None = None
        self._declared: set[str] = set()
        self._opening = asyncio.Lock()

    async def wake(self, queue: str, body: bytes) -> None:
        """Put a wake-up into a queue, which is there again if somebody has deleted it."""
        name = QUEUE_PREFIX + queue
        message = aio_pika.Message(
            body, content_type="application/json", delivery_mode=aio_pika.DeliveryMode.PERSISTENT
        )
        async with _confirmed("message"):
            try:
                await (await self._to(name)).default_exchange.publish(message, name)
            except DeliveryError:
                # RabbitMQ tells consumers of a deleted queue only if it is not there again at once (3.10).
                await clock.sleep(REDECLARE_SECONDS)
                self._declared.discard(name)
                await (await self._to(name)).default_exchange.publish(message, name)

    async def emit(self, encoded: cloudevents.Encoded) -> bool:
        """Offer an event to whoever has bound a queue for its type; answers whether anybody has."""
        message = aio_pika.Message(
            encoded.body,
            content_type=encoded.content_type,
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        )
        async with _confirmed("event"):
            await self._open()
            assert self._events is not None
            try:
                await self._events.publish(message, encoded.routing_key, mandatory=True)
            except PublishError:  # it came back: no queue is bound for it
                return False
        return True

    async def signal(self, body: bytes) -> None:
        """Tell whoever listens now."""
        message = aio_pika.Message(body, content_type="application/json")
        async with _confirmed("signal"):
            await self._open()
            assert self._signals is not None
            await self._signals.publish(message, "", mandatory=False)

    async def _to(self, queue: str) -> AbstractChannel:
        channel = await self._open()
        if queue not in self._declared:
            await _declare(channel, queue, self._redelivery)
            self._declared.add(queue)
        return channel

    async def _open(self) -> AbstractChannel:
        async with self._opening:
            if self._channel is None or self._channel.is_closed:
                channel = await self._link.channel()
                self._events = await channel.declare_exchange(EVENTS_OUT, aio_pika.ExchangeType.TOPIC, durable=True)
                self._signals = await _signals(channel)
                self._declared = set()
                self._channel = channel
            return self._channel


@asynccontextmanager
async def _confirmed(what: str) -> AsyncIterator[None]:
    """A publication, bounded in time. Raises `BrokerUnavailable` where it may not have arrived."""
    try:
        with honest():
            async with asyncio.timeout(PUBLISH_SECONDS_MAX):
                yield
    except ERRORS as error:
        raise BrokerUnavailable(f"RabbitMQ did not confirm the {what}: {reason(error)}") from error


class _Message:
    """A delivery, decoded."""

    __slots__ = ("attempt", "items", "raw")

    def __init__(self, raw: AbstractIncomingMessage, items: list[Any]) -> None:
        count = raw.headers.get("x-delivery-count", 0)
        self.raw = raw
        self.items = items
        self.attempt = 1 + (count if isinstance(count, int) else 0)


class _Consumer:
    """One queue's deliveries on a channel of its own, opened anew whenever it breaks."""

    def __init__(
        self,
        link: Link,
        queue: str,
        handler: Callable[[list[Any]], Awaitable[None]],
        decode: Callable[[AbstractIncomingMessage], list[Any]],
        *,
        prefetch: int,
        batch_max: int,
        concurrency: int,
        redelivery: Redelivery,
        exchange: str | None = None,
    ) -> None:
        self._link = link
        self._queue = queue
        self._decode = decode
        self._prefetch = prefetch
        self._redelivery = redelivery
        self._exchange = exchange
        self._task: asyncio.Task[None] | None = None
        self._channel: AbstractChannel | None = None
        self._cancel: Callable[[], Awaitable[object]] | None = None
        self._resting: set[asyncio.Task[None]] = set()
        self._stopping = False
        self._dispatcher: Dispatcher[_Message] = Dispatcher(
            queue,
            handler,
            batch_max=batch_max,
            concurrency=concurrency,
            done=self._acknowledge,
            failed=self._rest,
        )

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def stop(self, timeout: float) -> None:
        self._stopping = True
        if self._cancel is not None:
            with tolerant():
                async with asyncio.timeout(CLOSE_SECONDS_MAX):
                    await self._cancel()
        await self._dispatcher.stop(timeout)
        await end(*self._resting, *([self._task] if self._task else []))
        await close(self._channel)  # whereupon the broker takes back what was not acknowledged
        self._task = self._channel = None

    async def _run(self) -> None:
        while True:
            await self._link.wait()
            try:
                with honest():
                    await self._consume()
            except (*ERRORS, BrokerUnavailable) as error:
                _log.warning("consuming was interrupted", queue=self._queue, reason=reason(error))
            self._cancel = None
            self._dispatcher.forget()
            await clock.sleep(clock.jittered(RECONNECT_SECONDS))

    async def _consume(self) -> None:
        """Until the channel closes or the broker ends the subscription, as it does when the queue is deleted."""
        channel = self._channel = await self._link.channel()
        try:
            await channel.set_qos(prefetch_count=self._prefetch, timeout=DECLARE_SECONDS_MAX)
            queue = await _declare(channel, self._queue, self._redelivery)
            if self._exchange is not None:
                exchange = await channel.declare_exchange(self._exchange, aio_pika.ExchangeType.TOPIC, durable=True)
                await queue.bind(exchange, "#", timeout=DECLARE_SECONDS_MAX)
            ended = asyncio.Event()
            (await channel.get_underlay_channel()).on_consumer_cancel_callbacks.add(lambda *_: ended.set())
            channel.close_callbacks.add(lambda *_: ended.set())
            tag = await queue.consume(self._receive, timeout=DECLARE_SECONDS_MAX)
            self._cancel = lambda: queue.cancel(tag, timeout=CLOSE_SECONDS_MAX)
            await ended.wait()
        finally:
            if not self._stopping:  # else its handlers may still want to acknowledge
                await close(channel)

    async def _receive(self, raw: AbstractIncomingMessage) -> None:
        try:
            message = _Message(raw, self._decode(raw))
        except ValueError as error:
            _log.warning("malformed message put aside", queue=self._queue, reason=str(error))
            with tolerant():
                await raw.reject(requeue=False)
            return
        self._dispatcher.offer([message])

    async def _acknowledge(self, messages: Sequence[_Message]) -> None:
        with tolerant():  # the channel is gone: they come again
            for message in messages:
                await message.raw.ack()

    async def _rest(self, messages: Sequence[_Message]) -> None:
        task = asyncio.create_task(self._give_back_later(messages))
        self._resting.add(task)
        task.add_done_callback(self._resting.discard)

    async def _give_back_later(self, messages: Sequence[_Message]) -> None:
        attempt = messages[0].attempt
        if attempt < self._redelivery.deliveries_max:
            await clock.sleep(self._redelivery.pause(attempt))
        else:
            _log.error("messages failed too often, put aside", queue=self._queue, messages=len(messages))
        with tolerant():
            for message in messages:
                await message.raw.nack(requeue=attempt < self._redelivery.deliveries_max)


class _Listener:
    """Hears of signals through a queue of its own that goes with the connection."""

    def __init__(self, link: Link, handler: SignalHandler) -> None:
        self._link = link
        self._handler = handler
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def stop(self, timeout: float) -> None:
        if self._task is not None:
            await end(self._task)
            self._task = None

    async def _run(self) -> None:
        while True:
            await self._link.wait()
            try:
                with honest():
                    await self._listen()
            except (*ERRORS, BrokerUnavailable) as error:
                _log.warning("listening for signals was interrupted", reason=reason(error))
            await clock.sleep(clock.jittered(RECONNECT_SECONDS))

    async def _listen(self) -> None:
        """Until the channel closes."""
        channel = await self._link.channel()
        try:
            queue = await channel.declare_queue(exclusive=True, auto_delete=True, timeout=DECLARE_SECONDS_MAX)
            await queue.bind(await _signals(channel), timeout=DECLARE_SECONDS_MAX)
            ended = asyncio.Event()
            (await channel.get_underlay_channel()).on_consumer_cancel_callbacks.add(lambda *_: ended.set())
            channel.close_callbacks.add(lambda *_: ended.set())
            await queue.consume(self._receive, no_ack=True, timeout=DECLARE_SECONDS_MAX)
            await ended.wait()
        finally:
            await close(channel)

    async def _receive(self, raw: AbstractIncomingMessage) -> None:
        try:
            topics = _ids(raw)
        except ValueError as error:
            _log.warning("malformed signal", reason=str(error))
            return
        for topic in topics:
            self._handler(topic)


async def _signals(channel: AbstractChannel) -> AbstractExchange:
    return await channel.declare_exchange(SIGNALS, aio_pika.ExchangeType.FANOUT, durable=True)


async def _declare(channel: AbstractChannel, name: str, redelivery: Redelivery) -> aio_pika.abc.AbstractQueue:
    """The queue and the one that takes its dead. Both survive the broker's restart."""
    dead = f"{name}.dead"
    await channel.declare_queue(
        dead,
        durable=True,
        arguments={"x-queue-type": "quorum", "x-max-length": DEAD_MAX},
        timeout=DECLARE_SECONDS_MAX,
    )
    return await channel.declare_queue(
        name,
        durable=True,
        arguments={
            "x-queue-type": "quorum",
            "x-delivery-limit": redelivery.deliveries_max - 1,  # RabbitMQ counts what follows the first
            "x-dead-letter-exchange": "",
            "x-dead-letter-routing-key": dead,
        },
        timeout=DECLARE_SECONDS_MAX,
    )


def _ids(message: AbstractIncomingMessage) -> list[Any]:
    ids = codec.decode(message.body)
    if not isinstance(ids, list) or not ids or not all(isinstance(item, str) for item in ids):
        raise ValueError("expected a JSON array of ids")
    return ids


def _event(bytes_max: int, message: AbstractIncomingMessage) -> list[Any]:
    if len(message.body) > bytes_max:
        limit = f"at most {bytes_max} bytes (PERDURE_EVENT_BYTES_MAX)"
        raise ValueError(f"expected an event of {limit}, found {len(message.body)}")
    return [cloudevents.decode(message.content_type, message.headers, message.body)]
