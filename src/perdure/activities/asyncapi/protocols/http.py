"""HTTP (AsyncAPI's HTTP bindings 0.1 to 0.3).

A message is published by a request, POST unless the binding says another method; it counts once the answer says
success. A subscription is a GET whose response does not end: server-sent events, or a line of JSON for each
message. There is nothing to acknowledge. Events with an id are resumed by ``Last-Event-ID``, also by another
worker; without, what is sent while nobody listens is lost. A response that ends is the end of the subscription
where it has lines, and is asked for again where it has events, unless it says 204 (HTML, "Server-sent events").
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from perdure.activities.asyncapi.model import Outgoing
from perdure.activities.asyncapi.protocols.contract import Access, Broken, Delivery, Source
from perdure.activities.contract import CallFailed
from perdure.activities.egress import bracketed
from perdure.activities.http_request import Request, headers_of, misconfigured, platform_headers, url_of
from perdure.engine.errors import standard

EVENTS = "text/event-stream"
LINES = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl", "application/json-seq"})
_RECORD = b"\x1e"


class Http:
    """The implementation of `contract.MessageProtocol` for ``http``."""

    async def publish(self, access: Access, message: Outgoing) -> None:
        binding = access.target.bindings.operation
        headers = headers_of(dict(message.headers))
        headers.setdefault("Content-Type", message.content_type)
        url = _url(access)
        if access.target.userinfo is not None:
            name, password = access.target.userinfo
            url = url.with_user(name).with_password(password)  # counts where there is no policy
        request = Request(str(binding.get("method") or "POST"), url, headers, message.body, "raw")
        await access.outside.caller.output(request, access.call.request.get("authentication"), access.call)

    @asynccontextmanager
    async def subscribe(self, access: Access) -> AsyncIterator[Source]:
        if str(access.target.bindings.operation.get("method") or "GET").upper() != "GET":
            raise misconfigured("A subscription over http is a GET; the binding says another method.")
        headers = headers_of({"Accept": f"{EVENTS}, application/x-ndjson;q=0.9", "Cache-Control": "no-store"})
        headers.update({n: v for n, v in platform_headers(access.call) if n not in ("Accept", "Idempotency-Key")})
        request = Request("GET", _url(access), headers).authenticated(access.credentials)
        source = _Source(access, request)
        try:
            await source.open()
            yield source
        finally:
            source.close()


class _Source:
    def __init__(self, access: Access, request: Request) -> None:
        self._access = access
        self._request = request
        self._response: aiohttp.ClientResponse | None = None
        self._events = True
        self._last = access.resume if isinstance(access.resume, str) else None
        self._coming = self._last
        """The id of the event that is being read: it counts once the event is complete."""
        self._buffer = b""

    @property
    def resume(self) -> Any:
        return self._last

    async def open(self) -> None:
        headers: CIMultiDict[str] = self._request.headers.copy()
        if self._last is not None:
            headers["Last-Event-ID"] = self._last
        client = self._access.outside.http
        self._response = response = await client.stream(replace(self._request, headers=headers))
        if response.status == 204:
            return
        if response.status != 200:
            name = {401: "authentication", 403: "authorization"}.get(response.status, "communication")
            words = f"{self._request.verb} {self._request.shown_url} was answered with {response.status}"
            raise CallFailed(standard(name, f"{words} {response.reason or ''}".rstrip() + ".", status=response.status))
        self._events = response.content_type == EVENTS
        if not self._events and response.content_type not in LINES:
            raise misconfigured(
                f"{self._request.shown_url} answers a subscription with {response.content_type}; expected {EVENTS} "
                f"or one of {', '.join(sorted(LINES))}."
            )

    def close(self) -> None:
        if self._response is not None:
            self._response.close()

    async def receive(self) -> Sequence[Delivery]:
        assert self._response is not None
        if self._response.status == 204:
            return ()
        try:
            return await (self._event() if self._events else self._line())
        except (aiohttp.ClientError, ValueError) as error:
            raise Broken(str(error)[:200] or "the response broke off") from None

    async def settle(self, deliveries: Sequence[Delivery], taken: int) -> None:
        """There is nobody to tell."""

    async def forget(self) -> None:
        """The other side sees the connection close."""

    async def _line(self) -> Sequence[Delivery]:
        while True:
            line = await self._read_line()
            if line is None:
                return ()
            text = line.strip(b" \t\r\n" + _RECORD)
            if text:
                return [Delivery(self._message(text, "application/json", {}, None))]

    async def _event(self) -> Sequence[Delivery]:
        """The next event with data (HTML, "Interpreting an event stream"). A stream that ends is asked for again."""
        data: list[bytes] = []
        kind = "message"
        while True:
            line = await self._read_line()
            if line is None:
                raise Broken("the event stream ended")
            line = line.rstrip(b"\r\n")
            if not line:
                self._last = self._coming
                if data:
                    headers = {"event": kind} | ({"id": self._last} if self._last is not None else {})
                    identity = None if self._last is None else f"event/{self._last}"
                    return [Delivery(self._message(b"\n".join(data), None, headers, identity))]
                kind = "message"
                continue
            name, _, value = line.partition(b":")
            value = value.removeprefix(b" ")
            if name == b"data":
                data.append(value)
            elif name == b"event":
                kind = value.decode("utf-8", "replace")
            elif name == b"id" and b"\0" not in value:
                self._coming = value.decode("utf-8", "replace")

    async def _read_line(self) -> bytes | None:
        """A line with its end; None at the end of the response. Raises `CallFailed` for one that is too long."""
        assert self._response is not None
        bytes_max = self._access.outside.settings.response_body_bytes_max
        while b"\n" not in self._buffer:
            chunk = await self._response.content.readany()
            if not chunk:
                rest, self._buffer = self._buffer, b""
                return rest or None
            self._buffer += chunk
            if len(self._buffer) > bytes_max:
                limit = f"{bytes_max} bytes (PERDURE_RESPONSE_BODY_BYTES_MAX)"
                raise CallFailed(standard("communication", f"A message is longer than {limit}."))
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line + b"\n"

    def _message(self, body: bytes, content_type: str | None, headers: Any, identity: str | None) -> Any:
        access = self._access
        return access.received(body, content_type, headers.items(), identity=identity)


def _url(access: Access) -> URL:
    target = access.target
    scheme = "https" if target.tls else "http"
    base = f"{scheme}://{bracketed(target.host)}{'' if target.port is None else f':{target.port}'}{target.path}"
    return url_of(f"{base.rstrip('/')}/{target.address.lstrip('/')}", "server")
