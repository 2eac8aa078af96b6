"""Both clients over a real server: one set of cases, driven blocking in a thread and awaited."""

import asyncio
import contextlib
import http.client
import inspect
import socket
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from aiohttp import web

from perdure.client import AsyncClient, Client, Conflict, Invalid, NotFound, TooMany, Unavailable, Unreachable
from perdure.client.exchange import AGAIN_SECONDS_MAX, Request, may_repeat, pause, refusal

from .conftest import source

ECHO = [{"echo": {"set": "${ {got: .} }"}}]
ASK = [{"ask": {"call": "human-task:1.0.0@default", "with": {"title": "Sure?", "candidateGroups": ["all"]}}}]
LISTEN = [{"listen": {"listen": {"to": {"one": {"with": {"type": "sdk.test.happened"}}}}}}]
NAP = [{"nap": {"wait": {"milliseconds": 300}}}]

Do = Callable[..., Awaitable[Any]]


@pytest.fixture(params=["blocking", "async"])
def do(request: pytest.FixtureRequest, client: Client, aclient: AsyncClient) -> Do:
    """Calls a method of either client by name; what it iterates over comes as a list."""

    def drain(name: str, *arguments: Any, **named: Any) -> Any:
        found = getattr(client, name)(*arguments, **named)
        return list(found) if inspect.isgenerator(found) else found

    async def blocking(name: str, *arguments: Any, **named: Any) -> Any:
        return await asyncio.to_thread(drain, name, *arguments, **named)

    async def awaited(name: str, *arguments: Any, **named: Any) -> Any:
        found = getattr(aclient, name)(*arguments, **named)
        return [item async for item in found] if inspect.isasyncgen(found) else await found

    return blocking if request.param == "blocking" else awaited


async def test_definitions(do: Do) -> None:
    definition, _ = await do("deploy", source("echo", ECHO))
    assert definition["name"] == "echo"
    assert (await do("deploy", source("echo", ECHO)))[1] is False
    assert (await do("definition", "sdk", "echo"))["do"] == ECHO
    assert "echo" in [item["name"] for item in await do("each_definition", limit=1)]
    assert [item["version"] for item in await do("each_version", "sdk", "echo")] == ["1.0.0"]
    assert await do("check", source("echo", ECHO)) == []
    with pytest.raises(Conflict):
        await do("deploy", source("echo", NAP))
    with pytest.raises(Invalid) as refused:
        await do("deploy", source("echo", [{"echo": {"sett": 1}}]))
    assert refused.value.faults and refused.value.type.endswith("invalid")


async def test_processes(do: Do) -> None:
    await do("deploy", source("echo", ECHO))
    started = [await do("start", "sdk", "echo", input=n, tags={"run": "processes"}) for n in range(3)]
    for number, process in enumerate(started):
        assert (await do("ended", process["id"], timeout=20))["output"] == {"got": number}
    listed = await do("each_process", {"tag.run": "processes"}, limit=2)
    assert {process["id"] for process in listed} >= {process["id"] for process in started}
    id_ = started[0]["id"]
    (activity,) = await do("all_activities", id_)
    assert activity["name"] == "echo" and activity["progress"] is None
    history = await do("all_history", id_)
    assert [entry["sequence"] for entry in history] == list(range(1, len(history) + 1))
    assert await do("follow_history", id_) == history
    assert await do("follow_history", id_, 2) == history[2:]
    assert await do("follow_history", id_, len(history)) == []
    request = {"definition": {"namespace": "sdk", "name": "echo"}, "input": 7}
    missing = {"definition": {"namespace": "sdk", "name": "none"}}
    first, second = await do("start_batch", [request, missing])
    assert first["process"]["status"] == "pending" and second["error"]["status"] == 404
    with pytest.raises(NotFound):
        await do("process", "00000000-0000-7000-8000-000000000000")
    with pytest.raises(NotFound):
        await do("process", "..")


async def test_one_key_starts_one_process(do: Do) -> None:
    await do("deploy", source("echo", ECHO))
    key = f"once-{id(do)}"
    first = await do("start", "sdk", "echo", input=1, idempotency_key=key)
    assert (await do("start", "sdk", "echo", input=1, idempotency_key=key))["id"] == first["id"]
    assert (await do("start", "sdk", "echo", input=1))["id"] != first["id"]


async def test_waiting_and_following(do: Do) -> None:
    await do("deploy", source("nap", NAP))
    process = await do("start", "sdk", "nap")
    with pytest.raises(TimeoutError):
        await do("ended", process["id"], timeout=0.01)
    entries = await do("follow_history", process["id"])
    assert entries[-1]["type"].startswith("io.serverlessworkflow.workflow.completed")
    assert (await do("start", "sdk", "nap", wait=20))["status"] == "completed"


async def test_operators_and_people(do: Do) -> None:
    await do("deploy", source("ask", ASK))
    process = (await do("start", "sdk", "ask"))["id"]
    while not (tasks := await do("each_task", {"process": process})):
        await asyncio.sleep(0.02)
    task = tasks[0]["id"]
    assert (await do("suspend", process, "lunch"))["status"] == "suspended"
    assert (await do("resume", process))["status"] == "waiting"
    assert (await do("claim", task, user="mia"))["assignee"] == "mia"
    with pytest.raises(Conflict):
        await do("claim", task, user="noor")
    assert (await do("delegate", task, "noor", user="mia"))["assignee"] == "noor"
    assert (await do("release", task, user="noor"))["status"] == "open"
    assert (await do("task", task))["status"] == "open"
    assert (await do("complete", task, "approved", user="mia"))["outcome"] == "approved"
    assert (await do("ended", process))["output"]["completedBy"] == "mia"
    other = (await do("start", "sdk", "ask"))["id"]
    assert (await do("cancel", other, "not needed"))["status"] == "cancelled"
    with pytest.raises(Conflict):
        await do("retry", other)


async def test_events(do: Do) -> None:
    await do("deploy", source("listen", LISTEN))
    process = (await do("start", "sdk", "listen"))["id"]
    while not (await do("process", process))["waitingFor"]:
        await asyncio.sleep(0.02)
    await do("emit", "sdk.test.other", source="urn:test")
    await do(
        "emit_batch",
        [{"specversion": "1.0", "id": process, "source": "urn:test", "type": "sdk.test.happened", "data": 5}],
    )
    assert (await do("ended", process))["output"] == [5]


async def test_callbacks_of_nobody(do: Do) -> None:
    for callback in ("token", "http://127.0.0.1:1/v1/callbacks/token"):
        with pytest.raises(NotFound):
            await do("call_back", callback, {"paid": True})


async def test_jobs(do: Do) -> None:
    type_ = f"sdk-{id(do)}"
    process = (await do("start", "sdk", "job", input={"type": type_, "input": 1}))["id"]
    (job,) = await do("activate", type_, max=5, lease=30, wait=20, worker="me")
    lease = job["lease"]["token"]
    assert (job["process"], job["input"]) == (process, 1)
    assert (await do("extend_job", job["id"], lease, {"half": True}))["token"] == lease
    assert (await do("all_activities", process))[0]["progress"] == {"half": True}
    await do("release_job", job["id"], lease)
    (job,) = await do("activate", type_, wait=20)
    assert await do("fail_job", job["id"], job["lease"]["token"], "try again", retryable=True)
    (job,) = await do("activate", type_, wait=20)
    assert job["attempt"] == 3
    with pytest.raises(Conflict):
        await do("complete_job", job["id"], lease, 2)
    await do("complete_job", job["id"], job["lease"]["token"], 2)
    assert (await do("ended", process))["output"] == 2
    assert await do("activate", type_) == []


async def test_nobody_there(do: Do) -> None:
    with pytest.raises(Unreachable, match="Connection refused"):
        await asyncio.to_thread(Client("http://127.0.0.1:1", retries=0).process, "x")
    with pytest.raises(Unreachable, match="expected an address"):
        await asyncio.to_thread(Client("no-address", retries=0).process, "x")
    for url, words in (("http://127.0.0.1:1", "refused"), ("ftp://x", "expected an address")):
        async with AsyncClient(url, retries=0) as client:
            with pytest.raises(Unreachable, match=words):
                await client.process("x")


@pytest.mark.parametrize("kind", [Client, AsyncClient])
async def test_what_does_no_harm_twice_is_repeated(kind: type) -> None:
    """A server that breaks connections, then is unavailable, then answers."""
    seen: list[tuple[str, str | None]] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append((request.path, request.headers.get("Idempotency-Key")))
        if len(seen) == 1:
            request.transport.close()
        return web.json_response({"id": "p"}, status=503 if len(seen) == 2 else 201)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"

    async def call(name: str, *arguments: Any) -> Any:
        if kind is Client:
            with Client(url) as client:
                return await asyncio.to_thread(getattr(client, name), *arguments)
        async with AsyncClient(url) as client:
            return await getattr(client, name)(*arguments)

    try:
        assert (await call("start", "a", "b"))["id"] == "p"
        assert len(seen) == 3 and len({key for _, key in seen}) == 1 and seen[0][1]
        seen.clear()
        with pytest.raises(Unreachable):
            await call("command", "p", "cancel")
        assert len(seen) == 1
        with pytest.raises(Unavailable):
            await call("command", "p", "cancel")
    finally:
        await runner.cleanup()


@contextlib.contextmanager
def keeping(*lives: int) -> Iterator[tuple[str, list[str], list[threading.Event]]]:
    """A server whose n-th connection answers so many requests, and is closed then or at the request after them.

    A negative number closes only when one more request has come, without a word. Tells its address, the requests it
    got, and an event for each connection that was closed.
    """
    seen: list[str] = []
    closed = [threading.Event() for _ in lives]
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(10)

    def serve() -> None:
        for life, over in zip(lives, closed, strict=True):
            connection, _ = listener.accept()
            connection.settimeout(10)
            with connection, connection.makefile("rb") as received:
                for number in range(abs(life) + (life < 0)):
                    seen.append(received.readline().decode().partition(" HTTP/")[0])
                    length = http.client.parse_headers(received).get("Content-Length", "0")
                    received.read(int(length))
                    if number < abs(life):
                        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
            over.set()

    thread = threading.Thread(target=serve)
    thread.start()
    with listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", seen, closed
        thread.join(10)


@pytest.mark.parametrize("name", ["process", "suspend"])
def test_a_connection_that_was_closed_while_idle_is_not_used(name: str) -> None:
    with keeping(1, 1, 1) as (url, seen, closed), Client(url, retries=0) as client:
        for over in closed:  # each request finds the connection of the one before it closed
            getattr(client, name)("p")
            assert over.wait(10)
        assert len(seen) == 3


def test_a_connection_that_is_closed_by_the_request_is_replaced_for_what_does_no_harm_twice() -> None:
    with keeping(-1, 1) as (url, seen, _), Client(url, retries=0) as client:
        client.process("p")
        client.process("q")
        assert seen == ["GET /v1/processes/p", "GET /v1/processes/q", "GET /v1/processes/q"]
    with keeping(-1) as (url, seen, _), Client(url, retries=0) as client:
        client.process("p")
        with pytest.raises(Unreachable):
            client.command("p", "suspend")
        assert seen == ["GET /v1/processes/p", "POST /v1/processes/p/suspend"]


def test_a_stream_that_breaks_is_taken_up_again() -> None:
    """A server that ends the stream in the middle of an entry, and then goes on after the last that was whole."""
    seen: list[str] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def entry(number: int) -> str:
        return f'id: {number}\nevent: x\ndata: {{"sequence":{number}}}\n\n'

    def serve() -> None:
        bodies = [entry(1) + entry(2) + 'id: 3\ndata: {"seq', entry(3), None]
        for body in bodies:
            connection, _ = listener.accept()
            with connection:
                seen.append(connection.recv(65536).decode().lower())
                if body is None:
                    connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
                else:
                    head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
                    connection.sendall((head + ": hi\n\n" + body).encode())

    thread = threading.Thread(target=serve)
    thread.start()
    with listener, Client(f"http://127.0.0.1:{listener.getsockname()[1]}") as client:
        assert [found["sequence"] for found in client.follow_history("p")] == [1, 2, 3]
        thread.join(10)
    assert "last-event-id" not in seen[0]
    assert "last-event-id: 2" in seen[1] and "last-event-id: 3" in seen[2]


def test_many_threads_share_a_client(client: Client) -> None:
    client.deploy(source("echo", ECHO))
    results: list[str] = []

    def work() -> None:
        results.append(client.ended(client.start("sdk", "echo", input=1)["id"])["status"])

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == ["completed"] * 8


def test_both_clients_have_the_same_methods() -> None:
    def methods(kind: type) -> set[str]:
        return {name for name in dir(kind) if not name.startswith("_")}

    assert methods(Client) - {"close"} == methods(AsyncClient)
    for name in methods(AsyncClient):
        assert getattr(AsyncClient, name).__doc__, name


def test_importing_it_loads_nothing_of_the_server() -> None:
    code = "import perdure.client, sys; print(*sorted(m for m in sys.modules if m.count('.') <= 1))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "perdure.client" in loaded
    assert {m for m in loaded if m.startswith("perdure.")} == {"perdure.client", "perdure.clock", "perdure.codec"}
    for module in ("aiohttp", "fastapi", "pydantic", "asyncpg", "structlog", "jq", "typer"):
        assert module not in loaded


@pytest.mark.parametrize(("header", "seconds"), [("3", 3.0), ("86400", AGAIN_SECONDS_MAX), (None, 0.0), ("soon", 0.0)])
def test_a_server_with_too_much_to_do_is_left_alone_as_long_as_it_says(header: str | None, seconds: float) -> None:
    error = refusal(429, "Too Many Requests", b"{}", header)
    assert isinstance(error, TooMany)
    assert pause(1, error) == max(pause(1), seconds)
    once = Request("POST", "/v1/processes/batch", {})
    assert may_repeat(once, error, failures=1, retries=1)
    assert not may_repeat(once, error, failures=2, retries=1)
    assert not may_repeat(once, refusal(503, "", b"{}", "3"), failures=1, retries=1)
