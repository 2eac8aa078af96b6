"""The API on a real socket."""

import asyncio
import socket
from contextlib import asynccontextmanager

import aiohttp

from perdure.api.app import create_app
from perdure.api.server import Server
from perdure.settings import Settings


@asynccontextmanager
async def served(platform, *, open_access=True, **settings):
    """A running server over `platform`; yields an HTTP client with its base URL."""
    app = create_app(platform, settings=Settings(_env_file=None, **settings), open_access=open_access, version="0.1.0")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        server = Server(app, stop_seconds_max=3)
        running = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started:
            await asyncio.sleep(0.001)
        base = f"http://127.0.0.1:{listener.getsockname()[1]}"
        try:
            async with aiohttp.ClientSession(base, timeout=aiohttp.ClientTimeout(total=30)) as client:
                client.server = server
                client.port = listener.getsockname()[1]
                yield client
        finally:
            server.should_exit = True
            await running
