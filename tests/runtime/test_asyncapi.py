"""Processes that publish to, and consume from, real brokers by AsyncAPI documents."""

import asyncio
import contextlib
import importlib.util
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from perdure.activities.outside import Outside
from perdure.activities.registry import Registry
from perdure.runtime.views import ProcessView
from perdure.worker.worker import Worker
from runtime.conftest import Platform, open_platform
from runtime.sites import HttpSite, KafkaSite, MqttSite, NatsSite, RabbitSite, Site
from servers import Fleet

SECONDS = 20
_number = iter(range(1, 1000))


@contextlib.asynccontextmanager
async def opened(kind: str, fleet: Fleet) -> AsyncIterator[Site]:
    number = next(_number)
    if kind == "http":
        http = HttpSite()
        async with http.open():
            yield http
        return
    server: Any = await fleet.get(SERVERS[kind])
    site: Any
    match kind:
        case "rabbit-queue" | "rabbit-exchange":
            exchange = f"exchange{number}" if kind == "rabbit-exchange" else None
            site = RabbitSite(server.url, f"orders.{number}", exchange=exchange)
        case "mqtt" | "mqtt5":
            site = MqttSite(server, f"orders/{number}", kind)
        case "nats" | "jetstream":
            site = NatsSite(server, f"orders.{number}", stream=f"s{number}" if kind == "jetstream" else None)
        case _:
            site = KafkaSite(server, f"orders-{number}")
    await site.prepare()
    yield site


SERVERS = {
    "rabbit-queue": "rabbit",
    "rabbit-exchange": "rabbit",
    "mqtt": "mosquitto",
    "mqtt5": "mosquitto",
    "nats": "nats_server",
    "jetstream": "nats_server",
    "kafka": "kafka_server",
}
KINDS = [*SERVERS, "http"]


@pytest.fixture(params=KINDS)
async def site(request: pytest.FixtureRequest, fleet: Fleet) -> AsyncIterator[Site]:
    async with opened(request.param, fleet) as made:
        yield made


@pytest.fixture
async def library() -> AsyncIterator["Library"]:
    made = Library()
    app = web.Application()
    app.router.add_get("/{name}", made.serve)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


class Library:
    """Where the documents are."""

    def __init__(self) -> None:
        self.url = ""
        self.documents: dict[str, Any] = {}

    async def serve(self, request: web.Request) -> web.Response:
        return web.json_response(self.documents[request.match_info["name"]])

    def document(self, site: Site) -> dict[str, Any]:
        """The arguments of a call that say which document."""
        name = f"{len(self.documents)}.json"
        self.documents[name] = {
            "asyncapi": "3.0.0",
            "info": {"title": "Orders", "version": "1.0.0"},
            "servers": {"main": site.server},
            "channels": {"orders": {"address": site.address, "bindings": site.bindings}},
            "operations": {"orders": {"action": "send", "channel": {"$ref": "#/channels/orders"}}},
        }
        return {"endpoint": f"{self.url}/{name}"}


def calling(library: Library, site: Site, **more: Any) -> dict[str, Any]:
    return {"call": "asyncapi", "with": {"document": library.document(site), "operation": "orders", **more}}


async def subscribed(platform: Platform, process: ProcessView, seconds: float) -> None:
    """The process waits for messages, and its subscription is open at the broker."""
    await platform.waiting(process, "event")
    async with asyncio.timeout(seconds):
        while not OPENED.get(str(process.id)):
            await asyncio.sleep(0.01)


async def ended_of(platform: Platform, process: ProcessView, site: Site) -> ProcessView:
    view = await platform.service.wait_process(platform.who, process.id, site.seconds)
    assert view.ended_at is not None, f"still {view.status}: {view.waiting_for}"
    return view


OPENED: dict[str, int] = {}


@pytest.fixture(autouse=True)
def _watched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Notes when a subscription is open, which only the performer knows."""
    from perdure.activities.asyncapi.performer import AsyncApiPerformer

    OPENED.clear()
    consume = AsyncApiPerformer._consume

    async def noting(self: Any, source: Any, access: Any) -> bool:
        OPENED[str(access.call.process)] = OPENED.get(str(access.call.process), 0) + 1
        return await consume(self, source, access)

    monkeypatch.setattr(AsyncApiPerformer, "_consume", noting)


def payloads(process: ProcessView) -> list[Any]:
    assert process.status == "completed", process.error
    return [message["payload"] for message in process.output]


async def test_publish(platform: Platform, library: Library, site: Site) -> None:
    message = {"payload": {"order": "${ .n }"}, "headers": {"kind": "new"}}
    async with site.received() as received:
        process = await platform.run("publish", [{"p": calling(library, site, message=message)}], {"n": 7})
        assert process.status == "completed", process.error
        assert process.output == {"payload": {"order": 7}, "headers": {"kind": "new"}}
        async with asyncio.timeout(SECONDS):
            payload, headers = await received.get()
    assert payload == {"order": 7}
    trail = await platform.service.history(platform.who, process.id, limit=100, cursor=None)
    (answer,) = [entry.data for entry in trail.items if entry.type == "dev.perdure.call.answered"]
    assert answer["by"] == site.server["host"].rpartition("@")[2].partition("/")[0]
    assert answer.get("status") == (202 if site.protocol == "http" else None)
    if site.protocol == "mqtt":
        return  # has no headers
    assert headers["kind"] == "new"
    assert headers["Idempotency-Key"].startswith(str(process.id))
    assert headers["traceparent"].startswith(f"00-{process.id.hex}-")
    assert headers["content-type"] == "application/json"


async def test_subscribe_amount(platform: Platform, library: Library, site: Site) -> None:
    subscription = {"filter": "${ .payload.n > 1 }", "consume": {"amount": 3}}
    await platform.deploy("amount", [{"s": calling(library, site, subscription=subscription)}])
    process = await platform.start("amount")
    await subscribed(platform, process, site.seconds)
    await site.send(*({"n": n} for n in range(8)))
    ended = await ended_of(platform, process, site)
    assert payloads(ended) == [{"n": 2}, {"n": 3}, {"n": 4}]
    left = await eventually_left(site, 3)
    assert left is None or left == [{"n": 5}, {"n": 6}, {"n": 7}], "what was not wanted is still there"


async def eventually_left(site: Site, count: int) -> list[Any] | None:
    found: list[Any] = []
    async with asyncio.timeout(SECONDS):
        while True:
            some = await site.left()
            if some is None:
                return None
            found += some
            if len(found) >= count:
                return sorted(found, key=lambda payload: payload["n"])
            await asyncio.sleep(0.02)


async def test_subscribe_with_tasks_for_each_message(
    platform: Platform, library: Library, site: Site, world: Any
) -> None:
    """``while`` asks what the tasks made of a message before the next is taken."""
    subscription = {
        "consume": {"while": "${ $context.seen != 3 }"},
        "foreach": {
            "item": "m",
            "do": [
                {
                    "post": {
                        "call": "http",
                        "with": {"method": "post", "endpoint": f"{world.url}/m", "body": "${ $m.payload }"},
                    }
                }
            ],
            "output": {"as": "${ {n: $m.payload.n, status: .status} }"},
            "export": {"as": "${ {seen: (($context.seen // 0) + 1)} }"},
        },
    }
    await platform.deploy("tasks", [{"s": calling(library, site, subscription=subscription)}])
    process = await platform.start("tasks")
    await subscribed(platform, process, site.seconds)
    await site.send(*({"n": n} for n in range(5)))
    ended = await ended_of(platform, process, site)
    assert ended.status == "completed", ended.error
    assert ended.output == [{"n": n, "status": 200} for n in range(3)]
    assert [body["n"] for _, _, _, body in world.of("/m")] == [0, 1, 2]
    left = await eventually_left(site, 2)
    assert left is None or left == [{"n": 3}, {"n": 4}]


async def test_the_time_is_bounded(platform: Platform, library: Library, site: Site) -> None:
    subscription = {"consume": {"until": "${ false }", "for": {"seconds": site.seconds / 5}}}
    await platform.deploy("time", [{"s": calling(library, site, subscription=subscription)}])
    process = await platform.start("time")
    await subscribed(platform, process, site.seconds)
    await site.send({"n": 1})
    assert payloads(await ended_of(platform, process, site)) == [{"n": 1}]


async def test_a_worker_that_dies_loses_no_message(platform: Platform, library: Library, site: Site) -> None:
    """It goes without a word in the middle: nothing acknowledged, nothing handed back. Another goes on."""
    if not site.redelivers:
        return
    subscription = {"consume": {"until": "${ .payload.n == 9 }"}}
    await platform.deploy("dies", [{"s": calling(library, site, subscription=subscription)}])
    process = await platform.start("dies")
    await subscribed(platform, process, site.seconds)
    await site.send(*({"n": n} for n in range(3)))
    await consumed(platform, process, 3)
    await die(platform.worker)
    await site.send(*({"n": n} for n in range(3, 10)))
    settings, context = platform.context.settings, platform.context
    second = Worker(context, Registry(Outside(settings, context.secrets)))
    await second.start()
    try:
        ended = await ended_of(platform, process, site)
    finally:
        await second.stop()
    found = [payload["n"] for payload in payloads(ended)]
    if site.protocol.startswith("mqtt"):  # has nothing to recognise a repeated message by
        found = sorted(set(found))
    assert found == list(range(10))


async def consumed(platform: Platform, process: ProcessView, count: int) -> None:
    async with asyncio.timeout(SECONDS):
        while (await platform.history(process)).count("dev.perdure.message.consumed") < count:
            await asyncio.sleep(0.02)


async def die(worker: Worker) -> None:
    """As a process that is killed: everything stops, connections break, no lease is given back."""
    worker._calls._tokens.clear()
    await worker.stop()


@pytest.fixture
async def queue(rabbit: Any) -> Site:
    made = RabbitSite(rabbit.url, f"orders.{next(_number)}")
    await made.prepare()
    return made


async def test_what_a_message_is(platform: Platform, library: Library, queue: Site) -> None:
    subscription = {"consume": {"amount": 1}}
    await platform.deploy("words", [{"s": calling(library, queue, subscription=subscription)}])
    process = await platform.start("words")
    await queue.send({"n": 1}, correlationId="c-1", kind="new")
    ended = await platform.ended(process)
    headers = {"correlationId": "c-1", "kind": "new"}
    assert ended.output == [{"payload": {"n": 1}, "headers": headers, "correlationId": "c-1"}]


async def test_a_suspended_process_takes_its_messages_later(platform: Platform, library: Library, queue: Site) -> None:
    subscription = {"consume": {"amount": 3}}
    await platform.deploy("suspended", [{"s": calling(library, queue, subscription=subscription)}])
    process = await platform.start("suspended")
    await subscribed(platform, process, queue.seconds)
    await platform.service.command(platform.who, process.id, "suspend", None)
    await queue.send(*({"n": n} for n in range(4)))
    await platform.service.command(platform.who, process.id, "resume", None)
    assert payloads(await platform.ended(process)) == [{"n": 0}, {"n": 1}, {"n": 2}]
    assert await eventually_left(queue, 1) == [{"n": 3}]


async def test_a_cancelled_subscription_leaves_its_messages(platform: Platform, library: Library, queue: Site) -> None:
    await platform.deploy("gone", [{"s": calling(library, queue, subscription={"consume": {"amount": 9}})}])
    process = await platform.start("gone")
    await subscribed(platform, process, queue.seconds)
    await queue.send({"n": 0})
    await consumed(platform, process, 1)
    await platform.service.command(platform.who, process.id, "cancel", None)
    await queue.send({"n": 1})
    assert await eventually_left(queue, 1) == [{"n": 1}]


async def test_a_broker_that_restarts(platform: Platform, library: Library, rabbit: Any, queue: Site) -> None:
    await platform.deploy("restart", [{"s": calling(library, queue, subscription={"consume": {"amount": 2}})}])
    process = await platform.start("restart")
    await subscribed(platform, process, queue.seconds)
    await queue.send({"n": 0})
    await consumed(platform, process, 1)
    await rabbit.restart()
    await queue.send({"n": 1})
    view = await platform.service.wait_process(platform.who, process.id, 60)
    assert payloads(view) == [{"n": 0}, {"n": 1}]


async def test_subscriptions_take_no_room_from_calls(database: str, library: Library, queue: Site, world: Any) -> None:
    async with open_platform(database, calls_concurrency_max=1, subscriptions_max=2) as platform:
        await platform.deploy("room", [{"s": calling(library, queue, subscription={"consume": {"amount": 1}})}])
        processes = [await platform.start("room") for _ in range(3)]
        http = {"call": "http", "with": {"method": "get", "endpoint": f"{world.url}/x"}}
        assert (await platform.run("call", [{"c": http}])).status == "completed"
        await queue.send(*({"n": n} for n in range(3)))
        found = [payloads(await platform.ended(process)) for process in processes]
        assert sorted(payload["n"] for (payload,) in found) == [0, 1, 2], "the third had its turn"


async def test_protocols_that_are_missing_are_warned_of(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *a: None if name == "nats" else found(name, *a))
    document = {"endpoint": "http://127.0.0.1:1/d"}
    message = {"message": {"payload": {}}}
    do = [
        {name: {"call": "asyncapi", "with": {"document": document, "operation": "o", **message, **more}}}
        for name, more in {
            "a": {"protocol": "nats"},
            "b": {"protocol": "pulsar"},
            "c": {"protocol": "amqp"},
            "d": {"protocol": "pulsar", "server": {"name": "s"}},
        }.items()
    ]
    head = {"dsl": "1.0.3", "namespace": "test", "name": "warned", "version": "1.0.0"}
    source = json.dumps({"document": head, "do": do}).encode()
    registration = await platform.service.register_definition(platform.who, source, "application/json")
    details = {warning.pointer: warning.detail for warning in registration.warnings}
    assert list(details) == ["/do/0/a", "/do/1/b"]
    assert "pip install 'perdure[nats]'" in details["/do/0/a"]
    assert "those that are: amqp, http, kafka, mqtt, mqtt5, nats" in details["/do/1/b"]
