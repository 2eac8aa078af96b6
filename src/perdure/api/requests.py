"""What routes have in common: who calls, the platform, pages, times, and queries without unknown parameters."""

import asyncio
import difflib
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

import msgspec
from fastapi import Path, Query
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import request_response
from starlette.types import Scope

from perdure.api.models import NO_NUL
from perdure.api.problems import Refusal
from perdure.codec import Json, encode
from perdure.runtime.platform import Platform
from perdure.runtime.views import Page, Principal
from perdure.settings import Settings

WAIT_SECONDS_MAX: Final = 60
CURSOR_CHARACTERS_MAX: Final = 2_048

Answer = Callable[[Request], Coroutine[Any, Any, Response]]

Limit = Annotated[int, Query(ge=1, le=500, description="How many at most.")]
Cursor = Annotated[
    str | None,
    Query(max_length=CURSOR_CHARACTERS_MAX, description="The `next` of the page before.", examples=["WyIyMDI2Il0"]),
]
Wait = Annotated[
    float,
    Query(
        ge=0,
        le=WAIT_SECONDS_MAX,
        description="Seconds to wait for the process to end; the answer comes then or when they are over.",
    ),
]
Consistency = Annotated[
    Literal["strong", "eventual"],
    Query(
        description="`eventual`: what is answered may be a little old. It is read from a replica of the database, "
        "where there is one."
    ),
]
IDEMPOTENCY_KEY_CHARACTERS_MAX: Final = 255

_HELD: Final = "perdure.held"
"""Where a request's scope says how many bytes of its body are in memory."""

WAIT: Final[Json] = {
    "name": "wait",
    "in": "query",
    "description": "Seconds to wait for the process to end; the answer comes then or when they are over.",
    "schema": {"type": "number", "minimum": 0, "maximum": WAIT_SECONDS_MAX, "default": 0},
}
IDEMPOTENCY_KEY: Final[Json] = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "A repeat with the same key within 24 hours answers the first process; with another body: 422.",
    "schema": {"type": "string", "minLength": 1, "maxLength": IDEMPOTENCY_KEY_CHARACTERS_MAX},
}


def wait_of(request: Request) -> float:
    """The parameter `WAIT`, where the route reads it itself."""
    text = request.query_params.get("wait", "0") if request.scope["query_string"] else "0"
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= WAIT_SECONDS_MAX:
        raise invalid_parameter("wait", f"expected 0 to {WAIT_SECONDS_MAX} seconds, found {text[:40]!r}")
    return seconds


def idempotency_key_of(request: Request) -> str | None:
    """The parameter `IDEMPOTENCY_KEY`, where the route reads it itself."""
    key = request.headers.get("idempotency-key")
    if key is not None and not 0 < len(key) <= IDEMPOTENCY_KEY_CHARACTERS_MAX:
        detail = f"expected 1 to {IDEMPOTENCY_KEY_CHARACTERS_MAX} characters, found {len(key)}"
        raise invalid_parameter("Idempotency-Key", detail)
    return key


def filter_(description: str, *, characters_max: int | None = 256, **rest: Any) -> Any:
    """A query parameter that narrows a list. `characters_max` is None where it isn't text."""
    pattern = None if characters_max is None else NO_NUL
    return Query(description=description, max_length=characters_max, pattern=pattern, **rest)


def id_(description: str) -> Any:
    """The path's ``id``."""
    return Path(alias="id", description=description)


class Slots:
    """Bounds how many requests hold on to the service at once."""

    def __init__(self, most: int, what: str) -> None:
        self._most = most
        self._what = what
        self.taken = 0

    @contextmanager
    def one(self) -> Iterator[None]:
        """Raises `Refusal` (429) where all are taken."""
        if self.taken >= self._most:
            raise Refusal(429, f"At most {self._most} {self._what} at once; try again soon.")
        self.taken += 1
        try:
            yield
        finally:
            self.taken -= 1


class Serving:
    """What the routes of one app share."""

    def __init__(self, settings: Settings) -> None:
        self._requests_max = settings.requests_concurrency_max
        self._bytes_max = settings.requests_bytes_max
        self._requests = 0
        self._bytes = 0
        self.stopping = asyncio.Event()
        """Set when the server is about to stop: whoever waits comes to an end."""
        self.waits = Slots(2_000, "requests may wait")
        self.streams = Slots(500, "event streams may be open")

    @contextmanager
    def one(self, scope: Scope) -> Iterator[None]:
        """Lasts as long as a request. Raises `Refusal` (429) where there are too many: those that only wait have
        bounds of their own.
        """
        if self._requests - self.waits.taken - self.streams.taken >= self._requests_max:
            limit = f"{self._requests_max} requests (PERDURE_REQUESTS_CONCURRENCY_MAX)"
            raise Refusal(429, f"This service works on {limit} already; try again soon.")
        self._requests += 1
        try:
            yield
        finally:
            self._requests -= 1
            self._bytes -= scope.pop(_HELD, 0)

    def hold(self, scope: Scope, size: int) -> None:
        """So many more bytes of the request's body are in memory until it ends. Raises `Refusal` (429)."""
        if self._bytes + size > self._bytes_max:
            limit = f"{self._bytes_max} bytes of requests (PERDURE_REQUESTS_BYTES_MAX)"
            raise Refusal(429, f"This service has {limit} in memory already; try again soon.")
        self._bytes += size
        scope[_HELD] = scope.get(_HELD, 0) + size


def serving(request: Request) -> Serving:
    found: Serving = request.app.state.serving
    return found


def platform(request: Request) -> Platform:
    found: Platform = request.app.state.platform
    return found


def caller(request: Request) -> Principal:
    who: Principal = request.scope["state"]["who"]
    return who


def send(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """The value as JSON."""
    return Response(encode(value), status, headers, "application/json")


def send_page(page: Page[Any], of: Callable[[Any], Json] | None = None) -> Response:
    items = page.items if of is None else [of(item) for item in page.items]
    return send({"items": items, "next": page.next})


def invalid_parameter(name: str, detail: str) -> Refusal:
    return Refusal(422, f"{name}: {detail}", [{"parameter": name, "detail": detail}])


def time(name: str, text: str | None) -> datetime | None:
    """A query parameter that is a time (RFC 3339), in UTC."""
    if text is None:
        return None
    try:
        # An unescaped "+" of an offset arrives as a space.
        moment = msgspec.convert(text.replace(" ", "+"), datetime)
        return in_utc(moment)
    except (msgspec.ValidationError, OverflowError, ValueError):
        detail = f"expected a time like 2026-11-23T09:30:00Z (RFC 3339), found {text[:60]!r}"
        raise invalid_parameter(name, detail) from None


def in_utc(moment: datetime) -> datetime:
    """Raises `ValueError` where the time zone is missing, `OverflowError` where the year leaves 1 to 9999."""
    if moment.tzinfo is None:
        raise ValueError("no time zone")
    return moment.astimezone(UTC)


class Route(APIRoute):
    """A route that refuses query parameters it does not know: a misspelt filter must not show everything.

    One whose endpoint takes the request alone, and reads its parameters itself, is called without FastAPI's
    resolution of parameters, which costs more than all the rest of the edge.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, endpoint, **options)
        takes = self.dependant
        if not (takes.query_params or takes.path_params or takes.header_params or takes.body_params):
            self.app = request_response(self._strict(endpoint))

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        return self._strict(super().get_route_handler())

    def _strict(self, answer: Answer) -> Answer:
        said = getattr(self.endpoint, "operation", None)
        by_hand = said.parameters if said is not None else ()
        known = {parameter.alias for parameter in self.dependant.query_params}
        known |= {parameter["name"] for parameter in by_hand if parameter["in"] == "query"}
        prefixes: tuple[str, ...] = said.query_prefixes if said is not None else ()

        async def handle(request: Request) -> Response:
            if request.scope["query_string"]:
                _check_query(request, sorted(known), prefixes)
            return await answer(request)

        return handle


def _check_query(request: Request, known: list[str], prefixes: tuple[str, ...]) -> None:
    for name in request.query_params:
        if name not in known and not (prefixes and name.startswith(prefixes)):
            names = [*known, *(prefix + "NAME" for prefix in prefixes)]
            close = difflib.get_close_matches(name, known, 1)
            hint = f"; did you mean {close[0]!r}?" if close else ""
            expected = f"expected only {', '.join(names)}" if names else "expected no query parameters"
            raise invalid_parameter(name[:80], f"{expected}; found {name[:80]!r}{hint}")
