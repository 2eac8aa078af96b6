"""What operators do while processes run, and services that are asked to stop."""

import asyncio
import signal
import time

from integration import clients, load, reckoning
from integration.api import Api, definition
from integration.invariants import violations
from integration.standin import StandIn
from integration.topology import Topology

STOP_SECONDS_MAX = 10.0

SLOW = definition(
    "slow",
    [
        {
            "first": {
                "call": "http",
                "with": {"method": "post", "endpoint": '${ .service + "/slow/700" }', "body": {"n": 1}},
            }
        },
        {"second": {"set": {"n": "${ .n + 1 }"}}},
    ],
)
FAILS = definition(
    "fails",
    [
        {"note": {"set": "${ . }", "export": {"as": "."}}},
        {
            "both": {
                "fork": {
                    "branches": [
                        {"idle": {"wait": {"seconds": 2}}},
                        {
                            "fetch": {
                                "call": "http",
                                "with": {"method": "post", "endpoint": '${ .service + "/flaky/1" }', "body": {"n": 3}},
                            }
                        },
                    ]
                }
            }
        },
    ],
)


async def test_suspended_nothing_begins_and_answers_are_kept(topology: Topology, api: Api, service: StandIn) -> None:
    name = await api.deploy(SLOW)
    process = (await api.start(name, {"service": service.url}))["id"]
    await service.requested()
    suspended = await api.post(f"/v1/processes/{process}/suspend", {"reason": "look into it"})
    assert suspended["status"] == "suspended"
    assert (await api.call("POST", f"/v1/processes/{process}/suspend")).status == 409
    await topology.gone("select from call where process = $1", process)
    assert (await api.process(process))["status"] == "suspended"
    assert [activity["name"] for activity in await api.activities(process)] == ["first"]
    await api.post(f"/v1/processes/{process}/resume")
    ended = await api.end(process)
    assert (ended["status"], ended["output"]) == ("completed", {"n": 2})
    assert len(service.requests) == 1
    history = await api.history(process)
    reasons = [entry["data"].get("reason") for entry in history if entry["actor"] == "tests"]
    assert "look into it" in reasons


async def test_a_timer_that_ran_out_while_suspended_acts_at_resume(topology: Topology, api: Api) -> None:
    name = await api.deploy(
        definition("naps", [{"nap": {"wait": {"milliseconds": 300}}}, {"up": {"set": {"up": True}}}])
    )
    process = (await api.start(name))["id"]
    await api.waits_for(process, "timer")
    await api.post(f"/v1/processes/{process}/suspend")
    await topology.gone("select from timer where process = $1", process)
    assert (await api.process(process))["status"] == "suspended"
    await api.post(f"/v1/processes/{process}/resume")
    assert (await api.end(process))["output"] == {"up": True}


async def test_cancel_reaches_everything(topology: Topology, api: Api, service: StandIn) -> None:
    await api.deploy(definition("deep", [{"sleep": {"wait": {"days": 1}}}]))
    run = {"run": {"workflow": {"namespace": "test", "name": "deep", "version": "1.0.0"}}}
    name = await api.deploy(
        definition(
            "wide",
            [
                {
                    "all": {
                        "fork": {
                            "branches": [
                                {"child": run},
                                {"person": {"call": "human-task:1.0.0@default", "with": {"title": "?"}}},
                                {"hear": {"listen": {"to": {"one": {"with": {"type": "never"}}}}}},
                                {"back": {"call": "callback:1.0.0@default", "with": {}}},
                                {
                                    "fetch": {
                                        "call": "http",
                                        "with": {"method": "post", "endpoint": '${ .service + "/slow/600" }'},
                                    }
                                },
                            ]
                        }
                    }
                }
            ],
        )
    )
    process = (await api.start(name, {"service": service.url}))["id"]
    await api.waits_for(process, "child")
    await service.requested()
    cancelled = await api.post(f"/v1/processes/{process}/cancel", {"reason": "no longer wanted"})
    assert cancelled["status"] == "cancelled"
    children = await api.items("/v1/processes", parent=process)
    assert [(await api.end(child["id"]))["status"] for child in children] == ["cancelled"]
    statuses = {task["status"] for task in await api.items("/v1/human-tasks", process=process)}
    assert statuses == {"cancelled"}
    assert {activity["status"] for activity in await api.activities(process)} == {"cancelled"}
    assert (await api.call("POST", f"/v1/processes/{process}/cancel")).status == 409
    assert (await api.call("POST", f"/v1/processes/{process}/retry")).status == 409
    assert not await violations(topology.dsn)


async def test_retry_goes_on_where_it_faulted_with_the_same_key(topology: Topology, api: Api, service: StandIn) -> None:
    name = await api.deploy(FAILS)
    process = (await api.start(name, {"service": service.url}))["id"]
    faulted = await api.end(process)
    assert (faulted["status"], faulted["error"]["status"]) == ("faulted", 503)
    before = {activity["name"]: activity for activity in await api.activities(process)}
    assert {name: activity["status"] for name, activity in before.items()} == {
        "note": "completed", "both": "faulted", "idle": "cancelled", "fetch": "faulted"
    }  # fmt: skip
    await api.post(f"/v1/processes/{process}/retry", {"reason": "mended"})
    ended = await api.end(process)
    assert ended["status"] == "completed"
    assert ended["output"][1] == {"n": 3}
    after = {activity["name"]: activity for activity in await api.activities(process)}
    assert {name: (a["id"], a["status"]) for name, a in after.items()} == {
        name: (a["id"], "completed") for name, a in before.items()
    }
    assert (after["fetch"]["attempt"], after["note"]["attempt"]) == (2, 1)
    assert len(service.requests) == 2
    assert len({request.key for request in service.requests}) == 1


async def test_commands_while_a_process_runs(topology: Topology, api: Api) -> None:
    """Suspended and resumed again and again, a busy process still does everything once."""
    loop = {"for": {"in": "[range(60)]"}, "do": [{"nap": {"wait": {"milliseconds": 1}}},
                                                    {"add": {"set": {"n": "${ (.n // 0) + 1 }"}}}]}  # fmt: skip
    name = await api.deploy(definition("busy", [{"loop": loop}]))
    process = (await api.start(name))["id"]
    rounds = 0
    while (await api.process(process))["status"] not in ("completed", "faulted"):
        answer = await api.call("POST", f"/v1/processes/{process}/suspend")
        if answer.status == 200:
            (await api.call("POST", f"/v1/processes/{process}/resume")).expect(200)
            rounds += 1
    ended = await api.end(process)
    assert (ended["status"], ended["output"]) == ("completed", {"n": 60})
    assert rounds > 0
    assert len(await api.activities(process)) == 121


async def test_a_stopped_worker_hands_its_work_back(topology: Topology, api: Api, service: StandIn) -> None:
    """Calls that take longer than the stop may are repeated by others at once, not after the lease."""
    name = await api.deploy(
        definition("long-call", [{"fetch": {"call": "http", "with": {
            "method": "post", "endpoint": '${ .service + "/slow/8000" }', "body": {"n": 1}}}}])
    )  # fmt: skip
    processes = [(await api.start(name, {"service": service.url}))["id"] for _ in range(6)]
    await service.requested(6)
    seconds = await asyncio.gather(*(worker.stop() for worker in topology.workers))
    assert max(seconds) < STOP_SECONDS_MAX
    leased = await topology.fetch("select from call where lease_token is not null")
    assert not leased, "handed back"
    began = time.monotonic()
    await topology.ensure()
    for process in processes:
        assert (await api.end(process))["status"] == "completed"
    assert time.monotonic() - began < 60
    assert len({request.key for request in service.requests}) == 6


async def test_services_stop_cleanly_under_load(topology: Topology, api: Api, service: StandIn) -> None:
    await load.deploy(api)
    processes, said_before = [], [len(program.said) for program in topology.programs]
    async with clients.clerk(api):
        for number, program in enumerate(topology.programs):
            for offset in range(4):
                processes.append(await load.start(api, service, "stops", number * 4 + offset))
            sign = signal.SIGINT if number % 2 else signal.SIGTERM
            assert await program.stop(sign) < STOP_SECONDS_MAX
            await program.start()
        await reckoning.check(api, service, processes, 60)
    assert not await violations(topology.dsn)
    for program, before in zip(topology.programs, said_before, strict=True):
        assert "Traceback" not in program.said[before:].rpartition("is ready at")[0], program.said[-3000:]
