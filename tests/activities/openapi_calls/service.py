"""A service that serves its own OpenAPI documents, documents of one operation, and calls of it."""

import base64
import contextlib
import json

import yaml
from aiohttp import web
from calling import made

from perdure.activities.openapi.performer import OpenApiPerformer
from perdure.activities.outside import Outside
from perdure.secrets import Secrets
from perdure.settings import Settings

PNG = base64.b64encode(b"\x89PNG\x00").decode()


class Service:
    """Serves documents by path, and answers everything under /api with what it was asked."""

    def __init__(self):
        self.base = ""
        self.documents = {}
        self.moved = {}
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
            if request.path in self.moved:
                raise web.HTTPFound(self.moved[request.path])
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


def call(endpoint, operation_id="op", parameters=None, **arguments):
    return made(
        "openapi",
        {
            "document": {"endpoint": endpoint},
            "operationId": operation_id,
            **({} if parameters is None else {"parameters": parameters}),
            **arguments,
        },
        "KEY",
        "SHORT",
    )


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
