"""The happy paths of the distributed form: two APIs, three workers, real servers."""

import asyncio
import json

import aio_pika

from integration import clients, load, reckoning
from integration.api import Api, definition, reference
from integration.invariants import violations
from integration.standin import StandIn
from integration.topology import Topology

KINDS = definition(
    "kinds",
    [
        {"note": {"set": "${ . }", "export": {"as": "."}}},
        {"skip": {"if": "false", "set": {"reached": True}}},
        {"choose": {"switch": [{"small": {"when": ".n < 10", "then": "ask"}}, {"other": {"then": "end"}}]}},
        {"never": {"set": {"reached": True}}},
        {
            "ask": {
                "call": "http",
                "with": {"method": "post", "endpoint": '${ .service + "/echo" }', "body": {"n": "${ .n }"}},
            }
        },
        {"all": {"do": [{"nap": {"wait": {"milliseconds": 10}}}]}},
        {"loop": {"for": {"each": "i", "in": "[1, 2]"}, "do": [{"add": {"set": {"n": "${ .n + $i }"}}}]}},
        {
            "race": {
                "fork": {
                    "compete": True,
                    "branches": [{"idle": {"wait": {"days": 9}}}, {"quick": {"set": {"n": "${ .n }"}}}],
                }
            }
        },
        {
            "attempt": {
                "try": [{"fail": {"raise": {"error": {"type": "https://errors.test/x", "status": 500}}}}],
                "catch": {"do": [{"handle": {"set": {"n": "${ .n * 10 }"}}}]},
            }
        },
        {
            "tell": {
                "emit": {"event": {"with": {"source": "urn:kinds", "type": "kinds.told", "data": {"n": "${ .n }"}}}},
                "output": {"as": "$input"},
            }
        },
        {
            "hear": {
                "listen": {
                    "to": {
                        "one": {
                            "with": {"type": "kinds.reply"},
                            "correlate": {"id": {"from": ".data.id", "expect": "${ $workflow.id }"}},
                        }
                    }
                },
                "output": {"as": ".[0]"},
            }
        },
        {
            "run": {
                "run": {
                    "workflow": {"namespace": "load", "name": "double", "version": "1.0.0", "input": {"n": "${ .n }"}}
                }
            }
        },
        {"person": {"call": "human-task:1.0.0@default", "with": {"title": "Look"}, "output": {"as": "$input"}}},
        {
            "outside": {
                "call": "callback:1.0.0@default",
                "with": {
                    "request": {
                        "method": "post",
                        "endpoint": '${ $context.service + "/call-back-first" }',
                        "body": {"url": "${ $callback.url }", "answer": 5},
                    }
                },
            }
        },
    ],
)


async def test_all_kinds_of_task_through_both_apis(topology: Topology, api: Api, service: StandIn) -> None:
    await load.deploy(api)
    name = await api.deploy(KINDS)
    process = (await api.start(name, {"n": 4, "service": service.url}, key="kinds", tags={"team": "red"}))["id"]
    await api.waits_for(process, "event")
    await api.emit("kinds.reply", {"id": process, "n": 6}, id=f"reply-{process}")
    await api.waits_for(process, "human-task")
    task = (await api.items("/v1/human-tasks", process=process))[0]
    await api.post(f"/v1/human-tasks/{task['id']}/complete", {"user": "ada", "outcome": "approved", "comment": "seen"})
    ended = await api.end(process)
    assert (ended["status"], ended["output"]) == ("completed", {"answer": 5})
    seen = {(activity["name"], activity["status"]) for activity in await api.activities(process)}
    assert {("skip", "skipped"), ("idle", "cancelled"), ("fail", "faulted"), ("handle", "completed")} <= seen
    assert "never" not in {name for name, _ in seen}
    assert [request.key for request in service.requests] == [
        f"{process}/{activity['id']}"
        for activity in await api.activities(process)
        if activity["name"] in ("ask", "outside")
    ]
    for number in range(len(topology.apis)):
        async with topology.client(number) as one:
            assert await one.process(process) == ended
            history = await one.history(process)
            assert [entry["sequence"] for entry in history] == list(range(1, len(history) + 1))
            assert {entry["actor"] for entry in history} >= {"tests", "perdure"}
            assert any("ada" in (entry["actor"], *map(str, entry["data"].values())) for entry in history)


async def test_lists_filters_and_pages(topology: Topology, api: Api) -> None:
    name = await api.deploy(definition("listed", [{"one": {"set": {"n": 1}}}], namespace="lists"))
    started = [
        (await api.start(name, key=f"k{number % 3}", tags={"parity": str(number % 2), "all": "yes"}))["id"]
        for number in range(12)
    ]
    for process in started:
        await api.end(process)
    newest_first = list(reversed(started))

    async def ids(**query: str) -> list[str]:
        return [process["id"] for process in await api.items("/v1/processes", namespace="lists", **query)]

    assert await ids() == newest_first
    assert await ids(key="k1") == [p for n, p in reversed(list(enumerate(started))) if n % 3 == 1]
    assert await ids(**{"tag.parity": "1"}) == [p for n, p in reversed(list(enumerate(started))) if n % 2]
    assert await ids(**{"tag.parity": "1", "tag.all": "no"}) == []
    assert await ids(status="completed", name="listed", version="1.0.0") == newest_first
    assert await ids(status="running") == []
    found: list[str] = []
    cursor: str | None = None
    while True:
        query = {"cursor": cursor} if cursor else {}
        page = await api.get("/v1/processes", namespace="lists", limit=5, **query)
        found += [process["id"] for process in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
        assert len(page["items"]) == 5
    assert found == newest_first


async def test_the_live_stream_from_both_apis_and_from_the_middle(topology: Topology, api: Api) -> None:
    name = await api.deploy(
        definition(
            "streamed",
            [{"hold": {"listen": {"to": {"one": {"with": {"type": "stream.go"}}}}}}, {"end": {"set": {"n": 1}}}],
        )
    )
    process = (await api.start(name))["id"]

    async def watch(number: int) -> list[dict[str, object]]:
        async with topology.client(number) as one:
            return [entry async for entry in one.stream(process)]

    watching = [asyncio.create_task(watch(number)) for number in range(len(topology.apis))]
    await api.waits_for(process, "event")
    await api.emit("stream.go", id=f"go-{process}")
    async with asyncio.timeout(30):
        streams = await asyncio.gather(*watching)
    history = await api.history(process)
    for stream in streams:
        assert [int(str(entry["id"])) for entry in stream] == [entry["sequence"] for entry in history]
        assert [entry["event"] for entry in stream] == [entry["type"] for entry in history]
        assert [entry["data"] for entry in stream] == history
    rest = [entry async for entry in api.stream(process, after=3)]
    assert [int(entry["id"]) for entry in rest] == [entry["sequence"] for entry in history[3:]]


async def test_events_come_in_and_go_out_by_the_exchanges(topology: Topology, api: Api) -> None:
    echo = definition(
        "echo",
        [
            {"hear": {"listen": {"to": {"one": {"with": {"type": "amqp.in"}}}}, "output": {"as": ".[0]"}}},
            {"tell": {"emit": {"event": {"with": {"source": "urn:echo", "type": "amqp.out", "data": "${ . }"}}}}},
        ],
    )
    name = await api.deploy(echo)
    structured = (await api.start(name))["id"]
    connection = await aio_pika.connect(topology.rabbit.url)
    async with connection:
        channel = await connection.channel()
        outgoing = await channel.get_exchange("perdure.events")
        queue = await channel.declare_queue(exclusive=True)
        await queue.bind(outgoing, routing_key="amqp.out")
        incoming = await channel.get_exchange("perdure.events.in")
        await api.waits_for(structured, "event")
        event = {"specversion": "1.0", "id": "a1", "source": "urn:a", "type": "amqp.in", "data": {"n": 1}}
        await incoming.publish(
            aio_pika.Message(json.dumps(event).encode(), content_type="application/cloudevents+json"), "amqp.in"
        )
        await api.end(structured)
        binary = (await api.start(name))["id"]
        await api.waits_for(binary, "event")
        headers = {
            "cloudEvents:specversion": "1.0",
            "cloudEvents:id": "a2",
            "cloudEvents:source": "urn:a",
            "cloudEvents:type": "amqp.in",
        }
        await incoming.publish(
            aio_pika.Message(b'{"n": 2}', content_type="application/json", headers=headers), "amqp.in"
        )
        await api.end(binary)
        data = []
        for _ in range(2):
            message = await queue.get(timeout=10, fail=False)
            while message is None:
                message = await queue.get(timeout=10, fail=False)
            assert message.content_type.startswith("application/cloudevents+json")
            assert message.routing_key == "amqp.out"
            told = json.loads(message.body)
            assert (told["type"], told["source"], told["specversion"]) == ("amqp.out", "urn:echo", "1.0")
            data.append(told["data"])
            await message.ack()
        assert data == [{"n": 1}, {"n": 2}]


async def test_batches_of_starts(topology: Topology, api: Api) -> None:
    name = await api.deploy(definition("batched", [{"one": {"set": {"n": "${ .n + 1 }"}}}]))
    bodies = [{"definition": reference(name), "input": {"n": n}} for n in range(200)]
    bodies[7] = {"definition": {"namespace": "test", "name": "no-such"}}
    answer = await api.post("/v1/processes/batch", {"processes": bodies})
    results = answer["items"] if isinstance(answer, dict) else answer
    assert results[7]["error"]["status"] == 404
    ended = [await api.end(item["process"]["id"]) for n, item in enumerate(results) if n != 7]
    assert [process["output"]["n"] for process in ended] == [n + 1 for n in range(200) if n != 7]


async def test_who_has_no_key_gets_nothing(topology: Topology, api: Api) -> None:
    for key in (None, "wrong"):
        async with Api(topology.apis[0].url, key=key) as stranger:
            for path in ("/v1/processes", "/v1/definitions", "/v1/human-tasks"):
                answer = await stranger.call("GET", path)
                assert answer.status == 401
                assert answer.headers["Content-Type"].startswith("application/problem+json")
            assert (await stranger.call("GET", "/healthz")).status == 200
            assert (await stranger.call("GET", "/openapi.json")).status == 200
            assert (await stranger.call("POST", "/v1/callbacks/nobody-knows-it", {})).status == 404


async def test_health_and_metrics_everywhere(topology: Topology, api: Api) -> None:
    for program in topology.programs:
        async with Api(program.url, key=topology.key) as client:
            for path in ("/healthz", "/readyz", "/metrics"):
                answer = await client.call("GET", path)
                assert answer.status == 200, (program.arguments, path, answer)
            assert b"perdure_steps_total" in answer.body


async def test_an_order_among_others_and_nothing_is_violated(topology: Topology, api: Api, service: StandIn) -> None:
    await load.deploy(api)
    processes = await asyncio.gather(*(load.start(api, service, "calm", number) for number in range(20)))
    async with clients.clerk(api):
        await reckoning.check(api, service, list(processes), 60)
    assert not await violations(topology.dsn)
    assert len(service.requests) == 20 * (len(load.CALLS) + 1), "in calm times nothing is repeated but the failure"
