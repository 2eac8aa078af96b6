"""What every request passes: authentication, security headers, the access log, the metrics, the last resort."""

from collections.abc import Iterable
from contextlib import nullcontext
from typing import Final
from urllib.parse import urlsplit

import structlog
from starlette.datastructures import State
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from perdure import clock, telemetry
from perdure.api import problems
from perdure.api.requests import Serving
from perdure.broker.contract import BrokerUnavailable
from perdure.runtime.platform import Platform
from perdure.runtime.views import Principal
from perdure.store.contract import StoreUnavailable

log = structlog.get_logger("perdure.api")

OPEN_PATHS: Final = frozenset({"/healthz", "/readyz", "/openapi.json", "/docs"})
CALLBACKS: Final = "/v1/callbacks/"
QUIET_PATHS: Final = frozenset({"/healthz", "/readyz", "/metrics"})
"""Asked every few seconds by machines: logged at debug level only."""

KEY_CHARACTERS_MAX: Final = 512
LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})

SECURITY_HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
)
NO_STORE: Final = (b"cache-control", b"no-store")

DEVELOPER: Final = Principal(name="dev", tenant="default", role="admin")
"""Who calls where no key is needed."""


class Gate:
    """ASGI middleware. `open_access` lets callers of this very machine in without a key."""

    def __init__(self, app: ASGIApp, *, platform: Platform, serving: Serving, open_access: bool) -> None:
        self._app = app
        self._platform = platform
        self._serving = serving
        self._open_access = open_access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = clock.monotonic()
        exchange = _Exchange(send)
        try:
            await self._answer(scope, receive, exchange)
        except ClientDisconnect:
            exchange.status = exchange.status or 499
        finally:
            _record(scope, exchange.status or 500, clock.monotonic() - started)

    async def _answer(self, scope: Scope, receive: Receive, exchange: "_Exchange") -> None:
        try:
            with nullcontext() if scope["path"] in OPEN_PATHS else self._serving.one(scope):
                refusal = await self._admit(scope)
                if refusal is None:
                    await self._app(scope, receive, exchange.send)
                    return
        except ClientDisconnect:
            raise
        except problems.Refusal as full:
            refusal = problems.answer(full.status, full.detail)
        except Exception as error:
            if exchange.status is not None:  # the answer has begun: all that is left is to break it off
                log.exception("a request failed in the middle of its answer", route=_route(scope))
                raise
            refusal = _last_resort(scope, error)
        await refusal(scope, receive, exchange.send)

    async def _admit(self, scope: Scope) -> Response | None:
        """Put the caller into ``request.state``, or answer why not."""
        path: str = scope["path"]
        if "\0" in path:
            return problems.answer(404, "There is nothing at this path; it holds a NUL character.")
        if b"%00" in scope["query_string"]:
            return problems.answer(422, "The query holds a NUL character (%00); leave it out.")
        if path in OPEN_PATHS or path.startswith(CALLBACKS):
            return None
        if self._open_access:
            refusal = _foreign(scope["headers"])
            _state(scope)["who"] = DEVELOPER
            return refusal
        key = _bearer(scope["headers"])
        who = await self._platform.authenticate(key) if key else None
        if who is None:
            return _unauthenticated(key)
        _state(scope)["who"] = who
        return None


class _Exchange:
    """Watches the answer go out: its status, and the headers that each one bears."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status: int | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = [*message.get("headers", ()), *SECURITY_HEADERS]
            if not any(name == b"cache-control" for name, _ in headers):
                headers.append(NO_STORE)
            message["headers"] = headers
        await self._send(message)


def _state(scope: Scope) -> dict[str, object]:
    state: dict[str, object] | State = scope.setdefault("state", {})
    assert isinstance(state, dict)
    return state


def _bearer(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    for name, value in headers:
        if name == b"authorization":
            scheme, _, key = value.decode("latin-1").partition(" ")
            key = key.strip()
            if scheme.lower() == "bearer" and 0 < len(key) <= KEY_CHARACTERS_MAX and key.isascii():
                return key if key.isprintable() else None
    return None


def _unauthenticated(key: str | None) -> Response:
    challenge = 'Bearer realm="perdure"' + (', error="invalid_token"' if key else "")
    detail = (
        "The API key is unknown or revoked; `perdure keys create` makes a new one."
        if key
        else "Send `Authorization: Bearer KEY`; `perdure keys create` makes a key."
    )
    return problems.answer(401, detail, (), {"WWW-Authenticate": challenge})


def _foreign(headers: Iterable[tuple[bytes, bytes]]) -> Response | None:
    """Refuse what a web page could make a browser on this machine send, as it needs no key to do harm."""
    for name, value in headers:
        text = value.decode("latin-1")
        if (name == b"host" and not _is_loopback("//" + text)) or (name == b"origin" and not _is_loopback(text)):
            return problems.answer(
                403,
                f"Without API keys only this machine itself may call; {name.decode()} is {text[:100]!r}. "
                "Call http://127.0.0.1 or http://localhost, or serve on another address, which asks for keys.",
            )
    return None


def _is_loopback(url: str) -> bool:
    try:
        host = urlsplit(url).hostname
    except ValueError:
        return False
    return host in LOOPBACK or (host is not None and host.endswith(".localhost"))


def _last_resort(scope: Scope, error: Exception) -> Response:
    if isinstance(error, (StoreUnavailable, BrokerUnavailable, OSError)):
        log.warning("a request met an outage", route=_route(scope), reason=str(error))
        return problems.outage(error)
    log.error("a request failed", route=_route(scope), exc_info=error)
    return problems.answer(500, "The request failed inside the service; its log says why.")


def _route(scope: Scope) -> str:
    """The template of the path, which holds no ids and no tokens."""
    route = scope.get("route")
    return getattr(route, "path", "") or ("open" if scope["path"] in OPEN_PATHS else "unmatched")


def _record(scope: Scope, status: int, seconds: float) -> None:
    route = _route(scope)
    method = scope["method"] if scope["method"] in METHODS else "other"
    telemetry.record_request(route, method, status, seconds)
    say = log.debug if scope["path"] in QUIET_PATHS else log.info
    facts: dict[str, object] = {"method": method, "route": route, "status": status, "seconds": round(seconds, 6)}
    if route.startswith("/v1/processes/{id}"):
        facts["process_id"] = str(scope["path_params"]["id"])[:36]
    if who := scope.get("state", {}).get("who"):
        facts["actor"] = who.name
    say("request", **facts)


METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
