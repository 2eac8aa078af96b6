"""Kafka (AsyncAPI's Kafka bindings 0.4 and 0.5), over aiokafka.

A message is published to all replicas in sync before it counts. A subscription is a consumer group: the binding's,
or one of its own, which begins with what comes after the subscription. Offsets are committed for what the process
has taken, so another worker goes on where this one was.
"""

import asyncio
import contextvars
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiokafka.client
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.abc import AbstractTokenProvider, ConsumerRebalanceListener
from aiokafka.conn import AIOKafkaConnection
from aiokafka.errors import (
    AuthenticationFailedError,
    GroupAuthorizationFailedError,
    KafkaError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
)

from perdure.activities.asyncapi.model import Outgoing
from perdure.activities.asyncapi.protocols.contract import Access, Broken, Delivery, Denied, Source
from perdure.activities.egress import Guard, Refused
from perdure.codec import Json

SESSION_SECONDS = 15
"""How soon the partitions of a worker that died go to the next."""
JOIN_SECONDS_MAX = 4 * SESSION_SECONDS
"""A group waits for members that died before it takes in a new one."""
PROCESS_SECONDS_MAX = 24 * 3600
"""How long a process may take over a batch before its partitions are given away."""
CONTENT_TYPE = "content-type"
DENIED = (
    AuthenticationFailedError,
    GroupAuthorizationFailedError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
)


class Kafka:
    """The implementation of `contract.MessageProtocol` for ``kafka``."""

    async def publish(self, access: Access, message: Outgoing) -> None:
        async with _guarded(access) as options:
            producer = AIOKafkaProducer(**options, acks="all", max_request_size=_size_max(access))
            headers = [(CONTENT_TYPE, message.content_type.encode())]
            headers += [(name, value.encode()) for name, value in message.headers.items()]
            try:
                await producer.start()
                await producer.send_and_wait(_topic(access), message.body, key=_key(access, message), headers=headers)
            finally:
                await producer.stop()

    @asynccontextmanager
    async def subscribe(self, access: Access) -> AsyncIterator[Source]:
        async with _guarded(access) as options:
            said = _said(access.target.bindings.operation.get("groupId"))
            consumer = AIOKafkaConsumer(
                **options,
                group_id=said or access.own_name,
                enable_auto_commit=False,
                auto_offset_reset="earliest" if said else "latest",
                session_timeout_ms=SESSION_SECONDS * 1000,
                heartbeat_interval_ms=SESSION_SECONDS * 1000 // 3,
                max_poll_interval_ms=PROCESS_SECONDS_MAX * 1000,
                max_partition_fetch_bytes=_size_max(access),
                metadata_max_age_ms=60_000,
            )
            try:
                await consumer.start()
                source = _Source(access, consumer)
                await source.start()
                yield source
            finally:
                await consumer.stop()


class _Source:
    resume = None

    def __init__(self, access: Access, consumer: AIOKafkaConsumer) -> None:
        self._access = access
        self._consumer = consumer

    async def start(self) -> None:
        """Once partitions are assigned, commit where they stand: whoever follows begins there."""
        assigned = _Assigned()
        self._consumer.subscribe([_topic(self._access)], listener=assigned)
        async with asyncio.timeout(max(self._access.seconds, JOIN_SECONDS_MAX)):
            await assigned.once.wait()
            for partition in self._consumer.assignment():
                if await self._consumer.committed(partition) is None:
                    await self._consumer.commit({partition: await self._consumer.position(partition)})

    async def receive(self) -> Sequence[Delivery]:
        while True:
            found = await self._consumer.getmany(timeout_ms=1000, max_records=self._access.batch)
            deliveries = [self._delivery(record) for records in found.values() for record in records]
            if deliveries:
                return deliveries

    async def settle(self, deliveries: Sequence[Delivery], taken: int) -> None:
        """Commit what was taken; from the first that was not, the partition is read again."""
        offsets: dict[TopicPartition, int] = {}
        for delivery in deliveries[:taken]:
            partition, offset = delivery.tag
            offsets[partition] = offset + 1
        if offsets:
            await self._consumer.commit(offsets)
        back: dict[TopicPartition, int] = {}
        for delivery in deliveries[taken:]:
            partition, offset = delivery.tag
            back.setdefault(partition, offset)
        for partition, offset in back.items():
            if partition in self._consumer.assignment():
                self._consumer.seek(partition, offset)

    async def forget(self) -> None:
        """A group that nobody is in expires by itself."""

    def _delivery(self, record: "ConsumerRecord[bytes | None, bytes | None]") -> Delivery:
        headers: dict[str, Json] = {}
        content_type = None
        for name, value in record.headers:
            text = value.decode("utf-8", "replace") if value is not None else None
            if name.lower() == CONTENT_TYPE:
                content_type = text
            else:
                headers[name] = text
        partition = TopicPartition(record.topic, record.partition)
        message = self._access.received(
            record.value or b"",
            content_type,
            headers.items(),
            identity=f"{record.topic}/{record.partition}/{record.offset}",
        )
        return Delivery(message, (partition, record.offset))


class _Assigned(ConsumerRebalanceListener):  # type: ignore[misc]
    """Knows when the group has given out its partitions, perhaps none to this consumer."""

    def __init__(self) -> None:
        self.once = asyncio.Event()

    def on_partitions_revoked(self, revoked: object) -> None:
        """What was not committed is delivered again, to whom it is given."""

    def on_partitions_assigned(self, assigned: object) -> None:
        self.once.set()


class _Token(AbstractTokenProvider):  # type: ignore[misc]
    def __init__(self, token: str) -> None:
        self._token = token

    async def token(self) -> str:
        return self._token


@asynccontextmanager
async def _guarded(access: Access) -> AsyncIterator[Mapping[str, Any]]:
    """What clients need to connect. What goes wrong is a `Broken`, or a `Refused` of the last address tried."""
    watch = _Watch(access.guard, access.seconds)
    _watch.set(watch)
    login, secured = access.login, access.login.username is not None or access.login.token is not None
    options: dict[str, Any] = {
        "bootstrap_servers": [access.place],
        "client_id": str(_said(access.target.bindings.operation.get("clientId")) or access.own_name),
        "request_timeout_ms": round(access.seconds * 1000),
        "security_protocol": ("SASL_" if secured else "") + ("SSL" if access.target.tls else "PLAINTEXT"),
        "ssl_context": await asyncio.to_thread(access.tls),
    }
    if login.token is not None and login.username is None:
        options |= {"sasl_mechanism": "OAUTHBEARER", "sasl_oauth_token_provider": _Token(login.token)}
    elif secured:
        options |= {
            "sasl_mechanism": _mechanism(access),
            "sasl_plain_username": login.username,
            "sasl_plain_password": login.password,
        }
    try:
        yield options
    except KafkaError as error:
        if watch.refused is not None:
            raise watch.refused from None
        raise (Denied if isinstance(error, DENIED) else Broken)(_words(error)) from None


class _Watch:
    """Opens the connections of one client."""

    def __init__(self, guard: Guard, seconds: float) -> None:
        self._guard = guard
        self._seconds = seconds
        self.refused: Refused | None = None

    async def create_connection(self, factory: Any, host: str, port: int, *, ssl: Any) -> Any:
        """In place of the event loop's: to the address that was checked, by the name in the certificate."""
        try:
            made = await asyncio.to_thread(self._guard.connect, host, port, self._seconds)
        except Refused as refused:
            self.refused = refused
            raise
        made.setblocking(False)
        loop = asyncio.get_running_loop()
        return await loop.create_connection(factory, sock=made, ssl=ssl, server_hostname=host if ssl else None)


_watch: contextvars.ContextVar[_Watch] = contextvars.ContextVar("perdure-kafka-watch")


class _Loop:
    """An event loop whose connections are watched. A cluster names its brokers: each of them is checked."""

    def __init__(self, loop: asyncio.AbstractEventLoop, watch: _Watch) -> None:
        self._loop = loop
        self.create_connection = watch.create_connection

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loop, name)


async def _connect(host: str, port: int, **options: Any) -> AIOKafkaConnection:
    """In place of the library's function of that name, which knows no way to check an address."""
    connection: Any = AIOKafkaConnection(host, port, **options)
    watch = _watch.get(None)
    if watch is not None:  # another user of the library in this process is none of ours
        connection._loop = _Loop(connection._loop, watch)
    await connection.connect()
    return connection


aiokafka.client.create_conn = _connect


def _topic(access: Access) -> str:
    topic = access.target.bindings.channel.get("topic")
    return topic if isinstance(topic, str) else access.target.address


def _key(access: Access, message: Outgoing) -> bytes | None:
    """The key by the message's binding where that is a constant, else the correlation id."""
    said = _said(access.target.bindings.message.get("key"))
    text = message.correlation_id if said is None else said
    return None if text is None else text.encode()


def _said(schema: Json) -> str | None:
    """The value that a schema leaves no choice about."""
    if isinstance(schema, str):
        return schema
    if not isinstance(schema, dict):
        return None
    enum = schema.get("enum")
    for value in (schema.get("const"), schema.get("default"), enum[0] if isinstance(enum, list) and enum else None):
        if isinstance(value, str):
            return value
    return None


def _mechanism(access: Access) -> str:
    """PLAIN, unless the server's binding says another by ``saslMechanism``, which is ours."""
    said = access.target.bindings.server.get("saslMechanism")
    return said if said in ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512") else "PLAIN"


def _size_max(access: Access) -> int:
    return access.outside.settings.response_body_bytes_max


def _words(error: BaseException) -> str:
    return str(error)[:300] or type(error).__name__
