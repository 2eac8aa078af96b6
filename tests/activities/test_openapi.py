"""Calls of OpenAPI operations against a server on this machine, which serves the documents as well."""

import base64
import contextlib
import json
from email.parser import BytesParser
from uuid import UUID

import pytest
import yaml
from aiohttp import web
from oauth_provider import CLIENT, SECRET
from oauth_provider import provider as providing

from perdure.activities.contract import Call, CallFailed
from perdure.activities.openapi.performer import OpenApiPerformer
from perdure.activities.outside import Outside
from perdure.secrets import Secrets
from perdure.settings import Settings

PROCESS = UUID("01890a5d-ac96-774b-bcce-b302099a8057")
ACTIVITY = UUID("01890a5d-ac96-874b-8cce-b302099a8058")


class Service:
    """Serves documents by path, and answers everything under /api with what it was asked."""

    def __init__(self):
        self.base = ""
        self.documents = {}
        self.fetched = []
        self.seen = []
        self.answer = None

    def put(self, document, path="/openapi.yaml"):
        if isinstance(document, str):
            self.documents[path] = document
        else:
            as_json = path.endswith(".json")
            self.documents[path] = json.dumps(document) if as_json else yaml.safe_dump(document, sort_keys=False)
        return self.base + path

    async def handle(self, request):
        if not request.path.startswith("/api"):
            self.fetched.append((request.path, request.headers.get("Authorization")))
            text = self.documents.get(request.path)
            return web.Response(status=404) if text is None else web.Response(text=text)
        body = await request.read()
        self.seen.append(request)
        if self.answer is not None:
            return self.answer
        return web.json_response(
            {
                "method": request.method,
                "uri": request.raw_path,
                "headers": dict(request.headers),
                "body": base64.b64encode(body).decode(),
            }
        )


@pytest.fixture
async def service():
    service = Service()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", service.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    service.base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield service
    await runner.cleanup()


@contextlib.asynccontextmanager
async def performing(**changes):
    secrets = Secrets({"PERDURE_SECRET_KEY": "key-/+1234567890", "PERDURE_SECRET_SHORT": "k1"})
    settings = Settings(_env_file=None, egress_allow="127.0.0.0/8", call_timeout_seconds=10, **changes)
    outside = Outside(settings, secrets)
    await outside.start()
    try:
        yield OpenApiPerformer(outside)
    finally:
        await outside.stop()


@pytest.fixture
async def performer():
    async with performing() as performer:
        yield performer


def call(endpoint, operation_id="op", parameters=None, **arguments):
    return Call(
        process=PROCESS,
        activity=ACTIVITY,
        attempt=1,
        function="openapi",
        reference="/do/0/x",
        request={
            "document": {"endpoint": endpoint},
            "operationId": operation_id,
            **({} if parameters is None else {"parameters": parameters}),
            **arguments,
        },
        tenant="default",
        idempotency_key=f"{PROCESS}/{ACTIVITY}",
        secrets=frozenset({"KEY", "SHORT"}),
    )


async def failure(performer, call_):
    with pytest.raises(CallFailed) as caught:
        await performer.perform(call_)
    error = caught.value.error
    return error.type.rpartition("/")[2], error.status, error.detail


def openapi(operation, *, path="/things", method="get", version="3.0.3", **more):
    operation = {"operationId": "op", "responses": {"200": {"description": "ok"}}, **operation}
    return {
        "openapi": version,
        "info": {"title": "t", "version": "1"},
        "servers": [{"url": "/api"}],
        "paths": {path: {method: operation}},
        **more,
    }


def swagger(operation, *, path="/things", method="get", **more):
    operation = {"operationId": "op", "responses": {"200": {"description": "ok"}}, **operation}
    return {
        "swagger": "2.0",
        "info": {"title": "t", "version": "1"},
        "basePath": "/api",
        "schemes": ["http"],
        "paths": {path: {method: operation}},
        **more,
    }


def parameter(name, place, schema="string", **more):
    return {"name": name, "in": place, "schema": {"type": schema}, **more}


def body_of(answer):
    return base64.b64decode(answer["body"])


# which operation, where


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


# references


async def test_references_within_and_to_other_documents(service, performer):
    service.put(
        {
            "Limit": {"name": "limit", "in": "query", "required": True, "schema": {"$ref": "#/Number"}},
            "Number": {"type": "integer", "default": 7},
            "paths": {
                "a/b": {
                    "get": {
                        "operationId": "op",
                        "parameters": [{"$ref": "../openapi.json#/components/parameters/a~0b"}],
                    }
                }
            },
        },
        "/parts/more.yaml",
    )
    document = {
        "openapi": "3.1.0",
        "servers": [{"url": "/api"}],
        "paths": {"/things": {"$ref": "parts/more.yaml#/paths/a~1b"}},
        "components": {"parameters": {"a~b": {"$ref": "parts/more.yaml#/Limit"}}},
    }
    answer = await performer.perform(call(service.put(document, "/openapi.json")))
    assert answer["uri"] == "/api/things?limit=7"


async def test_other_documents_get_credentials_only_within_the_origin(service, performer):
    service.put({"Q": parameter("q", "query", required=True)}, "/other.yaml")
    document = openapi({"parameters": [{"$ref": "other.yaml#/Q"}]})
    endpoint = {"uri": service.put(document), "authentication": {"bearer": {"use": "KEY"}}}
    await performer.perform(call(endpoint, parameters={"q": 1}))
    assert [sent for _, sent in service.fetched] == ["Bearer key-/+1234567890"] * 2
    elsewhere = service.base.replace("127.0.0.1", "localhost") + "/other.yaml#/Q"
    endpoint["uri"] = service.put(openapi({"parameters": [{"$ref": elsewhere}]}), "/second.yaml")
    await performer.perform(call(endpoint, parameters={"q": 1}))
    assert [sent for _, sent in service.fetched[2:]] == ["Bearer key-/+1234567890", None]
    assert "Authorization" not in service.seen[-1].headers


@pytest.mark.parametrize(
    "reference, words",
    [
        ("#/components/parameters/a", "circle"),
        ("#/nothing/there", "nothing at the reference"),
        ("#anchor", "no JSON pointer"),
        ("#/paths/~1things/get/parameters/7", "nothing at"),
        ("gone.yaml#/a", "404"),
        ("http://[", "no URI"),
        ("http://10.9.8.7/a.yaml#/a", "not allowed"),
        ("file:///etc/passwd", "http or https"),
    ],
)
async def test_references_that_lead_nowhere(service, performer, reference, words):
    components = {
        "parameters": {"a": {"$ref": "#/components/parameters/b"}, "b": {"$ref": "#/components/parameters/a"}}
    }
    endpoint = service.put(openapi({"parameters": [{"$ref": reference}]}, components=components))
    _, _, detail = await failure(performer, call(endpoint))
    assert words in detail


async def test_chains_of_documents_are_bounded(service, performer):
    for n in range(40):
        service.put({"x": {"$ref": f"{n + 1}.yaml#/x"}}, f"/{n}.yaml")
    name, _, detail = await failure(performer, call(service.put(openapi({"parameters": [{"$ref": "0.yaml#/x"}]}))))
    assert name == "configuration" and "documents" in detail
    assert len(service.fetched) <= 20


async def test_schemas_that_contain_themselves(service, performer):
    node = {
        "type": "object",
        "properties": {"next": {"$ref": "#/components/schemas/Node"}},
        "allOf": [{"$ref": "#/components/schemas/Node"}],
    }
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Node"}}}
    document = openapi({"requestBody": {"content": content}}, method="post", components={"schemas": {"Node": node}})
    answer = await performer.perform(call(service.put(document), parameters={"next": {"next": None}}))
    assert body_of(answer) == b'{"next":{"next":null}}'


# parameters


async def test_parameters_in_every_place(service, performer):
    document = openapi(
        {
            "parameters": [
                parameter("id", "path", required=True),
                parameter("shade", "path", "array", required=True, style="matrix", explode=True),
                parameter("tags", "query", "array", explode=False),
                parameter("filter", "query", "object", style="deepObject"),
                parameter("raw", "query", allowReserved=True),
                parameter("X-Kind", "header", "array"),
                parameter("session", "cookie"),
                {"name": "where", "in": "query", "content": {"application/json": {"schema": {}}}},
                parameter("Authorization", "header", required=True),
                parameter("unused", "query", "string"),
            ]
        },
        path="/things/{id}/{shade}.txt",
    )
    answer = await performer.perform(
        call(
            service.put(document),
            parameters={
                "id": "a/b c",
                "shade": ["x", "y"],
                "tags": ["red", "a,b"],
                "filter": {"min": 1},
                "raw": "a/b:c",
                "x-kind": ["k1", "k2"],
                "session": "s;1",
                "where": {"a": [1]},
                "unused": None,
            },
        )
    )
    assert answer["uri"] == (
        "/api/things/a%2Fb%20c/;shade=x;shade=y.txt?tags=red,a%2Cb&filter%5Bmin%5D=1&raw=a/b:c&where=%7B%22a%22%3A%5B1%5D%7D"
    )
    assert answer["headers"]["X-Kind"] == "k1,k2"
    assert answer["headers"]["Cookie"] == "session=s%3B1"
    assert "Authorization" not in answer["headers"]


async def test_a_path_has_parameters_for_all_its_operations(service, performer):
    document = openapi({"parameters": [parameter("b", "query", style="form", required=True)]})
    document["paths"]["/things"]["parameters"] = [
        parameter("a", "query", required=True),
        parameter("b", "query", "array", explode=False),
    ]
    answer = await performer.perform(call(service.put(document), parameters={"a": 1, "b": [1, 2]}))
    assert answer["uri"] == "/api/things?a=1&b=1&b=2"


@pytest.mark.parametrize(
    "parameters, words",
    [
        ({}, "needs id (in path) and q (in query)"),
        ({"id": None, "q": 1}, "needs id (in path)"),
        ({"id": 1, "q": 1, "colour": 2}, "'colour'; did you mean color?"),
        ({"id": 1, "q": 1, "zzz": 2}, "'zzz'; it has id, q, color."),
        ({"id": "", "q": 1}, "id of op is empty"),
        ({"id": [], "q": 1}, "id of op is empty"),
        ({"id": "..", "q": 1}, "can't have '..'"),
        ({"id": 1, "q": 1, "body": {}}, "no parameter 'body'"),
    ],
)
async def test_parameters_that_are_missing_or_unknown(service, performer, parameters, words):
    document = openapi(
        {
            "parameters": [
                parameter("id", "path", required=True),
                parameter("q", "query", required=True),
                parameter("color", "query"),
            ]
        },
        path="/things/{id}",
    )
    name, status, detail = await failure(performer, call(service.put(document), parameters=parameters))
    assert (name, status) == ("configuration", 400) and words in detail
    assert service.seen == []


async def test_only_what_must_be_there_gets_its_default(service, performer):
    document = openapi({"parameters": [parameter("a", "query", required=True), parameter("b", "query")]})
    for item in document["paths"]["/things"]["get"]["parameters"]:
        item["schema"]["default"] = "d"
    endpoint = service.put(document)
    assert (await performer.perform(call(endpoint)))["uri"] == "/api/things?a=d"
    answer = await performer.perform(call(endpoint, parameters={"a": "x", "b": "y"}))
    assert answer["uri"] == "/api/things?a=x&b=y"


@pytest.mark.parametrize(
    "format_, place, sent",
    [
        (None, "query", "a=1,2"),
        ("csv", "query", "a=1,2"),
        ("ssv", "query", "a=1%202"),
        ("tsv", "query", "a=1%092"),
        ("pipes", "query", "a=1%7C2"),
        ("multi", "query", "a=1&a=2"),
        (None, "path", "1,2"),
        ("pipes", "path", "1%7C2"),
        ("ssv", "header", "1 2"),
        (None, "header", "1,2"),
    ],
)
async def test_swagger_collection_formats(service, performer, format_, place, sent):
    said = {"name": "a", "in": place, "type": "array", "items": {"type": "integer"}, "required": True}
    document = swagger(
        {"parameters": [{**said, **({"collectionFormat": format_} if format_ else {})}]},
        path="/things/{a}" if place == "path" else "/things",
    )
    answer = await performer.perform(call(service.put(document), parameters={"a": [1, 2]}))
    found = answer["headers"]["a"] if place == "header" else answer["uri"].removeprefix("/api/things")[1:]
    assert found == sent


# bodies

SCHEMA = {"type": "object", "properties": {"name": {"type": "string"}, "age": {"type": "integer"}}}
CLOSED = {**SCHEMA, "additionalProperties": False}


@pytest.mark.parametrize(
    "schema, parameters, body",
    [
        (SCHEMA, {"name": "Ada", "age": 36}, {"name": "Ada", "age": 36}),
        (SCHEMA, {"body": {"name": "Ada"}}, {"name": "Ada"}),
        (SCHEMA, {"name": "Ada", "more": [1]}, {"name": "Ada", "more": [1]}),
        (SCHEMA, {"name": None}, {"name": None}),
        (SCHEMA, {"id": 7, "name": "Ada"}, {"name": "Ada"}),
        ({"type": "array"}, {"body": [1, 2]}, [1, 2]),
        ({"type": "string"}, {"body": "text"}, "text"),
        ({}, {"body": None}, None),
        ({"type": "object", "properties": {"body": {}}}, {"body": 1}, {"body": 1}),
        ({"allOf": [CLOSED, {"properties": {"x": {}}}]}, {"x": 1, "age": 2}, {"x": 1, "age": 2}),
        ({"anyOf": [SCHEMA, {"properties": {"x": {}}}]}, {"x": 1}, {"x": 1}),
        (SCHEMA, {"version": "v2"}, {"version": "v2"}),
    ],
)
async def test_json_bodies(service, performer, schema, parameters, body):
    document = openapi(
        {
            "parameters": [parameter("id", "query")],
            "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
        },
        method="post",
    )
    answer = await performer.perform(call(service.put(document), parameters=parameters))
    assert json.loads(body_of(answer)) == body
    assert answer["headers"]["Content-Type"] == "application/json"
    assert answer["uri"] == "/api/things" + ("?id=7" if "id" in parameters else "")


@pytest.mark.parametrize(
    "parameters, words",
    [
        ({}, "needs a body"),
        ({"nmae": "Ada"}, "'nmae'; did you mean name?"),
        ({"body": {}, "name": "Ada"}, "no parameter 'name'"),
    ],
)
async def test_bodies_that_are_missing_or_unknown(service, performer, parameters, words):
    content = {"application/json": {"schema": CLOSED}}
    document = openapi({"requestBody": {"required": True, "content": content}}, method="post")
    name, _, detail = await failure(performer, call(service.put(document), parameters=parameters))
    assert name == "configuration" and words in detail


PNG = base64.b64encode(b"\x89PNG\x00").decode()


@pytest.mark.parametrize(
    "offered, body, media_type, sent",
    [
        (["application/xml", "application/json"], {"a": 1}, "application/json", b'{"a":1}'),
        (["application/vnd.x+json; v=1"], {"a": 1}, "application/vnd.x+json; v=1", b'{"a":1}'),
        (["application/json", "application/xml"], "<a/>", "application/xml", b"<a/>"),
        (["application/json"], "text", "application/json", b'"text"'),
        (["text/plain"], "grüß", "text/plain; charset=utf-8", "grüß".encode()),
        (["text/plain"], 7, "text/plain; charset=utf-8", b"7"),
        (["text/csv"], "a,b", "text/csv", b"a,b"),
        (["*/*"], [1], "application/json", b"[1]"),
        (["*/*"], "x", "text/plain; charset=utf-8", b"x"),
        (["image/png"], PNG, "image/png", b"\x89PNG\x00"),
        (["application/octet-stream"], PNG, "application/octet-stream", b"\x89PNG\x00"),
        (
            ["application/x-www-form-urlencoded"],
            {"a": "1 2&", "b": [True, "ü"], "c": {"d": 1}, "e": None},
            "application/x-www-form-urlencoded",
            b"a=1+2%26&b=true&b=%C3%BC&c=%7B%22d%22%3A1%7D",
        ),
    ],
)
async def test_media_types(service, performer, offered, body, media_type, sent):
    document = openapi({"requestBody": {"content": {name: {} for name in offered}}}, method="put")
    answer = await performer.perform(call(service.put(document), parameters={"body": body}))
    assert answer["headers"]["Content-Type"] == media_type
    assert body_of(answer) == sent


@pytest.mark.parametrize(
    "offered, body, words",
    [
        ("image/png", {"a": 1}, "an object"),
        ("image/png", "no base64!", "Base64"),
        ("application/xml", {"a": 1}, "from text"),
        ("application/x-www-form-urlencoded", "a=1", "from an object"),
        ("multipart/form-data", [1], "from an object"),
    ],
)
async def test_bodies_that_can_not_be_written(service, performer, offered, body, words):
    document = openapi({"requestBody": {"content": {offered: {}}}}, method="put")
    name, _, detail = await failure(performer, call(service.put(document), parameters={"body": body}))
    assert name == "configuration" and words in detail


async def test_a_form_with_encodings(service, performer):
    schema = {"properties": {"tags": {"type": "array"}, "at": {"type": "object"}, "u": {"type": "string"}}}
    encoding = {
        "tags": {"style": "pipeDelimited", "explode": False},
        "at": {"style": "deepObject"},
        "u": {"allowReserved": True},
    }
    content = {"application/x-www-form-urlencoded": {"schema": schema, "encoding": encoding}}
    document = openapi({"requestBody": {"content": content}}, method="post")
    parameters = {"tags": ["a", "b"], "at": {"x": 1}, "u": "a/b"}
    answer = await performer.perform(call(service.put(document), parameters=parameters))
    assert body_of(answer) == b"tags=a%7Cb&at%5Bx%5D=1&u=a/b"


def parts_of(answer):
    head = f"Content-Type: {answer['headers']['Content-Type']}\r\n\r\n".encode()
    message = BytesParser().parsebytes(head + body_of(answer))
    return [
        (
            part.get_param("name", header="Content-Disposition"),
            part.get_filename(),
            part.get_content_type(),
            part.get_payload(decode=True),
        )
        for part in message.get_payload()
    ]


@pytest.mark.parametrize(
    "file", [{"type": "string", "format": "binary"}, {"type": "string", "contentMediaType": "image/png"}]
)
async def test_multipart(service, performer, file):
    schema = {
        "properties": {
            "file": file,
            "files": {"type": "array", "items": file},
            "photo": {"type": "string"},
            "note": {"type": "string"},
            "meta": {"type": "object"},
        }
    }
    content = {
        "multipart/form-data": {"schema": schema, "encoding": {"photo": {"contentType": "image/png, image/jpeg"}}}
    }
    endpoint = service.put(openapi({"requestBody": {"content": content}}, method="post"))
    parameters = {"file": PNG, "files": [PNG, PNG], "photo": PNG, "note": "grüß\r\n--", "meta": {"a": 1}}
    answer = await performer.perform(call(endpoint, parameters=parameters))
    png, any_ = b"\x89PNG\x00", "application/octet-stream"
    assert parts_of(answer) == [
        ("file", "file", any_, png),
        ("files", "files", any_, png),
        ("files", "files", any_, png),
        ("photo", "photo", "image/png", png),
        ("note", None, "text/plain", "grüß\r\n--".encode()),
        ("meta", None, "application/json", b'{"a":1}'),
    ]
    assert body_of(await performer.perform(call(endpoint, parameters=parameters))) == body_of(answer)


async def test_swagger_bodies_and_forms(service, performer):
    body = {"name": "thing", "in": "body", "required": True, "schema": {"properties": {"name": {}}}}
    endpoint = service.put(swagger({"parameters": [body], "consumes": ["application/json"]}, method="post"), "/1.yaml")
    for parameters in ({"thing": {"name": "x"}}, {"name": "x"}):
        assert body_of(await performer.perform(call(endpoint, parameters=parameters))) == b'{"name":"x"}'

    fields = [
        {"name": "a", "in": "formData", "type": "string", "required": True},
        {"name": "b", "in": "formData", "type": "array", "collectionFormat": "multi"},
        {"name": "c", "in": "formData", "type": "array"},
    ]
    endpoint = service.put(swagger({"parameters": fields}, method="post"), "/2.yaml")
    parameters = {"a": "x y", "b": [1, 2], "c": [3, 4]}
    assert body_of(await performer.perform(call(endpoint, parameters=parameters))) == b"a=x%20y&b=1&b=2&c=3,4"
    for wrong, words in (({"b": [1]}, "needs a under"), ({"a": 1, "d": 1}, "'d'")):
        name, _, detail = await failure(performer, call(endpoint, parameters=wrong))
        assert name == "configuration" and words in detail

    fields.append({"name": "f", "in": "formData", "type": "file"})
    document = swagger({"parameters": fields, "consumes": ["multipart/form-data"]}, method="post")
    answer = await performer.perform(call(service.put(document, "/3.yaml"), parameters={**parameters, "f": PNG}))
    assert [(name, file, payload) for name, file, _, payload in parts_of(answer)] == [
        ("a", None, b"x y"),
        ("b", None, b"1"),
        ("b", None, b"2"),
        ("c", None, b"3,4"),
        ("f", "f", b"\x89PNG\x00"),
    ]


# security


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


# what comes back


async def test_output_modes_and_redirections(service, performer):
    endpoint = service.put(openapi({}))
    raw = await performer.perform(call(endpoint, output="raw"))
    assert json.loads(base64.b64decode(raw))["uri"] == "/api/things"
    response = await performer.perform(call(endpoint, output="response"))
    assert response["statusCode"] == 200 and response["request"]["method"] == "get"
    assert response["content"]["uri"] == "/api/things"

    service.answer = web.Response(status=302, headers={"Location": "/openapi.yaml"})
    assert (await failure(performer, call(endpoint)))[:2] == ("communication", 302)
    service.answer = web.Response(status=302, headers={"Location": "/openapi.yaml"})
    assert "openapi" in await performer.perform(call(endpoint, redirect=True))
    service.answer = web.Response(status=503)
    assert (await failure(performer, call(endpoint)))[:2] == ("communication", 503)


@pytest.mark.parametrize(
    "offers, accept", [(["application/xml", "application/json"], "application/json, */*;q=0.8"), (["text/xml"], "*/*")]
)
async def test_json_is_asked_for_where_it_is_offered(service, performer, offers, accept):
    responses = {"200": {"description": "ok", "content": {name: {} for name in offers}}}
    endpoint = service.put(openapi({"responses": responses}))
    assert (await performer.perform(call(endpoint)))["headers"]["Accept"] == accept
    endpoint = service.put(swagger({"produces": offers}), "/2.yaml")
    assert (await performer.perform(call(endpoint)))["headers"]["Accept"] == accept


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


# documents that are broken in any way


EVERYTHING = {
    "openapi": "3.0.3",
    "servers": [{"url": "/api/{v}", "variables": {"v": {"default": "1", "enum": ["1"]}}}],
    "security": [{"k": []}],
    "paths": {
        "/things/{id}": {
            "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}],
            "post": {
                "operationId": "op",
                "parameters": [
                    {"name": "q", "in": "query", "style": "form", "explode": True, "allowReserved": False},
                    {"name": "c", "in": "query", "content": {"application/json": {"schema": {}}}},
                    {"name": "h", "in": "header", "schema": {"default": "d"}, "required": True},
                    {"$ref": "#/components/parameters/s"},
                ],
                "requestBody": {
                    "required": True,
                    "content": {
                        "multipart/form-data": {
                            "schema": {
                                "type": "object",
                                "properties": {"a": {"type": "array", "items": {"format": "binary"}}, "b": {}},
                                "allOf": [{"additionalProperties": True}],
                            },
                            "encoding": {"a": {"contentType": "image/png"}, "b": {"style": "form"}},
                        }
                    },
                },
                "responses": {"200": {"content": {"application/json": {}}}},
            },
        }
    },
    "components": {
        "parameters": {"s": {"name": "s", "in": "cookie"}},
        "securitySchemes": {"k": {"type": "apiKey", "in": "header", "name": "X-Key"}},
    },
}
EVERYTHING_2 = {
    "swagger": "2.0",
    "host": "HOST",
    "basePath": "/api",
    "schemes": ["http"],
    "consumes": ["multipart/form-data"],
    "produces": ["application/json"],
    "security": [{"k": []}],
    "securityDefinitions": {"k": {"type": "apiKey", "in": "query", "name": "key"}},
    "paths": {
        "/things/{id}": {
            "post": {
                "operationId": "op",
                "parameters": [
                    {"name": "id", "in": "path", "type": "integer"},
                    {"name": "q", "in": "query", "type": "array", "collectionFormat": "multi"},
                    {"name": "a", "in": "formData", "type": "file", "required": True},
                ],
            }
        }
    },
}
JUNK = (None, 5, True, "x", [], {}, [5], {"a": 5}, {"$ref": 5}, {"$ref": "#/x"}, [[]], "\x01 {", "http://[")


def broken(value, junk):
    """Copies of the value with each of its parts replaced in turn."""
    yield junk
    if isinstance(value, dict):
        for name, member in value.items():
            for copy in broken(member, junk):
                yield {**value, name: copy}
    elif isinstance(value, list):
        for index, item in enumerate(value):
            for copy in broken(item, junk):
                yield [*value[:index], copy, *value[index + 1 :]]


@pytest.mark.parametrize("document", [EVERYTHING, EVERYTHING_2], ids=["openapi", "swagger"])
async def test_broken_documents_are_errors_that_say_so(service, performer, document):
    document = json.loads(json.dumps(document).replace("HOST", service.base.removeprefix("http://")))
    parameters = {"id": 1, "q": [1, 2], "a": PNG}
    if "openapi" in document:
        parameters |= {"c": {"x": 1}, "s": 1, "b": "x"}
    policy = {"bearer": {"use": "KEY"}}
    await performer.perform(call(service.put(document, "/good.json"), parameters=parameters, authentication=policy))
    errors = 0
    for junk in JUNK:
        for copy in broken(document, junk):
            endpoint = service.put(copy, f"/{errors}-{len(service.fetched)}.json")
            try:
                await performer.perform(call(endpoint, parameters=parameters, authentication=policy))
            except CallFailed as failed:
                errors += 1
                assert failed.error.type.rpartition("/")[2] in ("configuration", "communication", "authorization")
    assert errors > 100
