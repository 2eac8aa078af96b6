"""A real gRPC server, and the web server that has its proto files."""

import asyncio
import contextlib
import importlib
import sys
import tempfile
from pathlib import Path

import grpc
import grpc.aio
from aiohttp import web
from grpc_tools import protoc

from servers.server import free_port

PROTOS = Path(__file__).parent / "protos"


def generated():
    """The modules that protoc generates from the proto files, the usual way."""
    if "legacy_pb2" not in sys.modules:
        target = tempfile.mkdtemp(prefix="perdure-test-protos-")
        tools = Path(protoc.__file__).parent / "_proto"
        common = Path(next(iter(importlib.import_module("google.api").__path__))).parent.parent
        files = [str(path.relative_to(PROTOS)) for path in PROTOS.rglob("*.proto")]
        places = [f"-I{place}" for place in (PROTOS, tools, common)]
        assert protoc.main(["protoc", *places, f"--python_out={target}", *files]) == 0
        sys.path.insert(0, target)
    return importlib.import_module("shop.v1.orders_pb2"), importlib.import_module("legacy_pb2")


class GrpcShop:
    """What the server was asked, and where it and its proto files are."""

    def __init__(self):
        self.orders, self.legacy = generated()
        self.placed = []
        self.metadata = []
        self.admits = None
        self.port = 0
        self.protos = ""
        self.files = dict.fromkeys(())
        self.moved = {}
        self.fetched = []
        self.shown = []
        self.closing = asyncio.Event()

    async def place(self, request, context):
        self.placed.append(request)
        return request

    async def tell_metadata(self, request, context):
        found = {key: value for key, value in context.invocation_metadata() if isinstance(value, str)}
        self.metadata.append(found)
        if self.admits is not None and found.get("authorization") not in self.admits:
            await context.abort(grpc.StatusCode.UNAUTHENTICATED, f"not {found.get('authorization')}")
        return self.orders.Answer(text=context.auth_context().get("transport_security_type", [b""])[0], metadata=found)

    async def fail(self, request, context):
        await context.abort(grpc.StatusCode[request.code], request.message)

    async def hang(self, request, context):
        await self.closing.wait()
        return self.orders.Answer()

    async def watch(self, request, context):
        for number in range(request.count):
            yield self.orders.Answer(number=number, text="x" * request.size)
        if request.code:
            await context.abort(grpc.StatusCode[request.code], request.message)

    async def collect(self, requests, context):
        asked = [request.message async for request in requests]
        return self.orders.Answer(number=len(asked), text=",".join(asked))

    async def chat(self, requests, context):
        async for request in requests:
            for number in range(request.count):
                yield self.orders.Answer(number=number, text=request.message)

    async def greet(self, request, context):
        return self.legacy.Greeting(message=f"Hello {request.name}" * request.times)

    def handlers(self):
        ask, answer = self.orders.Ask.FromString, self.orders.Answer.SerializeToString
        order = self.orders.PlaceOrder
        unary = grpc.unary_unary_rpc_method_handler
        return [
            grpc.method_handlers_generic_handler(
                "shop.v1.Orders",
                {
                    "Place": unary(self.place, order.FromString, order.SerializeToString),
                    "Metadata": unary(self.tell_metadata, ask, answer),
                    "Fail": unary(self.fail, ask, answer),
                    "Hang": unary(self.hang, ask, answer),
                    "Watch": grpc.unary_stream_rpc_method_handler(self.watch, ask, answer),
                    "Collect": grpc.stream_unary_rpc_method_handler(self.collect, ask, answer),
                    "Chat": grpc.stream_stream_rpc_method_handler(self.chat, ask, answer),
                },
            ),
            grpc.method_handlers_generic_handler(
                "Greeter",
                {
                    "Greet": unary(
                        self.greet, self.legacy.GreetRequest.FromString, self.legacy.Greeting.SerializeToString
                    )
                },
            ),
        ]

    async def file(self, request):
        self.fetched.append(request.path)
        self.shown.append(request.headers.get("Authorization"))
        name = request.match_info["name"]
        if name in self.moved:
            raise web.HTTPFound(self.moved[name])
        own = self.files.get(name)
        path = PROTOS / name
        if own is None and not path.is_file():
            raise web.HTTPNotFound
        return web.Response(text=own if own is not None else path.read_text())


@contextlib.asynccontextmanager
async def grpc_server(shop, credentials=None, port=None):
    server = grpc.aio.server()
    server.add_generic_rpc_handlers(shop.handlers())
    address = f"127.0.0.1:{port or free_port()}"
    bound = server.add_secure_port(address, credentials) if credentials else server.add_insecure_port(address)
    await server.start()
    try:
        yield bound
    finally:
        shop.closing.set()
        await server.stop(0)


@contextlib.asynccontextmanager
async def grpc_shop(credentials=None):
    shop = GrpcShop()
    app = web.Application()
    app.router.add_get("/protos/{name:.*}", shop.file)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    shop.protos = f"http://127.0.0.1:{runner.addresses[0][1]}/protos"
    try:
        async with grpc_server(shop, credentials) as shop.port:
            yield shop
    finally:
        await runner.cleanup()
