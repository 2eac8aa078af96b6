"""How much the edge takes: of one request, of all at a time; each bound below it, at it and above it."""

import asyncio
import json

import pytest
from api_server import served
from edge_platform import PROCESS, EdgePlatform

from perdure.runtime.errors import Busy

STRUCTURED = {"Content-Type": "application/cloudevents+json"}
BATCH = {"Content-Type": "application/cloudevents-batch+json"}
JSON = {"Content-Type": "application/json"}


class SlowPlatform(EdgePlatform):
    """Answers once it is told to."""

    def __init__(self):
        super().__init__()
        self.go = asyncio.Event()
        self.inside = 0

    async def get_process(self, who, process, *, eventual=False):
        self.inside += 1
        await self.go.wait()
        return PROCESS

    async def wait_process(self, who, process, seconds):
        return await self.get_process(who, process)

    async def until(self, count):
        while self.inside < count:
            await asyncio.sleep(0.001)


def event_of(size: int, **more: str) -> dict[str, str]:
    event = {"specversion": "1.0", "id": "1", "source": "/s", "type": "t", "data": "", **more}
    event["data"] = "x" * (size - len(json.dumps(event, separators=(",", ":"))))
    return event


@pytest.mark.parametrize(("size", "status"), [(1023, 201), (1024, 201), (1025, 413)])
@pytest.mark.parametrize("path", ["/v1/definitions", "/v1/functions?name=a&version=1.0.0"])
async def test_the_size_of_a_document(platform, path, size, status):
    async with served(platform, definition_bytes_max=1024) as client:
        headers = {"Content-Type": "application/yaml"}
        async with client.post(path, data=b"#" * size, headers=headers) as response:
            if status == 413:
                assert response.status == 413
                detail = (await response.json())["detail"]
                assert "1024 bytes (PERDURE_DEFINITION_BYTES_MAX), found 1025" in detail
            else:
                assert response.status < 300


@pytest.mark.parametrize(("size", "status"), [(1023, 201), (1024, 201), (1025, 413)])
async def test_the_size_of_a_body(platform, size, status):
    async with served(platform, request_body_bytes_max=1024) as client:
        start = b'{"definition": {"namespace": "a", "name": "b"}}'
        async with client.post("/v1/processes", data=start.ljust(size), headers=JSON) as response:
            assert response.status == status


@pytest.mark.parametrize(("size", "status"), [(1023, 202), (1024, 202), (1025, 413)])
async def test_the_size_of_an_event(platform, size, status):
    async with served(platform, event_bytes_max=1024) as client:
        single, batch = event_of(size), [event_of(100), event_of(size, id="2")]
        for data, headers, pointer in ((single, STRUCTURED, ""), (batch, BATCH, "/1")):
            async with client.post("/v1/events", data=json.dumps(data), headers=headers) as response:
                assert response.status == status
                if status == 413:
                    found = await response.json()
                    assert "PERDURE_EVENT_BYTES_MAX" in found["detail"]
                    assert found["errors"][0]["pointer"] == pointer
    assert len(platform.calls) == (2 if status == 202 else 0)


async def test_how_many_requests_there_are_at_a_time():
    platform = SlowPlatform()
    async with served(platform, requests_concurrency_max=3) as client:

        async def read(query=""):
            async with client.get(f"/v1/processes/{PROCESS.id}{query}") as response:
                return response.status, response.headers.get("Retry-After"), await response.json()

        reading = [asyncio.create_task(read()) for _ in range(3)]
        waiting = [asyncio.create_task(read("?wait=60")) for _ in range(3)]
        await platform.until(3)
        status, again, found = await read()
        assert (status, again) == (429, "2")
        assert "3 requests (PERDURE_REQUESTS_CONCURRENCY_MAX)" in found["detail"]
        for path in ("/healthz", "/openapi.json"):
            async with client.get(path) as response:
                assert response.status == 200
        platform.go.set()
        assert [status for status, _, _ in await asyncio.gather(*reading)] == [200] * 3
        await asyncio.gather(*waiting)
        assert (await read())[0] == 200


async def test_those_that_wait_are_not_among_them():
    platform = SlowPlatform()
    async with served(platform, requests_concurrency_max=1) as client:
        path = f"/v1/processes/{PROCESS.id}"
        waiting = []
        for count in range(1, 4):
            waiting.append(asyncio.create_task(client.get(path, params={"wait": "60"})))
            await platform.until(count)
        async with client.get("/v1/processes") as response:
            assert response.status == 200
        platform.go.set()
        assert [response.status for response in await asyncio.gather(*waiting)] == [200] * 3


async def test_how_large_all_bodies_are_together():
    """Two that send their bodies slowly leave no room for a third, until they have ended."""
    platform = EdgePlatform()
    go = asyncio.Event()
    start = b'{"definition": {"namespace": "a", "name": "b"}}'

    async def slowly():
        yield start.ljust(1000)
        await go.wait()
        yield b" " * 24

    async with served(platform, requests_bytes_max=2048) as client:

        async def post(data):
            async with client.post("/v1/processes", data=data, headers=JSON) as response:
                return response.status, await response.text()

        slow = [asyncio.create_task(post(slowly())) for _ in range(2)]
        serving = client.server.config.app.state.serving
        while serving._bytes < 2000:
            await asyncio.sleep(0.001)
        status, text = await post(start.ljust(49))
        assert status == 429 and "2048 bytes of requests (PERDURE_REQUESTS_BYTES_MAX)" in text
        assert (await post(start.ljust(48)))[0] == 201
        go.set()
        assert [status for status, _ in await asyncio.gather(*slow)] == [201, 201]
        assert serving._bytes == 0
        assert (await post(start.ljust(2048)))[0] == 201
        assert (await post(start.ljust(2049)))[0] == 429


async def test_what_the_runtime_is_too_busy_for(edge, platform):
    platform.error = Busy("100 facts wait.", 7)
    async with edge.post("/v1/events", data=json.dumps(event_of(100)), headers=STRUCTURED) as response:
        assert (response.status, response.headers["Retry-After"]) == (429, "7")
        assert (await response.json())["detail"] == "100 facts wait."
