"""A server on this machine, which serves the documents as well, and a performer that may call it."""

import pytest
from aiohttp import web

from .service import Service, performing


@pytest.fixture
async def service():
    service = Service()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", service.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    service.base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield service
    await runner.cleanup()


@pytest.fixture
async def performer():
    async with performing() as performer:
        yield performer
