"""Workers of the SDK against a real server."""

import asyncio
import threading
import time
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from integration.programs import Program
from perdure.client import AsyncClient, Forbidden, Job, JobFailed, Unauthenticated, Worker

PATIENCE = 30


@dataclass
class Charge:
    order: str
    amount: int


@dataclass
class Receipt:
    number: str
    key: str


@pytest.fixture
def type_() -> str:
    return f"type-{uuid4()}"


async def start(client: AsyncClient, type_: str, input_: Any = None) -> str:
    return (await client.start("sdk", "job", input={"type": type_, "input": input_}))["id"]


async def job_history(client: AsyncClient, process: str) -> list[str]:
    prefix = "dev.perdure.job."
    return [e["type"].removeprefix(prefix) for e in await client.all_history(process) if e["type"].startswith(prefix)]


async def until(condition: Any) -> None:
    deadline = time.monotonic() + PATIENCE
    while not await condition():
        assert time.monotonic() < deadline, "it never happened"
        await asyncio.sleep(0.02)


async def test_async_and_plain_functions(dev: Program, aclient: AsyncClient, type_: str) -> None:
    worker = Worker(dev.url, name="till-1")
    threads = set()

    @worker.job("charge-card", type=type_)
    async def charge(job: Job[Charge]) -> Receipt:
        return Receipt(f"R-{job.input.order}-{job.input.amount}", job.idempotency_key)

    @worker.job("plain", type=type_ + "plain")
    def plain(job: Job) -> Any:
        threads.add(threading.current_thread() is threading.main_thread())
        return {"got": job.input}

    async with worker:
        first = await start(aclient, type_, {"order": "A-1", "amount": 5})
        second = await start(aclient, type_ + "plain", [1, 2])
        ended = await aclient.ended(first, timeout=PATIENCE)
        (activity,) = await aclient.all_activities(first)
        assert ended["output"] == {"number": "R-A-1-5", "key": f"{first}/{activity['id']}"}
        assert (await aclient.ended(second, timeout=PATIENCE))["output"] == {"got": [1, 2]}
    assert threads == {False}
    leased = next(e for e in await aclient.all_history(first) if e["type"] == "dev.perdure.job.leased")
    assert leased["data"]["worker"] == "till-1" and leased["actor"] == "dev"


async def test_failures(dev: Program, aclient: AsyncClient, type_: str) -> None:
    worker = Worker(dev.url)
    tries: list[int] = []

    @worker.job("fails", type=type_)
    async def fails(job: Job[Charge]) -> Any:
        tries.append(job.attempt)
        match job.input.order:
            case "declined":
                raise JobFailed("no money", type="https://bank.example/declined", status=402, title="Declined")
            case "flaky" if job.attempt == 1:
                raise JobFailed("try again", retryable=True)
            case "broken" if job.attempt < 3:
                raise ZeroDivisionError("once in a while")
            case "unspeakable":
                return object()
        return "done"

    async def run(order: Any, amount: Any = 1) -> Any:
        process = await start(aclient, type_, {"order": order, "amount": amount})
        return await aclient.ended(process, timeout=PATIENCE)

    async with worker:
        declined = await run("declined")
        assert declined["error"] == {
            "type": "https://bank.example/declined",
            "status": 402,
            "title": "Declined",
            "detail": "no money",
            "instance": "/do/0/work",
        }
        tries.clear()
        assert (await run("flaky"))["output"] == "done" and tries == [1, 2]
        tries.clear()
        broken = await run("broken")
        assert broken["output"] == "done" and tries == [1, 2, 3]
        history = await aclient.all_history(broken["id"])
        failed = [e["data"]["error"]["detail"] for e in history if e["type"].endswith("job.attempt-failed")]
        assert failed == ["ZeroDivisionError: once in a while"] * 2
        tries.clear()
        invalid = await run("any", "a lot")
        assert invalid["error"]["type"].endswith("/validation") and invalid["error"]["status"] == 400
        assert "amount" in invalid["error"]["detail"] and tries == []
        assert "can hold" in (await run("unspeakable"))["error"]["detail"]
        assert tries == [1]


async def test_heartbeats_and_progress(dev: Program, aclient: AsyncClient, type_: str) -> None:
    worker = Worker(dev.url)
    go = asyncio.Event()

    @worker.job("slow", type=type_, lease=1)
    async def slow(job: Job) -> int:
        job.progress({"page": 3})
        await go.wait()
        return job.attempt

    async with worker:
        process = await start(aclient, type_)

        async def told() -> bool:
            found = await aclient.all_activities(process)
            return bool(found) and found[0]["progress"] == {"page": 3}

        await until(told)
        await asyncio.sleep(2.5)  # longer than the lease
        go.set()
        assert (await aclient.ended(process, timeout=PATIENCE))["output"] == 1
    assert await job_history(aclient, process) == ["opened", "leased", "completed"]


async def test_a_job_that_is_no_longer_wanted_is_dropped(dev: Program, aclient: AsyncClient, type_: str) -> None:
    worker = Worker(dev.url)
    began, dropped, noticed = asyncio.Event(), asyncio.Event(), threading.Event()

    @worker.job("slow", type=type_, lease=0.6)
    async def slow(job: Job) -> None:
        began.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            dropped.set()
            raise

    @worker.job("thread", type=type_ + "thread", lease=0.6)
    def in_thread(job: Job) -> None:
        while not job.lost:
            time.sleep(0.01)
        noticed.set()
        job.check()

    async with worker:
        processes = [await start(aclient, type_), await start(aclient, type_ + "thread")]
        await asyncio.wait_for(began.wait(), PATIENCE)

        async def both_leased() -> bool:
            return all(["leased" in await job_history(aclient, process) for process in processes])

        await until(both_leased)
        for process in processes:
            await aclient.cancel(process)
        await asyncio.wait_for(dropped.wait(), PATIENCE)
        assert await asyncio.to_thread(noticed.wait, PATIENCE)


async def test_no_more_at_a_time_than_allowed(dev: Program, aclient: AsyncClient, type_: str) -> None:
    worker = Worker(dev.url, concurrency=3)
    now, most = 0, 0

    @worker.job("counted", type=type_)
    async def counted(job: Job) -> None:
        nonlocal now, most
        now += 1
        most = max(now, most)
        await asyncio.sleep(0.05)
        now -= 1

    processes = [await start(aclient, type_) for _ in range(12)]
    async with worker:
        for process in processes:
            await aclient.ended(process, timeout=PATIENCE)
    assert most == 3


async def test_stopping_ends_what_can_be_ended_and_gives_back_the_rest(
    dev: Program, aclient: AsyncClient, type_: str
) -> None:
    worker = Worker(dev.url, stop_seconds=0.5, name="first")
    begun: list[str] = []

    @worker.job("slow", type=type_, lease=300)
    async def slow(job: Job[float]) -> str:
        begun.append(job.id)
        await asyncio.sleep(job.input)
        return "first"

    short, long = await start(aclient, type_, 0.3), await start(aclient, type_, 60)
    async with worker:

        async def both() -> bool:
            return len(begun) == 2

        await until(both)
    assert (await aclient.ended(short, timeout=PATIENCE))["output"] == "first"
    other = Worker(dev.url, name="second")

    @other.job("slow", type=type_)
    async def quick(job: Job) -> list[Any]:
        return ["second", job.attempt]

    async with other:
        assert (await aclient.ended(long, timeout=PATIENCE))["output"] == ["second", 2]
    assert await job_history(aclient, long) == ["opened", "leased", "released", "leased", "completed"]


async def test_a_worker_goes_on_when_the_server_is_back(tmp_path: Any, type_: str) -> None:
    program = Program("dev")
    try:
        await program.start()
        worker = Worker(program.url)
        go, began = asyncio.Event(), asyncio.Event()

        @worker.job("slow", type=type_)
        async def slow(job: Job) -> str:
            began.set()
            await go.wait()
            return "done"

        async with AsyncClient(program.url, retries=20) as client, worker:
            await client.deploy(
                b"document: {dsl: 1.0.3, namespace: sdk, name: job, version: 1.0.0}\n"
                b"do: [work: {call: 'job:1.0.0@default', with: {type: '${ .type }'}}]"
            )
            process = await start(client, type_)
            await asyncio.wait_for(began.wait(), PATIENCE)
            await program.kill()
            go.set()
            await asyncio.sleep(0.5)
            await program.start()
            assert (await client.ended(process, timeout=PATIENCE))["output"] == "done"
            again = await start(client, type_)
            assert (await client.ended(again, timeout=PATIENCE))["output"] == "done"
    finally:
        await program.close()


async def test_a_worker_that_is_refused_says_so(dev: Program, type_: str) -> None:
    worker = Worker(dev.url.replace("127.0.0.1", "localhost"), token="wrong")

    @worker.job("never", type=type_)
    async def never(job: Job) -> None: ...

    keyed = Program("dev", "--host", "0.0.0.0")
    try:
        await keyed.start()
        worker = Worker(keyed.url, token="wrong")
        worker.job("never", type=type_)(never)
        with pytest.raises((Unauthenticated, Forbidden)):
            await asyncio.wait_for(worker.serve(), PATIENCE)
    finally:
        await keyed.close()


async def test_a_worker_publishes_its_function_and_processes_call_it(dev: Program, aclient: AsyncClient) -> None:
    name = f"charge-{uuid4().hex[:8]}"
    worker = Worker(dev.url)

    @worker.job(name, version="1.2.0")
    async def charge(job: Job[Charge]) -> Receipt:
        return Receipt(f"R-{job.input.order}-{job.input.amount}", job.idempotency_key)

    (published,) = await worker.register_async()
    assert (published["name"], published["version"]) == (name, "1.2.0")
    assert [f["name"] for f in await worker.register_async()] == [name]  # the very same is no conflict
    definition = (
        f"document: {{dsl: '1.0.3', namespace: sdk, name: {name}, version: '1.0.0'}}\n"
        f"do:\n- charge: {{call: '{name}:1.2.0@default', with: '${{ .order }}'}}\n"
    )
    definition = definition.replace("with: '${ .order }'", "with: {order: '${ .order }', amount: '${ .amount }'}")
    await aclient.deploy(definition.encode())
    async with worker:
        good = await aclient.start("sdk", name, input={"order": "A-7", "amount": 3})
        bad = await aclient.start("sdk", name, input={"order": "A-8", "amount": "much"})
        done = await aclient.ended(good["id"], timeout=PATIENCE)
        assert done["output"]["number"] == "R-A-7-3", done
        refused = await aclient.ended(bad["id"], timeout=PATIENCE)
        assert refused["status"] == "faulted"
        assert refused["error"] is not None and refused["error"]["type"].endswith("/validation")
