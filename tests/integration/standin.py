"""A service that processes call: remembers every request, and is slow, broken or quick to call back on demand."""

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urlsplit

from aiohttp import web

Json = Any

POLL_SECONDS = 0.02


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    key: str | None
    """Its Idempotency-Key."""
    headers: dict[str, str] = field(repr=False)
    body: Json


class StandIn:
    """Listens on a port that the system chooses, where none is given.

    ``/echo`` answers the body; ``/slow/MS`` after a while; ``/flaky/N`` fails N times for each key with 503;
    ``/status/CODE`` answers that; ``/call-back/MS`` has the callback URL in its body called after a while, and
    ``/call-back-first`` before it answers; ``/emit/MS`` has the event in its body sent after a while.
    """

    def __init__(self, call_back: Callable[[str, Json], Awaitable[None]] | None = None, *, port: int = 0) -> None:
        self.requests: list[Request] = []
        self._call_back = call_back
        self._port = port
        self._failures: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()
        self._runner: web.AppRunner | None = None
        self.url = ""

    async def __aenter__(self) -> Self:
        app = web.Application(middlewares=[self._remember], client_max_size=64 * 1024 * 1024)
        app.router.add_route("*", "/echo", _echo)
        app.router.add_route("*", "/slow/{ms}", self._slow)
        app.router.add_route("*", "/flaky/{times}", self._flaky)
        app.router.add_route("*", "/status/{code}", _status)
        app.router.add_post("/call-back/{ms}", self._call_back_later)
        app.router.add_post("/emit/{ms}", self._emit_later)
        app.router.add_post("/call-back-first", self._call_back_first)
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        assert self._runner is not None
        await self._runner.cleanup()

    async def requested(self, count: int = 1, seconds: float = 60) -> None:
        """Returns once there were so many requests."""
        async with asyncio.timeout(seconds):
            while len(self.requests) < count:
                await asyncio.sleep(POLL_SECONDS)

    async def settled(self) -> None:
        """Returns once everything that it had to say to the platform has been answered. Raises what that has met."""
        while self._tasks:
            await asyncio.gather(*self._tasks)

    @web.middleware
    async def _remember(self, request: web.Request, handler: Any) -> web.StreamResponse:
        self.requests.append(
            Request(
                request.method,
                request.path,
                request.headers.get("Idempotency-Key"),
                dict(request.headers),
                await _body(request),
            )
        )
        answer: web.StreamResponse = await handler(request)
        return answer

    async def _slow(self, request: web.Request) -> web.Response:
        await asyncio.sleep(int(request.match_info["ms"]) / 1000)
        return web.json_response(await _body(request))

    async def _flaky(self, request: web.Request) -> web.Response:
        key = request.headers.get("Idempotency-Key", "")
        self._failures[key] += 1
        if self._failures[key] <= int(request.match_info["times"]):
            return web.json_response({"reason": "not now"}, status=503)
        return web.json_response(await _body(request))

    async def _call_back_later(self, request: web.Request) -> web.Response:
        self._later(request, self._answer(await _body(request)))
        return web.json_response({"accepted": True}, status=202)

    async def _emit_later(self, request: web.Request) -> web.Response:
        assert self._call_back is not None
        body = await _body(request)
        self._later(request, self._call_back("/v1/events", body["event"]))
        return web.json_response(body)

    def _later(self, request: web.Request, work: Awaitable[None]) -> None:
        async def later() -> None:
            await asyncio.sleep(int(request.match_info["ms"]) / 1000)
            await work

        task = asyncio.create_task(later())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _call_back_first(self, request: web.Request) -> web.Response:
        await self._answer(await _body(request))
        return web.json_response({"accepted": True}, status=202)

    async def _answer(self, body: Json) -> None:
        assert self._call_back is not None
        await self._call_back(urlsplit(body["url"]).path, {"answer": body.get("answer")})


async def _body(request: web.Request) -> Json:
    text = await request.text()
    return json.loads(text) if text and request.content_type == "application/json" else text or None


async def _echo(request: web.Request) -> web.Response:
    return web.json_response(await _body(request))


async def _status(request: web.Request) -> web.Response:
    return web.json_response({"status": request.match_info["code"]}, status=int(request.match_info["code"]))
