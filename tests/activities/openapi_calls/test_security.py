"""Credentials where a document's security schemes want them, and nowhere else."""

import base64
import contextlib

import pytest
from aiohttp import web
from calling import failure
from oauth_provider import CLIENT, SECRET
from oauth_provider import provider as providing

from perdure.activities.contract import CallFailed

from .service import call, openapi, swagger


def secured(service, schemes, security, **more):
    document = openapi({"security": security, **more}, components={"securitySchemes": schemes})
    return service.put(document)


KEYS = {
    "h": {"type": "apiKey", "in": "header", "name": "X-Api-Key"},
    "q": {"type": "apiKey", "in": "query", "name": "key"},
    "c": {"type": "apiKey", "in": "cookie", "name": "sid"},
    "a": {"type": "apiKey", "in": "header", "name": "Authorization"},
    "basic": {"type": "http", "scheme": "Basic"},
    "bearer": {"type": "http", "scheme": "bearer"},
    "oauth": {"type": "oauth2", "flows": {}},
    "ref": {"$ref": "#/components/securitySchemes/h"},
}
BASIC = "Basic " + base64.b64encode(b"ada:password-1").decode()


@pytest.mark.parametrize(
    "security, policy, header, value",
    [
        ([{"h": []}], {"bearer": {"use": "KEY"}}, "X-Api-Key", "key-/+1234567890"),
        ([{"ref": []}], {"bearer": {"use": "KEY"}}, "X-Api-Key", "key-/+1234567890"),
        ([{"h": []}], {"basic": {"username": "any", "password": "password-1"}}, "X-Api-Key", "password-1"),
        ([{"c": []}], {"bearer": {"use": "KEY"}}, "Cookie", "sid=key-%2F%2B1234567890"),
        ([{"a": []}], {"bearer": {"use": "KEY"}}, "Authorization", "Bearer key-/+1234567890"),
        ([{"bearer": []}, {"h": []}], {"bearer": {"use": "KEY"}}, "Authorization", "Bearer key-/+1234567890"),
        ([{"basic": []}, {"h": []}], {"bearer": {"use": "KEY"}}, "X-Api-Key", "key-/+1234567890"),
        ([{"basic": [], "h": []}, {"h": []}], {"bearer": {"use": "KEY"}}, "X-Api-Key", "key-/+1234567890"),
        ([{"basic": []}], {"basic": {"username": "ada", "password": "password-1"}}, "Authorization", BASIC),
        ([{"oauth": []}], {"bearer": {"use": "KEY"}}, "Authorization", "Bearer key-/+1234567890"),
        ([{"unknown": []}], {"bearer": {"use": "KEY"}}, "Authorization", "Bearer key-/+1234567890"),
        ([], {"bearer": {"use": "KEY"}}, "Authorization", "Bearer key-/+1234567890"),
    ],
)
async def test_security(service, performer, security, policy, header, value):
    await performer.perform(call(secured(service, KEYS, security), authentication=policy))
    headers = service.seen[0].headers
    assert headers[header] == value
    assert header == "Authorization" or "Authorization" not in headers


async def test_security_of_the_whole_document_and_none(service, performer):
    document = openapi({}, components={"securitySchemes": KEYS}, security=[{"h": []}])
    await performer.perform(call(service.put(document), authentication={"bearer": {"use": "KEY"}}))
    assert service.seen[0].headers["X-Api-Key"] == "key-/+1234567890"
    await performer.perform(call(service.base + "/openapi.yaml"))
    assert "X-Api-Key" not in service.seen[1].headers


async def test_swagger_security(service, performer):
    document = swagger({}, securityDefinitions=KEYS, security=[{"q": []}])
    await performer.perform(call(service.put(document), authentication={"bearer": {"use": "KEY"}}))
    assert service.seen[0].raw_path == "/api/things?key=key-%2F%2B1234567890"


async def test_a_key_in_the_query_is_not_shown(service, performer):
    endpoint = secured(service, KEYS, [{"q": []}])
    for secret in ("KEY", "SHORT"):
        policy = {"bearer": {"use": secret}}
        output = await performer.perform(call(endpoint, authentication=policy, output="response"))
        assert output["request"]["uri"] == service.base + "/api/things?key=***"
        service.answer = web.Response(status=401)
        name, status, detail = await failure(performer, call(endpoint, authentication=policy))
        assert (name, status) == ("authentication", 401)
        assert "key-" not in detail and "k1" not in detail and "key=***" in detail
        service.answer = None


@pytest.mark.parametrize("kind", ["h", "c"])
async def test_a_key_stays_with_its_origin_and_is_not_shown(service, performer, kind):
    endpoint = secured(service, KEYS, [{kind: []}])
    policy = {"bearer": {"use": "SHORT"}}
    output = await performer.perform(call(endpoint, authentication=policy, output="response"))
    assert not {"X-Api-Key", "Cookie"} & output["request"]["headers"].keys()
    other = service.base.replace("127.0.0.1", "localhost") + "/api/there"
    service.answer = web.Response(status=307, headers={"Location": other})
    with contextlib.suppress(CallFailed):
        await performer.perform(call(endpoint, authentication=policy, redirect=True))
    assert [request.host.partition(":")[0] for request in service.seen[1:3]] == ["127.0.0.1", "localhost"]
    assert not {"X-Api-Key", "Cookie"} & service.seen[2].headers.keys()


async def test_oauth2(service, performer):
    async with providing() as provider:
        policy = {
            "oauth2": {
                "authority": provider.base,
                "grant": "client_credentials",
                "client": {"id": CLIENT, "secret": SECRET},
            }
        }
        await performer.perform(call(secured(service, KEYS, [{"oauth": []}]), authentication=policy))
        token = service.seen[0].headers["Authorization"].removeprefix("Bearer ")
        assert token in provider.valid
