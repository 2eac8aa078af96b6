"""References within a document and to others."""

import pytest
from calling import failure

from .service import body_of, call, openapi, parameter


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


async def test_a_redirection_of_the_document_takes_no_credentials_along(service, performer):
    """Neither itself, nor for what the document at the other origin refers to there."""
    written = service.base.replace("127.0.0.1", "localhost")
    service.moved["/openapi.yaml"] = f"{service.base}/moved.yaml"
    service.put({"Q": parameter("q", "query"), "R": {"$ref": f"{written}/third.yaml#/R"}}, "/other.yaml")
    service.put({"R": parameter("r", "query")}, "/third.yaml")
    service.put(openapi({"parameters": [{"$ref": "other.yaml#/Q"}, {"$ref": "other.yaml#/R"}]}), "/moved.yaml")
    endpoint = {"uri": f"{written}/openapi.yaml", "authentication": {"bearer": {"use": "KEY"}}}
    await performer.perform(call(endpoint))
    assert service.fetched == [
        ("/openapi.yaml", "Bearer key-/+1234567890"),
        ("/moved.yaml", None),
        ("/other.yaml", None),
        ("/third.yaml", "Bearer key-/+1234567890"),
    ]


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
