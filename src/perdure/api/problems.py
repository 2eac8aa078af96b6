"""Problem details (RFC 9457): every refusal of the API in one shape.

What the runtime raises maps to a status here and nowhere else.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from perdure.broker.contract import BrokerUnavailable
from perdure.codec import Json, encode
from perdure.definition.problems import DefinitionInvalid, DefinitionUndecodable, Problem
from perdure.expressions.contract import EvaluatorUnavailable
from perdure.runtime.errors import Busy, Refused
from perdure.store.contract import StoreFull, StoreUnavailable

log = structlog.get_logger("perdure.api")

MEDIA_TYPE: Final = "application/problem+json"
TYPE_BASE: Final = "urn:perdure:problem:"
RETRY_SECONDS: Final = 2
"""What 429 and 503 suggest in `Retry-After`."""

NAMES: Final[Mapping[int, tuple[str, str]]] = {
    400: ("undecodable", "The request can't be decoded"),
    401: ("unauthenticated", "A valid API key is needed"),
    403: ("forbidden", "This is not allowed"),
    404: ("not-found", "There is no such thing"),
    405: ("method-not-allowed", "The path does not know this method"),
    409: ("conflict", "The state does not allow this"),
    413: ("too-large", "The request is too large"),
    415: ("unsupported-media-type", "The media type is not understood here"),
    422: ("invalid", "The request is not acceptable"),
    429: ("too-many", "Too many at once"),
    500: ("internal", "Something went wrong inside"),
    503: ("unavailable", "The service can't answer now"),
}
"""The last part of `type`, and `title`, by status."""

Errors = Sequence[Mapping[str, Json]]


class Refusal(Exception):
    """A request that the edge itself refuses. `errors` are members of the problem's ``errors``."""

    def __init__(self, status: int, detail: str, errors: Errors = (), headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = errors
        self.headers = headers


def problem(status: int, detail: str, errors: Errors = ()) -> dict[str, Json]:
    """The problem as a value."""
    name, title = NAMES.get(status) or ("error", HTTPStatus(status).phrase)
    value: dict[str, Json] = {"type": TYPE_BASE + name, "title": title, "status": status, "detail": detail}
    if errors:
        value["errors"] = list(errors)
    return value


def answer(status: int, detail: str, errors: Errors = (), headers: Mapping[str, str] | None = None) -> Response:
    """The problem as a response."""
    all_headers = dict(headers or {})
    if status in (429, 503):
        all_headers.setdefault("Retry-After", str(RETRY_SECONDS))
    return Response(encode(problem(status, detail, errors)), status, all_headers, MEDIA_TYPE)


def of_problem(found: Problem) -> dict[str, Json]:
    """A member of ``errors``."""
    value: dict[str, Json] = {"pointer": found.pointer, "detail": found.detail}
    if found.line is not None:
        value["line"] = found.line
    if found.column is not None:
        value["column"] = found.column
    return value


def of_refused(error: Refused) -> tuple[int, str, Errors]:
    """Status, detail and errors of what the runtime refused."""
    return error.status, error.detail, [of_problem(found) for found in error.problems]


def install(app: FastAPI) -> None:
    """Give every exception that may leave a route its answer."""
    for kind, handler in {
        Refusal: _refusal,
        Refused: _refused,
        DefinitionUndecodable: _undecodable,
        DefinitionInvalid: _invalid_definition,
        RequestValidationError: _invalid_parameters,
        HTTPException: _http,
        StoreUnavailable: _unavailable,
        BrokerUnavailable: _unavailable,
        EvaluatorUnavailable: _unavailable,
        OSError: _unavailable,
    }.items():
        app.add_exception_handler(kind, handler)


async def _refusal(_: Request, error: Any) -> Response:
    return answer(error.status, error.detail, error.errors, error.headers)


async def _refused(_: Request, error: Any) -> Response:
    headers = {"Retry-After": str(error.again_seconds)} if isinstance(error, Busy) else None
    return answer(*of_refused(error), headers)


async def _undecodable(_: Request, error: Any) -> Response:
    return answer(400, error.problem.detail, [of_problem(error.problem)])


async def _invalid_definition(_: Request, error: Any) -> Response:
    count = len(error.problems)
    detail = f"The {error.subject} has {'one error' if count == 1 else f'{count} errors'}."
    return answer(422, detail, [of_problem(found) for found in error.problems])


async def _invalid_parameters(_: Request, error: Any) -> Response:
    if any(found["loc"][0] == "path" for found in error.errors()):
        return answer(404, "There is no such thing: the id in the path is not a UUID.")
    errors = [
        {"parameter": str(found["loc"][-1]), "detail": f"{found['msg']}; found {str(found['input'])[:100]!r}"}
        for found in error.errors()
    ]
    return answer(422, f"{errors[0]['parameter']}: {errors[0]['detail']}", errors)


async def _http(request: Request, error: Any) -> Response:
    details = {
        404: "There is nothing at this path; /openapi.json lists what there is.",
        405: f"This path does not know {request.method}; Allow says which methods it knows.",
    }
    return answer(error.status_code, details.get(error.status_code, error.detail), (), error.headers)


async def _unavailable(_: Request, error: Any) -> Response:
    log.warning("a request met an outage", error=type(error).__name__, reason=str(error))
    return outage(error)


def outage(error: Exception) -> Response:
    """What is said of a database, a broker or a sandbox that is away; the log knows more."""
    if isinstance(error, StoreFull):
        return answer(503, "The database has no room left on its disk. Nothing is lost; make room, then try again.")
    return answer(503, "The database or the broker can't be reached now. Nothing is lost; try again.")
