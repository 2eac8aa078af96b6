"""The services that the scenarios call: a small library, a door with basic authentication, a vault for bearers of a
token, and a pet store that describes itself."""

import asyncio
import json
from base64 import b64encode
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

LATE_SECONDS = 20.0
"""Longer than any scenario waits for an answer."""

BOOKS = {
    7: {"id": 7, "title": "Tides", "shelf": "sea"},
    8: {"id": 8, "title": "Winds", "shelf": "air"},
    9: {"id": 9, "title": "Reefs", "shelf": "sea"},
}


PETS = [{"id": 1, "name": "Otto", "status": "available"}, {"id": 2, "name": "Ida", "status": "sold"}]

_STATUS = {"name": "status", "in": "query", "required": True}
_ID = {"name": "petId", "in": "path", "required": True}

SWAGGER = {
    "swagger": "2.0",
    "basePath": "/v2",
    "schemes": ["http"],
    "produces": ["application/xml", "application/json"],
    "paths": {
        "/pet/findByStatus": {
            "get": {
                "operationId": "findPetsByStatus",
                "parameters": [{**_STATUS, "type": "array", "collectionFormat": "multi"}],
            }
        },
        "/pet/{petId}": {"get": {"operationId": "getPetById", "parameters": [{**_ID, "type": "integer"}]}},
    },
}

OPENAPI = """
openapi: 3.1.0
servers: [{url: '/v{version}', variables: {version: {default: '2'}}}]
paths:
  /pet/findByStatus:
    get:
      operationId: findPetsByStatus
      parameters: [{$ref: '#/components/parameters/status'}]
  /pet:
    post:
      operationId: addPet
      requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/Pet'}}}}
components:
  parameters:
    status: {name: status, in: query, required: true, schema: {type: string}}
  schemas:
    Pet: {type: object, properties: {id: {type: integer}, name: {type: string}}, additionalProperties: false}
"""

DOCUMENTS = {
    "/catalog/functions/shelve/1.0.0/function.yaml": """
        input: {schema: {document: {type: object, required: [title]}}}
        set: {label: '${ "\\(.title) (\\(.shelf // "any"))" }'}
        output: {as: .label}
        """,
    "/catalog/functions/shelve-all/2.0.0/function.yaml": """
        for: {each: book, in: .books}
        do:
        - one: {call: 'shelve:1.0.0@library', with: {title: '${ $book }'}, export: {as: '[($context | arrays | .[]), .]'}}
        """,
    "/catalog/functions/broken/1.0.0/function.yaml": "set: {a: 1}\ncall: http\n",
    "/catalog/hello.py": "print('hello from afar')",
    "/schemas/book.json": '{"type": "object", "required": ["title"], "properties": {"title": {"$ref": "title.json"}}}',
    "/schemas/title.json": '{"type": "string", "minLength": 2}',
}
"""A catalog of functions and schemas, by path."""


@asynccontextmanager
async def library() -> AsyncIterator[str]:
    """Serves while the context lasts; gives the base URL."""
    app = web.Application()
    app.router.add_get("/shelves", _shelf)
    app.router.add_get(r"/books/{id:\d+}", _book)
    app.router.add_get("/door/{user}/{password}", _door)
    app.router.add_get("/plain", _plain)
    app.router.add_get("/nothing", _nothing)
    app.router.add_get("/moved", _moved)
    app.router.add_get("/broken", _broken)
    app.router.add_get("/query", _query)
    app.router.add_post("/mirror", _mirror)
    app.router.add_post("/oauth2/token", _token)
    app.router.add_get("/vault", _vault)
    app.router.add_route("*", "/echo", _echo)
    app.router.add_route("*", "/echo/{path:.*}", _echo)
    app.router.add_get("/xml", _xml)
    app.router.add_get("/bytes", _bytes)
    app.router.add_get("/garbled", _garbled)
    app.router.add_get("/late", _late)
    app.router.add_post("/moved-for-good", _moved_for_good)
    app.router.add_get(r"/flaky/{failures:\d+}", _Flaky().answer)
    app.router.add_get("/v2/swagger.json", _swagger)
    app.router.add_get("/v3/openapi.yaml", _openapi)
    app.router.add_get("/v2/pet/findByStatus", _pets)
    app.router.add_get(r"/v2/pet/{id:\d+}", _pet)
    app.router.add_post("/v2/pet", _mirror)
    app.router.add_get("/{path:(catalog|schemas)/.*}", _document)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def _shelf(request: web.Request) -> web.Response:
    return web.json_response([book for book in BOOKS.values() if book["shelf"] == request.query.get("name")])


async def _book(request: web.Request) -> web.Response:
    book = BOOKS.get(int(request.match_info["id"]))
    return web.json_response(book) if book else web.json_response({"reason": "no such book"}, status=404)


async def _door(request: web.Request) -> web.Response:
    pair = f"{request.match_info['user']}:{request.match_info['password']}"
    if request.headers.get("Authorization") != f"Basic {b64encode(pair.encode()).decode()}":
        return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="door"'})
    return web.json_response({"open": True, "user": request.match_info["user"]})


async def _query(request: web.Request) -> web.Response:
    return web.json_response({"query": dict(request.query), "accept": request.headers.get("X-Asked-By")})


async def _mirror(request: web.Request) -> web.Response:
    return web.json_response({"type": request.content_type, "body": await request.json()}, status=201)


async def _document(request: web.Request) -> web.Response:
    text = DOCUMENTS.get(request.path)
    return web.Response(status=404) if text is None else web.Response(text=text, content_type="text/plain")


async def _plain(_: web.Request) -> web.Response:
    return web.Response(text="just words", content_type="text/plain")


async def _nothing(_: web.Request) -> web.Response:
    return web.Response(status=204)


async def _broken(_: web.Request) -> web.Response:
    return web.Response(status=503)


async def _moved(_: web.Request) -> web.Response:
    return web.Response(status=302, headers={"Location": "/books/7"})


async def _moved_for_good(_: web.Request) -> web.Response:
    return web.Response(status=308, headers={"Location": "/echo"})


async def _echo(request: web.Request) -> web.Response:
    text = await request.text()
    query = {name: request.query.getall(name) for name in request.query}
    body = json.loads(text) if request.content_type == "application/json" and text else text
    asked = request.headers.get("X-Asked-By")
    of = {"method": request.method, "path": request.rel_url.raw_path, "query": query, "asked": asked}
    return web.json_response({**of, "type": request.content_type, "body": body})


async def _xml(_: web.Request) -> web.Response:
    return web.Response(text="<tide/>", content_type="application/xml")


async def _bytes(_: web.Request) -> web.Response:
    return web.Response(body=b"\x00\xff", content_type="application/octet-stream")


async def _garbled(_: web.Request) -> web.Response:
    return web.Response(text='{"tide": ', content_type="application/json")


async def _late(_: web.Request) -> web.Response:
    await asyncio.sleep(LATE_SECONDS)
    return web.Response(text="at last")


class _Flaky:
    """Fails the first requests of each idempotency key: whoever tries again must do so with the same one."""

    def __init__(self) -> None:
        self._requests: Counter[str] = Counter()

    async def answer(self, request: web.Request) -> web.Response:
        key = request.headers["Idempotency-Key"]
        self._requests[key] += 1
        if self._requests[key] <= int(request.match_info["failures"]):
            return web.Response(status=503)
        return web.json_response({"requests": self._requests[key]})


async def _token(request: web.Request) -> web.Response:
    form = await request.post()
    if (form.get("grant_type"), form.get("client_id"), form.get("client_secret")) != (
        "client_credentials",
        "clerk",
        "tide-table-1871",
    ):
        return web.json_response({"error": "invalid_client"}, status=401)
    return web.json_response({"access_token": "key-to-the-vault", "token_type": "Bearer", "expires_in": 60})


async def _vault(request: web.Request) -> web.Response:
    if request.headers.get("Authorization") != "Bearer key-to-the-vault":
        return web.Response(status=401, headers={"WWW-Authenticate": "Bearer"})
    return web.json_response({"open": True})


async def _swagger(_: web.Request) -> web.Response:
    return web.json_response(SWAGGER)


async def _openapi(_: web.Request) -> web.Response:
    return web.Response(text=OPENAPI, content_type="application/yaml")


async def _pets(request: web.Request) -> web.Response:
    return web.json_response([pet for pet in PETS if pet["status"] in request.query.getall("status")])


async def _pet(request: web.Request) -> web.Response:
    pet = next((pet for pet in PETS if pet["id"] == int(request.match_info["id"])), None)
    return web.json_response(pet) if pet else web.json_response({"reason": "no such pet"}, status=404)
