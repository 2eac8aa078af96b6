"""The service that processes call: answers at once, and counts the keys that it sees."""

import asyncio
import json
from multiprocessing.connection import Connection as Pipe
from types import TracebackType
from typing import cast

import uvloop

from bench.processes import SPAWN, end_with_parent
from bench.wire import Connection, encode

ANSWER = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n{"n":1}'
SEEN = b"GET /seen "
KEY = b"\r\nidempotency-key:"


class Service:
    """Runs in a process of its own while the block lasts."""

    url = ""

    async def __aenter__(self) -> "Service":
        ours, theirs = SPAWN.Pipe()
        self._process = SPAWN.Process(target=_serve, args=(theirs,), daemon=True)
        self._process.start()
        port: int = await asyncio.to_thread(ours.recv)
        self._connection = Connection(port)
        self.url = f"http://127.0.0.1:{port}/"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()
        self._process.kill()
        self._process.join()

    async def seen(self) -> tuple[int, int]:
        """Requests, and how many different keys they bore, since it was last asked."""
        _, body, _ = await self._connection.send(encode("GET", "/seen"))
        requests, keys = json.loads(body)
        return requests, keys


class _Exchange(asyncio.Protocol):
    """One connection. Requests have no body."""

    def __init__(self, keys: list[bytes]) -> None:
        self._keys = keys
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        *heads, self._buffer = (self._buffer + data).split(b"\r\n\r\n")
        for head in heads:
            self._transport.write(self._counted() if head.startswith(SEEN) else self._answer(head.lower()))

    def _answer(self, head: bytes) -> bytes:
        start = head.index(KEY) + len(KEY)
        end = head.find(b"\r\n", start)
        self._keys.append(head[start : end if end >= 0 else None].strip())
        return ANSWER

    def _counted(self) -> bytes:
        body = f"[{len(self._keys)},{len(set(self._keys))}]".encode()
        self._keys.clear()
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


def _serve(pipe: Pipe) -> None:
    end_with_parent()
    uvloop.run(_listen(pipe))


async def _listen(pipe: Pipe) -> None:
    keys: list[bytes] = []
    server = await asyncio.get_running_loop().create_server(lambda: _Exchange(keys), "127.0.0.1", 0)
    pipe.send(server.sockets[0].getsockname()[1])
    await server.serve_forever()
