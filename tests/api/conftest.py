import pytest
from api_server import served
from edge_platform import EdgePlatform


@pytest.fixture
def platform():
    return EdgePlatform()


@pytest.fixture
async def edge(platform):
    """A client of a development server: no key is needed."""
    async with served(platform, request_body_bytes_max=64 * 1024, payload_depth_max=20) as client:
        yield client


@pytest.fixture
async def keyed(platform):
    """A client of a server that asks for keys."""
    async with served(platform, open_access=False) as client:
        yield client
