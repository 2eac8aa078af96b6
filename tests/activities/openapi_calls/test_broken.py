"""Documents that are broken in any way are errors that say so."""

import json

import pytest

from perdure.activities.contract import CallFailed

from .service import PNG, call

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
