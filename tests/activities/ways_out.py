"""Every way in which a definition leads a worker to a host, for tests of what may not be reached."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import yaml
from aiohttp import web
from calling import made

from perdure.activities.a2a import A2aPerformer
from perdure.activities.asyncapi.performer import AsyncApiPerformer
from perdure.activities.fetching import OutsideFetcher
from perdure.activities.grpc import GrpcPerformer
from perdure.activities.http import HttpPerformer
from perdure.activities.mcp import McpPerformer
from perdure.activities.openapi.performer import OpenApiPerformer
from perdure.activities.outside import Outside
from perdure.activities.script import ScriptPerformer
from perdure.activities.webhook import WebhookPoster

STAGE = "127.0.0.2"
"""Where what may be reached is; it leads to what may not."""


class Stage:
    """Serves documents, redirects elsewhere, or answers all that is asked of it."""

    def __init__(self) -> None:
        self.base = ""
        self.documents: dict[str, str] = {}
        self.moved: dict[str, tuple[int, str]] = {}
        self.reached = 0

    def put(self, path: str, document: Any) -> str:
        self.documents[path] = document if isinstance(document, str) else json.dumps(document)
        return self.base + path

    def move(self, path: str, status: int, target: str) -> str:
        self.moved[path] = (status, target)
        return self.base + path

    async def handle(self, request: web.Request) -> web.Response:
        self.reached += 1
        if request.path in self.moved:
            status, target = self.moved[request.path]
            return web.Response(status=status, headers={"Location": target})
        return web.Response(text=self.documents.get(request.path, "{}"), content_type="application/json")


Way = Callable[[Outside, Stage, str], Awaitable[Any]]
"""Goes to a place (host and port as in a URI), by itself or because the stage says so."""


async def _http(outside: Outside, stage: Stage, place: str) -> None:
    await HttpPerformer(outside).perform(made("http", {"method": "get", "uri": f"http://{place}/"}))


def _redirected(status: int, hops: int = 1) -> Way:
    async def way(outside: Outside, stage: Stage, place: str) -> None:
        target = f"http://{place}/"
        for hop in range(hops):
            target = stage.move(f"/moved/{status}/{hop}", status, target)
        request = {"method": "post", "uri": target, "redirect": True, "body": {}}
        await HttpPerformer(outside).perform(made("http", request))

    return way


async def _redirected_by_a_lone_path(outside: Outside, stage: Stage, place: str) -> None:
    """`//host` keeps the scheme and changes the host."""
    target = stage.move("/moved/lone", 302, f"//{place}/")
    await HttpPerformer(outside).perform(made("http", {"method": "get", "uri": target, "redirect": True}))


def _oauth(**changes: str) -> Way:
    """`changes` are members of the policy, with PLACE for where they lead."""

    async def way(outside: Outside, stage: Stage, place: str) -> None:
        filled = json.loads(json.dumps(changes).replace("PLACE", place))
        policy = {"authority": stage.base, "grant": "client_credentials", "client": {"id": "a", "secret": "b"}}
        authentication = {"oauth2": {**policy, **filled}}
        request = {"method": "get", "uri": f"{stage.base}/resource", "authentication": authentication}
        await HttpPerformer(outside).perform(made("http", request))

    return way


def _discovered(member: str) -> Way:
    async def way(outside: Outside, stage: Stage, place: str) -> None:
        told = {"issuer": stage.base, "token_endpoint": f"{stage.base}/token", member: f"http://{place}/"}
        stage.put("/.well-known/openid-configuration", told)
        stage.put("/token", {"access_token": "abcdefgh", "token_type": "Bearer"})
        policy = {"authority": stage.base, "grant": "client_credentials", "client": {"id": "a", "secret": "b"}}
        request = {"method": "get", "uri": f"{stage.base}/resource", "authentication": {"oidc": policy}}
        await HttpPerformer(outside).perform(made("http", request))

    return way


def _openapi_of(stage: Stage, **changes: Any) -> str:
    operation = {"operationId": "op", "responses": {"200": {"description": "ok"}}}
    document = {"openapi": "3.0.3", "info": {"title": "t", "version": "1"}, "paths": {"/x": {"get": operation}}}
    return stage.put("/openapi.json", {**document, **changes})


async def _openapi(outside: Outside, document: str) -> None:
    await OpenApiPerformer(outside).perform(made("openapi", {"document": {"endpoint": document}, "operationId": "op"}))


async def _openapi_document(outside: Outside, stage: Stage, place: str) -> None:
    await _openapi(outside, f"http://{place}/openapi.json")


async def _openapi_server(outside: Outside, stage: Stage, place: str) -> None:
    await _openapi(outside, _openapi_of(stage, servers=[{"url": f"http://{place}/api"}]))


async def _openapi_reference(outside: Outside, stage: Stage, place: str) -> None:
    await _openapi(outside, _openapi_of(stage, paths={"/x": {"$ref": f"http://{place}/paths.json"}}))


async def _asyncapi(outside: Outside, document: str, **more: Any) -> None:
    arguments = more or {"message": {"payload": {}}}
    request = {"document": {"endpoint": document}, "operation": "o", **arguments}
    await AsyncApiPerformer(outside).perform(made("asyncapi", request))


def _asyncapi_of(stage: Stage, server: Any) -> str:
    document = {
        "asyncapi": "3.0.0",
        "info": {"title": "t", "version": "1"},
        "servers": {"s": server},
        "channels": {"c": {"address": "guarded"}},
        "operations": {"o": {"action": "send", "channel": {"$ref": "#/channels/c"}}},
    }
    return stage.put("/asyncapi.yaml", yaml.safe_dump(document))


async def _asyncapi_document(outside: Outside, stage: Stage, place: str) -> None:
    await _asyncapi(outside, f"http://{place}/asyncapi.yaml")


async def _asyncapi_reference(outside: Outside, stage: Stage, place: str) -> None:
    await _asyncapi(outside, _asyncapi_of(stage, {"$ref": f"http://{place}/server.yaml"}))


def _asyncapi_server(protocol: str, **arguments: Any) -> Way:
    async def way(outside: Outside, stage: Stage, place: str) -> None:
        await _asyncapi(outside, _asyncapi_of(stage, {"host": place, "protocol": protocol}), **arguments)

    return way


async def _grpc(outside: Outside, proto: str, host: str, port: int) -> None:
    performer = GrpcPerformer(outside)
    service = {"name": "a.Service", "host": host, "port": port}
    try:
        await performer.perform(made("grpc", {"proto": {"endpoint": proto}, "service": service, "method": "Say"}))
    finally:
        await performer.stop()


async def _grpc_service(outside: Outside, stage: Stage, place: str) -> None:
    host, _, port = place.rpartition(":")
    proto = 'syntax = "proto3"; package a; message M {} service Service { rpc Say (M) returns (M); }'
    await _grpc(outside, stage.put("/a.proto", proto), host.strip("[]"), int(port))


async def _grpc_proto(outside: Outside, stage: Stage, place: str) -> None:
    await _grpc(outside, f"http://{place}/a.proto", STAGE, 1)


async def _mcp(outside: Outside, stage: Stage, place: str) -> None:
    transport = {"http": {"endpoint": f"http://{place}/mcp"}}
    await McpPerformer(outside).perform(made("mcp", {"method": "tools/list", "transport": transport}))


async def _mcp_moved(outside: Outside, stage: Stage, place: str) -> None:
    transport = {"http": {"endpoint": stage.move("/mcp", 307, f"http://{place}/mcp")}}
    await McpPerformer(outside).perform(made("mcp", {"method": "tools/list", "transport": transport}))


async def _a2a(outside: Outside, **place: Any) -> None:
    await A2aPerformer(outside).perform(made("a2a", {"method": "tasks/list", **place}))


async def _a2a_server(outside: Outside, stage: Stage, place: str) -> None:
    await _a2a(outside, server=f"http://{place}/rpc")


async def _a2a_card(outside: Outside, stage: Stage, place: str) -> None:
    await _a2a(outside, agentCard={"endpoint": f"http://{place}/"})


async def _a2a_card_leads(outside: Outside, stage: Stage, place: str) -> None:
    card = {"url": f"http://{place}/rpc", "preferredTransport": "JSONRPC", "protocolVersion": "0.3.0"}
    await _a2a(outside, agentCard={"endpoint": stage.put("/card.json", card)})


async def _registration(outside: Outside, stage: Stage, place: str) -> None:
    """Catalogues, functions and schemas."""
    await OutsideFetcher(outside).fetch(f"http://{place}/function.yaml", "default", frozenset())


async def _registration_moved(outside: Outside, stage: Stage, place: str) -> None:
    target = stage.move("/function.yaml", 301, f"http://{place}/function.yaml")
    await OutsideFetcher(outside).fetch(target, "default", frozenset())


async def _script(outside: Outside, stage: Stage, place: str) -> None:
    request = {"language": "python", "source": {"endpoint": f"http://{place}/script.py"}}
    await ScriptPerformer(outside).perform(made("script", request))


async def _webhook(outside: Outside, stage: Stage, place: str) -> None:
    await WebhookPoster(outside).post(f"http://{place}/", {}, b"{}", 5)


_SUBSCRIPTION = {"subscription": {"consume": {"amount": 1}}}

WAYS: dict[str, Way] = {
    "http": _http,
    **{f"http {status}": _redirected(status) for status in (301, 302, 303, 307, 308)},
    "http last hop": _redirected(307, hops=5),
    "http lone path": _redirected_by_a_lone_path,
    "oauth2 authority": _oauth(authority="http://PLACE"),
    "oauth2 token": _oauth(endpoints={"token": "http://PLACE/token"}),  # type: ignore[arg-type]
    "oidc token": _discovered("token_endpoint"),
    "openapi document": _openapi_document,
    "openapi server": _openapi_server,
    "openapi reference": _openapi_reference,
    "asyncapi document": _asyncapi_document,
    "asyncapi reference": _asyncapi_reference,
    **{f"asyncapi {name}": _asyncapi_server(name) for name in ("amqp", "http", "kafka", "mqtt", "mqtt5", "nats")},
    "asyncapi http subscription": _asyncapi_server("http", **_SUBSCRIPTION),
    "asyncapi nats subscription": _asyncapi_server("nats", **_SUBSCRIPTION),
    "grpc service": _grpc_service,
    "grpc proto": _grpc_proto,
    "mcp": _mcp,
    "mcp moved": _mcp_moved,
    "a2a server": _a2a_server,
    "a2a card": _a2a_card,
    "a2a card leads": _a2a_card_leads,
    "registration": _registration,
    "registration moved": _registration_moved,
    "script": _script,
    "webhook": _webhook,
}
