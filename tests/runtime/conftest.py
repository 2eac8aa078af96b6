"""A platform in this process over a real database, with its own worker, and a service for it to call."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import pytest
import structlog
import yaml
from aiohttp import web

from perdure import telemetry
from perdure.activities.outside import Outside
from perdure.activities.registry import Registry
from perdure.runtime.context import Context
from perdure.runtime.service import Service
from perdure.runtime.views import Principal, ProcessFilter, ProcessView, StartRequest
from perdure.settings import Settings
from perdure.wiring import open_context
from perdure.worker.worker import Worker

WHO = Principal(name="tester", tenant="default", role="admin")
DEADLINE_SECONDS = 20


def event(type_, id_, **data):
    return {"specversion": "1.0", "id": id_, "source": "urn:test", "type": type_, "data": data}


def listen_for(type_, **more):
    correlate = {"id": {"from": ".data.id", "expect": "${ .id }"}}
    return {"listen": {"to": {"one": {"with": {"type": type_}, "correlate": correlate}}}, **more}


@dataclass
class Platform:
    """The runtime and short words for what most tests do with it."""

    service: Service
    context: Context
    worker: Worker
    dsn: str
    who: Principal = WHO

    async def deploy(self, name: str, do: list[Any], *, version: str = "1.0.0", **top: Any) -> None:
        document = {"dsl": "1.0.3", "namespace": "test", "name": name, "version": version}
        source = yaml.safe_dump({"document": document, "do": do, **top}, sort_keys=False).encode()
        await self.service.register_definition(WHO, source, "application/yaml")

    async def start(self, name: str, input_: Any = None, **fields: Any) -> ProcessView:
        request = StartRequest("test", name, input={} if input_ is None else input_, **fields)
        return (await self.service.start(WHO, request)).process

    async def run(self, name: str, do: list[Any], input_: Any = None, **top: Any) -> ProcessView:
        """Deploy, start, and wait for the end."""
        await self.deploy(name, do, **top)
        return await self.ended(await self.start(name, input_))

    async def ended(self, process: ProcessView) -> ProcessView:
        view = await self.service.wait_process(WHO, process.id, DEADLINE_SECONDS)
        assert view.ended_at is not None, f"still {view.status}: {view.waiting_for}"
        return view

    async def until(self, process: ProcessView, reached: Callable[[ProcessView], bool]) -> ProcessView:
        """The process once it is as `reached` wants it."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            while True:
                view = await self.service.get_process(WHO, process.id)
                if reached(view):
                    return view
                await asyncio.sleep(0.01)

    async def waiting(self, process: ProcessView, reason: str) -> ProcessView:
        return await self.until(process, lambda view: any(w.reason == reason for w in view.waiting_for))

    async def history(self, process: ProcessView) -> list[str]:
        page = await self.service.history(WHO, process.id, limit=500, cursor=None)
        assert [entry.sequence for entry in page.items] == list(range(1, len(page.items) + 1))
        return [entry.type for entry in page.items]

    async def children(self, process: ProcessView) -> list[ProcessView]:
        page = await self.service.list_processes(WHO, ProcessFilter(parent=process.id), limit=500, cursor=None)
        return list(page.items)

    async def until_children(self, process: ProcessView) -> list[ProcessView]:
        """Its children, once there are any."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            while not (found := await self.children(process)):
                await asyncio.sleep(0.01)
        return found

    async def die_in_mid_call(self, world: "World", path: str) -> None:
        """Once a call has got there, what a kill does to the calls of the worker; their leases stay behind."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            while not world.of(path):
                await asyncio.sleep(0.01)
        for task in list(self.worker._calls._running):
            task.cancel()
        self.worker._calls._tokens.clear()

    async def stranded(self) -> list[Any]:
        return await self.context.store.stranded(10)


@contextlib.asynccontextmanager
async def open_platform(dsn: str, *, working: bool = True, **settings: Any) -> AsyncIterator[Platform]:
    fast = {"sweep_seconds": 0.3, "call_lease_seconds": 2, "egress_allow": "127.0.0.0/8", "expression_seconds_max": 0.5}
    merged = Settings(_env_file=None, **{**fast, **settings})
    async with open_context(merged, dsn, "http://127.0.0.1:1") as context:
        service = Service(context)
        worker = Worker(context, Registry(Outside(merged, context.secrets, context.coordinator)))
        if working:
            await worker.start()
        try:
            yield Platform(service, context, worker, dsn)
        finally:
            if working:
                await worker.stop()
            await service.stop()


@pytest.fixture
async def platform(database: str) -> AsyncIterator[Platform]:
    async with open_platform(database) as opened:
        yield opened
        assert await opened.stranded() == []


@dataclass
class World:
    """A service that the processes call. `answers` gives, by path, statuses to answer with before 200."""

    url: str = ""
    requests: list[tuple[str, str, str, Any]] = field(default_factory=list)
    answers: dict[str, list[int]] = field(default_factory=dict)
    held: dict[str, asyncio.Event] = field(default_factory=dict)
    lookups: list[int] = field(default_factory=list)
    """Statuses for paths that name something that was paid."""

    def of(self, path: str) -> list[tuple[str, str, str, Any]]:
        return [request for request in self.requests if request[1] == path]

    async def answer(self, request: web.Request) -> web.Response:
        body = await request.json() if request.can_read_body else None
        self.requests.append((request.method, request.path, request.headers["Idempotency-Key"], body))
        if request.path in self.held:
            await self.held[request.path].wait()
        asked = self.lookups if request.path.startswith("/paid/") else self.answers.get(request.path)
        statuses = asked or [200]
        status = statuses.pop(0)
        return web.json_response({"path": request.path, "status": status}, status=status)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    made = World()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", made.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    for event in made.held.values():
        event.set()
    await runner.cleanup()


@pytest.fixture
async def connection(database: str) -> AsyncIterator[Any]:
    opened = await asyncpg.connect(database)
    yield opened
    await opened.close()


@pytest.fixture
def plain_logs() -> Iterator[None]:
    """Rendering tracebacks with all local variables would take longer than all the rest."""
    telemetry.configure_logging(format_="json")
    yield
    structlog.reset_defaults()
