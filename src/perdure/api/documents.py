"""What definitions and functions have in common on the way in and out: YAML or JSON, bounds, warnings."""

from collections.abc import Iterable
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from perdure.api import bodies, problems, schemas
from perdure.api.problems import Refusal
from perdure.api.requests import send
from perdure.codec import Json
from perdure.definition.problems import Problem
from perdure.runtime.views import Warning_
from perdure.settings import Settings

YAML: Final = "application/yaml"
YAML_TYPES: Final = frozenset({YAML, "text/yaml", "application/x-yaml", "text/x-yaml", "text/vnd.yaml"})

WARNINGS: Final[Json] = {
    "type": "object",
    "required": ["warnings"],
    "properties": {"warnings": schemas.components()["Problem"]["properties"]["errors"]},
}


async def read(request: Request) -> bytes:
    """The document. 413 where it is larger than any may be."""
    source = await bodies.read(request)
    settings: Settings = request.app.state.settings
    if len(source) > settings.definition_bytes_max:
        limit = f"{settings.definition_bytes_max} bytes (PERDURE_DEFINITION_BYTES_MAX)"
        raise Refusal(413, f"Expected a document of at most {limit}, found {len(source)}; split it.")
    return source


def warnings(found: Iterable[Warning_]) -> list[Json]:
    """As members of ``warnings``."""
    return [
        problems.of_problem(Problem(warning.pointer, warning.detail, warning.line, warning.column)) for warning in found
    ]


def media_type(request: Request) -> str:
    given = bodies.content_type(request)
    if given in YAML_TYPES:
        return YAML
    if bodies.is_json(given):
        return "application/json"
    raise Refusal(415, f"Content-Type: expected {YAML} or application/json, found {given[:80] or 'none'!r}.")


def answer(request: Request, document: Json, source: str) -> Response:
    """The document: as JSON, or in the author's own text where the request prefers YAML."""
    headers = {"Vary": "Accept"}
    if prefers_yaml(request):
        return Response(source, 200, headers, YAML)
    return send(document, 200, headers)


def prefers_yaml(request: Request) -> bool:
    """Whether a YAML type is wanted more than JSON (RFC 9110 section 12.5.1); JSON where nothing is said."""
    accept = request.headers.get("accept", "")
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
