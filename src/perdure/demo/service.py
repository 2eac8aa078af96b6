"""An HTTP service on loopback that stands in for a real one, and treats repeats as a real one should."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Self, TypeAlias

import aiohttp
from aiohttp import web

from perdure import clock
from perdure.codec import Json, decode, encode
from perdure.demo.memory import Memory
from perdure.demo.ports import LOOPBACK, kept

DELIVERY_TRIES_MAX = 600
DELIVERY_PAUSE_SECONDS = 0.5
DELIVERY_SECONDS_MAX = 5.0


@dataclass(frozen=True, slots=True)
class Request:
    """A request as a handler sees it.

    `key` is its idempotency key, `attempt` counts the requests with that key. `deliver` posts a body to a
    URL after so many seconds, and again until it has been received.
    """

    body: Json
    path: Mapping[str, str]
    query: Mapping[str, str]
    key: str
    attempt: int
    deliver: Callable[[str, Json, float], None]

    def number(self, prefix: str) -> str:
        """A number for what this request creates: the same for every repeat."""
        return f"{prefix}-{sha256(self.key.encode()).hexdigest()[:8].upper()}"


@dataclass(frozen=True, slots=True)
class Call:
    """What came and how it was answered. `repeat` says that the answer was given before."""

    service: str
    method: str
    path: str
    key: str
    status: int
    repeat: bool


Answer: TypeAlias = tuple[int, Json]
Handler: TypeAlias = Callable[[Request], Awaitable[Answer]]
Listener: TypeAlias = Callable[[Call], None]


class Service:
    """One service. Its routes are ``"METHOD /path/{part}"`` with the handler of each.

    A request with an idempotency key that was answered before gets the same answer, and nothing is done
    again; failures (5xx) are not remembered. Calls are kept in `calls`, and told to `listener`.
    """

    def __init__(
        self,
        name: str,
        routes: Mapping[str, Handler],
        *,
        memory: Memory | None = None,
        listener: Listener | None = None,
    ) -> None:
        self.name = name
        self.calls: list[Call] = []
        self._memory = memory or Memory()
        self._listener = listener
        self._app = web.Application()
        for route, handler in routes.items():
            method, path = route.split(" ", 1)
            self._app.router.add_route(method, path, self._answering(handler))
        self._runner = web.AppRunner(self._app, access_log=None, handle_signals=False)
        self._port = 0
        self._locks: dict[str, asyncio.Lock] = {}
        self._deliveries: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self._port}"

    async def __aenter__(self) -> Self:
        """Serve on the same port as before. Raises `ports.PortTaken`."""
        self._port = kept(self._memory, self.name)
        await self._runner.setup()
        await web.TCPSite(self._runner, LOOPBACK, self._port, reuse_address=True).start()
        for delivery in self._memory.part(f"{self.name} deliveries"):
            self._begin(delivery)
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._deliveries:
            task.cancel()
        await asyncio.gather(*self._deliveries, return_exceptions=True)
        await self._runner.cleanup()

    def _deliver(self, url: str, body: Json, after: float) -> None:
        self._memory.part(f"{self.name} deliveries")[url] = {"body": body, "after": after}
        self._memory.save()
        self._begin(url)

    def _begin(self, url: str) -> None:
        task = asyncio.create_task(self._delivery(url))
        self._deliveries.add(task)
        task.add_done_callback(self._deliveries.discard)

    async def _delivery(self, url: str) -> None:
        planned = self._memory.part(f"{self.name} deliveries")[url]
        await clock.sleep(planned["after"])
        timeout = aiohttp.ClientTimeout(total=DELIVERY_SECONDS_MAX)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            for _ in range(DELIVERY_TRIES_MAX):
                if await _received(session, url, planned["body"]):
                    break
                await clock.sleep(DELIVERY_PAUSE_SECONDS)
        del self._memory.part(f"{self.name} deliveries")[url]
        self._memory.save()

    def _answering(self, handler: Handler) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def answer(request: web.Request) -> web.Response:
            key = request.headers.get("Idempotency-Key", "")
            content = await request.read()
            # Two requests with one key at once: the second waits for what the first is answered.
            async with self._locks.setdefault(key, asyncio.Lock()):
                given, repeat = await self._given(handler, request, key, content)
            self._tell(Call(self.name, request.method, request.path, key, given[0], repeat))
            status, body = given
            return web.Response(status=status, body=encode(body), content_type="application/json")

        return answer

    async def _given(self, handler: Handler, request: web.Request, key: str, content: bytes) -> tuple[Answer, bool]:
        answers = self._memory.part(f"{self.name} answers")
        known = answers.get(key) if key else None
        if known is not None:
            return (known[0], known[1]), True
        attempt = self._count(key)
        try:
            body = decode(content) if content else None
        except ValueError:
            return (400, {"error": "the body is not JSON"}), False
        given = await handler(Request(body, request.match_info, request.query, key, attempt, self._deliver))
        if key and given[0] < 500:
            answers[key] = given
            self._memory.save()
        return given, False

    def _count(self, key: str) -> int:
        attempts = self._memory.part(f"{self.name} attempts")
        attempts[key] = attempts.get(key, 0) + 1
        self._memory.save()
        return int(attempts[key])

    def _tell(self, call: Call) -> None:
        self.calls.append(call)
        if self._listener is not None:
            self._listener(call)


async def _received(session: aiohttp.ClientSession, url: str, body: Any) -> bool:
    """Whether the body need not be sent again: it was taken, or refused for good."""
    try:
        async with session.post(url, json=body) as response:
            return response.status < 500
    except (aiohttp.ClientError, TimeoutError, OSError):
        return False
