"""Jobs on the distributed form: worker programs that die, late answers, two APIs."""

import asyncio
import random
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from integration.api import Api, definition
from integration.invariants import violations
from integration.topology import Topology

SCRIPT = Path(__file__).with_name("job_worker.py")
JOB = {"call": "job:1.0.0@default", "with": {"type": "${ .type }", "input": "${ . }", "lease": {"seconds": 60}}}


async def deploy(api: Api) -> str:
    return await api.deploy(definition("jobs", [{"work": JOB}]))


async def activate(api: Api, type_: str, **more: object) -> list[dict]:
    answer = await api.insist("POST", "/v1/jobs/activate", {"type": type_, **more})
    return answer.expect(200)["jobs"]


async def refused(api: Api, job: dict, action: str, **body: object) -> int:
    return (await api.call("POST", f"/v1/jobs/{job['id']}/{action}", {"lease": job["lease"]["token"], **body})).status


async def begin(topology: Topology, type_: str, lease: float) -> asyncio.subprocess.Process:
    """A worker program at one of the APIs."""
    url = topology.apis[begin.turn % len(topology.apis)].url
    begin.turn += 1
    return await asyncio.create_subprocess_exec(
        sys.executable, str(SCRIPT), url, topology.key, type_, str(lease), stdout=asyncio.subprocess.DEVNULL
    )


begin.turn = 0


async def kill(program: asyncio.subprocess.Process) -> None:
    if program.returncode is None:
        program.kill()
    await program.wait()


async def test_the_job_of_a_killed_worker_goes_to_another(topology: Topology, api: Api) -> None:
    name = await deploy(api)
    process = (await api.start(name, {"type": "killed", "number": 1, "seconds": 0}))["id"]
    # This worker says nothing more after it has taken the job.
    (lost,) = await activate(api, "killed", lease=1.5, wait=20, worker="the killed")
    first = await begin(topology, "killed", 1.5)
    try:
        ended = await api.end(process)
    finally:
        await kill(first)
    assert ended["status"] == "completed" and ended["output"]["attempt"] == 2
    for action, body in (("complete", {"output": "late"}), ("fail", {"error": "late"}), ("heartbeat", {})):
        assert await refused(api, lost, action, **body) == 409
    types = [entry["type"].rpartition(".")[2] for entry in await api.history(process) if ".job." in entry["type"]]
    assert types == ["opened", "leased", "lease-ended", "leased", "completed"]
    assert (await api.process(process))["output"]["attempt"] == 2


async def test_a_worker_program_killed_in_mid_job(topology: Topology, api: Api) -> None:
    name = await deploy(api)
    first = await begin(topology, "mid", 1)
    second = None
    try:
        process = (await api.start(name, {"type": "mid", "number": 1, "seconds": 2}))["id"]
        deadline = time.monotonic() + 30
        while not any(entry["type"] == "dev.perdure.job.leased" for entry in await api.history(process)):
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)
        await kill(first)
        second = await begin(topology, "mid", 1)
        ended = await api.end(process)
        assert ended["output"]["attempt"] >= 2
    finally:
        await kill(first)
        if second:
            await kill(second)


async def test_a_waiting_worker_hears_of_a_job_at_once_at_any_api(topology: Topology) -> None:
    async with topology.client(0) as one, topology.client(1) as other:
        name = await deploy(one)
        took = []
        for number in range(10):
            waiting = asyncio.create_task(activate(other, "prompt", wait=30, lease=30))
            await asyncio.sleep(0.3)
            began = time.monotonic()
            process = (await one.start(name, {"type": "prompt", "number": number, "seconds": 0}))["id"]
            (job,) = await waiting
            took.append(time.monotonic() - began)
            assert await refused(one, job, "complete", output=number) == 200
            assert (await one.end(process))["output"] == number
    assert sorted(took)[5] < 0.5, took


@pytest.mark.parametrize("count", [100, pytest.param(1000, marks=pytest.mark.long)])
async def test_each_job_is_recorded_once_while_workers_die(topology: Topology, api: Api, count: int) -> None:
    name = await deploy(api)
    type_ = f"many-{count}"
    chance = random.Random(count)
    programs = [await begin(topology, type_, 2) for _ in range(3)]
    stop = asyncio.Event()

    async def harm() -> None:
        while not stop.is_set():
            try:
                async with asyncio.timeout(chance.uniform(1.0, 3.0)):
                    await stop.wait()
            except TimeoutError:
                victim = chance.randrange(3)
                await kill(programs[victim])
                programs[victim] = await begin(topology, type_, 2)

    harming = asyncio.create_task(harm())
    try:
        started = []
        for number in range(count):
            input_ = {"type": type_, "number": number, "seconds": chance.choice((0, 0.05, 0.3))}
            if number % (count // 4) == 0:
                input_["held"] = True  # only a kill ends its first attempt: a quick machine too sees one lost
            started.append((await api.start(name, input_, idempotency_key=f"{type_}-{number}"))["id"])
        outputs = [(await api.end(process, 180))["output"] for process in started]
    finally:
        stop.set()
        await harming
        await asyncio.gather(*(kill(program) for program in programs))
    assert [output["number"] for output in outputs] == list(range(count))
    completed = Counter()
    for process in started:
        completed[sum(e["type"] == "dev.perdure.job.completed" for e in await api.history(process))] += 1
    assert completed == {1: count}
    assert all(output["attempt"] > 1 for output in outputs[:: count // 4])
    assert not await violations(topology.dsn)
