"""The A2A performer against an agent made with the protocol's SDK, and its words for agents of version 1.0."""

import asyncio
import contextlib
import json
import logging

import pytest
from aiohttp import web
from calling import ACTIVITY, PROCESS, made, serving_app, traced
from calling import titled_failure as failure

from perdure.activities.a2a import A2aPerformer
from perdure.activities.a2a_dialect import parameters_v1
from perdure.activities.outside import Outside
from perdure.secrets import Secrets
from perdure.settings import Settings
from servers.a2a_agent import a2a_agent
from servers.server import free_port

SECRETS = Secrets({"PERDURE_SECRET_TOKEN": "tok-1234567890"})


@pytest.fixture(autouse=True)
def _quiet(caplog):
    """The SDK logs what goes wrong; here that is meant."""
    caplog.set_level(logging.CRITICAL, logger="a2a")


@pytest.fixture
async def old():
    async with a2a_agent(free_port(), "0.3", "1.0") as agent:
        yield agent


@pytest.fixture
async def new():
    async with a2a_agent(free_port(), "1.0") as agent:
        yield agent


@pytest.fixture(params=["old", "new"])
def agent(request):
    return request.getfixturevalue(request.param)


@contextlib.asynccontextmanager
async def performing(**changes):
    settings = {"egress_allow": "127.0.0.0/8", "call_timeout_seconds": 30, **changes}
    outside = Outside(Settings(_env_file=None, **settings), SECRETS)
    await outside.start()
    try:
        yield A2aPerformer(outside)
    finally:
        await outside.stop()


@pytest.fixture
async def performer():
    async with performing() as performer:
        yield performer


def call(agent, method, parameters=None, **more):
    request = {"method": method, **(more or {"agentCard": {"endpoint": agent.base}})}
    return made("a2a", request if parameters is None else {**request, "parameters": parameters}, "TOKEN")


def saying(text, **more):
    return {"message": {"parts": [{"kind": "text", "text": text}]}, **more}


async def test_a_message_to_the_agent_of_a_card(performer, old):
    output = await performer.perform(call(old, "message/send", saying("hello")))
    assert (output["kind"], output["role"]) == ("message", "agent")
    assert output["parts"] == [{"kind": "text", "text": "You said: hello"}]
    path, headers = old.requests[-1]
    assert path == "/rpc"
    assert headers["idempotency-key"] == f"{PROCESS}/{ACTIVITY}"
    assert headers["traceparent"].startswith(f"00-{PROCESS.hex}-")
    assert "a2a-version" not in headers


async def test_a_message_has_an_id_and_a_role_of_its_own(performer, agent):
    await performer.perform(call(agent, "message/send", saying("a")))
    parts = [{"kind": "text", "text": "b"}]
    own = {"message": {"parts": parts, "messageId": "m-7", "role": "user", "contextId": "c-1"}}
    await performer.perform(call(agent, "message/send", own))
    assert [message.message_id for message in agent.clerk.messages] == [str(ACTIVITY), "m-7"]
    assert [message.role for message in agent.clerk.messages] == [1, 1]
    assert agent.clerk.messages[1].context_id == "c-1"


async def test_an_agent_of_version_1_gets_its_own_words(performer, new):
    output = await performer.perform(call(new, "message/send", saying("hello")))
    assert output["message"]["parts"] == [{"text": "You said: hello"}]
    assert output["message"]["role"] == "ROLE_AGENT"
    assert new.requests[-1][1]["a2a-version"] == "1.0"


async def test_a_server_without_a_card(performer, agent):
    output = await performer.perform(call(agent, "message/send", saying("hi"), server=f"{agent.base}/rpc"))
    assert "You said: hi" in json.dumps(output)
    output = await performer.perform(call(agent, "message/send", saying("hi"), server={"uri": f"{agent.base}/rpc"}))
    assert "You said: hi" in json.dumps(output)
    assert {path for path, _ in agent.requests} == {"/rpc"}


async def test_the_trace_tells_who_answered(performer, agent):
    with traced() as trace:
        await performer.perform(call(agent, "message/send", saying("hello")))
    assert (trace.by, trace.status) == (agent.base.partition("://")[2], 200)
    with traced() as trace:
        await failure(performer, call(agent, "message/send", agentCard={"endpoint": f"{agent.base}/no-card"}))
    assert trace.by is None, "the agent was not asked"


async def test_a_stream_is_an_array_in_order(performer, old):
    output = await performer.perform(call(old, "message/stream", saying("report")))
    assert [result["kind"] for result in output] == [
        "task", "status-update", "artifact-update", "artifact-update", "status-update",
    ]  # fmt: skip
    assert [result["artifact"]["name"] for result in output if "artifact" in result] == ["Q1", "Q2"]
    assert output[-1]["status"]["state"] == "completed"


async def test_a_stream_of_version_1(performer, new):
    output = await performer.perform(call(new, "message/stream", saying("report")))
    assert [next(iter(result)) for result in output] == [
        "task", "statusUpdate", "artifactUpdate", "artifactUpdate", "statusUpdate",
    ]  # fmt: skip


async def test_tasks(performer, agent):
    asked = saying("hold", configuration={"blocking": False})
    sent = await performer.perform(call(agent, "message/send", asked))
    task = sent.get("task", sent)["id"]
    got = await performer.perform(call(agent, "tasks/get", {"id": task, "historyLength": 1}))
    assert got["id"] == task
    listed = await performer.perform(call(agent, "tasks/list", {}))
    assert [entry["id"] for entry in listed["tasks"]] == [task]
    watching = asyncio.create_task(performer.perform(call(agent, "tasks/resubscribe", {"id": task})))
    async with asyncio.timeout(20):
        while sum(path == "/rpc" for path, _ in agent.requests) < 4:
            await asyncio.sleep(0.01)
        await performer.perform(call(agent, "tasks/get", {"id": task}))
    cancelled = await performer.perform(call(agent, "tasks/cancel", {"id": task}))
    assert cancelled["status"]["state"] in ("canceled", "TASK_STATE_CANCELED")
    seen = await watching
    assert "CANCELED" in json.dumps(seen[-1]).upper()


async def test_push_notifications(performer, agent):
    sent = await performer.perform(call(agent, "message/send", saying("report")))
    task = sent.get("task", sent)["id"]
    config = {"id": "n-1", "url": "https://hooks.example/x", "token": "t", "authentication": {"schemes": ["Bearer"]}}
    kind = "tasks/pushNotificationConfig/"
    await performer.perform(call(agent, f"{kind}set", {"taskId": task, "pushNotificationConfig": config}))
    one = {"id": task, "pushNotificationConfigId": "n-1"}
    assert "https://hooks.example/x" in json.dumps(await performer.perform(call(agent, f"{kind}get", one)))
    assert "n-1" in json.dumps(await performer.perform(call(agent, f"{kind}list", {"id": task})))
    assert await performer.perform(call(agent, f"{kind}delete", one)) is None
    assert "n-1" not in json.dumps(await performer.perform(call(agent, f"{kind}list", {"id": task})))


async def test_the_extended_card(performer, agent):
    card = await performer.perform(call(agent, "agent/getAuthenticatedExtendedCard"))
    assert card["name"] == "Clerk"


@pytest.mark.parametrize(
    ("method", "parameters", "code", "words"),
    [
        ("tasks/get", {"id": "absent"}, -32001, "Task not found"),
        ("tasks/cancel", {"id": "absent"}, -32001, "Task not found"),
        ("tasks/resubscribe", {"id": "absent"}, -32001, "Task not found"),
        ("message/send", saying("break"), -32603, "the clerk is ill"),
        ("message/stream", saying("break"), -32603, "the clerk is ill"),
    ],
)
async def test_errors_of_the_agent_are_runtime_errors(performer, agent, method, parameters, code, words):
    kind, status, title, detail = await failure(performer, call(agent, method, parameters))
    assert (kind, status, title) == ("runtime", 500, f"JSON-RPC error {code}")
    assert words in detail


async def test_credentials_of_the_card_are_those_of_the_agent(performer, old):
    endpoint = {"uri": old.base, "authentication": {"bearer": {"use": "TOKEN"}}}
    await performer.perform(call(old, "message/send", saying("x"), agentCard={"endpoint": endpoint}))
    assert [(path, headers["authorization"]) for path, headers in old.requests] == [
        ("/.well-known/agent-card.json", "Bearer tok-1234567890"),
        ("/rpc", "Bearer tok-1234567890"),
    ]


@contextlib.asynccontextmanager
async def cards(card):
    async def answer(request):
        return web.Response(text=card if isinstance(card, str) else json.dumps(card), content_type="application/json")

    app = web.Application()
    app.router.add_get("/card.json", answer)
    async with serving_app(app) as base:
        yield f"{base}/card.json"


async def test_credentials_of_the_card_stay_at_its_origin(performer, old):
    async with cards({"url": f"{old.base}/rpc", "protocolVersion": "0.3.0"}) as uri:
        endpoint = {"uri": uri, "authentication": {"bearer": {"use": "TOKEN"}}}
        await performer.perform(call(old, "message/send", saying("x"), agentCard={"endpoint": endpoint}))
    assert [(path, "authorization" in headers) for path, headers in old.requests] == [("/rpc", False)]


async def test_a_redirection_of_the_card_takes_no_credentials_along(performer, old):
    """The agent is where the card was found then, which is not the origin that the author wrote."""

    async def move(_):
        raise web.HTTPFound(f"{old.base}/.well-known/agent-card.json")

    app = web.Application()
    app.router.add_get("/card.json", move)
    async with serving_app(app) as base:
        endpoint = {"uri": f"{base}/card.json", "authentication": {"bearer": {"use": "TOKEN"}}}
        await performer.perform(call(old, "message/send", saying("x"), agentCard={"endpoint": endpoint}))
    assert [(path, "authorization" in headers) for path, headers in old.requests] == [
        ("/.well-known/agent-card.json", False),
        ("/rpc", False),
    ]


async def test_an_interface_is_chosen_from_an_old_card(performer, old):
    card = {
        "url": "http://127.0.0.1:1/grpc",
        "preferredTransport": "GRPC",
        "additionalInterfaces": [{"url": f"{old.base}/rpc", "transport": "JSONRPC"}],
    }
    async with cards(card) as uri:
        output = await performer.perform(call(old, "message/send", saying("x"), agentCard={"endpoint": uri}))
    assert output["kind"] == "message"


@pytest.mark.parametrize(
    ("card", "words"),
    [
        ("<html>", "is no agent card"),
        ({}, "it offers no interface"),
        ({"url": "http://a.example", "preferredTransport": "GRPC"}, "it offers GRPC 0.3"),
        (
            {"supportedInterfaces": [{"url": "x", "protocolBinding": "JSONRPC", "protocolVersion": "2.0"}]},
            "JSONRPC 2.0",
        ),
    ],
)
async def test_a_card_that_is_of_no_use(performer, card, words):
    async with cards(card) as uri:
        found = await failure(performer, call(None, "tasks/list", agentCard={"endpoint": uri}))
    assert found[:2] == ("configuration", 400)
    assert words in found[3]


async def test_the_network_is_guarded(old):
    async with performing(egress_allow="") as performer:
        for place in ({"agentCard": {"endpoint": old.base}}, {"server": f"{old.base}/rpc"}):
            found = await failure(performer, call(old, "tasks/list", **place))
            assert found[:2] == ("authorization", 403)


async def test_limits(old):
    async with performing(response_body_bytes_max=2000) as performer:
        found = await failure(performer, call(old, "message/send", saying("y" * 5000), server=f"{old.base}/rpc"))
        assert "2000 bytes (PERDURE_RESPONSE_BODY_BYTES_MAX)" in found[3]
    async with performing(call_timeout_seconds=1) as performer:
        found = await failure(performer, call(old, "message/stream", saying("hold"), server=f"{old.base}/rpc"))
        assert found[:2] == ("timeout", 408)


@pytest.mark.parametrize(
    "changes", [{"method": "tasks/forget"}, {"server": None}, {"parameters": "text"}, {"server": "ftp://a.example"}]
)
async def test_arguments_that_can_not_be_used(performer, changes):
    given = {"method": "tasks/list", "server": "http://127.0.0.1:1/", **changes}
    asked = call(None, given.pop("method"), **given)
    assert (await failure(performer, asked))[0] == "configuration"


def test_parts_of_a_message_in_version_1():
    parts = [
        {"kind": "data", "data": {"a": 1}, "metadata": {"m": 1}},
        {"kind": "file", "file": {"uri": "https://a.example/f", "name": "f", "mimeType": "text/plain"}},
        {"kind": "file", "file": {"bytes": "AAE="}},
        {"text": "already new"},
    ]
    config = {"url": "https://h.example", "authentication": {"schemes": ["Bearer", "Basic"], "credentials": "c"}}
    asked = {
        "message": {"kind": "message", "role": "agent", "parts": parts},
        "configuration": {"blocking": True, "historyLength": 2, "pushNotificationConfig": config},
    }
    assert parameters_v1("message/send", asked) == {
        "message": {
            "role": "ROLE_AGENT",
            "parts": [
                {"data": {"a": 1}, "metadata": {"m": 1}},
                {"url": "https://a.example/f", "filename": "f", "mediaType": "text/plain"},
                {"raw": "AAE="},
                {"text": "already new"},
            ],
        },
        "configuration": {
            "returnImmediately": False,
            "historyLength": 2,
            "taskPushNotificationConfig": {
                "url": "https://h.example",
                "authentication": {"scheme": "Bearer", "credentials": "c"},
            },
        },
    }
