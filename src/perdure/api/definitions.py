"""``/v1/definitions``: registering what processes do, and reading it back."""

from typing import Annotated, Final
from urllib.parse import quote

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from perdure.api import bodies, examples, problems, schemas
from perdure.api.openapi import BODY_PROBLEMS, answer, operation, page
from perdure.api.problems import Refusal
from perdure.api.requests import Cursor, Limit, Route, caller, platform, send, send_page
from perdure.codec import Json
from perdure.definition.document import BYTES_MAX
from perdure.definition.problems import Problem
from perdure.runtime.views import DefinitionView, Registration

router = APIRouter(route_class=Route, tags=["Definitions"])

YAML: Final = "application/yaml"
YAML_TYPES: Final = frozenset({YAML, "text/yaml", "application/x-yaml", "text/x-yaml", "text/vnd.yaml"})

_WARNINGS: Final[Json] = {
    "type": "object",
    "required": ["warnings"],
    "properties": {"warnings": schemas.components()["Problem"]["properties"]["errors"]},
}
_DOCUMENT: Final[Json] = {"type": "object", "description": "A Serverless Workflow DSL 1.0 document."}
_BODY: Final[Json] = {
    "required": True,
    "content": {
        YAML: {"schema": _DOCUMENT, "example": examples.DEFINITION_YAML},
        "application/json": {"schema": _DOCUMENT, "example": examples.DEFINITION_JSON},
    },
}
_ONE_OR_WARNINGS: Final[Json] = {"anyOf": [schemas.reference("Definition"), _WARNINGS]}


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
    media_type = _media_type(request)
    source = await bodies.read(request)
    if len(source) > BYTES_MAX:
        raise Refusal(413, f"Expected a definition of at most {BYTES_MAX} bytes, found {len(source)}; split it.")
    registered = await platform(request).register_definition(caller(request), source, media_type, dry_run=dry_run)
    if dry_run:
        return send({"warnings": _warnings(registered)})
    view = registered.definition
    if not registered.created:
        return send(_listed(view))
    parts = (quote(part, safe="") for part in (view.namespace, view.name, view.version))
    headers = {"Location": "/v1/definitions/" + "/".join(parts)}
    return send({**_listed(view), "warnings": _warnings(registered)}, 201, headers)


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
    headers = {"Vary": "Accept"}
    if _prefers_yaml(request.headers.get("accept", "")):
        return Response(view.source, 200, headers, YAML)
    return send(view.document, 200, headers)


def _media_type(request: Request) -> str:
    given = bodies.content_type(request)
    if given in YAML_TYPES:
        return YAML
    if bodies.is_json(given):
        return "application/json"
    raise Refusal(415, f"Content-Type: expected {YAML} or application/json, found {given[:80] or 'none'!r}.")


def _prefers_yaml(accept: str) -> bool:
    """Whether a YAML type is wanted more than JSON (RFC 9110 section 12.5.1); JSON where nothing is said."""
    yaml = json = 0.0
    for entry in accept.lower().split(","):
        media_type, *parameters = (part.strip() for part in entry.split(";"))
        weight = _weight(parameters)
        if media_type in YAML_TYPES:
            yaml = max(yaml, weight)
        elif media_type in ("application/json", "application/*", "*/*"):
            json = max(json, weight)
    return yaml > 0 and yaml >= json


def _weight(parameters: list[str]) -> float:
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                return float(parameter[2:])
            except ValueError:
                return 0.0
    return 1.0


def _listed(view: DefinitionView) -> Json:
    return {
        "namespace": view.namespace,
        "name": view.name,
        "version": view.version,
        "title": view.title,
        "summary": view.summary,
        "createdAt": view.created_at,
    }


def _warnings(registered: Registration) -> list[Json]:
    return [
        problems.of_problem(Problem(warning.pointer, warning.detail, warning.line, warning.column))
        for warning in registered.warnings
    ]
