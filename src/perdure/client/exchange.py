"""What is sent and what comes back, without sending it.

An operation is a generator that yields requests, is sent the answers, and returns what the caller wants. So each is
written once, and driven by both clients: `Client` blocks where `AsyncClient` awaits.
"""

import os
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias, TypeVar
from urllib.parse import quote, urlencode

from perdure.client.errors import KINDS, ApiError, Unreachable
from perdure.client.models import Json
from perdure.codec import decode, encode

CONNECT_SECONDS_MAX: Final = 5.0
REQUEST_SECONDS_MAX: Final = 30.0
STREAM_SILENCE_SECONDS_MAX: Final = 60.0
"""The server says something every 15 seconds."""
REASON_CHARACTERS_MAX: Final = 300
JSON: Final = "application/json"

RETRIES: Final = 3
PAUSE_SECONDS: Final = 0.2
PAUSE_SECONDS_MAX: Final = 5.0
AGAIN_SECONDS_MAX: Final = 60.0
"""The longest pause that a server may ask for."""

DEFAULT_URL: Final = "http://127.0.0.1:8080"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Request:
    """`wait` is how many seconds the server may take beyond the usual. `repeatable`: sent twice does no harm."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    wait: float = 0
    repeatable: bool = False

    @property
    def target(self) -> str:
        """Path and query."""
        return f"{self.path}?{urlencode(self.query)}" if self.query else self.path

    @property
    def seconds_max(self) -> float:
        return REQUEST_SECONDS_MAX + self.wait


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server said to a request that it did not refuse."""

    status: int
    value: Json


Operation: TypeAlias = Generator[Request, Answer, T]


def get(path: str, query: Mapping[str, str] | None = None, *, wait: float = 0) -> Request:
    return Request("GET", path, query or {}, wait=wait, repeatable=True)


def post(
    path: str,
    body: Json = None,
    *,
    media_type: str = JSON,
    query: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    wait: float = 0,
    repeatable: bool = False,
) -> Request:
    """`body` is sent as it is where it is bytes, else as JSON."""
    data = body if isinstance(body, bytes) else encode(body)
    return Request("POST", path, query or {}, {**(headers or {}), "Content-Type": media_type}, data, wait, repeatable)


def segment(text: str) -> str:
    """Text as one segment of a path. Never ``.`` or ``..``, which would be taken for steps."""
    return quote(text, safe="") if text.strip(".") else "%2E" * len(text)


def answered(url: str, status: int, reason: str, body: bytes, retry_after: str | None) -> Answer:
    """The answer, decoded. Raises the `ApiError` that it is, or `Unreachable` where it is not this API's."""
    if status >= 400:
        raise refusal(status, reason, body, retry_after)
    try:
        return Answer(status, decode(body) if body else None)
    except ValueError:
        raise Unreachable(url, "its answer is not JSON; is this address right?") from None


def refusal(status: int, reason: str, body: bytes, retry_after: str | None) -> ApiError:
    """The problem details of an answer; where it has none, its beginning must do."""
    error = _problem(status, reason, body)
    if retry_after is not None and retry_after.isdecimal():
        error.again_seconds = min(float(retry_after[:9]), AGAIN_SECONDS_MAX)
    return error


def _problem(status: int, reason: str, body: bytes) -> ApiError:
    kind = KINDS.get(status, ApiError)
    try:
        problem = decode(body)
    except ValueError:
        problem = None
    if not isinstance(problem, dict):
        text = body[:REASON_CHARACTERS_MAX].decode(errors="replace").strip()
        return kind(status, f"HTTP {status} {reason}".strip(), text)
    faults = problem.get("errors")
    return kind(
        status,
        str(problem.get("title") or reason or "Error"),
        str(problem.get("detail") or ""),
        faults if isinstance(faults, list) else None,
        str(problem.get("type") or "about:blank"),
    )


def pause(failures: int, error: Exception | None = None) -> float:
    """Seconds until the next try after so many failures, of which this was the last."""
    seconds = min(PAUSE_SECONDS * 2.0 ** min(failures - 1, 30), PAUSE_SECONDS_MAX)
    return max(seconds, error.again_seconds) if isinstance(error, ApiError) else seconds


def may_repeat(request: Request, error: Exception, failures: int, retries: int) -> bool:
    """Whether to try again: the request was not taken, or does no harm twice and nothing was said against it."""
    if failures > retries:
        return False
    if isinstance(error, ApiError) and error.status == 429:
        return True
    return request.repeatable and (
        isinstance(error, Unreachable) or (isinstance(error, ApiError) and error.status == 503)
    )


def address(url: str | None) -> str:
    """The server's base address without a slash at the end: as given, or by the environment."""
    return (url or os.environ.get("PERDURE_API_URL") or DEFAULT_URL).rstrip("/")


def key(token: str | None) -> str | None:
    """The API key: as given, or by the environment."""
    return token or os.environ.get("PERDURE_API_KEY")


def credentials(token: str | None) -> dict[str, str]:
    """The header for an API key: as given, or by the environment."""
    token = key(token)
    return {"Authorization": f"Bearer {token}"} if token else {}
