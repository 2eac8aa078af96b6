"""Where a call by an AsyncAPI document leads, what it sends, and what is wrong with one that leads nowhere."""

import asyncio
import base64
import contextlib
import importlib.util
import json
import ssl

import aiomqtt
import nats
import pytest
import yaml
from aiohttp import web
from calling import ACTIVITY, PROCESS, made, serving_app, traced
from oauth_provider import CLIENT, SECRET
from oauth_provider import provider as providing

from perdure.activities.asyncapi import payloads
from perdure.activities.asyncapi import performer as performing
from perdure.activities.asyncapi.model import Login
from perdure.activities.asyncapi.performer import AsyncApiPerformer
from perdure.activities.asyncapi.protocols.contract import BATCH_MAX, Access, Broken
from perdure.activities.asyncapi.protocols.mqtt import _Source as MqttSource
from perdure.activities.asyncapi.protocols.nats import _Plain
from perdure.activities.asyncapi.targets import target_of
from perdure.activities.authentication.header import basic
from perdure.activities.contract import CallFailed, Unwanted, Verdict
from perdure.activities.credentials import Credentials
from perdure.activities.outside import Outside
from perdure.secrets import Secrets
from perdure.settings import Settings
from servers import NatsServer
from servers.certificates import issue

V2 = """
asyncapi: 2.6.0
info: {title: t, version: '1'}
defaultContentType: application/json
servers:
  west: {url: 'amqp://{region}.example.com:5673/shop', protocol: amqp, variables: {region: {default: w1, enum: [w1, w2]}}}
  mq: {url: mqtts://mq.example.com, protocol: secure-mqtt, protocolVersion: '5'}
  log: {$ref: 'parts.yaml#/server'}
  far: {url: sqs.example.com, protocol: sqs}
channels:
  orders/{region}/{id}:
    parameters:
      region: {schema: {type: string, default: eu}}
      id: {location: $message.payload#/order/id, schema: {type: string}}
    publish:
      operationId: takeOrder
      bindings: {amqp: {deliveryMode: 1}, kafka: {groupId: {type: string, const: g1}}}
      message: {$ref: 'parts.yaml#/message'}
    subscribe: {operationId: tellOrder, message: {oneOf: [{contentType: text/plain}, {contentType: text/csv}]}}
  only-mq: {servers: [mq], subscribe: {}}
"""
PARTS = """
server: {url: 'k1.example.com:9093', protocol: kafka-secure}
message:
  contentType: application/vnd.order+json
  correlationId: {location: '$message.header#/X-Order'}
  bindings: {kafka: {key: {type: string, enum: [k]}}}
"""
V3 = """
asyncapi: 3.0.0
info: {title: t, version: '1'}
servers:
  n: {host: 'n.example.com:{port}', protocol: nats, variables: {port: {default: '4222'}}}
  h: {host: h.example.com, pathname: /api/v1, protocol: https}
channels:
  order:
    address: order.{kind}
    servers: [{$ref: '#/servers/n'}]
    parameters: {kind: {enum: [new, old]}}
    bindings: {nats: {jetstream: true}}
    messages: {placed: {contentType: text/plain}}
  hook: {address: /hook, messages: {m: {$ref: '#/components/messages/m'}}}
operations:
  place: {action: receive, channel: {$ref: '#/channels/order'}, bindings: {nats: {queue: q}}}
  call: {action: send, channel: {$ref: '#/channels/hook'}, bindings: {http: {method: PUT}}}
components: {messages: {m: {contentType: application/json}}}
"""


@pytest.fixture
async def base():
    documents = {"/v2.yaml": V2, "/parts.yaml": PARTS, "/v3.yaml": V3, "/other.yaml": "openapi: 3.1.0"}

    async def serve(request):
        return web.Response(text=documents[request.path])

    app = web.Application()
    app.router.add_get("/{tail:.*}", serve)
    async with serving_app(app) as base:
        yield base


@contextlib.asynccontextmanager
async def going_outside(permits=None, **changes):
    settings = {"egress_allow": "127.0.0.0/8", "call_timeout_seconds": 10, **changes}
    outside = Outside(Settings(_env_file=None, **settings), Secrets({"PERDURE_SECRET_LOGIN": "top-secret-1"}), permits)
    await outside.start()
    try:
        yield outside
    finally:
        await outside.stop()


@pytest.fixture
async def outside():
    async with going_outside() as made:
        yield made


def call(document, *, idempotency_key=f"{PROCESS}/{ACTIVITY}", deliver=None, **arguments):
    if "message" not in arguments and "subscription" not in arguments:
        arguments["message"] = {"payload": {"order": {"id": "o-1"}}}
    return made(
        "asyncapi",
        {"document": {"endpoint": document}, **arguments},
        "LOGIN",
        idempotency_key=idempotency_key,
        deliver=deliver,
    )


class Inbox:
    """Where a subscription hands its messages to, until there are so many."""

    def __init__(self, wanted):
        self.messages = []
        self._wanted = wanted

    async def __call__(self, messages, resume=None):
        self.messages += [message.payload for message in messages]
        return Verdict(len(messages), wanted=len(self.messages) < self._wanted)

    async def wanted(self):
        pass


SUBSCRIPTION = {"subscription": {"batch": True}}
ORDERS = {"channel": "orders/{region}/{id}"}

TARGETS = {
    "the first server whose protocol is spoken": (
        "v2",
        ORDERS,
        {"protocol": "amqp", "host": "w1.example.com", "port": 5673, "path": "/shop", "address": "orders/eu/o-1"},
    ),
    "a server by name": (
        "v2",
        {**ORDERS, "server": {"name": "west", "variables": {"region": "w2", "id": "7"}}},
        {"host": "w2.example.com", "address": "orders/eu/7"},
    ),
    "by an operation's id": ("v2", {"operation": "takeOrder"}, {"content_type": "application/vnd.order+json"}),
    "by protocol, from another document": (
        "v2",
        {**ORDERS, "protocol": "kafka"},
        {
            "protocol": "kafka",
            "host": "k1.example.com",
            "port": 9093,
            "tls": True,
            "correlation": "$message.header#/X-Order",
        },
    ),
    "mqtt by its version": ("v2", {**ORDERS, "protocol": "mqtt"}, {"protocol": "mqtt5", "tls": True, "port": None}),
    "a subscription to all": (
        "v2",
        {**ORDERS, **SUBSCRIPTION, "protocol": "mqtt5"},
        {"address": "orders/eu/+", "content_type": "text/plain"},
    ),
    "a channel's own servers": ("v2", {"channel": "only-mq", **SUBSCRIPTION}, {"host": "mq.example.com"}),
    "a protocol that is not spoken": ("v2", {**ORDERS, "protocol": "sqs"}, {"protocol": "sqs"}),
    "3.0 by operation": (
        "v3",
        {"operation": "place", "server": {"name": "n", "variables": {"kind": "new", "port": "4333"}}},
        {
            "protocol": "nats",
            "host": "n.example.com",
            "port": 4333,
            "address": "order.new",
            "content_type": "text/plain",
        },
    ),
    "3.0 over https": (
        "v3",
        {"operation": "call", "protocol": "http"},
        {"protocol": "http", "host": "h.example.com", "path": "/api/v1", "tls": True, "address": "/hook"},
    ),
    "3.0 by the channel's name": ("v3", {"channel": "hook", "server": {"name": "h"}}, {"address": "/hook"}),
    "3.0 by the channel's address": ("v3", {"channel": "/hook", "server": {"name": "h"}}, {"address": "/hook"}),
    "3.0 subscribed to all": ("v3", {"operation": "place", **SUBSCRIPTION}, {"address": "order.*"}),
}


@pytest.mark.parametrize("name", TARGETS)
async def test_where_a_call_leads(name, base, outside):
    document, arguments, expected = TARGETS[name]
    target = await target_of(call(f"{base}/{document}.yaml", **arguments), outside.documents)
    assert {key: getattr(target, key) for key in expected} == expected


async def test_bindings_are_those_of_the_protocol(base, outside):
    target = await target_of(call(f"{base}/v2.yaml", **ORDERS, protocol="kafka"), outside.documents)
    assert target.bindings.operation == {"groupId": {"type": "string", "const": "g1"}}
    assert target.bindings.message == {"key": {"type": "string", "enum": ["k"]}}
    target = await target_of(call(f"{base}/v3.yaml", operation="place", **SUBSCRIPTION), outside.documents)
    assert (target.bindings.first("queue"), target.bindings.first("jetstream")) == ("q", True)


NOWHERE = {
    "channel": ("v2", {"channel": "orders/{region}/{ids}"}, "did you mean orders/{region}/{id}?"),
    "operation": ("v2", {"operation": "takeOrders"}, "has no operation 'takeOrders'; did you mean takeOrder or"),
    "operation of 3.0": ("v3", {"operation": "plaice"}, "did you mean place?"),
    "server": ("v2", {**ORDERS, "server": {"name": "wast"}}, "no server 'wast'; did you mean west?"),
    "server of another channel": (
        "v3",
        {"operation": "place", "server": {"name": "h"}},
        "not at the server 'h'; it is at n.",
    ),
    "protocol": (
        "v2",
        {**ORDERS, "protocol": "nats"},
        "no server of the protocol nats; it has west (amqp), mq (mqtt5)",
    ),
    "no such operation on the channel": ("v2", {"channel": "only-mq"}, "has no operation publish; it has"),
    "operation the other way": ("v2", {"operation": "tellOrder"}, "is subscribe of the channel"),
    "choice of a variable": (
        "v2",
        {**ORDERS, "server": {"name": "west", "variables": {"region": "evil.org/"}}},
        "expects one of w1, w2 for its variable region",
    ),
    "variable": ("v2", {**ORDERS, "server": {"name": "west", "variables": {"regoin": "w1"}}}, "did you mean region?"),
    "variable that leads elsewhere": (
        "v3",
        {"operation": "place", "server": {"name": "n", "variables": {"kind": "new", "port": "1@evil.org"}}},
        "expects letters, digits, dots and hyphens for its variable port",
    ),
    "parameter": (
        "v2",
        {**ORDERS, "message": {"payload": {"order": {"id": "a/b"}}}},
        "can't have this value for id",
    ),
    "parameter without a value": ("v3", {"operation": "place"}, "needs a value for kind"),
    "choice of a parameter": (
        "v3",
        {"operation": "place", "server": {"name": "n", "variables": {"kind": "odd"}}},
        "expects one of new, old for kind",
    ),
    "document": ("other", {"operation": "x"}, "is no document of AsyncAPI 2.x or 3.0"),
    "arguments": ("v2", {"channel": "a", "operation": "b"}, "needs `channel` or `operation`, and not both"),
    "protocol that is not available": (
        "v2",
        {**ORDERS, "protocol": "sqs"},
        "The protocol sqs is not available; those that are: amqp, http, kafka, mqtt, mqtt5, nats.",
    ),
    "headers": (
        "v2",
        {**ORDERS, "message": {"headers": {"a": []}, "payload": {"order": {"id": 1}}}},
        "`message.headers`",
    ),
}


@pytest.mark.parametrize("name", NOWHERE)
async def test_a_call_that_leads_nowhere(name, base, outside):
    document, arguments, detail = NOWHERE[name]
    with pytest.raises(CallFailed) as caught:
        await AsyncApiPerformer(outside).perform(call(f"{base}/{document}.yaml", **arguments))
    assert caught.value.error.type.endswith("/configuration")
    assert detail in (caught.value.error.detail or "")


async def test_a_missing_extra_says_what_to_install(base, outside, monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *a: None if name == "aiokafka" else found(name, *a))
    with pytest.raises(CallFailed) as caught:
        await AsyncApiPerformer(outside).perform(call(f"{base}/v2.yaml", **ORDERS, protocol="kafka"))
    assert caught.value.error.type.endswith("/configuration")
    assert "pip install 'perdure[kafka]'" in caught.value.error.detail


@contextlib.asynccontextmanager
async def serving(server, **channel):
    """A document with one channel at one server."""
    described = {
        "asyncapi": "3.0.0",
        "servers": {"s": server},
        "channels": {"c": {"address": "guarded", **channel}},
        "operations": {"o": {"action": "send", "channel": {"$ref": "#/channels/c"}}},
    }

    async def serve(_):
        return web.Response(text=yaml.safe_dump(described))

    app = web.Application()
    app.router.add_get("/d.yaml", serve)
    async with serving_app(app) as base:
        yield f"{base}/d.yaml"


@pytest.mark.parametrize("protocol", ["amqp", "http", "kafka", "mqtt", "mqtt5", "nats"])
@pytest.mark.parametrize("arguments", [{}, SUBSCRIPTION], ids=["publish", "subscribe"])
async def test_an_address_that_may_not_be_reached(protocol, arguments, fleet):
    """127.0.0.2 is not among the networks; a listener there would see any attempt."""
    seen = []
    listener = await asyncio.start_server(lambda _, writer: (seen.append(1), writer.close()), "127.0.0.2", 0)
    port = listener.sockets[0].getsockname()[1]
    async with (
        going_outside(egress_allow="127.0.0.1") as outside,
        serving({"host": f"127.0.0.2:{port}", "protocol": protocol}) as document,
    ):
        with pytest.raises(CallFailed) as caught:
            await AsyncApiPerformer(outside).perform(call(document, operation="o", **arguments))
    listener.close()
    await listener.wait_closed()
    assert caught.value.error.type.endswith("/authorization"), caught.value.error
    assert "PERDURE_EGRESS_ALLOW" in caught.value.error.detail
    assert not seen


@pytest.mark.parametrize("protocol", ["amqp", "kafka", "mqtt", "mqtt5", "nats"])
async def test_nobody_answers(protocol, outside):
    async with serving({"host": "127.0.0.1:1", "protocol": protocol}) as document:
        with traced() as trace, pytest.raises(CallFailed) as caught:
            await AsyncApiPerformer(outside).perform(call(document, operation="o"))
    assert (trace.by, trace.status) == (None, None), "the server of the document does not count"
    assert trace.sent is not None
    assert caught.value.error.type.endswith("/communication"), caught.value.error
    assert f"'guarded' at {protocol}://127.0.0.1:1 failed" in caught.value.error.detail


async def test_a_wrong_password_is_told_without_it(outside, rabbit):
    host = rabbit.url.rpartition("@")[2]
    async with serving({"host": host, "protocol": "amqp"}) as document:
        policy = {"basic": {"username": "guest", "password": "top-secret-1"}}
        with traced() as trace, pytest.raises(CallFailed) as caught:
            await AsyncApiPerformer(outside).perform(call(document, operation="o", authentication=policy))
    assert trace.by == host.rstrip("/"), "it has answered: with a refusal"
    assert caught.value.error.type.endswith("/authentication"), caught.value.error
    assert "top-secret-1" not in str(caught.value.error)


async def test_a_queue_that_is_not_there_loses_no_message(outside, rabbit):
    host = rabbit.url.rpartition("@")[2]
    bindings = {"amqp": {"is": "queue", "queue": {"name": "nobody-made-it"}}}
    async with serving({"host": host, "protocol": "amqp"}, bindings=bindings) as document:
        for arguments in ({}, SUBSCRIPTION):
            with pytest.raises(CallFailed) as caught:
                await AsyncApiPerformer(outside).perform(call(document, operation="o", **arguments))
            assert caught.value.error.type.endswith("/communication")
            assert "queue" in caught.value.error.detail and "nobody-made-it" in caught.value.error.detail


async def test_login_and_encryption_of_mqtt(outside, secure_mosquitto, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(secure_mosquitto.authority))
    policy = {"basic": {"username": "ann", "password": "pass-word-1"}}
    server = {"host": f"localhost:{secure_mosquitto.port}", "protocol": "mqtts"}
    context = ssl.create_default_context(cafile=str(secure_mosquitto.authority))
    async with (
        serving(server) as document,
        aiomqtt.Client(
            "localhost", secure_mosquitto.port, username="ann", password="pass-word-1", tls_context=context
        ) as reader,
    ):
        await reader.subscribe("guarded", qos=1)
        performer = AsyncApiPerformer(outside)
        output = await performer.perform(call(document, operation="o", authentication=policy))
        assert output == {"payload": {"order": {"id": "o-1"}}, "headers": {}}
        async with asyncio.timeout(10):
            message = await anext(aiter(reader.messages))
        assert json.loads(message.payload) == {"order": {"id": "o-1"}}
        with pytest.raises(CallFailed) as caught:
            await performer.perform(call(document, operation="o"))
        assert caught.value.error.type.endswith("/authentication"), caught.value.error
        monkeypatch.delenv("SSL_CERT_FILE")
        with pytest.raises(CallFailed) as caught:
            await performer.perform(call(document, operation="o", authentication=policy))
        assert "certificate" in caught.value.error.detail.lower()


@pytest.fixture
async def provider():
    async with providing() as provider:
        provider.opaque = True
        yield provider


def oauth2(provider):
    return {
        "oauth2": {
            "authority": provider.base,
            "grant": "client_credentials",
            "client": {"id": CLIENT, "secret": SECRET},
        }
    }


class Spy:
    """A protocol that only sees who calls."""

    def __init__(self):
        self.logins = []

    async def publish(self, access, message):
        self.logins.append(access.login)


@pytest.mark.parametrize("protocol", ["amqp", "kafka", "mqtt", "mqtt5", "nats"])
async def test_a_token_that_is_fetched_logs_in(protocol, provider, outside, monkeypatch):
    """The first time, and when it had been kept."""
    spy = Spy()
    monkeypatch.setattr(performing, "protocol_of", lambda name: spy)
    async with serving({"host": "127.0.0.1:1", "protocol": protocol}) as document:
        for _ in range(2):
            await AsyncApiPerformer(outside).perform(call(document, operation="o", authentication=oauth2(provider)))
    assert spy.logins == [Login(token="opaque-token-1")] * 2


async def test_a_token_that_a_broker_refuses_is_renewed(provider, outside):
    performer = AsyncApiPerformer(outside)
    server = NatsServer("--auth", "opaque-token-1")
    try:
        await server.start()
        async with serving({"host": f"127.0.0.1:{server.port}", "protocol": "nats"}) as document:
            publication = call(document, operation="o", authentication=oauth2(provider))
            await performer.perform(publication)
            server.options = ("--auth", "opaque-token-2")
            await server.restart()
            await performer.perform(publication)
            server.options = ("--auth", "another")
            await server.restart()
            with pytest.raises(CallFailed) as caught:
                await performer.perform(publication)
    finally:
        await server.close()
    assert caught.value.error.type.endswith("/authentication"), caught.value.error
    assert "opaque-token" not in caught.value.error.detail


async def test_a_subscription_over_http_answers_a_refusal(provider, outside):
    """The service has forgotten the token that is kept."""

    async def stream(request):
        if request.headers.get("Authorization") != f"Bearer {list(provider.valid)[-1]}":
            return web.Response(status=401, headers={"WWW-Authenticate": "Bearer"})
        return web.Response(text='{"n": 1}\n', content_type="application/x-ndjson")

    performer = AsyncApiPerformer(outside)
    async with streaming(stream) as document:
        for _ in range(2):
            subscription = call(
                document, operation="o", authentication=oauth2(provider), deliver=Inbox(9), **SUBSCRIPTION
            )
            assert await performer.perform(subscription) is None
            assert subscription.deliver.messages == [{"n": 1}]
            provider.valid["forgotten"] = ""


@pytest.mark.parametrize("stream", [False, True], ids=["subject", "stream"])
async def test_a_subscription_survives_a_restart_of_nats(stream, outside):
    server, inbox = NatsServer(), Inbox(2)
    try:
        await server.start()
        bindings = {"nats": {"jetstream": {"stream": "kept"}}} if stream else {}
        async with serving({"host": f"127.0.0.1:{server.port}", "protocol": "nats"}, bindings=bindings) as document:
            if stream:
                async with await nats.connect(server.url) as client:
                    await client.jetstream().add_stream(name="kept", subjects=["guarded"])
            performer = AsyncApiPerformer(outside)
            subscription = call(document, operation="o", deliver=inbox, **SUBSCRIPTION)
            subscribing = asyncio.create_task(performer.perform(subscription))
            await published(server, lambda: len(inbox.messages) >= 1 or subscribing.done())
            await server.restart()
            await published(server, subscribing.done)
            with pytest.raises(Unwanted):
                await subscribing
    finally:
        await server.close()


async def published(server, enough):
    """Publish again and again until it is enough."""
    async with asyncio.timeout(30), await nats.connect(server.url) as client:
        while not enough():
            await client.publish("guarded", b'{"n": 1}')
            await client.flush()
            await asyncio.sleep(0.02)


async def test_messages_of_a_plain_subject_that_nobody_takes_are_bounded(outside):
    source = _Plain(Access(outside, None, Login(), Credentials(), call("http://d")))
    for _ in range(BATCH_MAX):
        await source._received.put(object())
    assert source._received.full()
    await source.closed()
    with pytest.raises(Broken):
        await source.receive()


async def test_events_are_asked_for_from_where_they_broke_off(outside, monkeypatch):
    """Also where the next had begun already, and by another worker."""
    monkeypatch.setattr(performing, "AGAIN_SECONDS_MIN", 0.01)
    parts = [b"id: 7\ndata: 1\n\nid: 8\nda", b"id: 8\ndata: 2\n\n", b"data: 3\n\n"]
    asked = []

    async def stream(request):
        asked.append(request.headers.get("Last-Event-ID"))
        return web.Response(body=parts[len(asked) - 1], content_type="text/event-stream")

    inbox = Inbox(3)
    arguments = {"subscription": {"batch": True, "resume": "6"}}
    async with streaming(stream) as document:
        with pytest.raises(Unwanted):
            await AsyncApiPerformer(outside).perform(call(document, operation="o", deliver=inbox, **arguments))
    assert inbox.messages == [1, 2, 3]
    assert asked == ["6", "7", "8"]


class Flood:
    """A client whose broker sends messages without end, until it is left."""

    def __init__(self, payload):
        self.payload = payload
        self.left = False
        self._client = self

    @property
    async def messages(self):
        while not self.left:
            yield aiomqtt.Message("t", self.payload, 0, False, 0, None)

    def disconnect(self):
        self.left = True


@pytest.mark.parametrize("size", [0, 1_000_000])
async def test_messages_of_mqtt_that_nobody_takes_are_bounded(size, outside):
    access, client = Access(outside, None, Login(), Credentials(), call("http://d")), Flood(b"x" * size)
    source = MqttSource(access, client, asyncio.Event())
    await source._read()
    assert client.left
    with pytest.raises(Broken, match="faster than the process takes"):
        await source.receive()


@contextlib.asynccontextmanager
async def streaming(handle, userinfo=""):
    """A document whose server is here, and answers by `handle`."""
    app = web.Application()
    app.router.add_route("*", "/guarded", handle)
    async with serving_app(app) as base:
        server = {"host": f"{userinfo}{base.removeprefix('http://')}", "protocol": "http"}
        async with serving(server) as document:
            yield document


async def test_a_login_in_the_address_of_an_http_server(outside):
    """It counts where there is no policy."""
    seen = []

    async def answer(request):
        seen.append(request.headers.get("Authorization"))
        return web.Response(status=204)

    performer = AsyncApiPerformer(outside)
    async with streaming(answer, "ann:p%40ss-word-1@") as document:
        await performer.perform(call(document, operation="o"))
        await performer.perform(call(document, operation="o", deliver=Inbox(1), **SUBSCRIPTION))
        policy = {"bearer": {"token": "tok-1234567890"}}
        await performer.perform(call(document, operation="o", authentication=policy))
    own = basic("ann", "p@ss-word-1").authorization
    assert seen == [own, own, "Bearer tok-1234567890"]


class SlowPermits:
    """Gives its only permit later than a call may take."""

    async def admit(self, name, limit, permit, ttl_seconds):
        await asyncio.sleep(1.2)
        return 0.0

    async def hold(self, permits, ttl_seconds):
        pass

    async def release(self, name, permit):
        pass


async def test_the_time_for_a_permit_does_not_count():
    async def answer(_):
        return web.Response(status=204)

    limits = {"call_limits": "127.0.0.1=,1", "call_timeout_seconds": 1}
    async with going_outside(SlowPermits(), **limits) as outside, streaming(answer) as document:
        output = await AsyncApiPerformer(outside).perform(call(document, operation="o"))
    assert output == {"payload": {"order": {"id": "o-1"}}, "headers": {}}


@pytest.mark.parametrize("protocol", ["amqp", "kafka", "mqtt", "nats"])
async def test_what_a_protocol_has_no_place_for_is_told(protocol, outside, tmp_path):
    async with serving({"host": "127.0.0.1:1", "protocol": protocol}) as document:
        policy = {"digest": {"username": "ann", "password": "pass-word-1"}}
        with pytest.raises(CallFailed, match="Digest authentication is for http") as caught:
            await AsyncApiPerformer(outside).perform(call(document, operation="o", authentication=policy))
        assert caught.value.error.type.endswith("/configuration")
        issue(tmp_path, "localhost")
        pem = (tmp_path / "certificate.pem").read_text() + (tmp_path / "key.pem").read_text()
        policy = {"certificate": {"certificate": pem}}
        with pytest.raises(CallFailed, match="A client certificate needs TLS") as caught:
            await AsyncApiPerformer(outside).perform(call(document, operation="o", authentication=policy))
        assert caught.value.error.type.endswith("/configuration")


BODIES = [
    (b'{"a": 1}', "application/json", {"a": 1}),
    (b'{"a": 1}', None, {"a": 1}),
    (b"not json", "application/json", "not json"),
    (b"1", "text/plain", "1"),
    (b"\xff\x00", None, base64.b64encode(b"\xff\x00").decode()),
    (b"abc", "application/octet-stream", base64.b64encode(b"abc").decode()),
    (b"", "application/json", None),
]


@pytest.mark.parametrize(("body", "content_type", "payload"), BODIES)
def test_what_comes_in(body, content_type, payload):
    assert payloads.incoming(body, content_type, (), None, 100).payload == payload


def test_where_the_correlation_id_is():
    headers = [("X-Order", "h")]
    incoming = payloads.incoming
    assert incoming(b'{"a": {"id": 7}}', None, headers, "$message.payload#/a/id", 100).correlation_id == "7"
    assert incoming(b"{}", None, headers, "$message.header#/x-order", 100).correlation_id == "h"
    assert incoming(b"{}", None, headers, None, 100, correlation_id="p").correlation_id == "p"
    assert incoming(b"{}", None, [("CorrelationId", "q")], None, 100).correlation_id == "q"
    assert incoming(b"{}", None, headers, "$message.payload#/none", 100).correlation_id is None


def test_a_message_goes_out_with_what_identifies_it():
    sent = payloads.outgoing({"payload": "text", "headers": {"n": 1, "b": True}}, "text/plain", None, call("http://d"))
    assert (sent.body, sent.content_type) == (b"text", "text/plain; charset=utf-8")
    assert sent.id == sent.headers["Idempotency-Key"] == f"{PROCESS}/{ACTIVITY}"
    assert (sent.headers["n"], sent.headers["b"]) == ("1", "true")
    assert sent.headers["traceparent"].startswith("00-")
