"""Why processes wait, on a real database: what is told is true, what is lost is found, and nothing can get lost."""

import asyncio
from typing import Any

import asyncpg
import pytest

from perdure.runtime.views import ExamineRequest, ProcessView, WhyView

from .conftest import WHO, Platform, World, open_platform

LOOK = ExamineRequest()
REPAIR = ExamineRequest(repair=True)


async def why(platform: Platform, process: ProcessView) -> WhyView:
    return await platform.service.why(WHO, process.id)


async def told(platform: Platform, process: ProcessView) -> None:
    """Once the trail of the process says that it was repaired."""
    async with asyncio.timeout(20):
        while "dev.perdure.process.repaired" not in await platform.history(process):
            await asyncio.sleep(0.01)


async def execute(platform: Platform, *statements: str) -> None:
    """As one transaction, straight on the database, the rules about wake-ups left out."""
    connection = await asyncpg.connect(platform.dsn)
    try:
        async with connection.transaction():
            await connection.execute("set local session_replication_role = replica")
            for statement in statements:
                await connection.execute(statement)
    finally:
        await connection.close()


def waiting_kinds(world: World) -> dict[str, tuple[Any, str, str, str]]:
    """Tasks by a name: what they wait for, the kind of wake-up, and words of the sentence."""
    http = {"method": "get", "endpoint": f"{world.url}/held"}
    return {
        "wait": ({"wait": {"hours": 1}}, "timer", "timer", "at /do/0/wait until"),
        "call": ({"call": "http", "with": http}, "call", "call", "for the http of /do/0/call to be answered"),
        "listen": (
            {"listen": {"to": {"one": {"with": {"type": "paid"}}}}},
            "event",
            "subscription",
            "for an event of type paid at /do/0/listen",
        ),
        "callback": (
            {"call": "callback:1.0.0@default", "with": {"request": {"method": "post", "endpoint": f"{world.url}/p"}}},
            "callback",
            "callback",
            "for the callback of /do/0/callback; its request was answered 200 by 127.0.0.1:",
        ),
        "person": (
            {"call": "human-task:1.0.0@default", "with": {"title": "Ship?", "candidateGroups": ["dispatch"]}},
            "human-task",
            "human-task",
            "for a person to decide /do/0/person (Ship?); open to group dispatch",
        ),
        "job": (
            {"call": "job:1.0.0@default", "with": {"type": "charge"}},
            "job",
            "job",
            "for an external worker to do the job charge of /do/0/job; no worker has asked for it yet",
        ),
        "child": (
            {"run": {"workflow": {"namespace": "test", "name": "wait", "version": "1.0.0"}}},
            "child",
            "child",
            "(test/wait) of /do/0/child to end; which is waiting",
        ),
        "retry": (
            {
                "try": [{"no": {"raise": {"error": {"type": "http://e", "status": 500, "detail": "no"}}}}],
                "catch": {"retry": {"delay": {"hours": 1}, "limit": {"attempt": {"count": 3}}}},
            },
            "retry",
            "timer",
            "to try /do/0/retry again",
        ),
    }


async def test_why_names_what_wakes_each_process(platform: Platform, world: World) -> None:
    world.held["/held"] = asyncio.Event()
    kinds = waiting_kinds(world)
    for name, (task, *_) in kinds.items():
        await platform.deploy(name, [{name: task}], timeout={"after": {"days": 2}})
    started = {name: await platform.start(name) for name in kinds}
    for name, (_, reason, wake_up, words) in kinds.items():
        await platform.waiting(started[name], reason)
        if name == "callback":
            await platform.until(started[name], lambda view: len(world.of("/p")) == 1)
            while "answered" not in (await why(platform, started[name])).sentence.replace("not been answered", ""):
                await asyncio.sleep(0.01)
        if name == "child":  # it begins when it gets to
            (child,) = await platform.children(started[name])
            await platform.until(child, lambda view: view.status == "waiting")
        found = await why(platform, started[name])
        (wait,) = found.waits
        assert [one.kind for one in wait.wake_ups] == [wake_up], name
        assert words in found.sentence, name
        assert "times out 2" in found.sentence, name
    for name in ("call", "child"):
        assert (await platform.service.command(WHO, started[name].id, "suspend", "stock-taking")).status == "suspended"
        assert f"Suspended by {WHO.name}" in (await why(platform, started[name])).sentence
    assert (await platform.service.examine(WHO, LOOK)).findings == ()


async def test_an_ended_process_says_how(platform: Platform) -> None:
    done = await platform.run("done", [{"set": {"set": {"a": 1}}}])
    assert (await why(platform, done)).sentence.startswith("It has completed")
    fault = {"raise": {"error": {"type": "http://e", "status": 500, "detail": "no stock"}}}
    faulted = await platform.run("faulted", [{"no": fault}])
    assert "at /do/0/no: no stock (500). perdure retry" in (await why(platform, faulted)).sentence


@pytest.mark.parametrize(
    "statement",
    [
        "delete from timer",
        "update process set waiting = null",
        "update process set ended_at = null, status = 'waiting'",
    ],
)
async def test_the_database_keeps_no_process_that_nothing_would_wake(platform: Platform, statement: str) -> None:
    await platform.run("done", [{"a": {"set": {"a": 1}}}])
    await platform.deploy("wait", [{"wait": {"wait": {"hours": 1}}}])
    await platform.waiting(await platform.start("wait"), "timer")
    connection = await asyncpg.connect(platform.dsn)
    try:
        with pytest.raises(asyncpg.CheckViolationError, match="nothing is recorded that ends"):
            await connection.execute(statement)
    finally:
        await connection.close()


async def test_the_doctor_repairs_what_follows_from_the_state(database: str, world: World) -> None:
    async with open_platform(database, sweep_seconds=1000) as platform:
        kinds = waiting_kinds(world)
        processes = {}
        for name in ("wait", "listen", "callback"):
            task, reason, *_ = kinds[name]
            if name == "callback":
                task = {"call": "callback:1.0.0@default", "with": {}}
            await platform.deploy(name, [{name: task}])
            processes[name] = await platform.waiting(await platform.start(name), reason)
        await execute(platform, "delete from timer", "delete from subscription", "delete from callback")
        found = await platform.service.examine(WHO, LOOK)
        assert {one.process: [m.split()[0] for m in one.missing] for one in found.findings} == {
            processes["wait"].id: ["timer"],
            processes["listen"].id: ["subscription"],
            processes["callback"].id: ["callback"],
        }
        assert not any(one.repaired for one in found.findings)
        assert "nothing is recorded" in (await why(platform, processes["listen"])).sentence
        found = await platform.service.examine(WHO, REPAIR)
        assert [one.repaired for one in found.findings] == [True] * 3
        for process in processes.values():
            await told(platform, process)
        assert (await platform.service.examine(WHO, LOOK)).findings == ()
        assert await platform.stranded() == []


async def test_another_timer_is_not_taken_for_the_one_that_is_lost(database: str) -> None:
    async with open_platform(database, sweep_seconds=1000) as platform:
        await platform.deploy("wait", [{"wait": {"wait": {"hours": 1}}}], timeout={"after": {"days": 2}})
        process = await platform.waiting(await platform.start("wait"), "timer")
        await execute(platform, "delete from timer where purpose = 'wait'")
        (wait,) = (await why(platform, process)).waits
        assert wait.wake_ups == ()
        (finding,) = (await platform.service.examine(WHO, REPAIR)).findings
        assert len(finding.missing) == 1
        await told(platform, process)
        (wait,) = (await why(platform, process)).waits
        assert [one.kind for one in wait.wake_ups] == ["timer"]


async def test_a_state_that_cannot_be_read_keeps_no_other_from_being_examined(database: str) -> None:
    async with open_platform(database, sweep_seconds=1000) as platform:
        await platform.deploy("wait", [{"wait": {"wait": {"hours": 1}}}])
        unreadable, lost = [await platform.waiting(await platform.start("wait"), "timer") for _ in range(2)]
        await execute(
            platform,
            f"update process set state = '\\x00' where id = '{unreadable.id}'",
            f"delete from timer where process = '{lost.id}'",
        )
        assert " at /do/0/wait until " in (await why(platform, unreadable)).sentence
        first, second = (await platform.service.examine(WHO, REPAIR)).findings
        assert (first.process, first.repaired, first.missing) == (unreadable.id, False, ())
        assert "can't be read" in first.explanation
        assert (second.process, second.repaired) == (lost.id, True)


async def test_a_process_that_is_put_off_says_so(database: str) -> None:
    async with open_platform(database, working=False) as platform:
        await platform.deploy("wait", [{"wait": {"wait": {"hours": 1}}}])
        process = await platform.start("wait")
        await execute(
            platform,
            "update process set started_at = now()",
            "update inbox set recorded_at = now() + interval '30 seconds'",
        )
        assert "No worker could take in what has happened to it" in (await why(platform, process)).sentence
        await execute(platform, "update inbox set recorded_at = now() - interval '30 seconds'")
        assert "for a worker to take in what has happened to it" in (await why(platform, process)).sentence


async def test_the_end_of_a_child_is_told_again(database: str) -> None:
    async with open_platform(database, sweep_seconds=1000) as platform:
        await platform.deploy("wait", [{"wait": {"wait": {"hours": 1}}}])
        run = {"run": {"workflow": {"namespace": "test", "name": "wait", "version": "1.0.0"}}}
        await platform.deploy("parent", [{"child": run}])
        parent = await platform.waiting(await platform.start("parent"), "child")
        (child,) = await platform.children(parent)
        await execute(
            platform,
            f"update process set status = 'completed', ended_at = now(), output = input where id = '{child.id}'",
            "delete from timer",
        )
        (finding,) = (await platform.service.examine(WHO, REPAIR)).findings
        assert (finding.process, finding.repaired) == (parent.id, True)
        assert (await platform.ended(parent)).output == {}


async def test_what_is_gone_begins_anew_when_an_operator_says_so(database: str, world: World) -> None:
    world.held["/held"] = asyncio.Event()
    async with open_platform(database, sweep_seconds=1000) as platform:
        task, reason, *_ = waiting_kinds(world)["call"]
        await platform.deploy("call", [{"call": task}])
        process = await platform.waiting(await platform.start("call"), reason)
        while not world.of("/held"):
            await asyncio.sleep(0.01)
        await execute(platform, "delete from call")
        (finding,) = (await platform.service.examine(WHO, REPAIR)).findings
        assert not finding.repaired and "--restart" in finding.explanation
        asked = ExamineRequest(process=process.id, restart=True)
        (finding,) = (await platform.service.examine(WHO, asked)).findings
        assert finding.repaired
        world.held.pop("/held").set()
        ended = await platform.ended(process)
        assert ended.status == "completed"
        assert len({key for _, _, key, _ in world.of("/held")}) == 1


async def test_workers_repair_on_their_rounds(database: str) -> None:
    async with open_platform(database, sweep_seconds=1000) as platform:
        await platform.deploy("wait", [{"wait": {"wait": {"hours": 1}}}])
        process = await platform.waiting(await platform.start("wait"), "timer")
        await execute(platform, "delete from timer")
        assert await platform.stranded() == [process.id]
        await platform.worker._sweeper.check_up()
        await told(platform, process)
        assert await platform.stranded() == []
