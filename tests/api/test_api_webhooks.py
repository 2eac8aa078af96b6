"""Webhooks over the real platform: from the request that creates one to what a receiver gets."""

import asyncio
import base64
import hmac

import pytest
from aiohttp import web
from live import live

DEFINITION = """
document: {dsl: 1.0.3, namespace: shop, name: greet, version: 1.0.0}
do:
  - say: {set: {word: hello}}
"""


@pytest.fixture
async def client(database, monkeypatch):
    monkeypatch.setenv("PERDURE_EGRESS_ALLOW", "127.0.0.0/8")
    monkeypatch.setenv("PERDURE_WEBHOOK_RETRY_SECONDS", "0.05")
    async with live(database) as opened:
        yield opened


@pytest.fixture
async def receiver():
    got = []

    async def take(request):
        got.append((dict(request.headers), await request.read()))
        return web.Response(status=204 if len(got) > 1 else 500)

    app = web.Application()
    app.router.add_post("/hook", take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/hook", got
    await runner.cleanup()


async def call(client, method, path, body=None):
    async with client.request(method, path, **({} if body is None else {"json": body})) as answer:
        return answer.status, await answer.json() if answer.content_length else None


async def test_from_creation_to_delivery(client, receiver):
    url, got = receiver
    asked = {"url": url, "filter": {"types": ["io.serverlessworkflow.workflow.completed.*"]}, "description": "CRM"}
    status, made = await call(client, "POST", "/v1/webhooks", asked)
    assert status == 201
    secret, path = made.pop("secret"), f"/v1/webhooks/{made['id']}"
    assert made["filter"] == {
        "types": ["io.serverlessworkflow.workflow.completed.*"],
        "namespace": None,
        "name": None,
        "tags": {},
    }
    assert await call(client, "GET", path) == (200, made)
    assert (await call(client, "GET", "/v1/webhooks"))[1]["items"] == [made]
    assert secret not in str(await call(client, "GET", "/v1/webhooks"))

    async with client.post("/v1/definitions", data=DEFINITION, headers={"Content-Type": "application/yaml"}) as answer:
        assert answer.status == 201
    _, process = await call(
        client, "POST", "/v1/processes?wait=20", {"definition": {"namespace": "shop", "name": "greet"}}
    )
    async with asyncio.timeout(20):
        while len(got) < 2:
            await asyncio.sleep(0.01)
    headers, body = got[-1]
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    expected = base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert got[0][1] == body
    assert got[0][0]["webhook-id"] == headers["webhook-id"]
    assert process["id"].encode() in body

    async with asyncio.timeout(20):
        while (log := (await call(client, "GET", f"{path}/deliveries"))[1]["items"])[0]["status"] != "delivered":
            await asyncio.sleep(0.01)
    (delivery,) = log
    assert (delivery["attempts"], delivery["responseStatus"], delivery["event"]) == (2, 204, f"{process['id']}/5")
    assert (await call(client, "GET", f"{path}/deliveries?status=failed"))[1]["items"] == []
    status, again = await call(client, "POST", f"{path}/deliveries/{delivery['id']}/redeliver")
    assert (status, again["status"]) == (202, "pending")
    async with asyncio.timeout(20):
        while len(got) < 3:
            await asyncio.sleep(0.01)
    assert got[2][0]["webhook-id"] == headers["webhook-id"]

    status, tested = await call(client, "POST", f"{path}/test")
    assert (status, tested["type"]) == (202, "dev.perdure.webhook.test.v1")
    status, changed = await call(client, "PATCH", path, {"enabled": False, "filter": {"namespace": "other"}})
    assert (status, changed["enabled"], changed["disabledReason"]) == (200, False, "disabled by dev")
    assert changed["filter"] == {"types": ["*"], "namespace": "other", "name": None, "tags": {}}
    assert changed["description"] == "CRM"
    assert (await call(client, "POST", f"{path}/test"))[0] == 409
    assert (await call(client, "DELETE", path))[0] == 204
    assert (await call(client, "GET", path))[0] == 404
    assert (await call(client, "DELETE", path))[0] == 404


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, ""),
        ({"url": "ftp://a.example"}, "/url"),
        ({"url": "http://10.0.0.1/hook"}, "/url"),
        ({"url": "https://a.example", "secret": "short"}, "/secret"),
        ({"url": "https://a.example", "filter": {"types": []}}, "/filter/types"),
        ({"url": "https://a.example", "filter": {"types": ["a b"]}}, "/filter/types/0"),
        ({"url": "https://a.example", "filter": {"type": "a"}}, "/filter"),
    ],
)
async def test_what_can_not_be(client, body, pointer):
    status, problem = await call(client, "POST", "/v1/webhooks", body)
    assert status == 422
    assert problem["errors"][0]["pointer"] == pointer
