"""What a service needs of its host: an address to listen on, serving, and the signals that stop it."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager
from ipaddress import ip_address
from typing import Any

from fastapi import FastAPI

from perdure.api.server import Server

API_STOP_SECONDS = 3


class CannotStart(Exception):
    """The service can't start; the message says why and what to do."""


@contextlib.contextmanager
def listen(host: str, port: int) -> Iterator[socket.socket]:
    """A bound socket, so that port 0 is known before anything starts and a taken port fails at once."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(2048)
        listener.setblocking(False)
    except (OSError, OverflowError) as error:
        raise cannot_listen(host, port, error) from error
    with contextlib.closing(listener):
        yield listener


def cannot_listen(host: str, port: int, error: Exception) -> CannotStart:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return CannotStart(f"Can't listen on {host}:{port}: {reason}. Choose another with --host and --port.")


def base_url(host: str, listener: socket.socket) -> str:
    port = listener.getsockname()[1]
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{shown}:{port}"


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


@asynccontextmanager
async def serve(app: FastAPI, listener: socket.socket) -> AsyncIterator[asyncio.Event]:
    """Serve within the context; the event is set once the server has ended by itself."""
    ended = asyncio.Event()
    server = Server(app, stop_seconds_max=API_STOP_SECONDS)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    serving.add_done_callback(lambda _: ended.set())
    while not server.started and not serving.done():
        await asyncio.wait([serving], timeout=0.005)
    try:
        yield ended
    finally:
        server.should_exit = True
        await serving


async def until_stopped(work: Coroutine[Any, Any, None]) -> None:
    """Let the work go on until SIGINT or SIGTERM, if it does not end before; then it is cancelled, to clean up."""
    working, stopping = asyncio.create_task(work), asyncio.create_task(_stop_signal())
    try:
        await asyncio.wait([working, stopping], return_when=asyncio.FIRST_COMPLETED)
    finally:
        working.cancel()
        stopping.cancel()
        await asyncio.wait([working, stopping])
    if not working.cancelled():
        working.result()


async def _stop_signal() -> None:
    """Returns at the first SIGINT or SIGTERM."""
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    try:
        await stopped.wait()
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
