"""Calls of remote procedures from definition to output, through the runtime and against real servers."""

import sys

import pytest
import yaml

from servers import mcp_shop
from servers.a2a_agent import a2a_agent
from servers.grpc_shop import grpc_shop
from servers.server import free_port

from .conftest import WHO, open_platform


async def test_a_grpc_call(platform):
    async with grpc_shop() as shop:
        service = {"name": "shop.v1.Orders", "host": "localhost", "port": shop.port}
        proto = {"endpoint": "{protos}/shop/v1/orders.proto".replace("{protos}", shop.protos)}
        place = {
            "proto": proto,
            "service": service,
            "method": "Place",
            "arguments": {"orderId": "${ .id }", "total": {"currency": "EUR", "minorUnits": "${ .cents }"}},
        }
        fail = {"proto": proto, "service": service, "method": "Fail", "arguments": {"code": "NOT_FOUND"}}
        do = [
            {"place": {"call": "grpc", "with": place, "output": {"as": "${ .total }"}}},
            {
                "tryFail": {
                    "try": [{"fail": {"call": "grpc", "with": fail}}],
                    "catch": {
                        "errors": {"with": {"type": "https://serverlessworkflow.io/spec/1.0.0/errors/communication", "status": 404}},
                        "as": "error",
                        "do": [{"tell": {"set": {"total": "${ . }", "title": "${ $error.title }", "at": "${ $error.instance }"}}}],
                    },
                }
            },
        ]  # fmt: skip
        view = await platform.run("grpc", do, {"id": "o-1", "cents": 990})
        assert view.error is None
        assert view.output == {
            "total": {"currency": "EUR", "minorUnits": "990"},
            "title": "NOT_FOUND",
            "at": "/do/1/tryFail/try/0/fail",
        }
        assert [order.order_id for order in shop.placed] == ["o-1"]


async def test_a_grpc_call_with_credentials_by_name(platform):
    async with grpc_shop() as shop:
        service = {"name": "Orders", "host": "localhost", "port": shop.port, "authentication": {"use": "shop"}}
        proto = {"endpoint": {"uri": f"{shop.protos}/shop/v1/orders.proto", "authentication": "shop"}}
        do = [{"ask": {"call": "grpc", "with": {"proto": proto, "service": service, "method": "Metadata"}}}]
        use = {"authentications": {"shop": {"bearer": {"token": "tok-abcdefgh"}}}}
        view = await platform.run("credentials", do, use=use)
        assert view.error is None
        assert shop.metadata[0]["authorization"] == "Bearer tok-abcdefgh"
        assert view.output["metadata"]["authorization"] == "Bearer ***"
        activity = (await platform.service.activities(WHO, view.id, limit=1, cursor=None)).items[0]
        assert shop.metadata[0]["idempotency-key"] == f"{view.id}/{activity.id}"


def ask(transport, name, **arguments):
    return {
        "call": "mcp",
        "with": {"method": "tools/call", "transport": transport, "parameters": {"name": name, "arguments": arguments}},
    }


async def test_mcp_calls(database):
    stdio = {"stdio": {"command": sys.executable, "arguments": [mcp_shop.__file__]}}
    async with (
        mcp_shop.mcp_http(free_port(), mcp_shop.again()) as url,
        open_platform(database, run_shell=True) as platform,
    ):
        do = [
            {
                "one": {
                    **ask({"http": {"endpoint": url}}, "stock", item="${ .item }"),
                    "output": {"as": "${ .structuredContent }"},
                }
            },
            {"two": {**ask(stdio, "stock", item="${ keys[0] }"), "output": {"as": "${ .structuredContent }"}}},
            {
                "tryRefusal": {
                    "try": [{"refuse": ask({"http": {"endpoint": url}}, "refuse", reason="closed")}],
                    "catch": {
                        "errors": {"with": {"type": "https://serverlessworkflow.io/spec/1.0.0/errors/runtime"}},
                        "as": "error",
                        "do": [{"tell": {"set": {"stock": "${ . }", "why": "${ $error.detail }"}}}],
                    },
                }
            },
        ]
        view = await platform.run("mcp", do, {"item": "lamp"})
        assert view.error is None
        assert view.output["stock"] == {"lamp@main@main": 7}
        assert view.output["why"].endswith("refused: closed")
        assert await platform.stranded() == []


async def test_a_program_that_the_operator_forbids(platform):
    view = await platform.run("forbidden", [{"ask": ask({"stdio": {"command": "ls"}}, "stock")}])
    assert view.status == "faulted"
    assert (view.error.status, view.error.instance) == (403, "/do/0/ask")


async def test_a2a_calls(platform):
    async with a2a_agent(free_port(), "0.3") as agent:
        card = {"endpoint": "{base}/.well-known/agent-card.json".replace("{base}", agent.base)}
        words = {"message": {"parts": [{"kind": "text", "text": "${ $input.word }"}]}}
        send = {"method": "message/send", "agentCard": card, "parameters": words}
        stream = {"method": "message/stream", "server": agent.base + "/{place}", "parameters": "${ $context }"}
        do = [
            {"send": {"call": "a2a", "with": send, "export": {"as": words}, "output": {"as": '${ {place: "rpc"} }'}}},
            {"stream": {"call": "a2a", "with": stream, "output": {"as": "${ map(.kind) }"}}},
        ]
        view = await platform.run("a2a", do, {"word": "report"})
        assert view.error is None
        assert view.output == ["task", "status-update", "artifact-update", "artifact-update", "status-update"]
        assert len({message.message_id for message in agent.clerk.messages}) == 2


def definition(call):
    document = {"dsl": "1.0.3", "namespace": "test", "name": "warned", "version": "1.0.0"}
    return yaml.safe_dump({"document": document, "do": [{"ask": call}]}).encode()


GRPC = {
    "call": "grpc",
    "with": {
        "proto": {"endpoint": "https://a.example/a.proto"},
        "service": {"name": "A", "host": "localhost", "port": 5011},
        "method": "Ask",
    },
}


async def test_a_missing_extra_is_a_warning(platform, monkeypatch):
    registered = await platform.service.register_definition(WHO, definition(GRPC), "application/yaml")
    assert registered.warnings == ()
    monkeypatch.setitem(sys.modules, "grpc_tools", None)
    (warning,) = (await platform.service.register_definition(WHO, definition(GRPC), "application/yaml")).warnings
    assert warning.pointer == "/do/0/ask"
    assert warning.line is not None
    assert "pip install 'perdure[grpc]'" in warning.detail


@pytest.mark.parametrize("allowed", [True, False])
async def test_a_program_that_may_not_run_is_a_warning(database, allowed):
    async with open_platform(database, run_shell=allowed) as platform:
        source = definition(ask({"stdio": {"command": "npx"}}, "stock"))
        warnings = (await platform.service.register_definition(WHO, source, "application/yaml")).warnings
        assert [warning.pointer for warning in warnings] == ([] if allowed else ["/do/0/ask"])
        assert all("PERDURE_RUN_SHELL" in warning.detail for warning in warnings)
