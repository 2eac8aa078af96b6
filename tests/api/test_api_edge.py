"""What the edge itself decides: bodies, parameters, media types, problem details."""

import asyncio
import contextlib
import http.client
import json
from datetime import UTC, datetime

import pytest
from edge_platform import ID, KEY, YAML

from perdure.broker.contract import BrokerUnavailable
from perdure.definition.problems import DefinitionInvalid, DefinitionUndecodable, Problem
from perdure.runtime.errors import Conflict, Forbidden, Invalid, NotFound
from perdure.runtime.views import StartRequest
from perdure.store.contract import StoreUnavailable

START = {"definition": {"namespace": "shop", "name": "greet"}}
JSON = {"Content-Type": "application/json"}


async def problem(response, status):
    assert response.status == status, await response.text()
    assert response.headers["Content-Type"] == "application/problem+json"
    body = json.loads(await response.read())
    assert body["status"] == status
    assert {"type", "title", "detail"} <= body.keys()
    return body


async def test_start_passes_everything_on_and_answers_201(edge, platform):
    body = START | {
        "input": {"big": 2**64 + 1},
        "key": "A-1",
        "onConflict": "existing",
        "tags": {"a": "b"},
        "startAt": "2026-11-23T10:30:00+01:00",
    }
    async with edge.post("/v1/processes", json=body, headers={"Idempotency-Key": "k"}) as response:
        assert response.status == 201
        assert response.headers["Location"] == f"/v1/processes/{ID}"
        assert (await response.json())["id"] == str(ID)
    (_, who, request, key), *_ = platform.calls
    assert who.name == "dev"
    assert key == "k"
    assert request == StartRequest(
        namespace="shop",
        name="greet",
        input={"big": 2**64 + 1},
        key="A-1",
        on_conflict="existing",
        tags={"a": "b"},
        start_at=datetime(2026, 11, 23, 9, 30, tzinfo=UTC),
    )


async def test_input_defaults_to_an_empty_object_but_null_stays_null(edge, platform):
    (await edge.post("/v1/processes", json=START)).release()
    (
        await edge.post("/v1/processes", json=START | {"input": None, "key": None, "tags": None, "startAt": None})
    ).release()
    assert [call[2].input for call in platform.calls] == [{}, None]


async def test_an_earlier_process_answers_200_without_location(edge, platform):
    platform.created = False
    async with edge.post("/v1/processes", json=START) as response:
        assert response.status == 200
        assert "Location" not in response.headers


async def test_wait_asks_for_the_ended_process(edge, platform):
    async with edge.post("/v1/processes?wait=0.5", json=START) as response:
        assert response.status == 201
    assert platform.calls[-1] == ("wait_process", ID, 0.5)


@pytest.mark.parametrize(
    ("body", "pointer", "words"),
    [
        ({}, "", "'definition', which is missing"),
        ([], "", "expected object, found an array"),
        ({"definition": {"namespace": "a"}}, "/definition", "'name', which is missing"),
        ({"definition": {"namespace": "a", "name": 7}}, "/definition/name", "found the number 7"),
        ({"definition": {"namespace": "", "name": "b"}}, "/definition/namespace", "minimum 1 characters"),
        ({"definition": {"namespace": "a", "name": "b\0"}}, "/definition/name", "NUL"),
        ({**START, "onconflict": "allow"}, "", "did you mean 'onConflict'"),
        ({**START, "onConflict": "maybe"}, "/onConflict", "expected one of allow, existing, reject"),
        ({**START, "key": "x" * 257}, "/key", "maximum 256 characters, found 257"),
        ({**START, "key": "a\0b"}, "/key", "NUL"),
        ({**START, "tags": {"a": 1}}, "/tags/a", "expected string, found the number 1"),
        ({**START, "tags": {"a": "\0"}}, "/tags/a", "NUL"),
        ({**START, "tags": {"\0": "a"}}, "/tags", "none of them NUL"),
        ({**START, "tags": {str(n): "" for n in range(33)}}, "/tags", "at most 32 entries, found 33"),
        ({**START, "startAt": "tomorrow"}, "/startAt", "date-time"),
        ({**START, "startAt": "2026-01-01T00:00:00"}, "/startAt", "date-time"),
        ({**START, "startAt": "0001-01-01T00:00:00+23:00"}, "/startAt", "between the years 1 and 9999"),
    ],
)
async def test_a_wrong_start_is_told_where_and_why(edge, platform, body, pointer, words):
    async with edge.post("/v1/processes", json=body) as response:
        found = await problem(response, 422)
    assert [error["pointer"] for error in found["errors"]] == [pointer]
    assert words in found["errors"][0]["detail"]
    assert words in found["detail"]
    assert platform.calls == []


async def test_every_error_of_a_body_is_told_at_once(edge):
    body = {"definition": {"name": 1}, "key": 2, "tgas": {}}
    async with edge.post("/v1/processes", json=body) as response:
        found = await problem(response, 422)
    assert {error["pointer"] for error in found["errors"]} == {"", "/definition", "/definition/name", "/key"}


@pytest.mark.parametrize(
    ("data", "status", "words"),
    [
        (b"", 400, "the body is empty"),
        (b"{", 400, "truncated"),
        (b'{"a":\n  x}', 400, "byte 8"),
        (b'{"a": "\xff"}', 400, "utf-8"),
        (b"\xef\xbb\xbf{}", 400, "byte 0"),
        (b'{"definition": NaN}', 400, "JSON"),
        (b'{"a": 1e999}', 422, "out of range"),
        (b"[" * 21 + b"]" * 21, 422, "at most 20 levels"),
        (b"[" * 30_000 + b"]" * 30_000, 422, "nested too deep"),
        (b'{"a":' * 10_000, 422, "nested too deep"),
    ],
)
async def test_an_undecodable_body(edge, platform, data, status, words):
    async with edge.post("/v1/processes", data=data, headers=JSON) as response:
        found = await problem(response, status)
    assert words in found["detail"]
    assert platform.calls == []


async def test_where_json_breaks_is_told_by_line_and_column(edge):
    async with edge.post("/v1/processes", data=b'{"a":\n  x}', headers=JSON) as response:
        (error,) = (await problem(response, 400))["errors"]
    assert (error["line"], error["column"]) == (2, 3)


async def test_many_brackets_side_by_side_are_not_deep(edge):
    body = START | {"input": [[n] for n in range(500)]}
    async with edge.post("/v1/processes", json=body) as response:
        assert response.status == 201


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({"Content-Type": "text/plain"}, "found 'text/plain'"),
        ({"Content-Type": "application/json; charset=latin-1"}, "charset utf-8"),
        ({"Content-Type": "application/json", "Content-Encoding": "gzip"}, "Content-Encoding"),
    ],
)
async def test_an_unknown_media_type(edge, headers, words):
    async with edge.post("/v1/processes", data=b"{}", headers=headers) as response:
        assert words in (await problem(response, 415))["detail"]


async def test_a_body_that_says_it_is_too_large(edge):
    async with edge.post("/v1/processes", data=b" " * 70_000, headers=JSON) as response:
        assert "65536 bytes" in (await problem(response, 413))["detail"]


async def test_a_client_that_sends_everything_before_it_reads_learns_why(edge):
    def send():
        connection = http.client.HTTPConnection("127.0.0.1", edge.port, timeout=20)
        connection.request("POST", "/v1/processes", b"x" * 20_000_000, {**JSON, "Connection": "close"})
        with contextlib.closing(connection):
            return connection.getresponse().status

    assert await asyncio.to_thread(send) == 413


async def test_a_body_that_turns_out_too_large_while_it_streams(edge):
    async def endless():
        for _ in range(20_000):
            yield b" " * 4_096

    async with edge.post("/v1/processes", data=endless(), headers=JSON) as response:
        await problem(response, 413)


@pytest.mark.parametrize(
    ("query", "parameter", "words"),
    [
        ("limit=0", "limit", "greater than or equal to 1"),
        ("limit=501", "limit", "less than or equal to 500"),
        ("limit=many", "limit", "valid integer"),
        ("statsu=running", "statsu", "did you mean 'status'"),
        ("status=open", "status", "'running'"),
        ("parent=7", "parent", "UUID"),
        ("createdAfter=yesterday", "createdAfter", "RFC 3339"),
        ("createdAfter=1700000000", "createdAfter", "RFC 3339"),
        ("createdBefore=2026-11-23T09:30:00", "createdBefore", "RFC 3339"),
        ("createdBefore=0001-01-01T00:00:00%2B23:00", "createdBefore", "RFC 3339"),
        ("tag.=x", "tag.NAME", "after the point"),
        ("tag.a=b&tag.c=" + "d" * 257, "tag.NAME", "at most 256 characters, found one of 257"),
    ],
)
async def test_a_wrong_query(edge, platform, query, parameter, words):
    async with edge.get(f"/v1/processes?{query}") as response:
        found = await problem(response, 422)
    assert found["errors"][0]["parameter"] == parameter
    assert words in found["errors"][0]["detail"]
    assert platform.calls == []


async def test_filters_reach_the_platform(edge, platform):
    query = (
        f"status=waiting&namespace=n&name=m&version=1.0.0&key=k&parent={ID}&tag.a=1&tag.b.c=%C3%A9"
        "&createdAfter=2026-11-23T09:30:00Z&createdBefore=2026-11-23T10:30:00.5+01:00&limit=7&cursor=abc"
    )
    async with edge.get(f"/v1/processes?{query}") as response:
        assert response.status == 200
    (_, wanted, limit, cursor), *_ = platform.calls
    assert (wanted.status, wanted.key, wanted.parent, limit, cursor) == ("waiting", "k", ID, 7, "abc")
    assert wanted.tags == {"a": "1", "b.c": "é"}
    assert wanted.created_after == datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
    assert wanted.created_before == datetime(2026, 11, 23, 9, 30, 0, 500_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NotFound("no"), 404),
        (Conflict("no"), 409),
        (Forbidden("no"), 403),
        (Invalid("no", (Problem("/a", "b"),)), 422),
        (DefinitionUndecodable(Problem("", "no", 3, 4)), 400),
        (DefinitionInvalid((Problem("/do", "no", 1, 2), Problem("/x", "no"))), 422),
        (StoreUnavailable("no"), 503),
        (BrokerUnavailable("no"), 503),
        (ConnectionRefusedError("no"), 503),
        (TimeoutError("no"), 503),
    ],
)
async def test_what_the_platform_raises_has_its_status(edge, platform, error, status):
    platform.error = error
    async with edge.get(f"/v1/processes/{ID}") as response:
        found = await problem(response, status)
        assert ("Retry-After" in response.headers) == (status == 503)
    if isinstance(error, DefinitionInvalid):
        assert found["errors"] == [
            {"pointer": "/do", "detail": "no", "line": 1, "column": 2},
            {"pointer": "/x", "detail": "no"},
        ]


async def test_a_fault_inside_shows_nothing_of_itself(edge, platform):
    platform.error = KeyError("s3cret")
    async with edge.get(f"/v1/processes/{ID}") as response:
        await problem(response, 500)
        assert "s3cret" not in await response.text()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/nothing", 404),
        ("GET", "/v1/processes/", 404),
        ("GET", "/v1/processes/not-a-uuid", 404),
        ("GET", "/v1/processes/%00", 404),
        ("GET", "/v1/processes?key=%00", 422),
        ("DELETE", "/v1/processes", 405),
        ("PUT", f"/v1/processes/{ID}", 405),
        ("GET", "/v1/callbacks/x", 405),
    ],
)
async def test_paths_that_lead_nowhere(edge, method, path, status):
    async with edge.request(method, path) as response:
        await problem(response, status)
        assert ("Allow" in response.headers) == (status == 405)


@pytest.mark.parametrize("command", ["suspend", "resume", "cancel", "retry"])
async def test_commands_take_a_reason_or_no_body_at_all(edge, platform, command):
    for arguments in ({}, {"json": {}}, {"json": {"reason": "because"}}):
        async with edge.post(f"/v1/processes/{ID}/{command}", **arguments) as response:
            assert response.status == 200
    assert platform.calls == [("command", ID, command, reason) for reason in (None, None, "because")]


@pytest.mark.parametrize("body", [{"reason": "a\0"}, {"reason": 7}, {"raeson": "x"}, []])
async def test_a_wrong_reason(edge, platform, body):
    async with edge.post(f"/v1/processes/{ID}/cancel", json=body) as response:
        await problem(response, 422)
    assert platform.calls == []


async def test_a_batch_answers_each_in_order(edge, platform):
    body = {"processes": [START, {"definition": {}}, START]}
    async with edge.post("/v1/processes/batch", json=body) as response:
        assert response.status == 200
        items = (await response.json())["items"]
    assert [list(item) for item in items] == [["process"], ["error"], ["process"]]
    assert items[1]["error"]["status"] == 422
    assert len(platform.calls[0][1]) == 2


@pytest.mark.parametrize("body", [{}, {"processes": {}}, {"processes": [START] * 1001}])
async def test_a_wrong_batch(edge, body, platform):
    async with edge.post("/v1/processes/batch", data=json.dumps(body), headers=JSON) as response:
        assert response.status in (413, 422)
    assert platform.calls == []


@pytest.mark.parametrize(
    ("sent", "passed"),
    [
        ("application/yaml", "application/yaml"),
        ("text/yaml; charset=utf-8", "application/yaml"),
        ("application/x-yaml", "application/yaml"),
        ("application/json", "application/json"),
    ],
)
async def test_a_definition_by_its_media_type(edge, platform, sent, passed):
    async with edge.post("/v1/definitions", data=b"do: []", headers={"Content-Type": sent}) as response:
        assert response.status == 201
        assert response.headers["Location"] == "/v1/definitions/shop/greet/1.0.0"
        assert (await response.json())["version"] == "1.0.0"
    assert platform.calls == [("register_definition", b"do: []", passed, False)]


async def test_a_definition_in_another_media_type(edge):
    async with edge.post("/v1/definitions", data=b"x", headers={"Content-Type": "text/plain"}) as response:
        await problem(response, 415)


async def test_a_dry_run_answers_warnings_with_their_place(edge, platform):
    async with edge.post("/v1/definitions?dryRun=true", json={}) as response:
        assert response.status == 200
        assert await response.json() == {
            "warnings": [{"pointer": "/do/0", "detail": "not built yet", "line": 3, "column": 5}]
        }
    assert platform.calls[0][-1] is True


async def test_the_very_same_definition_answers_200(edge, platform):
    platform.created = False
    async with edge.post("/v1/definitions", json={}) as response:
        assert response.status == 200


@pytest.mark.parametrize(
    ("accept", "yaml"),
    [
        (None, False),
        ("*/*", False),
        ("application/json", False),
        ("application/yaml", True),
        ("text/yaml", True),
        ("application/yaml, */*;q=0.1", True),
        ("application/json, application/yaml;q=0.5", False),
        ("application/yaml;q=0", False),
        ("text/html, application/yaml;q=x", False),
    ],
)
async def test_a_definition_comes_back_as_asked_for(edge, accept, yaml):
    headers = {} if accept is None else {"Accept": accept}
    async with edge.get("/v1/definitions/shop/greet/latest", headers=headers) as response:
        assert response.headers["Vary"] == "Accept"
        if yaml:
            assert response.content_type == "application/yaml"
            assert await response.text() == YAML
        else:
            assert await response.json() == {"document": {"name": "greet"}}


async def test_lists_have_items_and_next(edge):
    async with edge.get("/v1/definitions?limit=1") as response:
        found = await response.json()
    assert found["next"] == "bmV4dA"
    assert found["items"] == [
        {
            "namespace": "shop",
            "name": "greet",
            "version": "1.0.0",
            "title": "Greet",
            "summary": None,
            "createdAt": "2026-11-23T09:30:00Z",
        }
    ]


async def test_human_task_actions_default_to_the_callers_name(keyed, platform):
    headers = {"Authorization": f"Bearer {KEY}"}
    task = f"/v1/human-tasks/{ID}"
    for path, body in [
        ("claim", None),
        ("claim", {"user": "mia"}),
        ("release", None),
        ("delegate", {"to": "noor", "user": "mia"}),
        ("complete", {"outcome": "approved", "data": {"n": 1}}),
    ]:
        async with keyed.post(f"{task}/{path}", json=body, headers=headers) as response:
            assert response.status == 200, await response.text()
    assert platform.calls == [
        ("claim", "ops"),
        ("claim", "mia"),
        ("release", "ops"),
        ("delegate", "mia", "noor"),
        ("complete", "ops", "approved", None, {"n": 1}),
    ]


@pytest.mark.parametrize(
    ("action", "body", "pointer"),
    [
        ("delegate", {}, ""),
        ("delegate", {"to": ""}, "/to"),
        ("complete", {"data": {}}, ""),
        ("complete", {"outcome": "a", "comment": "\0"}, "/comment"),
        ("claim", {"user": "a\0"}, "/user"),
    ],
)
async def test_a_wrong_human_task_action(edge, action, body, pointer):
    async with edge.post(f"/v1/human-tasks/{ID}/{action}", json=body) as response:
        assert (await problem(response, 422))["errors"][0]["pointer"] == pointer


@pytest.mark.parametrize(
    ("arguments", "status", "passed"),
    [
        ({"json": {"paid": True}}, 200, {"paid": True}),
        ({"json": [1]}, 200, [1]),
        ({"data": b"7", "headers": {"Content-Type": "application/vnd.bank+json"}}, 200, 7),
        ({}, 200, None),
        ({"data": b"", "headers": {"Content-Type": "text/plain"}}, 200, None),
        ({"data": b"paid", "headers": {"Content-Type": "text/plain"}}, 415, None),
        ({"data": b"{", "headers": JSON}, 400, None),
        ({"data": b"[" * 99 + b"]" * 99, "headers": JSON}, 422, None),
    ],
)
async def test_a_callback_takes_any_json(edge, platform, arguments, status, passed):
    async with edge.post("/v1/callbacks/t0ken", **arguments) as response:
        assert response.status == status
    assert platform.calls == ([("receive_callback", "t0ken", passed)] if status == 200 else [])


async def test_slow_requests_do_not_hold_up_others(edge, platform):
    reader, writer = await asyncio.open_connection("127.0.0.1", edge.port)
    writer.write(b"POST /v1/processes HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{")
    await writer.drain()
    async with edge.get("/healthz") as response:
        assert response.status == 200
    writer.close()
    await writer.wait_closed()
    assert platform.calls == []
