"""Calls of every kind wait for a host whose place another worker has, as Redis tells; then they go on."""

import asyncio
import contextlib
from uuid import uuid4

import pytest
from aiohttp import web
from calling import ACTIVITY, PROCESS
from prometheus_client import REGISTRY

from perdure.activities.contract import Call
from perdure.activities.outside import Outside
from perdure.activities.registry import Registry
from perdure.coordination.redis import RedisCoordinator
from perdure.limits import Limit
from perdure.secrets import Secrets
from perdure.settings import Settings
from servers import mcp_shop
from servers.a2a_agent import a2a_agent
from servers.grpc_shop import grpc_shop
from servers.server import free_port

HOST = "127.0.0.1"
ONE = Limit(concurrency=1)


async def answer(request: web.Request) -> web.Response:
    if request.path != "/openapi.json":
        return web.json_response({"path": request.path})
    operation = {"operationId": "op", "responses": {"200": {"description": "ok"}}}
    info = {"title": "t", "version": "1"}
    return web.json_response({"openapi": "3.0.3", "info": info, "paths": {"/things": {"get": operation}}})


@contextlib.asynccontextmanager
async def things():
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, HOST, 0).start()
    yield f"http://{HOST}:{runner.addresses[0][1]}"
    await runner.cleanup()


@contextlib.asynccontextmanager
async def http():
    async with things() as url:
        yield {"method": "get", "uri": url + "/things"}, {"path": "/things"}


@contextlib.asynccontextmanager
async def openapi():
    async with things() as url:
        yield {"document": {"endpoint": url + "/openapi.json"}, "operationId": "op"}, {"path": "/things"}


@contextlib.asynccontextmanager
async def grpc():
    async with grpc_shop() as shop:
        service = {"name": "shop.v1.Orders", "host": HOST, "port": shop.port}
        proto = {"endpoint": f"{shop.protos}/shop/v1/orders.proto"}
        yield {"proto": proto, "service": service, "method": "Place", "arguments": {"orderId": "o-1"}}, None


@contextlib.asynccontextmanager
async def mcp():
    async with mcp_shop.mcp_http(free_port()) as url:
        yield {"method": "tools/list", "transport": {"http": {"endpoint": url}}}, None


@contextlib.asynccontextmanager
async def a2a():
    async with a2a_agent(free_port(), "1.0") as agent:
        message = {"message": {"parts": [{"kind": "text", "text": "hello"}]}}
        yield {"method": "message/send", "agentCard": {"endpoint": agent.base}, "parameters": message}, None


@pytest.mark.parametrize("kind", [http, openapi, grpc, mcp, a2a], ids=lambda kind: kind.__name__)
async def test_a_call_waits_until_its_host_has_a_place(kind, redis):
    coordinator, another = RedisCoordinator(redis.fresh_url()), uuid4()
    settings = Settings(_env_file=None, egress_allow="127.0.0.0/8", call_limits=f"{HOST}=,1", call_timeout_seconds=30)
    registry = Registry(Outside(settings, Secrets({}), coordinator))
    await registry.start()
    async with kind() as (request, expected):
        call = Call(PROCESS, ACTIVITY, 1, kind.__name__, "/do/0/x", request, "default", f"{PROCESS}/{ACTIVITY}")
        try:
            assert await coordinator.admit(HOST, ONE, another, 60) == 0
            performing = asyncio.create_task(registry.perform(call))
            async with asyncio.timeout(20):
                while REGISTRY.get_sample_value("perdure_calls_waiting") != 1:
                    assert not performing.done(), await performing
                    await asyncio.sleep(0.01)
            await coordinator.release(HOST, another)
            async with asyncio.timeout(30):
                output = await performing
            assert output if expected is None else output == expected
            assert await coordinator.admit(HOST, ONE, uuid4(), 60) == 0, "the call has not given its place back"
        finally:
            await registry.stop()
            await coordinator.stop()
