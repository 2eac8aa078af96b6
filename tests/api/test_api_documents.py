"""The OpenAPI document and its readable form."""

import inspect
import json
from html.parser import HTMLParser
from typing import get_args

import jsonschema_rs
import msgspec
import pytest
from edge_platform import DELIVERY, JOB, PROCESS, SCHEDULE, TASK, WEBHOOK, EdgePlatform, entry

from perdure.api.app import create_app
from perdure.definition.program import Kind, Task
from perdure.engine import waiting
from perdure.engine.draft import PERDURE
from perdure.engine.errors import standard
from perdure.engine.step import Reason
from perdure.settings import Settings

CONTRACT = {
    "POST /v1/definitions",
    "GET /v1/definitions",
    "GET /v1/definitions/{namespace}/{name}",
    "GET /v1/definitions/{namespace}/{name}/{version}",
    "POST /v1/functions",
    "GET /v1/functions",
    "GET /v1/functions/{name}/{version}",
    "POST /v1/processes",
    "POST /v1/processes/batch",
    "GET /v1/processes",
    "GET /v1/processes/{id}",
    "GET /v1/processes/{id}/activities",
    "GET /v1/processes/{id}/history",
    "GET /v1/processes/{id}/events",
    "POST /v1/processes/{id}/suspend",
    "POST /v1/processes/{id}/resume",
    "POST /v1/processes/{id}/cancel",
    "POST /v1/processes/{id}/retry",
    "POST /v1/events",
    "POST /v1/callbacks/{token}",
    "GET /v1/human-tasks",
    "GET /v1/human-tasks/{id}",
    "POST /v1/human-tasks/{id}/claim",
    "POST /v1/human-tasks/{id}/release",
    "POST /v1/human-tasks/{id}/delegate",
    "POST /v1/human-tasks/{id}/complete",
    "POST /v1/jobs/activate",
    "POST /v1/jobs/{id}/complete",
    "POST /v1/jobs/{id}/fail",
    "POST /v1/jobs/{id}/release",
    "POST /v1/jobs/{id}/heartbeat",
    "GET /v1/schedules",
    "GET /v1/schedules/{id}",
    "GET /v1/schedules/{id}/history",
    "GET /v1/processes/{id}/why",
    "POST /v1/doctor",
    "POST /v1/schedules/{id}/pause",
    "POST /v1/schedules/{id}/resume",
    "POST /v1/schedules/{id}/trigger",
    "POST /v1/schedules/{id}/backfill",
    "POST /v1/webhooks",
    "GET /v1/webhooks",
    "GET /v1/webhooks/{id}",
    "PATCH /v1/webhooks/{id}",
    "DELETE /v1/webhooks/{id}",
    "POST /v1/webhooks/{id}/test",
    "GET /v1/webhooks/{id}/deliveries",
    "POST /v1/webhooks/{id}/deliveries/{delivery}/redeliver",
    "GET /healthz",
    "GET /readyz",
    "GET /metrics",
}


@pytest.fixture(scope="module")
def document():
    app = create_app(EdgePlatform(), settings=Settings(_env_file=None), open_access=True, version="0.1.0")
    return app.state.document


def operations(document):
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def validator(document, schema):
    return jsonschema_rs.validator_for(
        {"$schema": "https://json-schema.org/draft/2020-12/schema", "components": document["components"], **schema},
        validate_formats=True,
    )


def test_it_lists_exactly_what_there_is(document):
    assert document["openapi"].startswith("3.1")
    assert {name for name, _ in operations(document)} == CONTRACT


def test_closed_lists_are_those_of_the_engine(document):
    """That the engine uses no others is what its types say; here, that the document has them all and no more."""
    schemas = document["components"]["schemas"]
    kinds = {kind.kind for kind in Task.__subclasses__()}
    assert set(schemas["Activity"]["properties"]["kind"]["enum"]) == kinds == set(get_args(Kind))
    reasons = {text for text in get_args(Reason) if f'"{text}"' in inspect.getsource(waiting)}
    assert set(schemas["WaitingFor"]["properties"]["reason"]["enum"]) == reasons == set(get_args(Reason))
    assert schemas["HistoryEntry"]["properties"]["actor"]["anyOf"][0]["enum"] == [PERDURE]


def test_every_operation_is_described(document):
    ids = [operation["operationId"] for _, operation in operations(document)]
    assert len(set(ids)) == len(ids)
    for name, operation in operations(document):
        assert operation["summary"], name
        assert {"500", "503"} <= operation["responses"].keys(), name
        assert any(int(status) < 300 for status in operation["responses"]), name
        if "requestBody" in operation:
            assert {"400", "413", "415", "422"} <= operation["responses"].keys(), name
        if name.startswith("GET") and operation.get("parameters"):
            assert "422" in operation["responses"], name


def test_every_example_fits_its_schema(document):
    checked = 0
    for name, operation in operations(document):
        bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
        for media_type, content in (item for body in bodies for item in body.get("content", {}).items()):
            assert "example" in content, name
            if "json" in media_type:
                validator(document, content["schema"]).validate(content["example"])
                checked += 1
    for name, schema in document["components"]["schemas"].items():
        for example in schema.get("examples", ()):
            validator(document, {"$ref": f"#/components/schemas/{name}"}).validate(example)
            checked += 1
    assert checked > 40


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Process", PROCESS),
        ("HumanTask", TASK),
        ("Job", JOB),
        ("HistoryEntry", entry(1)),
        ("Error", standard("timeout", "late")),
        ("HistoryEntry", entry(1)),
        ("Error", standard("timeout", "late")),
        ("Schedule", SCHEDULE),
        ("Webhook", WEBHOOK),
        ("Delivery", DELIVERY),
    ],
)
def test_what_is_sent_fits_its_schema(document, name, value):
    sent = json.loads(msgspec.json.encode(value))
    validator(document, {"$ref": f"#/components/schemas/{name}"}).validate(sent)
    assert sent.keys() <= document["components"]["schemas"][name]["properties"].keys()


def test_closed_lists_are_closed(document):
    schemas = document["components"]["schemas"]
    for name, member in [
        ("Process", "status"),
        ("Activity", "status"),
        ("Activity", "kind"),
        ("WaitingFor", "reason"),
        ("HumanTask", "status"),
    ]:
        assert len(schemas[name]["properties"][member]["enum"]) > 3
    assert "skipped" in schemas["Activity"]["properties"]["status"]["enum"]


def test_references_resolve(document):
    def walk(value):
        if isinstance(value, dict):
            if "$ref" in value:
                yield value["$ref"]
            for inner in value.values():
                yield from walk(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from walk(inner)

    found = set(walk(document))
    assert found
    for reference in found:
        target = document
        for part in reference.removeprefix("#/").split("/"):
            target = target[part]


class Page(HTMLParser):
    def __init__(self):
        super().__init__()
        self.ids, self.links, self.loads = set(), set(), []

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.ids.add(found.get("id"))
        if tag == "a":
            self.links.add(found["href"])
        if tag in ("script", "link", "img", "iframe") or "src" in found:
            self.loads.append(tag)


async def test_the_page_is_whole_and_loads_nothing(edge, document):
    async with edge.get("/docs") as response:
        assert response.content_type == "text/html"
        assert "script-src" not in response.headers["Content-Security-Policy"]
        assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")
        text = await response.text()
    page = Page()
    page.feed(text)
    assert page.loads == []
    for link in page.links:
        assert link == "/openapi.json" or link.removeprefix("#") in page.ids
    assert {operation["operationId"] for _, operation in operations(document)} <= page.ids
    assert "http://" not in text.replace("http://", "", 0).split("<style>")[0]


async def test_the_document_is_served(edge, document):
    async with edge.get("/openapi.json") as response:
        assert await response.json() == json.loads(json.dumps(document))
