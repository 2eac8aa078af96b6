"""NATS (AsyncAPI's NATS binding 0.1), over nats-py.

A plain subject has nobody who keeps messages: one is published once the server has it, and a subscription gets
those of its time only. Where the channel's or the operation's binding says ``jetstream``, a stream keeps them: a
message counts as published once it is in the stream, its id sorts out repetitions, and a subscription is a durable
consumer that stays while workers change. ``jetstream`` is ours, as the binding has nothing for it: ``true``, or an
object with `stream`, the name of the stream, and `durable`, the name of a consumer that somebody else keeps.
"""

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import AuthorizationError
from nats.errors import Error as NatsError
from nats.errors import TimeoutError as NatsTimeout
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.client import JetStreamContext
from nats.js.errors import NotFoundError

from perdure.activities.asyncapi.model import Outgoing
from perdure.activities.asyncapi.protocols.contract import (
    KEPT_SECONDS,
    PENDING_BYTES_MAX,
    PENDING_MAX,
    Access,
    Broken,
    Delivery,
    Denied,
    Source,
    at_hand,
)
from perdure.activities.egress import bracketed
from perdure.codec import Json

ACK_SECONDS = 3600
"""How long a stream waits for the acknowledgement of a message before it delivers it again."""
FETCH_SECONDS = 20.0

_CONTENT_TYPE = "Content-Type"


class Nats:
    """The implementation of `contract.MessageProtocol` for ``nats``."""

    async def publish(self, access: Access, message: Outgoing) -> None:
        headers = {_CONTENT_TYPE: message.content_type, **message.headers}
        async with _connected(access) as client:
            if _stream_of(access) is None:
                await client.publish(access.target.address, message.body, headers=headers)
                await client.flush(timeout=math.ceil(access.seconds))
                return
            headers["Nats-Msg-Id"] = message.id
            stream = client.jetstream(timeout=access.seconds)
            await stream.publish(access.target.address, message.body, headers=headers)

    @asynccontextmanager
    async def subscribe(self, access: Access) -> AsyncIterator[Source]:
        said = _stream_of(access)
        if said is not None:
            async with _connected(access) as client:
                yield await _open(access, client, said)
            return
        source = _Plain(access)
        async with _connected(access, source.closed) as client:
            await source.start(client)
            yield source


class _Plain:
    """A plain subject: at most once, as there is nothing to acknowledge. What has no room here is lost."""

    resume = None

    def __init__(self, access: Access) -> None:
        self._access = access
        self._received: asyncio.Queue[Any] = asyncio.Queue(access.batch)

    async def start(self, client: Client) -> None:
        queue = self._access.target.bindings.first("queue")
        await client.subscribe(
            self._access.target.address,
            queue if isinstance(queue, str) else "",
            cb=self._received.put,
            pending_msgs_limit=PENDING_MAX,
            pending_bytes_limit=PENDING_BYTES_MAX,
        )
        await client.flush()

    async def closed(self) -> None:
        """The library calls this when the connection is no more. It must not wait, whoever reads or does not."""
        if self._received.full():
            self._received.get_nowait()
        self._received.put_nowait(Broken("the server closed the connection"))

    async def receive(self) -> Sequence[Delivery]:
        return [_delivery(self._access, message) for message in await at_hand(self._received, self._access.batch)]

    async def settle(self, deliveries: Sequence[Delivery], taken: int) -> None:
        """There is nobody to tell."""

    async def forget(self) -> None:
        """The server keeps nothing."""


class _Stream:
    """A durable consumer of a stream."""

    resume = None

    def __init__(
        self, access: Access, subscription: JetStreamContext.PullSubscription, stream: JetStreamContext, own: str | None
    ) -> None:
        self._access = access
        self._subscription = subscription
        self._stream = stream
        self._own = own

    async def receive(self) -> Sequence[Delivery]:
        while True:
            try:
                messages = await self._subscription.fetch(self._access.batch, timeout=FETCH_SECONDS)
            except (NatsTimeout, TimeoutError):
                continue
            if messages:
                return [_delivery(self._access, message, in_stream=True) for message in messages]

    async def settle(self, deliveries: Sequence[Delivery], taken: int) -> None:
        for delivery in deliveries[:taken]:
            await delivery.tag.ack_sync(timeout=self._access.seconds)
        for delivery in deliveries[taken:]:
            await delivery.tag.nak()

    async def forget(self) -> None:
        if self._own is not None:
            await self._stream.delete_consumer(self._own, self._access.own_name)


async def _open(access: Access, client: Client, said: dict[str, Json]) -> Source:
    stream = client.jetstream(timeout=access.seconds)
    address, durable, name = access.target.address, said.get("durable"), said.get("stream")
    try:
        found = str(name) if isinstance(name, str) else await stream.find_stream_name_by_subject(address)
        if isinstance(durable, str):
            subscription = await stream.pull_subscribe_bind(durable=durable, stream=found)
            return _Stream(access, subscription, stream, None)
        config = ConsumerConfig(
            deliver_policy=DeliverPolicy.NEW,
            ack_policy=AckPolicy.EXPLICIT,
            ack_wait=ACK_SECONDS,
            inactive_threshold=KEPT_SECONDS,
        )
        subscription = await stream.pull_subscribe(address, durable=access.own_name, stream=found, config=config)
    except NotFoundError:
        raise Broken(f"there is no stream {name if isinstance(name, str) else 'for the subject'}") from None
    return _Stream(access, subscription, stream, found)


@asynccontextmanager
async def _connected(access: Access, closed: Callable[[], Awaitable[None]] | None = None) -> AsyncIterator[Client]:
    """A connection to the address that was checked, and to no other that the server may speak of.

    `closed` is told when it is no more.
    """
    host, port = access.target.host, access.port
    address = await _checked(access, host, port)
    client = Client()
    tls = access.tls()
    login = access.login
    try:
        try:
            await client.connect(
                f"{'tls' if tls else 'nats'}://{address}:{port}",
                name=access.own_name,
                allow_reconnect=False,
                connect_timeout=math.ceil(access.seconds),
                error_cb=_quiet,
                closed_cb=closed,
                tls=tls,
                tls_hostname=host if tls else None,
                user=login.username,
                password=login.password,
                token=login.token,
            )
            yield client
        except NatsTimeout:
            raise Broken("it did not answer in time") from None
        except NatsError as error:
            denied = isinstance(error, AuthorizationError) or "authorization" in str(error).lower()
            raise (Denied if denied else Broken)(_words(error)) from None
    finally:
        if not client.is_closed:
            await client.close()


async def _checked(access: Access, host: str, port: int) -> str:
    """The address to connect to: one that may be reached and answers."""
    probe = await asyncio.to_thread(access.guard.connect, host, port, access.seconds)
    with probe:
        return bracketed(str(probe.getpeername()[0]))


async def _quiet(_: Exception) -> None:
    """What goes wrong is raised where it matters."""


def _stream_of(access: Access) -> dict[str, Json] | None:
    said = access.target.bindings.first("jetstream")
    if isinstance(said, dict):
        return said
    return {} if said is True else None


def _delivery(access: Access, message: Msg, *, in_stream: bool = False) -> Delivery:
    headers = dict(message.headers or {})
    content_type = headers.pop(_CONTENT_TYPE, None)
    identity = None
    if in_stream:
        metadata = message.metadata
        identity = f"{metadata.stream}/{metadata.sequence.stream}"
    return Delivery(
        access.received(
            message.data,
            content_type,
            headers.items(),
            identity=identity,
        ),
        message,
    )


def _words(error: BaseException) -> str:
    return str(error).removeprefix("nats: ")[:300] or type(error).__name__
