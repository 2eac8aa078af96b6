"""Schedules over the real platform."""

import asyncio

import pytest
from live import live

DEFINITION = """
document:
  dsl: 1.0.3
  namespace: shop
  name: billing
  version: 1.0.0
  metadata: {perdure: {schedule: {timezone: Europe/Berlin, overlap: skip}}}
schedule:
  cron: 30 2 * * *
do:
  - bill: {set: {got: "${ . }"}}
"""


@pytest.fixture
async def client(database):
    async with live(database) as opened:
        yield opened


async def deploy(client, text=DEFINITION):
    answer = await client.post("/v1/definitions", data=text, headers={"Content-Type": "application/yaml"})
    return answer.status, await answer.json()


async def get(client, path):
    answer = await client.get(path)
    return answer.status, await answer.json()


async def post(client, path, body=None):
    answer = await client.post(path, json=body) if body is not None else await client.post(path)
    return answer.status, await answer.json()


async def test_operators_act_on_a_schedule(client):
    assert (await deploy(client))[0] == 201
    status, page = await get(client, "/v1/schedules")
    assert status == 200
    (schedule,) = page["items"]
    path = f"/v1/schedules/{schedule['id']}"
    assert await get(client, path) == (200, schedule)
    assert schedule["definition"] == {"namespace": "shop", "name": "billing", "version": "1.0.0"}
    assert {name: schedule[name] for name in ("kind", "expression", "timezone", "overlap", "catchUp", "paused")} == {
        "kind": "cron",
        "expression": "30 2 * * *",
        "timezone": "Europe/Berlin",
        "overlap": "skip",
        "catchUp": "latest",
        "paused": False,
    }
    assert schedule["next"][11:19] in ("00:30:00", "01:30:00")
    assert schedule["last"] is None

    status, paused = await post(client, f"{path}/pause", {"reason": "holidays"})
    assert (status, paused["paused"], paused["next"]) == (200, True, None)
    assert (await post(client, f"{path}/pause"))[0] == 409
    status, resumed = await post(client, f"{path}/resume")
    assert (status, resumed["paused"], resumed["next"]) == (200, False, schedule["next"])
    assert (await post(client, f"{path}/resume"))[0] == 409

    status, process = await post(client, f"{path}/trigger", {"input": {"month": 11}})
    assert status == 201
    assert process["tags"]["perdure.schedule"] == schedule["id"]
    _, ended = await get(client, f"/v1/processes/{process['id']}?wait=20")
    assert ended["output"] == {"got": {"month": 11}}

    status, made = await post(
        client, f"{path}/backfill", {"from": "2026-03-28T12:00:00Z", "to": "2026-03-31T12:00:00Z"}
    )
    assert (status, made["started"], made["already"]) == (200, 3, 0)
    _, found = await get(client, f"/v1/processes?tag.perdure.startedBy=backfill&tag.perdure.schedule={schedule['id']}")
    assert sorted(item["tags"]["perdure.tick"] for item in found["items"]) == [
        "2026-03-29T01:00:00Z",  # 02:30 does not exist that night; it comes right after the gap
        "2026-03-30T00:30:00Z",
        "2026-03-31T00:30:00Z",
    ]
    _, history = await get(client, f"{path}/history?limit=2")
    assert [entry["action"] for entry in history["items"]] == ["backfilled", "triggered"]
    _, rest = await get(client, f"{path}/history?cursor={history['next']}")
    assert [(entry["action"], entry["actor"], entry["data"]) for entry in rest["items"]] == [
        ("resumed", "dev", {}),
        ("paused", "dev", {"reason": "holidays"}),
    ]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, ""),
        ({"from": "yesterday", "to": "2026-01-01T00:00:00Z"}, "/from"),
        ({"from": "2026-02-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"}, "/from"),
        ({"from": "2026-01-01T00:00:00Z", "to": "2999-01-01T00:00:00Z"}, "/to"),
        ({"from": "1999-01-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"}, "/to"),
    ],
)
async def test_ranges_that_can_not_be(client, body, pointer):
    await deploy(client)
    _, page = await get(client, "/v1/schedules")
    status, problem = await post(client, f"/v1/schedules/{page['items'][0]['id']}/backfill", body)
    assert status == 422
    assert problem["errors"][0]["pointer"] == pointer


async def test_what_is_not_there(client):
    missing = "/v1/schedules/5d0c7a52-9c1e-8f0b-a3d4-61f2b7c8d9e0"
    assert (await get(client, missing))[0] == 404
    assert (await get(client, missing + "/history"))[0] == 404
    for action in ("pause", "resume", "trigger"):
        assert (await post(client, f"{missing}/{action}"))[0] == 404


async def test_pages(client):
    for number in range(5):
        text = DEFINITION.replace("billing", f"billing-{number}").replace(
            "cron: 30 2 * * *", "{every: P1D, cron: '@daily'}"
        )
        assert (await deploy(client, text))[0] == 201
    seen, cursor = [], ""
    while cursor is not None:
        _, page = await get(client, f"/v1/schedules?limit=3{cursor and '&cursor=' + cursor}")
        seen += [(item["definition"]["name"], item["kind"]) for item in page["items"]]
        cursor = page["next"]
    assert seen == [(f"billing-{number}", kind) for number in range(5) for kind in ("cron", "every")]


async def test_an_event_starts_a_process_at_once(client):
    text = DEFINITION.replace("cron: 30 2 * * *", "on: {one: {with: {type: paid}}}")
    await deploy(client, text)
    event = {"specversion": "1.0", "id": "1", "source": "/shop", "type": "paid", "data": {"order": 7}}
    headers = {"Content-Type": "application/cloudevents+json"}
    async with client.post("/v1/events", json=event, headers=headers) as answer:
        assert answer.status == 202
    async with asyncio.timeout(20):
        while not (found := (await get(client, "/v1/processes?name=billing"))[1]["items"]):
            await asyncio.sleep(0.01)
    _, ended = await get(client, f"/v1/processes/{found[0]['id']}?wait=20")
    assert ended["output"] == {"got": [event]}
