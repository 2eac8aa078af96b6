"""A wire that can be cut, stopped and slowed: stands between programs and a server, and passes byte for byte.

A cut is a reset at both ends, as when a router forgets the connection. Of PostgreSQL's protocol it knows when a
transaction is about to be committed and when it has been: so it can cut just before, when nothing has happened, and just
after, when all has happened and the client does not hear of it.
"""

import asyncio
import socket
import struct
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from servers.server import free_port

CHUNK_BYTES = 64 * 1024
COMMIT = b"COMMIT;\0"
WRITTEN = (b"COMMIT\0", b"INSERT 0 ", b"UPDATE ", b"DELETE ")
"""Tags in the answer to what has changed something; for good, if it ends with `IDLE`, after the transaction."""
IDLE = b"Z\0\0\0\x05I"


class Trap:
    """Springs as often as it was set to, within a time."""

    def __init__(self) -> None:
        self._left = 0
        self._sprung = asyncio.Event()

    async def catch(self, count: int, seconds_max: float) -> int:
        """Returns once it has sprung so often or the time is over; answers how often it has."""
        self._left = count
        self._sprung.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds_max):
                await self._sprung.wait()
        left, self._left = self._left, 0
        return count - left

    def springs(self) -> bool:
        if self._left == 0:
            return False
        self._left -= 1
        if self._left == 0:
            self._sprung.set()
        return True


@dataclass(eq=False)
class _Wire:
    client: StreamWriter
    server: StreamWriter

    def cut(self) -> None:
        _reset(self.client)
        _reset(self.server)


class Proxy:
    """Listens on a port of its own for what is meant for the port `target` of this machine."""

    def __init__(self, target: int) -> None:
        self.port = free_port()
        self.before_commit = Trap()
        """Cuts when a client of PostgreSQL wants to commit, instead."""
        self.after_commit = Trap()
        """Cuts when PostgreSQL has committed, before its client hears of it."""
        self._target = target
        self._wires: set[_Wire] = set()
        self._serving: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._passing = asyncio.Event()
        self._passing.set()
        self._delay_seconds = 0.0

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
            self.cut()
            for task in self._serving:
                task.cancel()
            await asyncio.gather(*self._serving, return_exceptions=True)

    def cut(self) -> int:
        """All wires at once, whatever is on them; answers how many."""
        wires = tuple(self._wires)
        for wire in wires:
            wire.cut()
        return len(wires)

    @asynccontextmanager
    async def stalled(self) -> AsyncIterator[None]:
        """No byte passes; wires stay, and new ones can be had."""
        self._passing.clear()
        try:
            yield
        finally:
            self._passing.set()

    @asynccontextmanager
    async def slowed(self, seconds: float) -> AsyncIterator[None]:
        """Whatever passes takes so much longer, either way."""
        self._delay_seconds = seconds
        try:
            yield
        finally:
            self._delay_seconds = 0.0

    async def _accept(self, reader: StreamReader, writer: StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        try:
            with suppress(asyncio.CancelledError):  # by `close`; asyncio would take it for a fault
                await self._serve(reader, writer)
        finally:
            self._serving.discard(task)

    async def _serve(self, from_client: StreamReader, to_client: StreamWriter) -> None:
        try:
            from_server, to_server = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            _reset(to_client)
            return
        wire = _Wire(to_client, to_server)
        self._wires.add(wire)
        ways = (
            asyncio.create_task(self._pass(wire, from_client, to_server, self._cuts_question)),
            asyncio.create_task(self._pass(wire, from_server, to_client, self._cuts_answer)),
        )
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            self._wires.discard(wire)
            to_client.close()
            to_server.close()

    async def _pass(
        self, wire: _Wire, reader: StreamReader, writer: StreamWriter, cuts: Callable[[bytes], bool]
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(CHUNK_BYTES):
                await self._passing.wait()
                if self._delay_seconds:
                    await asyncio.sleep(self._delay_seconds)
                if cuts(data):
                    wire.cut()
                    return
                writer.write(data)
                await writer.drain()

    def _cuts_question(self, data: bytes) -> bool:
        return data.endswith(COMMIT) and self.before_commit.springs()

    def _cuts_answer(self, data: bytes) -> bool:
        return data.endswith(IDLE) and any(tag in data for tag in WRITTEN) and self.after_commit.springs()


def _reset(writer: StreamWriter) -> None:
    """End without the good-bye of TCP."""
    connection = writer.get_extra_info("socket")
    if connection is not None and not writer.transport.is_closing():
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()
