"""The services that the scenarios call: a small library, and a door with basic authentication."""

from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

BOOKS = {
    7: {"id": 7, "title": "Tides", "shelf": "sea"},
    8: {"id": 8, "title": "Winds", "shelf": "air"},
    9: {"id": 9, "title": "Reefs", "shelf": "sea"},
}


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
