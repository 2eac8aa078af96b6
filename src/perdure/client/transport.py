"""HTTP with the standard library alone: a few connections kept open, for any number of threads."""

import http.client
import os
import selectors
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TypeAlias
from urllib.parse import urlsplit

from perdure.client.errors import Unreachable
from perdure.client.exchange import CONNECT_SECONDS_MAX, STREAM_SILENCE_SECONDS_MAX, Answer, Request, answered, refusal

CONNECTIONS_IDLE_MAX = 10
CHUNK_BYTES = 65_536

Connection: TypeAlias = http.client.HTTPConnection

_ERRORS = (http.client.HTTPException, OSError, ssl.SSLError)
_CLOSED = (ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError)
"""What it looks like when the server has closed a connection; `http.client.RemoteDisconnected` is one of them."""


class Transport:
    """Requests to one server."""

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        self.url = url
        self._headers = {"Accept": "application/json, */*;q=0.1", "User-Agent": "perdure-client", **headers}
        self._idle: list[Connection] = []
        self._lock = threading.Lock()

    def close(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def send(self, request: Request) -> Answer:
        """Raises `ApiError` and `Unreachable`."""
        connection, fresh = self._connection()
        try:
            try:
                response = self._exchange(connection, request, request.seconds_max)
            except _CLOSED:
                if fresh or not request.repeatable:
                    raise
                # Closed by the server while the request was on its way: trying a new one is no second try.
                connection.close()
                connection = self._connect()
                response = self._exchange(connection, request, request.seconds_max)
            body = response.read()
        except _ERRORS as error:
            connection.close()
            raise Unreachable(self.url, _reason(error)) from error
        except BaseException:
            connection.close()
            raise
        self._keep(connection, response)
        return answered(self.url, response.status, response.reason, body, response.getheader("Retry-After"))

    @contextmanager
    def stream(self, request: Request) -> Iterator[tuple[int, Iterator[bytes]]]:
        """Status and pieces of an answer that may take for ever. Raises `ApiError` and `Unreachable`."""
        connection = self._connect()
        try:
            response = self._exchange(connection, request, STREAM_SILENCE_SECONDS_MAX)
            if response.status >= 400:
                again = response.getheader("Retry-After")
                raise refusal(response.status, response.reason, response.read(), again)
            yield response.status, iter(lambda: response.read1(CHUNK_BYTES), b"")
        except _ERRORS as error:
            raise Unreachable(self.url, _reason(error)) from error
        finally:
            connection.close()

    def _exchange(self, connection: Connection, request: Request, seconds: float) -> http.client.HTTPResponse:
        headers = {**self._headers, **request.headers}
        base = urlsplit(self.url).path
        if connection.sock is None:
            connection.timeout = CONNECT_SECONDS_MAX
            connection.connect()
        connection.sock.settimeout(seconds)
        connection.request(request.method, base + request.target, request.body, headers)
        return connection.getresponse()

    def _connection(self) -> tuple[Connection, bool]:
        """One that was kept, or a new one, and whether it is new.

        Those that the server has closed meanwhile are dropped before anything is sent over them, so that a request
        which must not be sent twice does not fail for it.
        """
        with self._lock:
            while self._idle:
                connection = self._idle.pop()
                if not _is_over(connection):
                    return connection, False
                connection.close()
        return self._connect(), True

    def _connect(self) -> Connection:
        """Not yet connected."""
        try:
            parts = urlsplit(self.url)
            host, port = parts.hostname, parts.port
        except ValueError:
            host = port = None
        if not host or parts.scheme not in ("http", "https"):
            raise Unreachable(self.url, "expected an address like http://127.0.0.1:8080")
        if parts.scheme == "https":
            return http.client.HTTPSConnection(host, port, timeout=CONNECT_SECONDS_MAX)
        return http.client.HTTPConnection(host, port, timeout=CONNECT_SECONDS_MAX)

    def _keep(self, connection: Connection, response: http.client.HTTPResponse) -> None:
        with self._lock:
            if not response.will_close and len(self._idle) < CONNECTIONS_IDLE_MAX:
                self._idle.append(connection)
                return
        connection.close()


def _is_over(connection: Connection) -> bool:
    """Whether an idle connection is closed: nothing else can be there to read before a request was sent."""
    with selectors.DefaultSelector() as selector:
        selector.register(connection.sock, selectors.EVENT_READ)
        return bool(selector.select(timeout=0))


def _reason(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, OSError) and error.errno and error.errno > 0 and not isinstance(error, socket.gaierror):
        return os.strerror(error.errno)
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
