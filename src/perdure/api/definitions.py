"""``/v1/definitions``: registering what processes do, and reading it back."""

from typing import Annotated, Final
from urllib.parse import quote

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from perdure.api import documents, examples, schemas
from perdure.api.documents import YAML
from perdure.api.openapi import BODY_PROBLEMS, answer, operation, page
from perdure.api.requests import Cursor, Limit, Route, caller, platform, send, send_page
from perdure.codec import Json
from perdure.runtime.views import DefinitionView

router = APIRouter(route_class=Route, tags=["Definitions"])

_DOCUMENT: Final[Json] = {"type": "object", "description": "A Serverless Workflow DSL 1.0 document."}
_BODY: Final[Json] = {
    "required": True,
    "content": {
        YAML: {"schema": _DOCUMENT, "example": examples.DEFINITION_YAML},
        "application/json": {"schema": _DOCUMENT, "example": examples.DEFINITION_JSON},
    },
}
_ONE_OR_WARNINGS: Final[Json] = {"anyOf": [schemas.reference("Definition"), documents.WARNINGS]}


@router.post("/v1/definitions", summary="Register or check a definition")
@operation(
    "registerDefinition",
    {
        201: answer(
            "Registered.",
            schemas.reference("Definition"),
            examples.DEFINITION,
            {"Location": "Path of the definition version."},
        ),
        200: answer(
            "The very same document is there already; or, with `dryRun`, it is valid.",
            _ONE_OR_WARNINGS,
            {"warnings": []},
        ),
    },
    body=_BODY,
    problems=(*BODY_PROBLEMS, 409),
)
async def register(
    request: Request,
    dry_run: Annotated[bool, Query(alias="dryRun", description="Only check; nothing is stored.")] = False,
) -> Response:
    """A version is immutable: the same version with another content is refused (409).

    An invalid document is refused with every error found, each with its place (422).
    """
    media_type = documents.media_type(request)
    source = await documents.read(request)
    registered = await platform(request).register_definition(caller(request), source, media_type, dry_run=dry_run)
    if dry_run:
        return send({"warnings": documents.warnings(registered.warnings)})
    view = registered.definition
    if not registered.created:
        return send({**_listed(view), "warnings": documents.warnings(registered.warnings)})
    parts = (quote(part, safe="") for part in (view.namespace, view.name, view.version))
    headers = {"Location": "/v1/definitions/" + "/".join(parts)}
    return send({**_listed(view), "warnings": documents.warnings(registered.warnings)}, 201, headers)


@router.get("/v1/definitions", summary="List definitions")
@operation(
    "listDefinitions", {200: page("Definition versions, by namespace and name.", "Definition", examples.DEFINITION)}
)
async def list_definitions(request: Request, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """All versions, by namespace, name, and version from the highest."""
    found = await platform(request).list_definitions(caller(request), limit=limit, cursor=cursor)
    return send_page(found, _listed)


@router.get("/v1/definitions/{namespace}/{name}", summary="List the versions of a definition")
@operation(
    "listDefinitionVersions",
    {200: page("Its versions, highest first.", "Definition", examples.DEFINITION)},
    problems=(404,),
)
async def list_versions(
    request: Request, namespace: str, name: str, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    found = await platform(request).list_versions(caller(request), namespace, name, limit=limit, cursor=cursor)
    return send_page(found, _listed)


@router.get("/v1/definitions/{namespace}/{name}/{version}", summary="Read a definition")
@operation(
    "getDefinition",
    {
        200: {
            "description": "The document: as JSON, or in the author's own text.",
            "headers": {"Vary": {"schema": {"type": "string"}}},
            "content": {
                "application/json": {"schema": _DOCUMENT, "example": examples.DEFINITION_JSON},
                YAML: {"schema": {"type": "string"}, "example": examples.DEFINITION_YAML},
            },
        }
    },
    problems=(404,),
)
async def read(request: Request, namespace: str, name: str, version: str) -> Response:
    """`version` may be `latest`: the highest stable one. `Accept: application/yaml` gives the author's own text."""
    view = await platform(request).get_definition(caller(request), namespace, name, version)
    return documents.answer(request, view.document, view.source)


def _listed(view: DefinitionView) -> Json:
    return {
        "namespace": view.namespace,
        "name": view.name,
        "version": view.version,
        "title": view.title,
        "summary": view.summary,
        "createdAt": view.created_at,
    }
