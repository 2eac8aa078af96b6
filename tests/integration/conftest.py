"""One topology and one stand-in service for all tests of this folder."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from integration import clients
from integration.api import Api
from integration.standin import StandIn
from integration.topology import Topology, open_topology


@pytest.fixture(scope="session")
async def topology() -> AsyncIterator[Topology]:
    async with open_topology() as opened:
        yield opened


@pytest.fixture
async def api(topology: Topology) -> AsyncIterator[Api]:
    """A client of both APIs in turn."""
    await topology.ensure()
    async with topology.client() as client:
        yield client


@pytest.fixture
async def service(api: Api) -> AsyncIterator[StandIn]:
    async with StandIn(clients.service(api)) as stand_in:
        yield stand_in
        await asyncio.sleep(0)  # let handlers of calls that were just answered end
