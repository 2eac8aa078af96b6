"""The worker's own port."""

import aiohttp
import pytest

from perdure import telemetry
from perdure.worker.health import HealthServer


@pytest.fixture
async def health():
    """A client of the server, and the checks that it reports."""
    checks = {"database": "ok", "broker": "ok"}

    async def ready():
        if "error" in checks:
            raise OSError(checks["error"])
        return checks

    server = HealthServer(ready, host="127.0.0.1", port=0)
    base = await server.start()
    async with aiohttp.ClientSession(base) as client:
        yield client, checks
    await server.stop()


async def test_it_is_alive_whatever_it_depends_on(health):
    client, checks = health
    checks["error"] = "gone"
    async with client.get("/healthz") as response:
        assert (response.status, await response.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize(
    ("change", "status", "shown"),
    [
        ({}, 200, {"database": "ok", "broker": "ok"}),
        ({"broker": "amqp://u:pw@b refused"}, 503, {"database": "ok", "broker": "amqp://u:***@b refused"}),
        ({"error": "postgresql://u:pw@db gone"}, 503, {"service": "postgresql://u:***@db gone"}),
    ],
)
async def test_readiness_names_what_is_wrong(health, change, status, shown):
    client, checks = health
    checks |= change
    async with client.get("/readyz") as response:
        assert response.status == status
        assert (await response.json())["checks"] == shown


async def test_metrics_show_what_was_recorded(health):
    client, _ = health
    telemetry.record_batch(3, 0.01)
    async with client.get("/metrics") as response:
        assert response.content_type == "text/plain"
        lines = (await response.text()).splitlines()
    (count,) = [line for line in lines if line.startswith("perdure_step_batch_processes_count")]
    assert float(count.split()[1]) >= 1


async def test_unknown_paths_are_not_found(health):
    client, _ = health
    async with client.get("/v1/processes") as response:
        assert response.status == 404
