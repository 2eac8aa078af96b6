"""Bodies of requests: JSON, forms, files, and text of every media type."""

import json
from email.parser import BytesParser

import pytest
from calling import failure

from .service import PNG, body_of, call, openapi, parameter, swagger

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
