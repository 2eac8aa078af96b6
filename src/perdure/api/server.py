"""Serving the API over HTTP with uvicorn, so that it stops promptly: whoever waits is sent home first."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import uvicorn
from fastapi import FastAPI

KEEP_ALIVE_SECONDS: Final = 75
BACKLOG: Final = 2_048


class Server(uvicorn.Server):
    """A uvicorn server that tells its app when it begins to stop, and leaves signals to its owner.

    Run it with ``await server.serve(sockets=[…])``, stop it by setting `should_exit`. Requests that take longer
    than `stop_seconds_max` are broken off then.
    """

    def __init__(self, app: FastAPI, *, stop_seconds_max: float) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                date_header=True,
                lifespan="off",
                ws="none",
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=max(1, int(stop_seconds_max)),
                backlog=BACKLOG,
            )
        )
        self._serving = app.state.serving

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._serving.stopping.set()
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
