"""Parameters of operations, in path, query, headers and cookies."""

import pytest
from calling import failure

from .service import call, openapi, parameter, swagger


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
