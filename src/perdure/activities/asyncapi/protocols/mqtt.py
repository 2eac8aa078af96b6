"""MQTT 3.1.1 and 5 (AsyncAPI's MQTT bindings 0.1 and 0.2), over aiomqtt.

A message is published with the quality of service that the binding says, 1 where it says none: it counts as
published once the broker has confirmed it. A subscription is a persistent session under a name of its own, with
quality 1: the broker keeps what comes while workers change, and each message is acknowledged by hand. The session
ends with the subscription. Headers are the user properties of MQTT 5; MQTT 3.1.1 has none, nor a content type.
"""

import asyncio
import logging
import socket
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiomqtt
from paho.mqtt.client import MQTT_CLEAN_START_FIRST_ONLY
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

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

QUALITY = 1
KEEP_ALIVE_SECONDS = 60
END_SECONDS_MAX = 5.0
DENIED = frozenset({4, 5, 0x86, 0x87})
"""Reasons of both versions: bad user name or password, not authorized."""

_log = logging.getLogger("perdure.mqtt")


class Mqtt:
    """The implementation of `contract.MessageProtocol` for ``mqtt`` and ``mqtt5``."""

    async def publish(self, access: Access, message: Outgoing) -> None:
        binding = access.target.bindings.operation
        quality = binding.get("qos")
        async with _connected(access, clean=True) as client:
            await client.publish(
                access.target.address,
                message.body,
                qos=quality if quality in (0, 1, 2) else QUALITY,
                retain=binding.get("retain") is True,
                properties=_properties(access, message) if _is_5(access) else None,
                timeout=access.seconds,
            )

    @asynccontextmanager
    async def subscribe(self, access: Access) -> AsyncIterator[Source]:
        over = asyncio.Event()
        try:
            async with _connected(access, clean=False) as client:
                source = _Source(access, client, over)
                await source.start()
                try:
                    yield source
                finally:
                    await source.stop()
        finally:
            if over.is_set():
                await _end_session(access)


class _Source:
    resume = None

    def __init__(self, access: Access, client: aiomqtt.Client, over: asyncio.Event) -> None:
        self._access = access
        self._client = client
        self._over = over
        self._received: asyncio.Queue[Any] = asyncio.Queue()
        self._waiting_bytes = 0
        self._reading: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._reading = asyncio.create_task(self._read())
        await self._client.subscribe(self._access.target.address, qos=QUALITY, timeout=self._access.seconds)

    async def stop(self) -> None:
        assert self._reading is not None
        self._reading.cancel()
        await asyncio.wait([self._reading])

    async def receive(self) -> Sequence[Delivery]:
        messages = await at_hand(self._received, self._access.batch)
        self._waiting_bytes -= sum(_size(message) for message in messages)
        return [self._delivery(message) for message in messages]

    async def settle(self, deliveries: Sequence[Delivery], taken: int) -> None:
        for delivery in deliveries[:taken]:
            message: aiomqtt.Message = delivery.tag
            self._client._client.ack(message.mid, message.qos)

    async def forget(self) -> None:
        """The session ends once its connection is closed."""
        self._over.set()

    async def _read(self) -> None:
        try:
            async for message in self._client.messages:
                self._waiting_bytes += _size(message)
                if self._received.qsize() >= PENDING_MAX or self._waiting_bytes > PENDING_BYTES_MAX:
                    return self._overflow()
                self._received.put_nowait(message)
        except aiomqtt.MqttError as error:
            self._received.put_nowait(Broken(_words(error)))

    def _overflow(self) -> None:
        """Hang up: what was not acknowledged comes again, little by little, once the subscription is opened again."""
        while not self._received.empty():
            self._received.get_nowait()
        self._received.put_nowait(Broken("the broker sends faster than the process takes"))
        self._client._client.disconnect()

    def _delivery(self, message: aiomqtt.Message) -> Delivery:
        properties: Any = message.properties
        correlation = getattr(properties, "CorrelationData", None)
        body = message.payload if isinstance(message.payload, bytes) else b""
        return Delivery(
            self._access.received(
                body,
                getattr(properties, "ContentType", None),
                getattr(properties, "UserProperty", ()),
                correlation_id=None if correlation is None else correlation.decode("utf-8", "replace"),
            ),
            message,
        )


async def _end_session(access: Access) -> None:
    """A session that begins anew ends the old one, and itself with its connection."""
    with suppress(Broken, OSError, TimeoutError):  # else it expires some day
        async with asyncio.timeout(END_SECONDS_MAX), _connected(access, clean=True, own_name=True):
            pass


@asynccontextmanager
async def _connected(access: Access, *, clean: bool, own_name: bool = False) -> AsyncIterator[aiomqtt.Client]:
    """`clean`: without a session that outlives the connection. `own_name`: in place of who has the session."""
    login, is_5, port = access.login, _is_5(access), access.port
    context = await asyncio.to_thread(access.tls)
    client = aiomqtt.Client(
        access.target.host,
        port,
        username=login.username if login.username is not None or login.token is None else "",
        password=login.token if login.password is None else login.password,
        identifier=access.own_name if not clean or own_name else None,
        protocol=aiomqtt.ProtocolVersion.V5 if is_5 else aiomqtt.ProtocolVersion.V311,
        clean_session=None if is_5 else clean,
        clean_start=clean if is_5 else MQTT_CLEAN_START_FIRST_ONLY,
        properties=_session(access, clean) if is_5 else None,
        tls_context=context,
        max_queued_incoming_messages=PENDING_MAX,
        timeout=access.seconds,
        keepalive=KEEP_ALIVE_SECONDS,
        logger=_log,
    )
    paho: Any = client._client
    paho.manual_ack_set(not clean)
    # The library would resolve the name itself: it gets a connection to the address that was checked.
    paho._create_socket = lambda: _open(access, port, context)
    try:
        async with client:
            yield client
    except aiomqtt.MqttError as error:
        cause = error.__cause__ or error.__context__
        if isinstance(error, aiomqtt.MqttCodeError) and _code(error) in DENIED:
            raise Denied("the broker refuses the user name, the password or the client") from None
        raise cause if isinstance(cause, OSError) else Broken(_words(error)) from None


def _open(access: Access, port: int, context: ssl.SSLContext | None) -> socket.socket:
    """Blocks: the library calls it in a thread."""
    host = access.target.host
    made = access.guard.connect(host, port, access.seconds)
    if context is None:
        return made
    made.settimeout(access.seconds)
    secured = context.wrap_socket(made, server_hostname=host)
    secured.settimeout(None)
    return secured


def _session(access: Access, clean: bool) -> Properties:
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.SessionExpiryInterval = 0 if clean else KEPT_SECONDS
    properties.ReceiveMaximum = access.batch  # of messages that are not acknowledged
    return properties


def _properties(access: Access, message: Outgoing) -> Properties:
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    properties.ContentType = message.content_type
    properties.UserProperty = list(message.headers.items())
    if message.correlation_id is not None:
        properties.CorrelationData = message.correlation_id.encode()
    expiry = access.target.bindings.operation.get("messageExpiryInterval")
    if isinstance(expiry, int):
        properties.MessageExpiryInterval = expiry
    return properties


def _code(error: aiomqtt.MqttCodeError) -> int | None:
    value = getattr(error.rc, "value", error.rc)
    return value if isinstance(value, int) else None


def _is_5(access: Access) -> bool:
    return access.target.protocol == "mqtt5"


def _size(message: aiomqtt.Message) -> int:
    return len(message.payload) if isinstance(message.payload, bytes | bytearray) else 0


def _words(error: BaseException) -> str:
    return str(error)[:300] or type(error).__name__
