"""A server on this machine, which serves the documents as well, and a performer that may call it."""

import pytest
from aiohttp import web
from calling import serving_app

from .service import Service, performing


@pytest.fixture
async def service():
    service = Service()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", service.handle)
    async with serving_app(app) as service.base:
        yield service


@pytest.fixture
async def performer():
    async with performing() as performer:
        yield performer
