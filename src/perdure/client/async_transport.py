"""HTTP over aiohttp, which is loaded when it is first needed."""

import os
import socket
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from perdure.client.errors import Unreachable
from perdure.client.exchange import CONNECT_SECONDS_MAX, STREAM_SILENCE_SECONDS_MAX, Answer, Request, answered, refusal

if TYPE_CHECKING:
    import aiohttp


class AsyncTransport:
    """Requests to one server, once opened."""

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        self.url = url
        self._headers = {"User-Agent": "perdure-client", **headers}
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        import aiohttp

        connector = aiohttp.TCPConnector(limit=0)  # as many as wait for an answer
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS_MAX)
        self._session = aiohttp.ClientSession(connector=connector, headers=self._headers, timeout=timeout)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def send(self, request: Request) -> Answer:
        """Raises `ApiError` and `Unreachable`."""
        import aiohttp

        timeout = aiohttp.ClientTimeout(total=request.seconds_max, sock_connect=CONNECT_SECONDS_MAX)
        async with self._answer(request, timeout) as answer:
            body = await answer.read()
            return answered(self.url, answer.status, answer.reason or "", body, answer.headers.get("Retry-After"))

    @asynccontextmanager
    async def stream(self, request: Request) -> AsyncIterator[tuple[int, AsyncIterator[bytes]]]:
        """Status and pieces of an answer that may take for ever. Raises `ApiError` and `Unreachable`."""
        import aiohttp

        timeout = aiohttp.ClientTimeout(
            total=None, sock_connect=CONNECT_SECONDS_MAX, sock_read=STREAM_SILENCE_SECONDS_MAX
        )
        async with self._answer(request, timeout) as answer:
            if answer.status >= 400:
                again = answer.headers.get("Retry-After")
                raise refusal(answer.status, answer.reason or "", await answer.read(), again)
            yield answer.status, answer.content.iter_any()

    @asynccontextmanager
    async def _answer(self, request: Request, timeout: Any) -> "AsyncIterator[aiohttp.ClientResponse]":
        import aiohttp
        from yarl import URL

        if self._session is None:
            raise RuntimeError("the client is not open; use it with `async with`")
        try:
            # Encoded already: yarl would take escaped dots for steps of the path.
            url = URL(self.url + request.target, encoded=True)
        except ValueError:
            raise Unreachable(self.url, "expected an address like http://127.0.0.1:8080") from None
        try:
            async with self._session.request(
                request.method, url, data=request.body, headers=request.headers, timeout=timeout
            ) as answer:
                yield answer
        except TimeoutError:
            raise Unreachable(self.url, "no answer in time") from None
        except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError):
            raise Unreachable(self.url, "expected an address like http://127.0.0.1:8080") from None
        except (aiohttp.ClientError, ssl.SSLError, OSError) as error:
            raise Unreachable(self.url, _reason(error)) from error


def _reason(error: BaseException) -> str:
    cause = getattr(error, "os_error", error)
    number = cause.errno if isinstance(cause, OSError) else None
    # asyncio's own words for a refused connection hide the reason; the resolver's numbers are not errno's.
    if number is not None and number > 0 and not isinstance(cause, socket.gaierror):
        return os.strerror(number)
    return getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
