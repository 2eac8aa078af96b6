"""Tokens that let somebody in: of callbacks, of leases, and API keys. What is not quite one is none, and no fault."""

import asyncio
import base64
import json
from urllib.parse import unquote_to_bytes
from uuid import UUID

import asyncpg
import pytest
from live import live

from perdure.engine.ids import callback_token

CALLBACK = {"wait": {"call": "callback:1.0.0@default"}}
JOB = {"pack": {"call": "job:1.0.0@default", "with": {"type": "pack"}}}
LEASES = 60


def almost(token):
    """What is like a token and is not. All can be sent in a path, percent-encoded or not."""
    other = "1" if token[0] != "1" else "2"
    return {
        "wrong": other + token[1:],
        "truncated": token[:-1],
        "half": token[: len(token) // 2],
        "extended": token + "A",
        "padded": token + "=",
        "in another case": token.swapcase(),
        "after a space": "%20" + token,
        "before a NUL": token + "%00",
        "not ASCII": token[:-1] + "%C3%A9",
        "look-alike": token[:-1] + "%EF%BC%91",
        "not UTF-8": token + "%FF%FE",
        "a surrogate": token + "%ED%A0%80",
        "a quote": token + "'%22;--",
        "a pattern": "%25",
        "long": token * 10,
        "huge": token * 1000,
    }


async def raw(client, head, body=b""):
    """The status and body that a request is answered with, as these very bytes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
    writer.write(head + b"Host: 127.0.0.1\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    async with asyncio.timeout(20):
        answered = await reader.read()
    writer.close()
    return int(answered.split()[1]), answered.partition(b"\r\n\r\n")[2]


async def begun(client, headers, task, count=1):
    """The ids of that many processes of one task."""
    (name,) = task
    document = {"document": {"dsl": "1.0.3", "namespace": "t", "name": name, "version": "1.0.0"}, "do": [task]}
    async with client.post("/v1/definitions", json=document, headers=headers) as response:
        assert response.status == 201
    starts = {"processes": [{"definition": {"namespace": "t", "name": name}}] * count}
    async with client.post("/v1/processes/batch", json=starts, headers=headers) as response:
        return [item["process"]["id"] for item in (await response.json())["items"]]


@pytest.fixture
async def client(database):
    async with live(database, open_access=False) as client:
        _, client.key = await client.service.create_key("tokens", "default", "admin")
        client.headers_ = {"Authorization": f"Bearer {client.key}"}
        client.dsn = database
        yield client


async def callback_of(client):
    """The token under which a process waits; the database holds only what it is made of, apart from the process."""
    (process,) = await begun(client, client.headers_, CALLBACK)
    connection = await asyncpg.connect(client.dsn)
    try:
        async with asyncio.timeout(20):
            while not (found := await connection.fetch("select activity from callback")):
                await asyncio.sleep(0.01)
        seed = await connection.fetchval("select seed from process where id = $1", UUID(process))
    finally:
        await connection.close()
    return process, callback_token(seed, found[0]["activity"])


async def test_callbacks_take_their_own_token_only(client):
    process, token = await callback_of(client)
    assert len(base64.urlsafe_b64decode(token + "=")) == 32
    json_ = b"Content-Type: application/json\r\n"
    for kind, wrong in almost(token).items():
        status, body = await raw(client, f"POST /v1/callbacks/{wrong} HTTP/1.1\r\n".encode() + json_, b"1")
        assert status == 404, kind
        assert token.encode() not in body, kind
    assert (await raw(client, b"POST /v1/callbacks/ HTTP/1.1\r\n" + json_, b"1"))[0] in (404, 405)
    assert (await raw(client, f"POST /v1/callbacks/{'x' * 200_000} HTTP/1.1\r\n".encode() + json_))[0] in (
        400,
        404,
        414,
    )
    assert (await raw(client, f"POST /v1/callbacks/{token} HTTP/1.1\r\n".encode() + json_, b"2"))[0] == 200
    async with client.get(f"/v1/processes/{process}?wait=20", headers=client.headers_) as response:
        assert (await response.json())["output"] == 2


async def test_only_whole_keys_are_keys(client):
    assert len(base64.urlsafe_b64decode(client.key.removeprefix("pdk_") + "=")) == 32
    for kind, wrong in almost(client.key).items():
        for sent in {wrong.encode(), unquote_to_bytes(wrong)}:
            if b"\0" in sent or sent.strip() == client.key.encode():  # no header at all, or the key itself
                continue
            status, body = await raw(client, b"GET /v1/processes HTTP/1.1\r\nAuthorization: Bearer %b\r\n" % sent)
            assert status == 401, kind
            assert client.key.encode() not in body, kind
    status, _ = await raw(client, f"GET /v1/processes HTTP/1.1\r\nAuthorization: Bearer {client.key}\r\n".encode())
    assert status == 200


async def leased(client, count):
    async with client.post(
        "/v1/jobs/activate", json={"type": "pack", "max": count, "wait": 10, "lease": 600}, headers=client.headers_
    ) as response:
        return (await response.json())["jobs"]


@pytest.mark.parametrize("action", ["complete", "fail", "release", "heartbeat"])
async def test_jobs_are_answered_with_their_lease_only(client, action):
    (process,) = await begun(client, client.headers_, JOB)
    (job,) = await leased(client, 1)
    token = job["lease"]["token"]
    more = {"error": "no"} if action == "fail" else {}
    wrong = {kind: (unquote_to_bytes(text).decode("utf-8", "replace"), 409) for kind, text in almost(token).items()}
    del wrong["in another case"]  # a UUID's hexadecimal digits are the same in either
    wrong["before a NUL"] = (token + "\0", 422)
    wrong["long"], wrong["huge"] = (token * 10, 422), (token * 1000, 422)
    wrong["none"], wrong["another's"] = ("", 422), (job["id"], 409)
    for kind, (text, expected) in wrong.items():
        body = {"lease": text, **more}
        async with client.post(f"/v1/jobs/{job['id']}/{action}", json=body, headers=client.headers_) as response:
            assert response.status == expected, (kind, await response.text())
    for text in (b'"\\ud800"', b'"\xff"', b"1", b"null", b"[]"):
        body = b'{"lease": %b, "error": "no"}' % text
        headers = {**client.headers_, "Content-Type": "application/json"}
        async with client.post(f"/v1/jobs/{job['id']}/{action}", data=body, headers=headers) as response:
            assert response.status in (400, 409, 422), await response.text()
    body = json.dumps({"lease": token, **more}).encode()
    headers = {**client.headers_, "Content-Type": "application/json"}
    async with client.post(f"/v1/jobs/{job['id']}/{action}", data=body, headers=headers) as response:
        assert response.status == 200
    assert process == job["process"]


async def test_leases_have_128_bits_that_nobody_can_guess(client):
    await begun(client, client.headers_, JOB, LEASES)
    tokens = []
    while len(tokens) < LEASES:
        tokens += [UUID(job["lease"]["token"]).int for job in await leased(client, LEASES)]
    ever_set, always_set = 0, (1 << 128) - 1
    for token in tokens:
        ever_set |= token
        always_set &= token
    assert (ever_set, always_set) == ((1 << 128) - 1, 0)
