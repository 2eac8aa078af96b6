"""Brokers as processes and their counterparts use them, one class per protocol, all with the same few words."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any, Protocol

import aio_pika
import aiokafka
import aiomqtt
import nats
from aiohttp import web

from servers import KafkaServer, MosquittoServer, NatsServer

SECONDS = 20


class Site(Protocol):
    """What a document says of the site, and the other side of its channel ``orders``."""

    protocol: str
    address: str
    seconds: float
    """How long it may take until somebody's subscription is open, and the process has what it waits for."""
    redelivers: bool
    """Whether it keeps what a worker that died had not acknowledged."""

    @property
    def server(self) -> dict[str, Any]: ...

    bindings: dict[str, Any]
    """Of the channel."""

    async def prepare(self) -> None:
        """Make what must be there before anybody comes."""

    async def send(self, *payloads: Any, **headers: str) -> None: ...
    def received(self) -> contextlib.AbstractAsyncContextManager["asyncio.Queue[tuple[Any, dict[str, str]]]"]:
        """What is published from now on: payloads and headers."""

    async def left(self) -> list[Any] | None:
        """What a queue of the channel still holds; None where there is none to look into."""


class RabbitSite:
    protocol = "amqp"
    seconds = 20.0
    redelivers = True

    def __init__(self, url: str, address: str, *, exchange: str | None = None) -> None:
        self.url = url
        self.address = address
        self.exchange = exchange
        self.bindings: dict[str, Any] = {"amqp": {"is": "queue", "queue": {"name": address}}}
        if exchange is not None:
            self.bindings = {"amqp": {"is": "routingKey", "exchange": {"name": exchange, "type": "topic"}}}

    @property
    def server(self) -> dict[str, Any]:
        return {"host": self.url.partition("://")[2], "protocol": "amqp"}

    @contextlib.asynccontextmanager
    async def channel(self) -> AsyncIterator[Any]:
        connection = await aio_pika.connect(self.url)
        async with connection:
            yield await connection.channel()

    async def prepare(self) -> None:
        async with self.channel() as channel:
            if self.exchange is None:
                await channel.declare_queue(self.address, durable=True)
            else:
                await channel.declare_exchange(self.exchange, "topic", durable=True)

    async def send(self, *payloads: Any, **headers: str) -> None:
        async with self.channel() as channel:
            exchange = channel.default_exchange
            if self.exchange is not None:
                exchange = await channel.get_exchange(self.exchange)
            for payload in payloads:
                message = aio_pika.Message(
                    json.dumps(payload).encode(), headers=dict(headers), content_type="application/json"
                )
                await exchange.publish(message, self.address)

    @contextlib.asynccontextmanager
    async def received(self) -> AsyncIterator[asyncio.Queue[tuple[Any, dict[str, str]]]]:
        found: asyncio.Queue[tuple[Any, dict[str, str]]] = asyncio.Queue()
        async with self.channel() as channel:
            if self.exchange is None:
                queue = await channel.get_queue(self.address)
            else:
                queue = await channel.declare_queue(exclusive=True)
                await queue.bind(self.exchange, self.address)

            async def take(message: Any) -> None:
                await message.ack()
                properties = {"message-id": message.message_id, "content-type": message.content_type}
                found.put_nowait((json.loads(message.body), {**properties, **message.headers}))

            await queue.consume(take)
            yield found

    async def left(self) -> list[Any] | None:
        if self.exchange is not None:
            return None
        found = []
        async with self.channel() as channel:
            queue = await channel.get_queue(self.address)
            while (message := await queue.get(fail=False)) is not None:
                await message.ack()
                found.append(json.loads(message.body))
        return found


class MqttSite:
    seconds = 20.0
    redelivers = True

    def __init__(self, server: MosquittoServer, address: str, protocol: str) -> None:
        self.port = server.port
        self.address = address
        self.protocol = protocol
        self.bindings: dict[str, Any] = {}

    @property
    def server(self) -> dict[str, Any]:
        return {"host": f"127.0.0.1:{self.port}", "protocol": self.protocol}

    async def prepare(self) -> None: ...

    async def send(self, *payloads: Any, **headers: str) -> None:
        async with aiomqtt.Client("127.0.0.1", self.port) as client:
            for payload in payloads:
                await client.publish(self.address, json.dumps(payload), qos=1)

    @contextlib.asynccontextmanager
    async def received(self) -> AsyncIterator[asyncio.Queue[tuple[Any, dict[str, str]]]]:
        found: asyncio.Queue[tuple[Any, dict[str, str]]] = asyncio.Queue()
        async with aiomqtt.Client("127.0.0.1", self.port, protocol=aiomqtt.ProtocolVersion.V5) as client:
            await client.subscribe(self.address, qos=1)

            async def read() -> None:
                async for message in client.messages:
                    properties = getattr(message.properties, "UserProperty", ())
                    kind = {"content-type": getattr(message.properties, "ContentType", "")}
                    found.put_nowait((json.loads(bytes(message.payload)), {**kind, **dict(properties)}))

            reading = asyncio.create_task(read())
            try:
                yield found
            finally:
                reading.cancel()
                await asyncio.wait([reading])

    async def left(self) -> list[Any] | None:
        return None


class NatsSite:
    seconds = 20.0
    protocol = "nats"

    def __init__(self, server: NatsServer, address: str, *, stream: str | None = None) -> None:
        self.url = server.url
        self.address = address
        self.stream = stream
        self.redelivers = stream is not None
        self.bindings: dict[str, Any] = {} if stream is None else {"nats": {"jetstream": True}}

    @property
    def server(self) -> dict[str, Any]:
        return {"host": self.url.partition("://")[2], "protocol": "nats"}

    async def prepare(self) -> None:
        if self.stream is not None:
            client = await nats.connect(self.url)
            await client.jetstream().add_stream(name=self.stream, subjects=[self.address])
            await client.close()

    async def send(self, *payloads: Any, **headers: str) -> None:
        client = await nats.connect(self.url)
        for payload in payloads:
            await client.publish(self.address, json.dumps(payload).encode(), headers=headers or None)
        await client.flush()
        await client.close()

    @contextlib.asynccontextmanager
    async def received(self) -> AsyncIterator[asyncio.Queue[tuple[Any, dict[str, str]]]]:
        found: asyncio.Queue[tuple[Any, dict[str, str]]] = asyncio.Queue()
        client = await nats.connect(self.url)

        async def take(message: Any) -> None:
            headers = {name.lower() if name == "Content-Type" else name: v for name, v in message.headers.items()}
            found.put_nowait((json.loads(message.data), headers))

        await client.subscribe(self.address, cb=take)
        await client.flush()
        yield found
        await client.close()

    async def left(self) -> list[Any] | None:
        return None


class KafkaSite:
    protocol = "kafka"
    seconds = 90.0
    redelivers = True

    def __init__(self, server: KafkaServer, address: str) -> None:
        self._server = server
        self.bootstrap = f"127.0.0.1:{server.port}"
        self.address = address
        self.bindings: dict[str, Any] = {}

    @property
    def server(self) -> dict[str, Any]:
        return {"host": self.bootstrap, "protocol": "kafka"}

    async def prepare(self) -> None:
        await self._server.add_topic(self.address)

    async def send(self, *payloads: Any, **headers: str) -> None:
        producer = aiokafka.AIOKafkaProducer(bootstrap_servers=self.bootstrap)
        await producer.start()
        for payload in payloads:
            pairs = [(name, value.encode()) for name, value in headers.items()]
            await producer.send_and_wait(self.address, json.dumps(payload).encode(), headers=pairs, partition=0)
        await producer.stop()

    @contextlib.asynccontextmanager
    async def received(self) -> AsyncIterator[asyncio.Queue[tuple[Any, dict[str, str]]]]:
        found: asyncio.Queue[tuple[Any, dict[str, str]]] = asyncio.Queue()
        consumer = aiokafka.AIOKafkaConsumer(
            self.address, bootstrap_servers=self.bootstrap, auto_offset_reset="earliest"
        )
        await consumer.start()

        async def read() -> None:
            async for record in consumer:
                headers = {name: value.decode() for name, value in record.headers}
                found.put_nowait((json.loads(record.value), headers))

        reading = asyncio.create_task(read())
        yield found
        reading.cancel()
        await asyncio.wait([reading])
        await consumer.stop()

    async def left(self) -> list[Any] | None:
        return None


class HttpSite:
    """Takes what is posted to /orders, and streams what is sent as server-sent events from there."""

    protocol = "http"
    seconds = 20.0
    redelivers = True
    address = "/orders"

    def __init__(self) -> None:
        self.url = ""
        self.bindings: dict[str, Any] = {}
        self.events: list[Any] = []
        self.resumed: list[str | None] = []
        self._changed = asyncio.Condition()
        self._posted: asyncio.Queue[tuple[Any, dict[str, str]]] = asyncio.Queue()

    @property
    def server(self) -> dict[str, Any]:
        return {"host": self.url.partition("://")[2], "protocol": "http"}

    async def send(self, *payloads: Any, **headers: str) -> None:
        async with self._changed:
            self.events += payloads
            self._changed.notify_all()

    @contextlib.asynccontextmanager
    async def received(self) -> AsyncIterator[asyncio.Queue[tuple[Any, dict[str, str]]]]:
        yield self._posted

    async def left(self) -> list[Any] | None:
        return None

    async def post(self, request: web.Request) -> web.Response:
        headers = {"content-type": request.content_type, **request.headers}
        self._posted.put_nowait((await request.json(), headers))
        return web.Response(status=202)

    async def stream(self, request: web.Request) -> web.StreamResponse:
        self.resumed.append(request.headers.get("Last-Event-ID"))
        last = int(request.headers.get("Last-Event-ID", "0"))
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            while True:
                async with self._changed:
                    while len(self.events) <= last:
                        await self._changed.wait()
                while last < len(self.events):
                    last += 1
                    data = json.dumps(self.events[last - 1])
                    await response.write(f": note\nid: {last}\nevent: order\ndata: {data}\n\n".encode())
        return response

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        app = web.Application()
        app.router.add_post(self.address, self.post)
        app.router.add_get(self.address, self.stream)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield
        await runner.cleanup()
