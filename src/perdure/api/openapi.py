"""The OpenAPI 3.1 document: parameters as FastAPI reads them, everything else as the routes declare it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from perdure.api import problems, schemas
from perdure.codec import Json

F = TypeVar("F", bound=Callable[..., Any])

JSON: Final = "application/json"

TAGS: Final = (
    ("Definitions", "What processes there are: Serverless Workflow DSL documents, immutable per version."),
    ("Functions", "The default catalog: functions that every definition may call, immutable per version."),
    ("Processes", "Starting, finding, watching and steering them."),
    ("Human tasks", "The inbox of decisions that processes wait for."),
    ("Jobs", "Work that processes hand to external workers."),
    ("Schedules", "When processes start by themselves: by interval, by calendar, after each other, upon events."),
    ("Webhooks", "Who is told of what happens to processes."),
    ("Events", "CloudEvents and callbacks: what the world tells processes."),
    ("Operation", "Health and metrics."),
)

DESCRIPTION: Final = """\
Durable processes, defined in the Serverless Workflow DSL.

Send `Authorization: Bearer KEY`. Health (`/healthz`, `/readyz`), callbacks (their token is the key), this
document and its readable form need none; a development server on loopback needs none at all.

Errors are problem details (RFC 9457, `application/problem+json`). Lists answer `{"items": […], "next": …}`:
pass `next` as `cursor` for the next page. Times are RFC 3339 in UTC, ids UUIDs, durations seconds.
Unknown members of bodies and unknown query parameters are refused.
"""

PROBLEM_WORDS: Final[Mapping[int, str]] = {
    400: "The body can't be decoded.",
    401: "No valid API key.",
    403: "Not allowed to this caller.",
    404: "There is no such thing.",
    409: "The state does not allow this.",
    413: "The body is too large.",
    415: "The body's media type is not understood.",
    422: "Decodable, but invalid; `errors` says where.",
    429: "There is too much to do already; `Retry-After` says when to try again.",
    500: "Something went wrong inside.",
    503: "The database or the broker can't be reached; `Retry-After` says when to try again.",
}
BODY_PROBLEMS: Final = (400, 413, 415, 422)


@dataclass(frozen=True, slots=True)
class Operation:
    """What the document says of a route beside its parameters."""

    id: str
    answers: Mapping[int, Json]
    body: Json | None = None
    problems: tuple[int, ...] = ()
    secured: bool = True
    parameters: tuple[Json, ...] = ()
    query_prefixes: tuple[str, ...] = field(default=())
    """Beginnings of query parameter names that are allowed beyond those declared."""


def operation(id_: str, answers: Mapping[int, Json], **rest: Any) -> Callable[[F], F]:
    """Declare what the document says of a route; see `Operation`."""

    def declare(endpoint: F) -> F:
        endpoint.operation = Operation(id_, answers, **rest)  # type: ignore[attr-defined]
        return endpoint

    return declare


def declared(endpoint: Callable[..., Any]) -> Operation:
    found: Operation = endpoint.operation  # type: ignore[attr-defined]
    return found


def body(name: str, example: Json, *, required: bool = True) -> Json:
    """A JSON request body."""
    content = {JSON: {"schema": schemas.reference(name), "example": example}}
    return {"required": required, "content": content}


def answer(description: str, schema: Json, example: Json, headers: Mapping[str, str] | None = None) -> Json:
    """A JSON answer; `headers` maps names to descriptions."""
    value: dict[str, Json] = {
        "description": description,
        "content": {JSON: {"schema": schema, "example": example}},
    }
    if headers:
        value["headers"] = {name: {"description": text, "schema": {"type": "string"}} for name, text in headers.items()}
    return value


def page(description: str, name: str, example: Json) -> Json:
    """An answer that is one page of a list."""
    return answer(description, schemas.page_of(name), {"items": [example], "next": None})


def document(app: FastAPI, routes: Iterable[APIRoute]) -> dict[str, Json]:
    """The whole document."""
    made = get_openapi(
        title="Perdure",
        version=app.version,
        openapi_version="3.1.0",
        description=DESCRIPTION,
        routes=list(routes),
        tags=[{"name": name, "description": text} for name, text in TAGS],
    )
    for route in routes:
        for method in route.methods or ():
            _complete(made["paths"][route.path_format][method.lower()], declared(route.endpoint))
    made["info"]["license"] = {"name": "Apache-2.0", "identifier": "Apache-2.0"}
    made["servers"] = [{"url": "/"}]
    made["components"] = {
        "schemas": schemas.components(),
        "responses": {str(status): _problem_response(status) for status in PROBLEM_WORDS},
        "securitySchemes": {
            "key": {"type": "http", "scheme": "bearer", "description": "`perdure keys create` makes a key."}
        },
    }
    made["security"] = [{"key": []}]
    return made


def _complete(target: dict[str, Json], said: Operation) -> None:
    usual = (401, 403, 429, 500, 503) if said.secured else (500, 503)
    statuses = {422, *usual, *said.problems} if target.get("parameters") else {*usual, *said.problems}
    target["operationId"] = said.id
    target["responses"] = {str(status): response for status, response in said.answers.items()} | {
        str(status): {"$ref": f"#/components/responses/{status}"} for status in sorted(statuses - set(said.answers))
    }
    if said.body is not None:
        target["requestBody"] = said.body
    if said.parameters:
        target.setdefault("parameters", []).extend(said.parameters)
    if not said.secured:
        target["security"] = []


def _problem_response(status: int) -> Json:
    example = problems.problem(status, PROBLEM_WORDS[status])
    response: dict[str, Json] = {
        "description": PROBLEM_WORDS[status],
        "content": {problems.MEDIA_TYPE: {"schema": schemas.reference("Problem"), "example": example}},
    }
    header = {401: "WWW-Authenticate", 429: "Retry-After", 503: "Retry-After"}.get(status)
    if header:
        response["headers"] = {header: {"schema": {"type": "string"}}}
    return response
