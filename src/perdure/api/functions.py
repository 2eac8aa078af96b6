"""``/v1/functions``: the default catalog, a team's own functions."""

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
from perdure.runtime.views import FunctionView

router = APIRouter(route_class=Route, tags=["Functions"])

_DOCUMENT: Final[Json] = {"type": "object", "description": "A task of the Serverless Workflow DSL 1.0."}
_BODY: Final[Json] = {
    "required": True,
    "content": {
        YAML: {"schema": _DOCUMENT, "example": examples.FUNCTION_YAML},
        "application/json": {"schema": _DOCUMENT, "example": examples.FUNCTION_JSON},
    },
}
_ONE_OR_WARNINGS: Final[Json] = {"anyOf": [schemas.reference("Function"), documents.WARNINGS]}

_Name = Annotated[
    str, Query(description="Lower-case letters, digits and hyphens, at most 63.", examples=["charge-card"])
]
_Version = Annotated[str, Query(description="Semantic version.", examples=["1.2.0"])]


@router.post("/v1/functions", summary="Register or check a function")
@operation(
    "registerFunction",
    {
        201: answer(
            "Registered.",
            schemas.reference("Function"),
            examples.FUNCTION,
            {"Location": "Path of the function version."},
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
    name: _Name,
    version: _Version,
    dry_run: Annotated[bool, Query(alias="dryRun", description="Only check; nothing is stored.")] = False,
) -> Response:
    """A `function.yaml`: one task, called as `name:version@default`.

    A version is immutable: the same version with another content is refused (409), and so is a name of the platform.
    """
    media_type = documents.media_type(request)
    source = await documents.read(request)
    who = caller(request)
    done = await platform(request).register_function(who, name, version, source, media_type, dry_run=dry_run)
    warnings = documents.warnings(done.warnings)
    if dry_run:
        return send({"warnings": warnings})
    answered = {**_listed(done.function), "warnings": warnings}
    if not done.created:
        return send(answered)
    return send(answered, 201, {"Location": f"/v1/functions/{quote(name, safe='')}/{quote(version, safe='')}"})


@router.get("/v1/functions", summary="List functions")
@operation("listFunctions", {200: page("Function versions, by name.", "Function", examples.FUNCTION)})
async def list_functions(request: Request, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """All versions, by name, and version from the highest; those that are built in stand among them."""
    found = await platform(request).list_functions(caller(request), limit=limit, cursor=cursor)
    return send_page(found, _listed)


@router.get("/v1/functions/{name}/{version}", summary="Read a function")
@operation(
    "getFunction",
    {
        200: {
            "description": "The document: as JSON, or in the author's own text. Of one that is built in, what goes "
            "in and what comes out.",
            "headers": {"Vary": {"schema": {"type": "string"}}},
            "content": {
                "application/json": {"schema": _DOCUMENT, "example": examples.FUNCTION_JSON},
                YAML: {"schema": {"type": "string"}, "example": examples.FUNCTION_YAML},
            },
        }
    },
    problems=(404,),
)
async def read(request: Request, name: str, version: str) -> Response:
    """`Accept: application/yaml` gives the author's own text."""
    view = await platform(request).get_function(caller(request), name, version)
    return documents.answer(request, view.document, view.source)


def _listed(view: FunctionView) -> Json:
    return {
        "name": view.name,
        "version": view.version,
        "builtIn": view.built_in,
        "createdAt": view.created_at,
    }
