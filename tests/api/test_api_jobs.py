"""The jobs API on the edge, and over the real platform where a connection matters."""

import asyncio

import pytest
from edge_platform import ID, JOB
from live import live

from perdure.engine.errors import BASE, Error, standard
from perdure.runtime.views import JobRequest

TOKEN = str(JOB.lease.token)
DOCUMENT = {
    "document": {"dsl": "1.0.3", "namespace": "test", "name": "jobs", "version": "1.0.0"},
    "do": [{"work": {"call": "job:1.0.0@default", "with": {"type": "pack"}}}],
}


async def answer(client, path, body, status=200):
    async with client.post(path, json=body) as response:
        assert response.status == status, await response.text()
        return await response.json()


async def test_activation(edge, platform):
    found = await answer(edge, "/v1/jobs/activate", {"type": "pack"})
    assert found == {
        "jobs": [
            {
                "id": str(ID),
                "process": str(ID),
                "activity": str(ID),
                "type": "pack",
                "input": {"n": 1},
                "attempt": 1,
                "priority": 0,
                "idempotencyKey": f"{ID}/{ID}",
                "traceparent": "00-a-b-01",
                "lease": {"token": TOKEN, "until": "2026-11-23T09:30:00Z"},
            }
        ]
    }
    await answer(edge, "/v1/jobs/activate", {"type": "pack", "max": 7, "lease": 2.5, "wait": 3, "worker": "w"})
    assert [call[1] for call in platform.calls] == [
        JobRequest("pack"),
        JobRequest("pack", 7, 2.5, 3, "w"),
    ]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, ""),
        ({"type": ""}, "/type"),
        ({"type": "a", "max": 0}, "/max"),
        ({"type": "a", "max": 1001}, "/max"),
        ({"type": "a", "lease": 0}, "/lease"),
        ({"type": "a", "lease": 86401}, "/lease"),
        ({"type": "a", "wait": 61}, "/wait"),
        ({"type": "a", "wait": -1}, "/wait"),
        ({"type": "a", "Worker": "w"}, ""),
    ],
)
async def test_activations_that_are_refused(edge, platform, body, pointer):
    problem = await answer(edge, "/v1/jobs/activate", body, 422)
    assert problem["errors"][0]["pointer"] == pointer
    assert platform.calls == []


async def test_whole_numbers_may_be_written_with_a_fraction(edge, platform):
    await answer(edge, "/v1/jobs/activate", {"type": "pack", "max": 7.0, "wait": 0.0})
    assert platform.calls[-1][-1].max == 7
    problem = await answer(edge, "/v1/jobs/activate", {"type": "pack", "max": 7.5}, 422)
    assert problem["errors"][0]["pointer"] == "/max"
    await answer(edge, f"/v1/jobs/{ID}/fail", {"lease": TOKEN, "error": {"status": 402.0}})
    assert platform.calls[-1][3].status == 402


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("no luck", standard("runtime", "no luck")),
        ({}, Error(BASE + "runtime", 500)),
        ({"type": BASE + "timeout"}, Error(BASE + "timeout", 408)),
        (
            {"type": "https://a.example/e", "status": 402, "title": "T", "detail": "D", "instance": "/x", "more": 1},
            Error("https://a.example/e", 402, "T", "D"),
        ),
    ],
)
async def test_failures(edge, platform, said, meant):
    answered = await answer(edge, f"/v1/jobs/{ID}/fail", {"lease": TOKEN, "error": said, "retryable": True})
    assert answered == {"retryAt": "2026-11-23T09:30:00Z"}
    assert await answer(edge, f"/v1/jobs/{ID}/fail", {"lease": TOKEN, "error": said}) == {"retryAt": None}
    assert [call[1:] for call in platform.calls] == [(ID, TOKEN, meant, True), (ID, TOKEN, meant, False)]


async def test_other_answers(edge, platform):
    assert await answer(edge, f"/v1/jobs/{ID}/complete", {"lease": TOKEN, "output": [1]}) == {}
    assert await answer(edge, f"/v1/jobs/{ID}/complete", {"lease": TOKEN}) == {}
    assert await answer(edge, f"/v1/jobs/{ID}/release", {"lease": TOKEN}) == {}
    lease = {"token": TOKEN, "until": "2026-11-23T09:30:00Z"}
    assert await answer(edge, f"/v1/jobs/{ID}/heartbeat", {"lease": TOKEN, "progress": 0.5}) == {"lease": lease}
    assert [call[3:] for call in platform.calls] == [([1],), (None,), (), (0.5,)]
    problem = await answer(edge, f"/v1/jobs/{ID}/heartbeat", {"lease": TOKEN, "progress": "x" * 4096}, 422)
    assert problem["errors"][0]["pointer"] == "/progress"
    for action in ("complete", "fail", "release", "heartbeat"):
        await answer(edge, f"/v1/jobs/{ID}/{action}", {"error": "x"} if action == "fail" else {}, 422)
        await answer(edge, f"/v1/jobs/none/{action}", {"lease": TOKEN, "error": "x"}, 404)


async def test_one_who_has_gone_takes_no_job(database):
    """A worker that dies while it waits must not be given a job, which would be lost until its lease ends."""
    async with live(database) as client:
        await answer(client, "/v1/definitions", DOCUMENT, 201)
        async with asyncio.timeout(20):
            for _ in range(5):
                _, writer = await asyncio.open_connection("127.0.0.1", client.port)
                body = b'{"type": "pack", "wait": 60, "lease": 600, "worker": "the dead"}'
                head = f"POST /v1/jobs/activate HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n"
                writer.write(head.encode() + b"Content-Type: application/json\r\n\r\n" + body)
                await writer.drain()
                await asyncio.sleep(0.2)
                writer.transport.abort()
        await asyncio.sleep(0.2)
        start = {"definition": {"namespace": "test", "name": "jobs"}}
        process = await answer(client, "/v1/processes", start, 201)
        (job,) = (await answer(client, "/v1/jobs/activate", {"type": "pack", "wait": 10, "worker": "alive"}))["jobs"]
        assert job["process"] == process["id"] and job["attempt"] == 1
        await answer(client, f"/v1/jobs/{job['id']}/complete", {"lease": job["lease"]["token"], "output": 1})


async def test_a_server_that_stops_keeps_nobody_waiting(database):
    async with live(database) as client:
        waiting = asyncio.create_task(answer(client, "/v1/jobs/activate", {"type": "pack", "wait": 60}))
        await asyncio.sleep(0.3)
        client.server.should_exit = True
        async with asyncio.timeout(10):
            assert await waiting == {"jobs": []}
