"""The API over the real platform, resource by resource."""

import asyncio
import io
import json
import re

import pytest
from live import live

GREET = """\
document: # the author's own words
  dsl: 1.0.3
  namespace: shop
  name: greet
  version: 1.0.0
do:
  - greet:
      set:
        text: ${ "Hello, " + .name }
"""

WAITING = {
    "document": {"dsl": "1.0.3", "namespace": "shop", "name": "patience", "version": "1.0.0"},
    "do": [{"pause": {"wait": {"hours": 1}}}],
}
APPROVAL = {
    "document": {"dsl": "1.0.3", "namespace": "shop", "name": "approval", "version": "1.0.0"},
    "do": [
        {
            "approve": {
                "call": "human-task:1.0.0@default",
                "with": {
                    "title": "Ship it?",
                    "candidateGroups": ["dispatch"],
                    "excludeUsers": ["eve"],
                    "form": {"type": "object", "required": ["price"], "properties": {"price": {"type": "number"}}},
                },
            }
        }
    ],
}
LISTENING = {
    "document": {"dsl": "1.0.3", "namespace": "shop", "name": "ears", "version": "1.0.0"},
    "do": [{"hear": {"listen": {"to": {"one": {"with": {"type": "shop.paid"}}}}}}],
}


class Api:
    """A few words for what the tests do all the time."""

    def __init__(self, client):
        self.client = client

    async def call(self, method, path, *, status=200, **arguments):
        async with self.client.request(method, path, **arguments) as response:
            text = await response.text()
            assert response.status == status, text
            return json.loads(text or "null")

    async def deploy(self, definition):
        await self.call("POST", "/v1/definitions", json=definition, status=201)

    async def start(self, name, *, wait=0, status=201, headers=None, **body):
        body |= {"definition": {"namespace": "shop", "name": name}}
        return await self.call("POST", f"/v1/processes?wait={wait}", json=body, status=status, headers=headers)

    async def once(self, process, wanted):
        """The process as soon as it has the status, within ten seconds."""
        for _ in range(200):
            found = await self.call("GET", f"/v1/processes/{process['id']}")
            if found["status"] == wanted:
                return found
            await asyncio.sleep(0.05)
        raise AssertionError(f"expected {wanted}, found {found}")


@pytest.fixture
async def api(database):
    async with live(database) as client:
        yield Api(client)


async def test_a_definition_is_registered_once_and_read_back(api):
    yaml = {"data": GREET, "headers": {"Content-Type": "application/yaml"}}
    assert await api.call("POST", "/v1/definitions?dryRun=true", **yaml) == {"warnings": []}
    assert (await api.call("GET", "/v1/definitions"))["items"] == []
    await api.call("POST", "/v1/definitions", status=201, **yaml)
    await api.call("POST", "/v1/definitions", status=200, **yaml)
    changed = {**yaml, "data": GREET.replace("Hello", "Bye")}
    await api.call("POST", "/v1/definitions", status=409, **changed)
    listed = await api.call("GET", "/v1/definitions")
    versions = await api.call("GET", "/v1/definitions/shop/greet")
    assert listed == versions
    assert [item["version"] for item in listed["items"]] == ["1.0.0"]
    document = await api.call("GET", "/v1/definitions/shop/greet/latest")
    assert document["do"] == [{"greet": {"set": {"text": '${ "Hello, " + .name }'}}}]
    async with api.client.get("/v1/definitions/shop/greet/1.0.0", headers={"Accept": "application/yaml"}) as response:
        assert await response.text() == GREET
    await api.call("GET", "/v1/definitions/shop/greet/2.0.0", status=404)
    await api.call("GET", "/v1/definitions/shop/nobody", status=404)


@pytest.mark.parametrize(
    ("data", "status", "place"),
    [
        ("document: [", 400, None),
        ("document:\n  dsl: 1.0.3\ndo: []\n", 422, "/document"),
        (GREET.replace("set:", "sett:"), 422, "/do/0/greet"),
        (GREET + "\0", 400, None),
        ("a: &a [1]\n" + "".join(f"b{n}: [*a,*a]\n" for n in range(3)), 422, ""),
    ],
)
async def test_a_bad_definition_is_refused_with_places(api, data, status, place):
    found = await api.call(
        "POST", "/v1/definitions", data=data, headers={"Content-Type": "application/yaml"}, status=status
    )
    assert found["errors"]
    for error in found["errors"]:
        assert {"pointer", "detail"} <= error.keys()
    if place is not None:
        assert any(error["pointer"].startswith(place) for error in found["errors"]), found
        assert all(error["line"] >= 1 and error["column"] >= 1 for error in found["errors"]), found


async def test_a_definition_that_is_too_large(api):
    text = io.BytesIO(b"a: " + b"x" * 1024 * 1024)
    await api.call("POST", "/v1/definitions", data=text, headers={"Content-Type": "application/yaml"}, status=413)


async def test_a_process_runs_and_tells_all(api):
    await api.call("POST", "/v1/definitions", data=GREET, headers={"Content-Type": "application/yaml"}, status=201)
    process = await api.start("greet", wait=10, input={"name": "Ada"}, key="K-1", tags={"channel": "web"})
    assert (process["status"], process["output"]) == ("completed", {"text": "Hello, Ada"})
    path = f"/v1/processes/{process['id']}"
    assert await api.call("GET", path) == process
    (activity,) = (await api.call("GET", f"{path}/activities"))["items"]
    assert (activity["reference"], activity["status"]) == ("/do/0/greet", "completed")
    history = await api.call("GET", f"{path}/history?limit=2")
    rest = await api.call("GET", f"{path}/history?cursor={history['next']}")
    entries = history["items"] + rest["items"]
    assert [entry["sequence"] for entry in entries] == list(range(1, len(entries) + 1))
    async with api.client.get(f"{path}/events") as response:
        streamed = [json.loads(data) for data in re.findall("^data: (.*)$", await response.text(), re.M)]
    assert streamed == entries
    for query in ("key=K-1", "tag.channel=web", "status=completed", "name=greet&createdAfter=2026-01-01T00:00:00Z"):
        found = await api.call("GET", f"/v1/processes?{query}")
        assert [item["id"] for item in found["items"]] == [process["id"]], query
    for query in ("key=K-2", "tag.channel=shop", "status=running", "createdBefore=2026-01-01T00:00:00Z"):
        assert (await api.call("GET", f"/v1/processes?{query}"))["items"] == [], query


async def test_pages_are_complete_and_without_repeats(api):
    await api.deploy(WAITING)
    batch = {"processes": [{"definition": {"namespace": "shop", "name": "patience"}}] * 7}
    items = (await api.call("POST", "/v1/processes/batch", json=batch))["items"]
    started = {item["process"]["id"] for item in items}
    assert len(started) == 7
    seen, cursor = [], ""
    while cursor is not None:
        page = await api.call("GET", f"/v1/processes?limit=3{cursor and '&cursor=' + cursor}")
        seen += [item["id"] for item in page["items"]]
        cursor = page["next"]
    assert len(seen) == 7
    assert set(seen) == started


@pytest.mark.parametrize("cursor", ["x", "!!!", "W10", "WzFd", "WyJcdTAwMDAiXQ", "bnVsbA", "x" * 3000])
@pytest.mark.parametrize("path", ["/v1/processes", "/v1/definitions", "/v1/human-tasks"])
async def test_a_malformed_cursor(api, path, cursor):
    await api.call("GET", f"{path}?cursor={cursor}", status=422)


async def test_a_repeated_start_is_one_process(api):
    await api.deploy(WAITING)
    headers = {"Idempotency-Key": "once"}
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(
                api.client.post(
                    "/v1/processes",
                    json={"definition": {"namespace": "shop", "name": "patience"}},
                    headers=headers,
                )
            )
            for _ in range(8)
        ]
    answers = [(task.result().status, (await task.result().json())["id"]) for task in tasks]
    assert sorted(status for status, _ in answers) == [200] * 7 + [201]
    assert len({id_ for _, id_ in answers}) == 1
    await api.start("patience", headers=headers, input={"other": 1}, status=422)


async def test_what_a_business_key_means(api):
    await api.deploy(WAITING)
    first = await api.start("patience", key="A")
    assert (await api.start("patience", key="A", onConflict="existing", status=200))["id"] == first["id"]
    await api.start("patience", key="A", onConflict="reject", status=409)
    assert (await api.start("patience", key="A"))["id"] != first["id"]
    await api.start("nothing", status=404)


async def test_an_operator_steers_a_process(api):
    await api.deploy(WAITING)
    process = await api.once(await api.start("patience"), "waiting")
    assert process["waitingFor"][0]["reason"] == "timer"
    path = f"/v1/processes/{process['id']}"
    await api.call("POST", f"{path}/resume", status=409)
    await api.call("POST", f"{path}/retry", status=409)
    suspended = await api.call("POST", f"{path}/suspend", json={"reason": "lunch"})
    assert suspended["status"] == "suspended"
    await api.call("POST", f"{path}/suspend", status=409)
    assert (await api.call("POST", f"{path}/resume"))["status"] == "waiting"
    assert (await api.call("POST", f"{path}/cancel"))["status"] == "cancelled"
    await api.call("POST", f"{path}/cancel", status=409)
    entries = (await api.call("GET", f"{path}/history?limit=500"))["items"]
    (entry,) = [entry for entry in entries if entry["type"] == "io.serverlessworkflow.workflow.suspended.v1"]
    assert entry["actor"] == "dev"
    assert "lunch" in json.dumps(entry["data"])


async def test_a_person_decides(api):
    await api.deploy(APPROVAL)
    process = await api.once(await api.start("approval"), "waiting")
    (task,) = (await api.call("GET", f"/v1/human-tasks?status=open&process={process['id']}"))["items"]
    path = f"/v1/human-tasks/{task['id']}"
    await api.call("POST", f"{path}/claim", json={"user": "eve"}, status=403)
    claimed = await api.call("POST", f"{path}/claim", json={"user": "mia"})
    assert (claimed["status"], claimed["assignee"]) == ("claimed", "mia")
    await api.call("POST", f"{path}/claim", json={"user": "noor"}, status=409)
    await api.call("POST", f"{path}/delegate", json={"user": "mia", "to": "noor"})
    await api.call("POST", f"{path}/release", json={"user": "noor"})
    wrong = {"user": "noor", "outcome": "approved", "data": {"price": "high"}}
    found = await api.call("POST", f"{path}/complete", json=wrong, status=422)
    assert found["errors"][0]["pointer"] == "/data/price"
    await api.call("POST", f"{path}/complete", json=wrong | {"outcome": "maybe"}, status=422)
    right = {"user": "noor", "outcome": "approved", "comment": "fine", "data": {"price": 7}}
    assert (await api.call("POST", f"{path}/complete", json=right))["status"] == "completed"
    await api.call("POST", f"{path}/complete", json=right, status=409)
    ended = await api.once(process, "completed")
    assert ended["output"]["completedBy"] == "noor"
    await api.call("GET", "/v1/human-tasks/0193a5c4-7d1e-7c3a-9f56-2b8d4e6a1c70", status=404)


async def test_an_event_reaches_its_listener_once(api):
    await api.deploy(LISTENING)
    process = await api.once(await api.start("ears"), "waiting")
    event = {"specversion": "1.0", "id": "1", "source": "/bank", "type": "shop.paid", "data": {"sum": 7}}
    headers = {"Content-Type": "application/cloudevents+json"}
    for _ in range(3):
        await api.call("POST", "/v1/events", data=json.dumps(event), headers=headers, status=202)
    assert (await api.once(process, "completed"))["output"] == [{"sum": 7}]


async def test_an_unknown_callback(api):
    await api.call("POST", "/v1/callbacks/nobody-waits", json={}, status=404)


async def test_texts_that_postgresql_could_not_hold_are_refused(api):
    await api.deploy(WAITING)
    for change in ({"key": "\0"}, {"tags": {"a": "\0"}}, {"tags": {"\0": "a"}}):
        await api.start("patience", status=422, **change)
    await api.start("patience", input={"any": "\0 \U0001f600 \ufeff"})
    await api.call("GET", "/v1/definitions/%00/x", status=404)


async def test_a_revoked_key_opens_nothing(database):
    async with live(database, open_access=False) as client:
        made, key = await client.service.create_key("robot", "default", "admin")
        headers = {"Authorization": f"Bearer {key}"}
        async with client.get("/v1/processes", headers=headers) as response:
            assert response.status == 200
        await client.service.revoke_key(made.id)
        async with client.get("/v1/processes", headers={"Authorization": f"Bearer {key}x"}) as response:
            assert response.status == 401
        async with live(database, open_access=False) as other, other.get("/v1/processes", headers=headers) as response:
            assert response.status == 401


async def test_an_outage_of_the_database_is_a_503_and_passes(postgres, database):
    async with live(database) as client:
        api = Api(client)
        await api.deploy(WAITING)
        process = await api.start("patience")
        await postgres.kill()
        try:
            for path in ("/v1/processes", f"/v1/processes/{process['id']}", "/v1/definitions"):
                async with client.get(path) as response:
                    assert response.status == 503
                    assert int(response.headers["Retry-After"]) > 0
                    assert response.content_type == "application/problem+json"
            async with client.post(
                "/v1/processes", json={"definition": {"namespace": "shop", "name": "patience"}}
            ) as response:
                assert response.status == 503
            async with client.get("/readyz") as response:
                assert response.status == 503
            async with client.get("/healthz") as response:
                assert response.status == 200
        finally:
            await postgres.ensure()
        for _ in range(200):
            async with client.get("/readyz") as response:
                if response.status == 200:
                    break
            await asyncio.sleep(0.05)
        await api.call("GET", f"/v1/processes/{process['id']}")
