import pytest
import structlog
from api_server import served
from edge_platform import EdgePlatform

from perdure import telemetry


@pytest.fixture(autouse=True)
def _logging():
    telemetry.configure_logging(level="debug", format_="json")
    structlog.configure(cache_logger_on_first_use=False)
    yield
    structlog.reset_defaults()


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
