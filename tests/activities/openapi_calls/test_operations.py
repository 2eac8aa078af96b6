"""Which operation is called, and where: documents that can be used or not, and servers."""

import json

import pytest
from calling import ACTIVITY, PROCESS, failure, traced

from .service import call, openapi, parameter, swagger


@pytest.mark.parametrize("version", ["3.0.3", "3.1.0"])
@pytest.mark.parametrize("path", ["/openapi.yaml", "/openapi.json"])
async def test_an_operation(service, performer, version, path):
    document = openapi({"parameters": [parameter("q", "query")]}, version=version)
    answer = await performer.perform(call(service.put(document, path), parameters={"q": "a b"}))
    assert (answer["method"], answer["uri"]) == ("GET", "/api/things?q=a%20b")
    assert answer["headers"]["Idempotency-Key"] == f"{PROCESS}/{ACTIVITY}"
    assert answer["headers"]["traceparent"].startswith(f"00-{PROCESS.hex}-")
    await performer.perform(call(service.base + path))
    assert len(service.fetched) == 1  # documents are kept


async def test_the_trace_tells_who_answered(service, performer):
    document = openapi({})
    with traced() as trace:
        await performer.perform(call(service.put(document)))
    assert (trace.by, trace.status) == (service.base.partition("://")[2], 200)
    document["servers"] = [{"url": "http://127.0.0.1:1"}]
    with traced() as trace:
        assert (await failure(performer, call(service.put(document, "/2.yaml"))))[0] == "communication"
    assert (trace.by, trace.status) == (None, None), "the server of the document does not count"
    assert trace.sent is not None


async def test_an_operation_that_is_not_there(service, performer):
    document = openapi({})
    document["paths"]["/things"]["post"] = {"operationId": "createThing", "responses": {}}
    endpoint = service.put(document)
    for wrong, hint in (("createThings", "did you mean createThing?"), ("zzz", "it has op, createThing.")):
        name, status, detail = await failure(performer, call(endpoint, wrong))
        assert (name, status) == ("configuration", 400) and hint in detail
    assert service.seen == []


@pytest.mark.parametrize(
    "text, words",
    [
        ("", "empty"),
        ("{", "neither JSON nor YAML"),
        ("a: [", "neither JSON nor YAML"),
        ("a: !!python/object/apply:os.system [ls]", "neither JSON nor YAML"),
        ("just text", "no document of Swagger"),
        ("openapi: 4.0.0\npaths: {/x: {get: {operationId: op}}}", "4.0.0"),
        ("openapi: 3.0.0", "no operation"),
        ("openapi: 3.0.0\npaths: [1]", "no operation"),
        ("openapi: 3.0.0\npaths: {/x: {get: {operationId: op, parameters: [{}]}}}", "no name or place"),
        ("openapi: 3.0.0\npaths: {/x: {get: {operationId: op, parameters: [{name: a, in: b}]}}}", "unknown"),
        ("openapi: 3.0.0\npaths: {'/x/{y}': {get: {operationId: op}}}", "does not declare its parameter y"),
        ("openapi: 3.0.0\nservers: [{url: 'ftp://a.example'}]\npaths: {/x: {get: {operationId: op}}}", "http or https"),
        ("openapi: 3.0.0\nservers: [{url: 'http://{a}'}]\npaths: {/x: {get: {operationId: op}}}", "variable a"),
        (
            "openapi: 3.0.0\npaths: {/x: {get: {operationId: op, parameters: [{name: a, in: query, style: matrix}]}}}",
            "style 'matrix'",
        ),
        ("a: &a [*a]\nopenapi: 3.0.0\npaths: *a", "no operation"),
        ("swagger: '2.0'\nschemes: [wss]\npaths: {/x: {get: {operationId: op}}}", "wss"),
    ],
)
async def test_documents_that_can_not_be_used(service, performer, text, words):
    name, _, detail = await failure(performer, call(service.put(text)))
    assert name == "configuration" and words in detail


async def test_a_document_that_is_not_there(service, performer):
    assert (await failure(performer, call(service.base + "/nothing")))[:2] == ("communication", 404)


async def test_yaml_is_read_as_yaml_1_2(service, performer):
    text = """
        openapi: 3.0.3
        servers: [{url: /api}]
        common: &common
          responses: {200: {description: on}}
        paths:
          /things:
            get:
              <<: *common
              operationId: on
              parameters: [{name: yes, in: query, schema: {default: 2020-01-01}, required: true}]
    """
    answer = await performer.perform(call(service.put(text), "on"))
    assert answer["uri"] == "/api/things?yes=2020-01-01"


@pytest.mark.parametrize(
    "servers, parameters, uri",
    [
        ({"root": [{"url": "/api/v1"}]}, {}, "/api/v1/things"),
        ({"root": [{"url": "api/v1/"}]}, {}, "/api/v1/things"),
        ({"root": [{"url": "/api/v1"}], "item": [{"url": "/api/v2"}]}, {}, "/api/v2/things"),
        (
            {"root": [{"url": "/api/v1"}], "item": [{"url": "/api/v2"}], "own": [{"url": "/api/v3"}]},
            {},
            "/api/v3/things",
        ),
        ({"root": [{"url": "/api/v1"}, {"url": "https://other.example"}]}, {}, "/api/v1/things"),
        ({"root": [{"url": "/api/{v}", "variables": {"v": {"default": "v4"}}}]}, {}, "/api/v4/things"),
        ({"root": [{"url": "/api/{v}", "variables": {"v": {"default": "v4"}}}]}, {"v": "v5"}, "/api/v5/things"),
        (
            {"root": [{"url": "/api/{v}", "variables": {"v": {"default": "4", "enum": [4, 5]}}}]},
            {"v": 5},
            "/api/5/things",
        ),
        ({"root": [{"url": "BASE/api/v6?x=1"}]}, {}, "/api/v6/things?x=1"),
    ],
)
async def test_servers(service, performer, servers, parameters, uri):
    servers = json.loads(json.dumps(servers).replace("BASE", service.base))
    document = openapi({**({"servers": servers["own"]} if "own" in servers else {})}, servers=servers["root"])
    if "item" in servers:
        document["paths"]["/things"]["servers"] = servers["item"]
    assert (await performer.perform(call(service.put(document), parameters=parameters)))["uri"] == uri


@pytest.mark.parametrize(
    "variable, value, words",
    [({"default": "a", "enum": ["a", "b"]}, "c", "one of a, b"), ({"default": "a"}, "evil.example/", "letters")],
)
async def test_a_server_variable_that_may_not_be(service, performer, variable, value, words):
    servers = [{"url": "http://{host}.example/api", "variables": {"host": variable}}]
    document = openapi({}, servers=servers)
    name, _, detail = await failure(performer, call(service.put(document), parameters={"host": value}))
    assert name == "configuration" and words in detail and "variable host" in detail


async def test_swagger_hosts(service, performer):
    for more, ok in (({}, True), ({"host": service.base.removeprefix("http://")}, True), ({"host": "10.0.0.1"}, False)):
        endpoint = service.put(swagger({}, **more), f"/{len(more)}{ok}.yaml")
        if ok:
            assert (await performer.perform(call(endpoint)))["uri"] == "/api/things"
        else:
            assert (await failure(performer, call(endpoint)))[0] == "authorization"


@pytest.mark.parametrize(
    "request_, words",
    [
        ({"document": {"endpoint": "http://127.0.0.1:1"}}, "operationId"),
        ({"document": {}, "operationId": "op"}, "`endpoint`"),
        ({"document": {"endpoint": "http://127.0.0.1:1"}, "operationId": "op", "parameters": [1]}, "`parameters`"),
        (None, "document"),
    ],
)
async def test_arguments_that_are_none(performer, request_, words):
    made = call("")
    object.__setattr__(made, "request", request_)
    name, _, detail = await failure(performer, made)
    assert name == "configuration" and words in detail


async def test_a_long_document_is_read_beside_the_loop_and_once(service, performer, monkeypatch):
    from perdure.activities import documents

    reads = []
    original = documents.read
    monkeypatch.setattr(documents, "read", lambda *arguments: reads.append(1) or original(*arguments))
    document = openapi({"description": "x" * 100_000})
    for endpoint in (service.put(document, "/1.yaml"), service.put(document, "/2.yaml")):
        await performer.perform(call(endpoint))
    assert len(reads) == 1
