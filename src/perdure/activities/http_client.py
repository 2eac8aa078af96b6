"""Sends HTTP requests for everything that calls the world outside: guarded, bounded, over pooled connections."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TypeAlias, TypeVar

import aiohttp
from multidict import CIMultiDictProxy

from perdure.activities.contract import CallFailed, trace_of_call
from perdure.activities.deadlines import deadline
from perdure.activities.egress import Guard, Refused, Resolver
from perdure.activities.http_request import Request, misconfigured
from perdure.activities.http_response import Response
from perdure.activities.limiter import Limiter
from perdure.engine.errors import Error, standard
from perdure.secrets import Secrets
from perdure.settings import Settings

HOPS_MAX = 5
HEADER_BYTES_MAX = 32 * 1024
REDIRECTIONS = frozenset({301, 302, 303, 307, 308})

REFUSALS_MAX = 2
"""How often a request that is answered with 401 is sent again with other credentials."""

_READ_BYTES = 64 * 1024

Until: TypeAlias = Callable[[bytes], bool]
"""Is told each piece of a response, and says whether the rest is of no interest: a stream may stay open."""


@dataclass(frozen=True, slots=True)
class Bound:
    """How long a response may be once unpacked; `setting` is what says so."""

    bytes_max: int
    setting: str


@dataclass(frozen=True, slots=True)
class _Terms:
    until: Until | None
    bound: Bound
    limited: bool


@dataclass
class _Attempt:
    """Whether the request went over a connection that an earlier one had left open."""

    reused: bool = False


class HttpClient:
    """One per worker. Nothing it raises is redacted yet: that is for who knows the credentials."""

    def __init__(self, settings: Settings, secrets: Secrets, limiter: Limiter) -> None:
        self._settings = settings
        self._bound = Bound(settings.response_body_bytes_max, "PERDURE_RESPONSE_BODY_BYTES_MAX")
        self._secrets = secrets
        self._limiter = limiter
        self._session: aiohttp.ClientSession | None = None
        self._streams: aiohttp.ClientSession | None = None
        """For responses that go on: they must not take the connections of others."""
        self.guard = Guard(settings.egress_allow)

    async def start(self) -> None:
        self._session = self._open(self._settings.calls_concurrency_max)
        self._streams = self._open(self._settings.subscriptions_max)

    def _open(self, connections_max: int) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            limit=connections_max,
            resolver=Resolver(self.guard),
            socket_factory=self.guard.open_socket,
        )
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None),
            max_field_size=HEADER_BYTES_MAX,
            max_line_size=HEADER_BYTES_MAX,
            skip_auto_headers=("Content-Type",),
            trace_configs=[_tracing()],
        )

    async def stop(self) -> None:
        sessions, self._session, self._streams = (self._session, self._streams), None, None
        for session in sessions:
            if session is not None:
                await session.close()

    async def exchange(
        self, request: Request, until: Until | None = None, *, limited: bool = False, bound: Bound | None = None
    ) -> tuple[Request, Response]:
        """The response, after following redirections where the request asks for it, with the request answered.

        It is read to its end, or as far as `until` wants it; `bound` is where it may not be as long as others.
        `limited` says whether the limits of hosts hold; the time that each request waits for its permit does not
        count.

        Raises `CallFailed`: timeout, communication, authorization for an address that may not be reached,
        configuration for a URI that is none. A status is no failure here.
        """
        try:
            async with deadline(self._settings.call_timeout_seconds):
                return await self._exchange(request, _Terms(until, bound or self._bound, limited))
        except TimeoutError:
            seconds = f"{self._settings.call_timeout_seconds:g} seconds (PERDURE_CALL_TIMEOUT_SECONDS)"
            detail = f"{request.verb} {request.shown_url} was not answered within {seconds}."
            raise CallFailed(standard("timeout", detail)) from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise CallFailed(_error_of(request, error)) from None

    async def stream(self, request: Request) -> aiohttp.ClientResponse:
        """A response whose body is read as it comes; who asks for it closes it. Redirections are not followed.

        A service that wants to see other credentials is answered. The time until the head is bounded, the body is not.
        Raises `CallFailed`.
        """
        try:
            async with asyncio.timeout(self._settings.call_timeout_seconds):
                response = await self._open_stream(request)
                for _ in range(REFUSALS_MAX):
                    if response.status != 401:
                        break
                    response.close()
                    answer = await _answered(request, response.headers)
                    if answer is None:
                        break
                    request = answer
                    response = await self._open_stream(request)
                return response
        except TimeoutError:
            seconds = f"{self._settings.call_timeout_seconds:g} seconds (PERDURE_CALL_TIMEOUT_SECONDS)"
            detail = f"{request.verb} {request.shown_url} was not answered within {seconds}."
            raise CallFailed(standard("timeout", detail)) from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise CallFailed(_error_of(request, error)) from None

    async def _open_stream(self, request: Request) -> aiohttp.ClientResponse:
        self._check_literal(request)
        if self._streams is None:
            raise RuntimeError("The HTTP client has not been started.")
        return await self._streams.request(
            request.verb,
            request.url,
            headers=request.headers,
            allow_redirects=False,
            ssl=request.credentials.tls or True,
            trace_request_ctx=_Attempt(),
        )

    async def _exchange(self, request: Request, terms: _Terms) -> tuple[Request, Response]:
        """The response, after following redirections where the request asks for it."""
        for _ in range(HOPS_MAX + 1):
            request, response = await self._hop(request, terms)
            location = response.headers.get("Location")
            if not request.redirect or response.status not in REDIRECTIONS or location is None:
                return request, response
            request = request.redirected(response.status, location, self._secrets)
        detail = f"The call was redirected more than {HOPS_MAX} times, last to {request.shown_url}."
        raise CallFailed(standard("communication", detail))

    async def _hop(self, request: Request, terms: _Terms) -> tuple[Request, Response]:
        """The response, after answering a service that wants to see other credentials."""
        response = await self._permitted(request, terms)
        for _ in range(REFUSALS_MAX):
            answer = await _answered(request, response.headers) if response.status == 401 else None
            if answer is None:
                break
            request = answer
            response = await self._permitted(request, terms)
        return request, response

    async def _permitted(self, request: Request, terms: _Terms) -> Response:
        """The response, once the limits of the host let the request go."""
        host, port = request.url.raw_host, request.url.port
        if not terms.limited or host is None or port is None:
            return await self._send(request, terms)
        async with self._limiter.permit(host, port):
            return await self._send(request, terms)

    async def _send(self, request: Request, terms: _Terms) -> Response:
        """The response. A connection that was kept open and turns out to be closed is not the call's failure."""
        attempt = _Attempt()
        try:
            return await self._send_once(request, attempt, terms)
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
            if not attempt.reused:
                raise
        return await self._send_once(request, _Attempt(), terms)

    async def _send_once(self, request: Request, attempt: _Attempt, terms: _Terms) -> Response:
        trace = trace_of_call()
        trace.sends()
        self._check_literal(request)
        if self._session is None:
            raise RuntimeError("The HTTP client has not been started.")
        async with self._session.request(
            request.verb,
            request.url,
            headers=request.headers,
            data=request.body,
            allow_redirects=False,
            ssl=request.credentials.tls or True,
            trace_request_ctx=attempt,
        ) as response:
            trace.by, trace.status = request.url.authority, response.status
            body = await _read(request, response, terms)
            return Response(response.status, response.reason or "", response.headers, body)

    def _check_literal(self, request: Request) -> None:
        """Refuse an address written in the URI before anything is opened."""
        host = request.url.host or ""
        try:
            permitted = self.guard.permits(host)
        except ValueError:  # a name, which the resolver checks
            return
        if not permitted:
            raise Refused(host)


async def _read(request: Request, response: aiohttp.ClientResponse, terms: _Terms) -> bytes:
    bound = terms.bound
    chunks: list[bytes] = []
    size = 0
    async for chunk in response.content.iter_chunked(_READ_BYTES):
        size += len(chunk)
        if size > bound.bytes_max:
            response.close()
            limit = f"{bound.bytes_max} bytes ({bound.setting})"
            raise CallFailed(standard("communication", f"The response of {request.shown_url} is longer than {limit}."))
        chunks.append(chunk)
        if terms.until is not None and terms.until(chunk):
            response.close()
            break
    return b"".join(chunks)


async def _answered(request: Request, headers: CIMultiDictProxy[str]) -> Request | None:
    """The request with what a service that refused it by these headers wants to see; None where that is not at hand."""
    responder = request.credentials.responder
    if responder is None:
        return None
    credentials = await responder.answer(request.refused(headers.getall("WWW-Authenticate", [])))
    return None if credentials is None else request.authenticated(credentials)


def _tracing() -> aiohttp.TraceConfig:
    async def reused(_: aiohttp.ClientSession, context: SimpleNamespace, __: object) -> None:
        context.trace_request_ctx.reused = True

    tracing = aiohttp.TraceConfig()
    tracing.on_connection_reuseconn.append(reused)
    return tracing


def _error_of(request: Request, error: Exception) -> Error:
    """The standard error for what went wrong before there was a response."""
    refused = _cause(error, Refused)
    if refused is not None:
        return standard("authorization", f"{request.verb} {request.shown_url} is not allowed: {refused}")
    if isinstance(error, aiohttp.InvalidURL):
        return misconfigured(f"`endpoint` is no valid URI: {error}.").error
    reason: str
    match error:
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientSSLError():
            reason = f"no trustworthy connection: {error}"
        case aiohttp.ClientConnectorDNSError():
            reason = f"the name {request.url.host} can't be resolved"
        case aiohttp.ClientConnectorError():
            reason = f"no connection: {error.os_error.strerror or error.os_error}"
        case aiohttp.ServerDisconnectedError():
            reason = "the server closed the connection without an answer"
        case aiohttp.ClientPayloadError():
            reason = "the response broke off before its end"
        case aiohttp.ClientResponseError():
            reason = f"the response is no valid HTTP: {error.message}"
        case _:
            reason = f"{error}" or type(error).__name__
    return standard("communication", f"{request.verb} {request.shown_url} failed: {reason}.")


_E = TypeVar("_E", bound=BaseException)


def _cause(error: BaseException | None, kind: type[_E]) -> _E | None:
    """The first exception of a kind along the chain of causes."""
    for _ in range(10):
        if error is None or isinstance(error, kind):
            return error
        error = error.__cause__ or error.__context__
    return None
