"""The same thing at the same instant: it happens once."""

import asyncio
import json
from collections import Counter
from uuid import uuid4

from integration.api import Api, definition, reference
from integration.standin import StandIn
from integration.topology import Topology

NOOP = definition("noop", [{"one": {"set": {"n": 1}}}])
HOLD = definition("hold", [{"hold": {"wait": {"days": 30}}}])
CALLBACK = definition(
    "called-back",
    [
        {
            "ask": {
                "call": "callback:1.0.0@default",
                "with": {
                    "request": {
                        "method": "post",
                        "endpoint": '${ .service + "/echo" }',
                        "body": {"url": "${ $callback.url }"},
                    }
                },
            }
        }
    ],
)
PAID = {"with": {"type": "race.paid"}, "correlate": {"order": {"from": ".data.order", "expect": "${ .order }"}}}


async def test_one_idempotency_key_on_two_apis_is_one_process(topology: Topology, api: Api) -> None:
    name = await api.deploy(NOOP)
    async with topology.client(0) as one, topology.client(1) as two:
        for round_ in range(10):
            key = f"once-{round_}-{uuid4()}"
            body = {"definition": reference(name), "input": {"round": round_}}
            answers = await asyncio.gather(
                *(
                    client.call("POST", "/v1/processes", body, headers={"Idempotency-Key": key})
                    for client in (one, two) * 3
                )
            )
            assert Counter(answer.status for answer in answers) == {201: 1, 200: 5}
            assert len({answer.json["id"] for answer in answers}) == 1
            other = await two.call("POST", "/v1/processes", {**body, "input": 1}, headers={"Idempotency-Key": key})
            assert other.status == 422


async def test_one_business_key_where_conflicts_are_refused(topology: Topology, api: Api) -> None:
    name = await api.deploy(HOLD)
    for policy, expected in (("existing", {201: 1, 200: 5}), ("reject", {201: 1, 409: 5})):
        body = {"definition": reference(name), "key": f"{policy}-{uuid4()}", "onConflict": policy}
        answers = await asyncio.gather(*(api.call("POST", "/v1/processes", body) for _ in range(6)))
        assert Counter(answer.status for answer in answers) == expected
        started = next(answer.json["id"] for answer in answers if answer.status == 201)
        await api.post(f"/v1/processes/{started}/cancel")


async def test_a_callback_five_times_at_once_is_one_result(topology: Topology, api: Api, service: StandIn) -> None:
    name = await api.deploy(CALLBACK)
    process = (await api.start(name, {"service": service.url}))["id"]
    await api.waits_for(process, "callback")
    await service.requested()
    path = "/v1/callbacks/" + service.requests[0].body["url"].rpartition("/")[2]
    async with topology.client(0) as one, topology.client(1) as two:
        same = await asyncio.gather(*(client.call("POST", path, {"paid": 1}) for client in (one, two, one, two, one)))
        assert [answer.status for answer in same] == [200] * 5
        assert (await one.call("POST", path, {"paid": 2})).status == 409
    ended = await api.end(process)
    assert ended["output"] == {"paid": 1}
    assert (await api.call("POST", path, {"paid": 1})).status == 200
    assert (await api.call("POST", path, {"paid": 2})).status == 409
    history = await api.history(process)
    assert sum("callback" in entry["type"] and "received" in entry["type"] for entry in history) <= 1
    assert len(await api.activities(process)) == 1


async def test_five_different_callbacks_at_once_have_one_winner(topology: Topology, api: Api, service: StandIn) -> None:
    name = await api.deploy(CALLBACK)
    process = (await api.start(name, {"service": service.url}))["id"]
    await service.requested()
    path = "/v1/callbacks/" + service.requests[0].body["url"].rpartition("/")[2]
    answers = await asyncio.gather(*(api.call("POST", path, {"n": n}) for n in range(5)))
    assert Counter(answer.status for answer in answers) == {200: 1, 409: 4}
    winner = next(n for n, answer in enumerate(answers) if answer.status == 200)
    assert (await api.end(process))["output"] == {"n": winner}


async def test_the_same_event_twice_has_one_effect(topology: Topology, api: Api) -> None:
    two = {"any": [{"with": {"type": "race.twice"}}], "until": ". | length == 2"}
    name = await api.deploy(definition("twice", [{"hear": {"listen": {"to": two}}}]))
    process = (await api.start(name))["id"]
    await api.waits_for(process, "event")
    mark = str(uuid4())
    await asyncio.gather(*(api.emit("race.twice", {"n": 1}, id=f"{mark}-1") for _ in range(5)))
    await api.emit("race.twice", {"n": 2}, id=f"{mark}-2")
    ended = await api.end(process)
    assert sorted(item["n"] for item in ended["output"]) == [1, 2]


async def test_an_event_reaches_every_process_that_listens(topology: Topology, api: Api) -> None:
    name = await api.deploy(
        definition("all-hear", [{"hear": {"listen": {"to": {"one": {"with": {"type": "race.all"}}}}}}])
    )
    processes = [(await api.start(name))["id"] for _ in range(20)]
    for process in processes:
        await api.waits_for(process, "event")
    await api.emit("race.all", {"n": 1}, id=str(uuid4()))
    assert [(await api.end(process))["output"] for process in processes] == [[{"n": 1}]] * 20


async def test_a_reply_that_comes_before_the_listen_is_not_lost(topology: Topology, api: Api) -> None:
    """The process is in a wait when its reply comes; the correlated `listen` looks back for it."""
    name = await api.deploy(
        definition(
            "looks-back",
            [
                {"note": {"set": "${ . }", "export": {"as": "."}}},
                {"busy": {"listen": {"to": {"one": {"with": {"type": "race.begin"}}}}, "output": {"as": "$context"}}},
                {"hear": {"listen": {"to": {"one": PAID}}}},
            ],
        )
    )
    order = str(uuid4())
    process = (await api.start(name, {"order": order}))["id"]
    await api.waits_for(process, "event")
    await api.emit("race.paid", {"order": order, "early": True}, id=f"paid-{order}")
    await api.emit("race.begin", id=f"begin-{order}")
    assert (await api.end(process))["output"] == [{"order": order, "early": True}]


async def test_an_uncorrelated_listen_does_not_look_back(topology: Topology, api: Api) -> None:
    name = await api.deploy(
        definition(
            "looks-ahead",
            [
                {"first": {"listen": {"to": {"one": {"with": {"type": "race.first"}}}}}},
                {"second": {"listen": {"to": {"one": {"with": {"type": "race.second"}}}}}},
            ],
        )
    )
    process = (await api.start(name))["id"]
    await api.waits_for(process, "event")
    mark = str(uuid4())
    await api.emit("race.second", {"n": "early"}, id=f"{mark}-early")
    await api.emit("race.first", id=f"{mark}-first")
    while len(await api.activities(process)) < 2:
        await asyncio.sleep(0.02)
    await api.waits_for(process, "event")
    await api.emit("race.second", {"n": "late"}, id=f"{mark}-late")
    assert (await api.end(process))["output"] == [{"n": "late"}]


async def test_one_task_completed_by_many_at_once(topology: Topology, api: Api) -> None:
    name = await api.deploy(
        definition("decide", [{"ask": {"call": "human-task:1.0.0@default", "with": {"title": "?"}}}])
    )
    process = (await api.start(name))["id"]
    await api.waits_for(process, "human-task")
    task = (await api.items("/v1/human-tasks", process=process))[0]["id"]
    answers = await asyncio.gather(
        *(
            api.call("POST", f"/v1/human-tasks/{task}/complete", {"user": f"user{n}", "outcome": outcome})
            for n, outcome in enumerate(("approved", "rejected") * 3)
        )
    )
    assert Counter(answer.status for answer in answers) == {200: 1, 409: 5}
    winner = next(n for n, answer in enumerate(answers) if answer.status == 200)
    ended = await api.end(process)
    assert ended["output"]["completedBy"] == f"user{winner}"


async def test_five_batches_of_the_same_event_over_http(topology: Topology, api: Api) -> None:
    """The batched mode, with a repeat within the batch."""
    name = await api.deploy(
        definition(
            "batch", [{"hear": {"listen": {"to": {"any": [{"with": {"type": "race.b"}}], "until": "length == 3"}}}}]
        )
    )
    process = (await api.start(name))["id"]
    await api.waits_for(process, "event")
    mark = str(uuid4())
    events = [
        {"specversion": "1.0", "id": f"{mark}-{n % 3}", "source": "urn:b", "type": "race.b", "data": n % 3}
        for n in range(6)
    ]
    for _ in range(5):
        answer = await api.call(
            "POST",
            "/v1/events",
            json.dumps(events).encode(),
            headers={"Content-Type": "application/cloudevents-batch+json"},
        )
        assert answer.status == 202
    assert sorted((await api.end(process))["output"]) == [0, 1, 2]
