"""A subscription over the life of several platforms, each killed in its midst."""

import asyncio
import json
from collections.abc import AsyncIterator

import aio_pika
import pytest
from aiohttp import web

from integration.api import Api, definition
from integration.programs import Program
from servers import RabbitServer

MESSAGES = 240
KILLS = 3
SECONDS = 60


@pytest.fixture
async def document(rabbit: RabbitServer) -> AsyncIterator[str]:
    """Where the document of the channel is."""
    described = {
        "asyncapi": "2.6.0",
        "info": {"title": "Orders", "version": "1"},
        "servers": {"main": {"url": rabbit.url, "protocol": "amqp"}},
        "channels": {
            "orders": {
                "bindings": {"amqp": {"is": "queue", "queue": {"name": "killed-orders"}}},
                "subscribe": {"message": {"contentType": "application/json"}},
            }
        },
    }

    async def serve(_: web.Request) -> web.Response:
        return web.json_response(described)

    app = web.Application()
    app.router.add_get("/orders.json", serve)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/orders.json"
    await runner.cleanup()


async def test_no_message_is_lost_or_taken_twice(document: str, rabbit: RabbitServer) -> None:
    platform = Program("dev")
    try:
        await platform.start()
        connection = await aio_pika.connect(rabbit.url)
        async with connection, Api(platform.url) as api:
            channel = await connection.channel()
            queue = await channel.declare_queue("killed-orders", durable=True)
            subscription = {"consume": {"until": "${ .payload.last }"}}
            arguments = {"document": {"endpoint": document}, "channel": "orders", "subscription": subscription}
            await api.deploy(json.dumps(definition("orders", [{"s": {"call": "asyncapi", "with": arguments}}])))
            process = (await api.start("test/orders"))["id"]
            feeding = asyncio.create_task(_feed(channel, queue.name))
            for kill in range(KILLS):
                await _consumed(api, process, (kill + 1) * MESSAGES // (KILLS + 2))
                await platform.kill()
                await platform.start()
            await feeding
            ended = await api.end(process, seconds=SECONDS)
            assert ended["status"] == "completed", ended["error"]
            assert [message["payload"]["n"] for message in ended["output"]] == list(range(MESSAGES))
            assert (await channel.declare_queue(queue.name, passive=True)).declaration_result.message_count == 0
    finally:
        await platform.close()


async def _feed(channel: aio_pika.abc.AbstractChannel, queue: str) -> None:
    for number in range(MESSAGES):
        body = json.dumps({"n": number, "last": number + 1 == MESSAGES}).encode()
        await channel.default_exchange.publish(aio_pika.Message(body, message_id=f"m-{number}"), queue)
        await asyncio.sleep(0.01)


async def _consumed(api: Api, process: str, count: int) -> None:
    async with asyncio.timeout(SECONDS):
        while True:
            history = await api.history(process)
            if sum(entry["type"] == "dev.perdure.message.consumed" for entry in history) >= count:
                return
            await asyncio.sleep(0.05)
