"""AMQP 0-9-1 (AsyncAPI's AMQP bindings 0.2 and 0.3), over aio-pika.

A message is published with confirms: it counts as published once the broker has it. To a queue it is also
mandatory, so that one that does not exist is an error and no loss. A subscription to a queue consumes from it. One
to a routing key gets a queue of its own, unless the binding names one; it is durable, stays while workers change,
and is deleted with the subscription.
"""

import asyncio
import ssl as tls
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractExchange, AbstractIncomingMessage, AbstractQueue
from aio_pika.exceptions import (
    AMQPConnectionError,
    AMQPError,
    AuthenticationError,
    ChannelNotFoundEntity,
    DeliveryError,
    ProbableAuthenticationError,
)
from yarl import URL

from perdure import amqp_properties
from perdure.activities.asyncapi.model import Outgoing
from perdure.activities.asyncapi.protocols.contract import (
    KEPT_SECONDS,
    Access,
    Broken,
    Delivery,
    Denied,
    Source,
    at_hand,
)
from perdure.codec import Json

amqp_properties.install()

GONE = (AMQPError, ConnectionError, asyncio.TimeoutError)


class Amqp:
    """The implementation of `contract.MessageProtocol` for ``amqp``."""

    async def publish(self, access: Access, message: Outgoing) -> None:
        async with _channel(access) as channel:
            exchange, key = await _destination(access, channel)
            mandatory = access.target.bindings.operation.get("mandatory")
            mandatory = mandatory if isinstance(mandatory, bool) else _is_queue(access)
            try:
                await exchange.publish(_message(access, message), key, mandatory=mandatory, timeout=access.seconds)
            except DeliveryError:
                raise Broken(f"no queue takes messages for {key!r}") from None

    @asynccontextmanager
    async def subscribe(self, access: Access) -> AsyncIterator[Source]:
        async with _channel(access) as channel:
            await channel.set_qos(prefetch_count=access.batch)
            queue, own = await _queue(access, channel)
            source = _Source(access, channel, queue, own)
            await source.start()
            yield source


class _Source:
    def __init__(self, access: Access, channel: AbstractChannel, queue: AbstractQueue, own: bool) -> None:
        self._access = access
        self._channel = channel
        self._queue = queue
        self._own = own
        self._tag = ""
        self._received: asyncio.Queue[Any] = asyncio.Queue()

    resume = None

    async def start(self) -> None:
        self._channel.close_callbacks.add(self._closed)
        self._tag = await self._queue.consume(self._received.put, timeout=self._access.seconds)

    async def receive(self) -> Sequence[Delivery]:
        return [self._delivery(message) for message in await at_hand(self._received, self._access.batch)]

    async def settle(self, deliveries: Sequence[Delivery], taken: int) -> None:
        try:
            if taken:
                await deliveries[taken - 1].tag.ack(multiple=True)
            for delivery in deliveries[taken:]:
                await delivery.tag.reject(requeue=True)
        except (*GONE, RuntimeError) as error:
            raise Broken(_words(error)) from None

    async def forget(self) -> None:
        try:
            await self._queue.cancel(self._tag, timeout=self._access.seconds)
            if self._own:
                await self._queue.delete(if_unused=False, if_empty=False, timeout=self._access.seconds)
        except (*GONE, RuntimeError) as error:
            raise Broken(_words(error)) from None

    def _closed(self, _: Any, error: BaseException | None) -> None:
        self._received.put_nowait(Broken(_words(error) if error is not None else "the broker closed the channel"))

    def _delivery(self, message: AbstractIncomingMessage) -> Delivery:
        return Delivery(
            self._access.received(
                message.body,
                message.content_type,
                ((name, _plain(value)) for name, value in message.headers.items()),
                correlation_id=message.correlation_id,
                identity=message.message_id,
            ),
            message,
        )


@asynccontextmanager
async def _channel(access: Access) -> AsyncIterator[AbstractChannel]:
    url = _url(access)
    connection = aio_pika.Connection(url, client_properties={"connection_name": access.own_name})
    connection.kwargs["transport_factory"] = _Transport(access)
    try:
        try:
            await connection.connect(timeout=access.seconds)
        except (AuthenticationError, ProbableAuthenticationError) as error:
            raise Denied(_words(error)) from None
        except (AMQPError, TimeoutError) as error:
            raise Broken(_words(error)) from None
        try:
            yield await connection.channel(publisher_confirms=True, on_return_raises=True)
        except (AMQPError, TimeoutError) as error:
            raise Broken(_words(error)) from None
    finally:
        await connection.close()


class _Transport:
    """Opens the connection to the address that was checked."""

    def __init__(self, access: Access) -> None:
        self._access = access

    async def create(self, url: URL, **_: Any) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        access = self._access
        host, port = access.target.host, access.port
        made = await asyncio.to_thread(access.guard.connect, host, port, access.seconds)
        made.setblocking(False)
        context = access.tls()
        try:
            return await asyncio.open_connection(
                sock=made, ssl=context, server_hostname=host if context is not None else None
            )
        except BaseException:
            made.close()
            raise


def _url(access: Access) -> URL:
    """For the login and the virtual host; where it leads is for the transport."""
    target, login = access.target, access.login
    binding = target.bindings.channel
    vhost = _object(binding, "queue" if _is_queue(access) else "exchange").get("vhost")
    path = target.path.removeprefix("/") or (vhost if isinstance(vhost, str) and vhost != "/" else "")
    password = login.token if login.password is None else login.password
    return URL.build(
        scheme="amqp",
        user=login.username or ("guest" if password is None else "oauth2"),
        password="guest" if password is None else password,
        host=target.host,
        port=access.port,
        path=f"/{path}",
    )


def _is_queue(access: Access) -> bool:
    return bool(access.target.bindings.channel.get("is") == "queue")


async def _destination(access: Access, channel: AbstractChannel) -> tuple[AbstractExchange, str]:
    binding = access.target.bindings.channel
    if _is_queue(access):
        return channel.default_exchange, str(_object(binding, "queue").get("name") or access.target.address)
    name = str(_object(binding, "exchange").get("name") or "")
    return await _exchange(channel, name), access.target.address


async def _exchange(channel: AbstractChannel, name: str) -> AbstractExchange:
    if not name or name == "default":
        return channel.default_exchange
    try:
        return await channel.get_exchange(name, ensure=True)
    except ChannelNotFoundEntity:
        raise Broken(f"there is no exchange {name!r}") from None


async def _queue(access: Access, channel: AbstractChannel) -> tuple[AbstractQueue, bool]:
    """The queue to consume from, and whether it is the subscription's own."""
    binding = access.target.bindings.channel
    said = _object(binding, "queue")
    name = said.get("name")
    exchange = str(_object(binding, "exchange").get("name") or "")
    if _is_queue(access) or (name and not exchange):
        return await _existing(channel, str(name or access.target.address)), False
    if name:
        queue = await _existing(channel, str(name))
        await queue.bind(await _exchange(channel, exchange), access.target.address)
        return queue, False
    if not exchange or exchange == "default":
        return await _existing(channel, access.target.address), False
    queue = await channel.declare_queue(
        access.own_name,
        durable=True,
        arguments={"x-expires": KEPT_SECONDS * 1000},
        timeout=access.seconds,
    )
    await queue.bind(await _exchange(channel, exchange), access.target.address, timeout=access.seconds)
    return queue, True


async def _existing(channel: AbstractChannel, name: str) -> AbstractQueue:
    try:
        return await channel.declare_queue(name, passive=True)
    except ChannelNotFoundEntity:
        raise Broken(f"there is no queue {name!r}") from None


def _message(access: Access, message: Outgoing) -> aio_pika.Message:
    binding = access.target.bindings.operation
    transient = binding.get("deliveryMode") == 1
    expiration = binding.get("expiration")
    return aio_pika.Message(
        message.body,
        headers=dict(message.headers),
        content_type=message.content_type,
        content_encoding=_text(access.target.bindings.message.get("contentEncoding")),
        type=_text(access.target.bindings.message.get("messageType")),
        delivery_mode=aio_pika.DeliveryMode.NOT_PERSISTENT if transient else aio_pika.DeliveryMode.PERSISTENT,
        priority=binding["priority"] if isinstance(binding.get("priority"), int) else None,
        expiration=timedelta(milliseconds=expiration) if isinstance(expiration, int) else None,
        message_id=message.id,
        correlation_id=message.correlation_id,
        user_id=_text(binding.get("userId")),
    )


def _object(holder: Mapping[str, Json], name: str) -> Mapping[str, Json]:
    value = holder.get(name)
    return value if isinstance(value, dict) else {}


def _text(value: Json) -> str | None:
    return value if isinstance(value, str) else None


def _plain(value: Any) -> Json:
    """A header's value as JSON."""
    match value:
        case None | bool() | int() | float() | str():
            return value
        case bytes():
            return value.decode("utf-8", "replace")
        case dict():
            return {str(name): _plain(item) for name, item in value.items()}
        case list():
            return [_plain(item) for item in value]
    return str(value)


def _words(error: BaseException) -> str:
    """What went wrong, without the address, which may hold a password."""
    cause = error.__cause__ or error
    if isinstance(cause, tls.SSLError):
        return f"no trustworthy connection: {cause}"
    if isinstance(error, TimeoutError):
        return "it did not answer in time"
    if isinstance(error, AMQPConnectionError) and not error.args:
        return type(error).__name__
    return str(error.args[-1] if error.args else type(error).__name__)[:300]
