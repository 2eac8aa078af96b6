"""The audit trail as server-sent events."""

import asyncio
import json

import pytest
from api_server import served
from edge_platform import ID, entry

from perdure.api import stream
from perdure.runtime.errors import NotFound
from perdure.store.contract import StoreUnavailable

PATH = f"/v1/processes/{ID}/events"


def events(text):
    """The stream's events as (id, event, data)."""
    found = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if fields:
            found.append((int(fields["id"]), fields["event"], json.loads(fields["data"])))
    return found


async def test_it_tells_everything_and_closes_when_the_process_has_ended(edge, platform):
    platform.history_entries = [entry(n) for n in range(1, 451)]
    platform.ended = True
    async with edge.get(PATH) as response:
        assert response.content_type == "text/event-stream"
        assert response.headers["Cache-Control"] == "no-store"
        found = events(await response.text())
    assert [id_ for id_, _, _ in found] == list(range(1, 451))
    assert found[0][1] == "io.serverlessworkflow.task.started.v1"
    assert found[0][2] == {
        "sequence": 1,
        "at": "2026-11-23T09:30:00Z",
        "type": "io.serverlessworkflow.task.started.v1",
        "activity": str(ID),
        "actor": "perdure",
        "data": {"n": 1},
    }


async def test_it_goes_on_as_entries_come(edge, platform):
    platform.history_entries = [entry(1)]
    async with edge.get(PATH) as response:
        assert events((await response.content.readuntil(b"\n\n")).decode())[0][0] == 1
        platform.error = StoreUnavailable("gone for a moment")
        await asyncio.sleep(0.2)
        platform.error = None
        platform.history_entries.append(entry(2))
        assert events((await response.content.readuntil(b"\n\n")).decode())[0][0] == 2
        platform.ended = True
        assert await response.content.read() == b""


async def test_it_resumes_after_the_last_event_seen(edge, platform):
    platform.history_entries = [entry(n) for n in range(1, 5)]
    platform.ended = True
    async with edge.get(PATH, headers={"Last-Event-ID": "2"}) as response:
        assert [id_ for id_, _, _ in events(await response.text())] == [3, 4]
    async with edge.get(PATH, headers={"Last-Event-ID": "4"}) as response:
        assert response.status == 204


@pytest.mark.parametrize("last", ["x", "-1", "1.5", "9" * 30])
async def test_a_wrong_last_event_id(edge, platform, last):
    async with edge.get(PATH, headers={"Last-Event-ID": last}) as response:
        assert response.status == 422
    assert platform.calls == []


async def test_what_is_wrong_is_answered_before_the_stream_begins(edge, platform):
    platform.error = NotFound("no")
    async with edge.get(PATH) as response:
        assert response.status == 404


async def test_a_comment_keeps_an_idle_stream_alive(edge, platform, monkeypatch):
    monkeypatch.setattr(stream, "COMMENT_SECONDS", 0.2)
    async with edge.get(PATH) as response:
        assert (await response.content.readuntil(b"\n\n")).startswith(b":")


async def test_it_ends_when_the_client_leaves(edge, platform):
    async with edge.get(PATH) as response:
        assert response.status == 200
    await once_quiet(platform)


async def once_quiet(platform):
    """Returns once nobody has asked the platform for a second; fails after ten."""
    for _ in range(10):
        before = len(platform.calls)
        await asyncio.sleep(1)
        if len(platform.calls) == before:
            return
    raise AssertionError("the stream is still being read")


async def test_it_ends_at_once_when_the_server_stops(platform):
    async with served(platform) as client, client.get(PATH) as response:
        client.server.should_exit = True
        async with asyncio.timeout(1.5):
            assert await response.content.read() == b""


async def test_a_waiting_request_is_answered_when_the_server_stops(platform):
    async def forever(who, process, seconds):
        await asyncio.Event().wait()

    platform.wait_process = forever
    async with served(platform) as client:
        waiting = asyncio.create_task(client.get(f"/v1/processes/{ID}?wait=60"))
        while not client.server.server_state.tasks:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        client.server.should_exit = True
        async with asyncio.timeout(1.5):
            response = await waiting
        assert response.status == 200
        assert (await response.json())["status"] == "running"
