"""One HTTP exchange with the API: address, key, timeouts, errors."""

import os
import socket
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Self
from urllib.parse import quote

import aiohttp

from perdure.client.errors import ApiError, Unreachable
from perdure.client.models import Json
from perdure.codec import decode, encode

CONNECT_SECONDS_MAX = 5.0
REQUEST_SECONDS_MAX = 30.0
REASON_CHARACTERS_MAX = 300
JSON = "application/json"


class Http:
    """Requests to one server. Open and close it, or use it with ``async with``."""

    def __init__(self, url: str, key: str | None = None) -> None:
        """`url` is the server's base address; `key` an API key, None where the server needs none."""
        self.url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS_MAX)
        self._session = aiohttp.ClientSession(headers=self._headers, timeout=timeout)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def get(self, path: str, query: Mapping[str, str] | None = None, *, wait: float = 0) -> Json:
        """The decoded answer. `wait` is how long the server may take beyond the usual."""
        return (await self._request("GET", path, query=query, wait=wait))[1]

    async def post(
        self,
        path: str,
        body: Json | bytes = None,
        *,
        media_type: str = JSON,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        wait: float = 0,
    ) -> tuple[int, Json]:
        """Status and decoded answer to `body`, which is sent as it is where it is bytes, else as JSON."""
        data = body if isinstance(body, bytes) else encode(body)
        sent = {**(headers or {}), "Content-Type": media_type}
        return await self._request("POST", path, data=data, headers=sent, query=query, wait=wait)

    @asynccontextmanager
    async def stream(
        self, path: str, headers: Mapping[str, str] | None = None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """An answer that comes in pieces and may take for ever."""
        async with self._answer("GET", path, headers=headers or {}) as answer:
            yield answer

    async def _request(
        self,
        method: str,
        path: str,
        *,
        data: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        wait: float = 0,
    ) -> tuple[int, Json]:
        timeout = aiohttp.ClientTimeout(total=REQUEST_SECONDS_MAX + wait, sock_connect=CONNECT_SECONDS_MAX)
        async with self._answer(
            method, path, data=data, headers=headers or {}, params=query or {}, timeout=timeout
        ) as answer:
            body = await answer.read()
        try:
            return answer.status, decode(body) if body else None
        except ValueError:
            raise Unreachable(self.url, "its answer is not JSON; is this address right?") from None

    @asynccontextmanager
    async def _answer(self, method: str, path: str, **options: Json) -> AsyncIterator[aiohttp.ClientResponse]:
        if self._session is None:
            raise RuntimeError("the client is not open; use it with `async with`")
        try:
            async with self._session.request(method, self.url + path, **options) as answer:
                if answer.status >= 400:
                    raise _refusal(answer, await answer.read())
                yield answer
        except TimeoutError:
            raise Unreachable(self.url, "no answer in time") from None
        except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError):
            raise Unreachable(self.url, "expected an address like http://127.0.0.1:8080") from None
        except (aiohttp.ClientError, ssl.SSLError, OSError) as error:
            raise Unreachable(self.url, _reason(error)) from error


def segment(text: str) -> str:
    """The text as one segment of a path."""
    return quote(text, safe="")


def _reason(error: BaseException) -> str:
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    number = cause.errno if isinstance(cause, OSError) else None
    # asyncio's own words for a refused connection hide the reason; the resolver's numbers are not errno's.
    if number is not None and number > 0 and not isinstance(cause, socket.gaierror):
        return os.strerror(number)
    return getattr(cause, "strerror", None) or str(cause) or type(cause).__name__


def _refusal(answer: aiohttp.ClientResponse, body: bytes) -> ApiError:
    """The problem details in the answer, or what can be said of an answer without them."""
    title = answer.reason or "Error"
    try:
        problem = decode(body)
    except ValueError:
        problem = None
    if not isinstance(problem, dict):
        text = body[:REASON_CHARACTERS_MAX].decode(errors="replace").strip()
        return ApiError(answer.status, f"HTTP {answer.status} {title}", text)
    faults = problem.get("errors")
    return ApiError(
        answer.status,
        str(problem.get("title") or title),
        str(problem.get("detail") or ""),
        faults if isinstance(faults, list) else None,
    )
