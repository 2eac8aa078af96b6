"""Performs calls of operations that an OpenAPI document describes (DSL reference, "OpenAPI Call")."""

from perdure.activities.contract import Call, CallFailed
from perdure.activities.http_request import Request, misconfigured
from perdure.activities.openapi import openapi3, swagger2
from perdure.activities.openapi.arguments import matched
from perdure.activities.openapi.model import Operation
from perdure.activities.openapi.operations import find
from perdure.activities.openapi.requests import request_of
from perdure.activities.openapi.security import place_of_key
from perdure.activities.outside import Outside
from perdure.activities.references import Node, References
from perdure.codec import Json


class OpenApiPerformer:
    """The implementation of `contract.Performer` for ``openapi``."""

    def __init__(self, outside: Outside) -> None:
        self._caller = outside.caller
        self._documents = outside.documents

    async def start(self) -> None:
        """The client is started by who owns it."""

    async def stop(self) -> None:
        """The client is stopped by who owns it."""

    async def perform(self, call: Call) -> Json:
        try:
            operation, request = await self._request(call)
        except CallFailed as failure:
            raise self._caller.redacted(failure.error) from None
        policy = call.request.get("authentication")
        return await self._caller.output(request, policy, call, place_of_key(operation.security, policy))

    async def _request(self, call: Call) -> tuple[Operation, Request]:
        arguments = _arguments(call)
        references = References(self._documents, arguments["document"].get("endpoint"), call)
        root = await references.root()
        version = _version(root)
        found = await find(root, references, arguments["operationId"])
        operation = await (swagger2 if version == 2 else openapi3).operation_of(found, references)
        given = matched(operation, arguments.get("parameters") or {})
        return operation, request_of(operation, given, root.document.uri, call)


def _arguments(call: Call) -> dict[str, Json]:
    match call.request:
        case {"document": dict(), "operationId": str()}:
            parameters = call.request.get("parameters")
            if parameters is None or isinstance(parameters, dict):
                return dict(call.request)
            raise misconfigured("`parameters` must be an object.")
    raise misconfigured("An OpenAPI call needs a document with an endpoint, and an operationId that is text.")


def _version(root: Node) -> int:
    said = root.object.get("swagger", root.object.get("openapi"))
    text = str(said)
    if text.startswith("2.") or text == "2":
        return 2
    if text.startswith(("3.0", "3.1")):
        return 3
    raise misconfigured(
        f"{root.document.uri} is no document of Swagger 2.0, OpenAPI 3.0 or OpenAPI 3.1"
        f"{'' if said is None else f'; it says {text[:20]}'}."
    )
