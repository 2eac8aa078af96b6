"""The MCP performer against servers made with the protocol's SDK, over HTTP and with programs."""

import asyncio
import contextlib
import json
import sys
from dataclasses import replace

import psutil
import pytest
from aiohttp import web
from calling import ACTIVITY, PROCESS, made, traced
from calling import titled_failure as failure

from perdure import clock
from perdure.activities.mcp import McpPerformer
from perdure.activities.outside import Outside
from perdure.secrets import Secrets
from perdure.settings import Settings
from servers import mcp_shop
from servers.server import free_port

SECRETS = Secrets({"PERDURE_SECRET_TOKEN": "tok-1234567890"})
STDIO = {"stdio": {"command": sys.executable, "arguments": [mcp_shop.__file__]}}


@contextlib.asynccontextmanager
async def performing(**changes):
    settings = {"egress_allow": "127.0.0.0/8", "call_timeout_seconds": 60, "run_shell": True, **changes}
    outside = Outside(Settings(_env_file=None, **settings), SECRETS)
    await outside.start()
    try:
        yield McpPerformer(outside)
    finally:
        await outside.stop()


@pytest.fixture
async def performer():
    async with performing() as performer:
        yield performer


@pytest.fixture(scope="module")
async def http():
    """One server for all tests: its session manager runs once only."""
    async with mcp_shop.mcp_http(free_port()) as url:
        yield {"http": {"endpoint": url}}


@pytest.fixture(params=["http", "stdio"])
def transport(request):
    return request.getfixturevalue("http") if request.param == "http" else STDIO


def call(transport, method, parameters=None, **more):
    request = {"method": method, "transport": transport, **more}
    return made("mcp", request if parameters is None else {**request, "parameters": parameters}, "TOKEN")


def tool(transport, name, arguments=None, **more):
    return call(transport, "tools/call", {"name": name, "arguments": arguments or {}}, **more)


async def test_every_method(performer, transport):
    outputs = await asyncio.gather(
        performer.perform(call(transport, "tools/list")),
        performer.perform(tool(transport, "stock", {"item": "lamp"})),
        performer.perform(call(transport, "prompts/list")),
        performer.perform(call(transport, "prompts/get", {"name": "greet", "arguments": {"name": "Ada"}})),
        performer.perform(call(transport, "resources/list", {})),
        performer.perform(call(transport, "resources/read", {"uri": "shop://terms"})),
        performer.perform(call(transport, "resources/templates/list")),
    )
    tools, stock, prompts, greeting, resources, terms, templates = outputs
    assert {"stock", "refuse"} <= {entry["name"] for entry in tools["tools"]}
    assert stock["structuredContent"] == {"lamp@main": 7}
    assert stock["isError"] is False
    assert [entry["name"] for entry in prompts["prompts"]] == ["greet"]
    assert greeting["messages"] == [{"role": "user", "content": {"type": "text", "text": "Say hello to Ada."}}]
    assert [entry["uri"] for entry in resources["resources"]] == ["shop://terms"]
    assert terms["contents"][0]["text"] == "Pay first."
    assert [entry["uriTemplate"] for entry in templates["resourceTemplates"]] == ["shop://items/{item}"]


async def test_failures_are_runtime_errors(performer, transport):
    assert await failure(performer, tool(transport, "refuse", {"reason": "closed"})) == (
        "runtime", 500, "Tool error", "The tool refuse failed: Error executing tool refuse: refused: closed",
    )  # fmt: skip
    kind, status, title, detail = await failure(
        performer, call(transport, "resources/read", {"uri": "shop://no/where"})
    )
    assert (kind, status) == ("runtime", 500)
    assert title.startswith("JSON-RPC error ")
    assert detail.startswith("resources/read was answered with the error ")
    assert "shop://no/where" in detail


async def test_the_trace_of_a_program_tells_when_it_was_asked(performer):
    began = clock.monotonic()
    with traced() as trace:
        await performer.perform(tool(STDIO, "stock", {"item": "lamp"}))
    assert trace.sent > began
    assert (trace.by, trace.status) == (None, None)


async def test_the_client_and_the_version_are_those_of_the_definition(performer, http):
    output = await performer.perform(tool(http, "client"))
    assert output["structuredContent"] == {"name": "perdure", "version": "0.1.0", "protocol": "2025-06-18"}
    own = {"protocolVersion": "2025-03-26", "client": {"name": "onboarding", "version": "7"}}
    output = await performer.perform(tool(http, "client", **own))
    assert output["structuredContent"] == {"name": "onboarding", "version": "7", "protocol": "2025-03-26"}
    unknown = await performer.perform(tool(http, "client", protocolVersion="2031-01-01"))
    assert unknown["structuredContent"]["protocol"].startswith("202")


async def test_the_timeout_of_the_call(performer, http):
    kind, status, _, detail = await failure(performer, tool(http, "slow", timeout={"seconds": 1}))
    assert (kind, status) == ("timeout", 408)
    assert detail == "tools/call was not answered within 1 seconds."


async def test_answers_are_bounded(transport):
    async with performing(response_body_bytes_max=20_000) as performer:
        found = await failure(performer, tool(transport, "large", {"size": 30_000}))
    assert found[0] == "communication"
    assert "20000 bytes (PERDURE_RESPONSE_BODY_BYTES_MAX)" in found[3]


async def test_parameters_are_an_object(performer, http):
    assert (await failure(performer, call(http, "tools/call", "name")))[0] == "configuration"


async def test_headers_and_authentication(performer, http):
    url = http["http"]["endpoint"]
    endpoint = {"uri": url, "authentication": {"bearer": {"use": "TOKEN"}}}
    transport = {"http": {"endpoint": endpoint, "headers": {"X-Shop": "7", "Mcp-Session-Id": "forged"}}}
    output = (await performer.perform(tool(transport, "headers")))["structuredContent"]
    assert output["x-shop"] == "7"
    assert output["authorization"] == "Bearer ***"
    assert output["mcp-session-id"] != "forged"
    assert output["mcp-protocol-version"] == "2025-06-18"
    assert output["idempotency-key"] == f"{PROCESS}/{ACTIVITY}"
    assert output["traceparent"].startswith(f"00-{PROCESS.hex}-")


@pytest.mark.parametrize("options", [{"json_response": True}, {"stateless_http": True}])
async def test_servers_that_answer_with_json_or_without_sessions(performer, options):
    async with mcp_shop.mcp_http(free_port(), mcp_shop.again(), **options) as url:
        output = await performer.perform(tool({"http": {"endpoint": url}}, "stock", {"item": "lamp"}))
    assert output["structuredContent"] == {"lamp@main": 7}


async def test_the_network_is_guarded(http):
    async with performing(egress_allow="") as performer:
        kind, status, _, detail = await failure(performer, call(http, "tools/list"))
    assert (kind, status) == ("authorization", 403)
    assert "PERDURE_EGRESS_ALLOW" in detail


class Crooked:
    """A server that follows the protocol as far as a test wants."""

    def __init__(self):
        self.requests = []
        self.open = asyncio.Event()
        self.initialize = {"protocolVersion": "2025-06-18", "capabilities": {}, "serverInfo": {}}
        self.answer = None

    async def handle(self, request):
        message = await request.json() if request.can_read_body else None
        self.requests.append((request.method, message, dict(request.headers)))
        if request.method == "DELETE":
            return web.Response(status=405)
        if message["method"] == "initialize":
            result = {"jsonrpc": "2.0", "id": message["id"], "result": self.initialize}
            return web.json_response(result, headers={"Mcp-Session-Id": "s-1"})
        if "id" not in message:
            return web.Response(status=202)
        return await self.answer(request, message)


@contextlib.asynccontextmanager
async def crooked(answer=None):
    server = Crooked()
    server.answer = answer
    app = web.Application()
    app.router.add_route("*", "/mcp", server.handle)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}/mcp"
    yield server, {"http": {"endpoint": server.url}}
    server.open.set()
    await runner.cleanup()


async def test_the_handshake_and_what_bears_the_idempotency_key(performer):
    async def answer(request, message):
        return web.json_response({"jsonrpc": "2.0", "id": message["id"], "result": {"tools": []}})

    async with crooked(answer) as (server, transport):
        assert await performer.perform(call(transport, "tools/list", {"cursor": "c"})) == {"tools": []}
        told = [(method, message and message["method"], "Idempotency-Key" in headers) for method, message, headers in server.requests]  # fmt: skip
        assert told == [
            ("POST", "initialize", False),
            ("POST", "notifications/initialized", False),
            ("POST", "tools/list", True),
            ("DELETE", None, False),
        ]
        assert [headers.get("Mcp-Session-Id") for _, _, headers in server.requests] == [None, "s-1", "s-1", "s-1"]
        assert server.requests[2][1]["params"] == {"cursor": "c"}


async def test_the_trace_tells_who_answered_the_request(performer):
    """Not the end of its session, which this server does not know."""

    async def answer(request, message):
        return web.json_response({"jsonrpc": "2.0", "id": message["id"], "result": {"tools": []}})

    async with crooked(answer) as (server, transport):
        with traced() as trace:
            await performer.perform(call(transport, "tools/list"))
    assert [method for method, *_ in server.requests][-1] == "DELETE"
    assert (trace.by, trace.status) == (server.url.split("/")[2], 200)


async def test_a_stream_that_stays_open_does_not_hold_the_answer(performer):
    async def answer(request, message):
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        text = json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": {"tools": [1]}})
        for piece in (": hello\n\n", 'data: {"jsonrpc": "2.0", "method": "notifications/message"}\r\n\r', "\ndata: "):
            await response.write(piece.encode())
        await response.write(text[:10].encode() + b"\ndata:" + text[10:].encode() + b"\n\n")
        await server.open.wait()
        return response

    async with crooked(answer) as (server, transport):
        assert await performer.perform(call(transport, "tools/list")) == {"tools": [1]}


@pytest.mark.parametrize(
    ("status", "type_", "body", "kind", "words"),
    [
        (200, "application/json", "{", "communication", "can't be decoded"),
        (200, "text/html", "<p>", "communication", "no JSON-RPC response (text/html"),
        (200, "text/event-stream", "data: {}\n\n", "communication", "no JSON-RPC response"),
        (202, "text/plain", "", "communication", "was answered with 202 and no JSON-RPC response"),
        (401, "text/plain", "who?", "communication", "401"),
        (400, "application/json", '{"error": {"code": -32602, "message": "bad", "data": {"a": 1}}}', "runtime", '-32602: bad ({"a":1})'),
        (500, "application/json", "{", "communication", "500"),
    ],
)  # fmt: skip
async def test_answers_that_are_none(performer, status, type_, body, kind, words):
    async def answer(request, message):
        return web.Response(status=status, text=body, content_type=type_)

    async with crooked(answer) as (_, transport):
        found = await failure(performer, call(transport, "tools/list"))
    assert found[0] == kind
    assert words in found[3]
    if status >= 400 and kind == "communication":
        assert found[1] == status


async def test_a_version_that_nobody_knows(performer):
    async with crooked() as (server, transport):
        server.initialize = {"protocolVersion": "1.0"}
        found = await failure(performer, call(transport, "tools/list"))
    assert found[0] == "runtime"
    assert "The server speaks MCP 1.0; expected one of 2024-11-05" in found[3]


async def test_a_server_that_is_not_there(performer):
    transport = {"http": {"endpoint": f"http://127.0.0.1:{free_port()}/mcp"}}
    assert (await failure(performer, call(transport, "tools/list")))[0] == "communication"


async def test_programs_run_only_where_the_operator_allows_it():
    for allowed in (None, False):
        async with performing(run_shell=allowed) as performer:
            kind, status, _, detail = await failure(performer, call(STDIO, "tools/list"))
        assert (kind, status) == ("authorization", 403)
        assert "PERDURE_RUN_SHELL" in detail


async def test_a_program_sees_only_the_environment_that_it_is_given(performer, monkeypatch):
    monkeypatch.setenv("PERDURE_SECRET_TOKEN", "tok-1234567890")
    stdio = {"stdio": {**STDIO["stdio"], "environment": {"SHOP": "7"}}}
    output = (await performer.perform(tool(stdio, "environment")))["structuredContent"]
    assert output["SHOP"] == "7"
    assert set(output) <= {"SHOP", "HOME", "LANG", "PATH", "LC_CTYPE"}


async def test_a_program_that_greets_is_understood(performer):
    stdio = {"stdio": {**STDIO["stdio"], "arguments": [*STDIO["stdio"]["arguments"], "--chatty"]}}
    assert (await performer.perform(tool(stdio, "stock", {"item": "a"})))["structuredContent"] == {"a@main": 7}


async def test_a_program_that_can_not_be_started(performer):
    stdio = {"stdio": {"command": "no-such-mcp-server"}}
    found = await failure(performer, call(stdio, "tools/list"))
    assert found[0] == "configuration"
    assert found[3] == "The command 'no-such-mcp-server' can't be started: No such file or directory."


async def test_a_program_that_dies_says_why(performer):
    found = await failure(performer, tool(STDIO, "die", {"words": "out of tok-1234567890"}))
    assert found[0] == "communication"
    assert found[3].endswith("ended with 3 before it answered tools/call: out of ***")


async def test_nothing_of_a_program_outlives_its_call(performer):
    output = await performer.perform(tool(STDIO, "spawn"))
    grandchild = output["structuredContent"]["result"]
    await gone(grandchild)
    silent = {"stdio": {**STDIO["stdio"], "arguments": [*STDIO["stdio"]["arguments"], "--silent"]}}
    assert (await failure(performer, call(silent, "tools/list", timeout="PT0.5S")))[0] == "timeout"
    task = asyncio.create_task(performer.perform(call(silent, "tools/list")))
    async with asyncio.timeout(20):
        while not children():
            await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(20):
        while children():
            await asyncio.sleep(0.01)


def children():
    found = []
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.NoSuchProcess):
            if mcp_shop.__file__ in child.cmdline():
                found.append(child)
    return found


async def gone(pid):
    async with asyncio.timeout(20):
        while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
            await asyncio.sleep(0.01)


async def test_without_a_transport_nothing_is_called(performer):
    wrong = replace(call({}, "tools/list"), request={"method": "tools/list", "transport": {}})
    assert (await failure(performer, wrong))[0] == "configuration"
