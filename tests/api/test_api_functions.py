"""The default catalog over the API: registering functions, and definitions that call them."""

import io
import json

import pytest
from live import live

CHARGE = """\
# the author's own words
input:
  schema:
    document: {type: object, required: [amount]}
set:
  charged: ${ .amount }
"""
YAML = {"Content-Type": "application/yaml"}


class Api:
    def __init__(self, client):
        self.client = client

    async def call(self, method, path, *, status=200, **arguments):
        async with self.client.request(method, path, **arguments) as response:
            text = await response.text()
            assert response.status == status, text
            return json.loads(text or "null")

    async def function(self, name, version, text, *, status=201, **query):
        parameters = {"name": name, "version": version, **query}
        return await self.call("POST", "/v1/functions", params=parameters, data=text, headers=YAML, status=status)

    async def definition(self, name, do, *, status=201, **top):
        head = {"dsl": "1.0.3", "namespace": "shop", "name": name, "version": "1.0.0"}
        return await self.call("POST", "/v1/definitions", json={"document": head, **top, "do": do}, status=status)

    async def run(self, name, input_=None):
        body = {"definition": {"namespace": "shop", "name": name}, "input": input_ or {}}
        return await self.call("POST", "/v1/processes?wait=20", json=body, status=201)


@pytest.fixture
async def api(database):
    async with live(database) as client:
        yield Api(client)


async def test_a_function_is_registered_once_and_read_back(api):
    assert await api.function("charge", "1.0.0", CHARGE, status=200, dryRun="true") == {"warnings": []}
    assert all(item["builtIn"] for item in (await api.call("GET", "/v1/functions"))["items"])
    made = await api.function("charge", "1.0.0", CHARGE)
    assert (made["name"], made["version"], made["builtIn"], made["warnings"]) == ("charge", "1.0.0", False, [])
    await api.function("charge", "1.0.0", CHARGE.replace("# the", "# other"), status=200)
    await api.function("charge", "1.0.0", CHARGE.replace("charged", "taken"), status=409)
    assert (await api.call("GET", "/v1/functions/charge/1.0.0"))["set"] == {"charged": "${ .amount }"}
    headers = {"Accept": "application/yaml"}
    async with api.client.get("/v1/functions/charge/1.0.0", headers=headers) as response:
        assert await response.text() == CHARGE
        assert response.content_type == "application/yaml"
    await api.call("GET", "/v1/functions/charge/2.0.0", status=404)
    await api.call("GET", "/v1/functions/%00/latest", status=404)


async def test_what_is_wrong_is_told_with_its_place(api):
    refused = await api.function("f", "1.0.0", "set: {a: 1}\ncall: http\n", status=422)
    assert refused["detail"] == "The function has one error."
    assert refused["errors"][0]["line"] == 1
    refused = await api.function("f", "1.0.0", "set:\n  a: 1\n  b: ${ 1 + }\n", status=422)
    assert (refused["errors"][0]["pointer"], refused["errors"][0]["line"]) == ("/set/b", 3)
    await api.function("f", "1.0.0", "set: [", status=400)
    await api.function("f", "1.0.0", io.BytesIO(b"#" * (1024 * 1024 + 1)), status=413)
    parameters = {"name": "f", "version": "1.0.0"}
    await api.call(
        "POST", "/v1/functions", params=parameters, data="a", headers={"Content-Type": "text/csv"}, status=415
    )


@pytest.mark.parametrize(
    ("name", "version", "status", "words"),
    [
        ("Charge", "1.0.0", 422, "name: expected the name of a function"),
        ("charge", "1", 422, "version: "),
        ("human-task", "1.0.0", 409, "belongs to a function of the platform"),
        ("map", "7.0.0", 409, "belongs to a function of the platform"),
    ],
)
async def test_names_that_a_function_can_not_have(api, name, version, status, words):
    refused = await api.function(name, version, "set: {a: 1}", status=status)
    assert words in refused["detail"]


async def test_a_name_and_a_version_must_be_given(api):
    await api.call("POST", "/v1/functions", data="set: {a: 1}", headers=YAML, status=422)


async def test_the_list_has_the_platform_s_functions_among_the_team_s(api):
    for name, version in [("bill", "1.0.0"), ("job-wrapper", "1.0.0"), ("zip", "1.9.0"), ("zip", "1.10.0")]:
        await api.function(name, version, "set: {a: 1}")
    items, cursor = [], None
    while True:
        page = await api.call("GET", "/v1/functions", params={"limit": 3} | ({"cursor": cursor} if cursor else {}))
        items += page["items"]
        cursor = page["next"]
        if cursor is None:
            break
    assert [(item["name"], item["version"]) for item in items] == [
        ("bill", "1.0.0"),
        ("callback", "1.0.0"),
        ("human-task", "1.0.0"),
        ("job", "1.0.0"),
        ("job-wrapper", "1.0.0"),
        ("map", "1.0.0"),
        ("zip", "1.10.0"),
        ("zip", "1.9.0"),
    ]
    assert [item["name"] for item in items if item["builtIn"]] == ["callback", "human-task", "job", "map"]
    assert "title" in json.dumps(await api.call("GET", "/v1/functions/human-task/1.0.0"))


async def test_functions_belong_to_their_tenant(database):
    async with live(database) as client:
        api = Api(client)
        await api.function("charge", "1.0.0", CHARGE)
        record = await client.service._context.store.function("other", "charge", "1.0.0")
        assert record is None
        assert await client.service._context.store.functions("other", 10, None) == []


async def test_a_definition_calls_it(api):
    await api.function("charge", "1.0.0", CHARGE)
    await api.function("pay", "1.0.0", "call: charge:1.0.0@default\nwith: {amount: '${ .total }'}")
    made = await api.definition("order", [{"pay": {"call": "pay:1.0.0@default", "with": {"total": 12}}}])
    assert made["warnings"] == []
    process = await api.run("order")
    assert (process["status"], process["output"]) == ("completed", {"charged": 12})
    activities = (await api.call("GET", f"/v1/processes/{process['id']}/activities"))["items"]
    assert [a["reference"] for a in activities] == [
        "/do/0/pay",
        "/use/functions/pay:1.0.0@default",
        "/use/functions/charge:1.0.0@default",
    ]


async def test_a_function_may_be_registered_after_the_definition_that_calls_it(api):
    do = [{"pay": {"call": "charge:1.0.0@default", "with": {"amount": 12}}}]
    made = await api.definition("early", do)
    assert made["warnings"][0]["pointer"] == "/do/0/pay/call"
    assert "POST /v1/functions" in made["warnings"][0]["detail"]
    process = await api.run("early")
    assert process["status"] == "faulted"
    assert process["error"]["type"].endswith("/configuration")
    await api.function("charge", "1.0.0", CHARGE)
    again = await api.definition("early", do, status=200)
    assert again["warnings"] == []
    await api.call("POST", f"/v1/processes/{process['id']}/retry", json={})
    ended = await api.call("GET", f"/v1/processes/{process['id']}?wait=20")
    assert (ended["status"], ended["output"]) == ("completed", {"charged": 12})


async def test_a_function_that_came_late_is_found_without_registering_the_definition_again(api):
    do = [{"pause": {"wait": {"milliseconds": 1500}}}, {"pay": {"call": "charge:1.0.0@default", "with": {"amount": 1}}}]
    await api.definition("patient", do)
    body = {"definition": {"namespace": "shop", "name": "patient"}}
    process = await api.call("POST", "/v1/processes", json=body, status=201)
    await api.function("charge", "1.0.0", CHARGE)
    ended = await api.call("GET", f"/v1/processes/{process['id']}?wait=20")
    assert (ended["status"], ended["output"]) == ("completed", {"charged": 1})


async def test_a_function_may_use_secrets_that_the_definition_lists(database, monkeypatch):
    monkeypatch.setenv("PERDURE_SECRET_PIN", "4711")
    async with live(database) as client:
        api = Api(client)
        await api.function(
            "peek", "1.0.0", "set: {length: '${ .pin | length }'}\ninput: {from: '{pin: ($secrets.PIN | tostring)}'}"
        )
        await api.definition("listed", [{"t": {"call": "peek:1.0.0@default"}}], use={"secrets": ["PIN"]})
        assert (await api.run("listed"))["output"] == {"length": 4}
        await api.definition("unlisted", [{"t": {"call": "peek:1.0.0@default"}}])
        assert (await api.run("unlisted"))["status"] == "faulted"
