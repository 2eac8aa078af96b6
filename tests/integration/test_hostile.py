"""Bad input over the real server: a clear answer, nothing changed, and everybody else goes on."""

import asyncio
import json
import time

import pytest

from integration.api import Api, definition, reference
from integration.topology import Topology

EXPRESSION_ERROR = "https://serverlessworkflow.io/spec/1.0.0/errors/expression"

HOSTILE = {
    "endless": "[range(infinite)] | length",
    "endless-recursion": "def f: f; f",
    "eats-memory": '[limit(300000000; repeat("x"))] | length',
    "grows-text": ".text * 2000000000",
    "deep": "reduce range(1000000) as $i (null; [.])",
    "fails": 'error("no")',
    "wrong-types": "{} + 1",
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_expression_faults_its_own_process_only(topology: Topology, api: Api, name: str) -> None:
    fine = await api.deploy(
        definition("bystander", [{"sum": {"set": {"n": "${ [.items[] | select(. > 1)] | map(. * 2) | add }"}}}])
    )
    hostile = await api.deploy(definition(f"hostile-{name}", [{"bad": {"set": {"x": "${ " + HOSTILE[name] + " }"}}}]))
    bad = [(await api.start(hostile, {"text": "x"}))["id"] for _ in range(2)]
    good = [await api.start(fine, {"items": [1, 2, 3]}, wait=20) for _ in range(5)]
    assert [process["output"] for process in good] == [{"n": 10}] * 5
    for process in bad:
        ended = await api.end(process, 60)
        assert (ended["status"], ended["error"]["type"]) == ("faulted", EXPRESSION_ERROR)
        assert ended["error"]["instance"] == "/do/0/bad"
        assert ended["error"]["detail"]
    assert all(program.running for program in topology.programs)


SEES = ["env", "$ENV", "input", "debug", "halt", 'import "x" as x; 1', "input_filename", "$__prog_args"]


@pytest.mark.parametrize("text", SEES)
async def test_expressions_see_nothing_of_the_machine(topology: Topology, api: Api, text: str) -> None:
    document = definition("sees", [{"look": {"set": {"x": "${ " + text + " | tostring }"}}}], version="0.0.1")
    document["document"]["name"] = f"sees-{SEES.index(text)}"
    answer = await api.call("POST", "/v1/definitions", document)
    if answer.status == 422:
        assert answer.json["errors"][0]["pointer"].startswith("/do/0/look/set")
        return
    answer.expect(201)
    ended = await api.start(reference_of(document), wait=20)
    assert "perdure" not in json.dumps(ended["output"]).lower()
    assert "PATH" not in json.dumps(ended["output"])


def reference_of(document: dict[str, dict[str, str]]) -> str:
    head = document["document"]
    return f"{head['namespace']}/{head['name']}:{head['version']}"


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join(['*' + old] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)

BODIES = [
    ("/v1/definitions", "application/yaml", b"document: [", (400,)),
    ("/v1/definitions", "application/yaml", b"\xff\xfe\x00", (400,)),
    ("/v1/definitions", "application/yaml", b"", (400, 422)),
    ("/v1/definitions", "application/yaml", BOMB.encode(), (400, 413, 422)),
    ("/v1/definitions", "application/yaml", b"a: &a [*a]", (400,)),
    ("/v1/definitions", "application/yaml", b"[" * 100_000, (400, 413, 422)),
    ("/v1/definitions", "application/yaml", b"a: 1\na: 2", (400, 422)),
    ("/v1/definitions", "application/json", b'{"document": ', (400,)),
    ("/v1/definitions", "text/csv", b"a,b", (415,)),
    ("/v1/definitions", "application/yaml", b"x" * 30_000_000, (413,)),
    ("/v1/processes", "application/json", b"{", (400,)),
    ("/v1/processes", "application/json", b"", (400, 422)),
    ("/v1/processes", "application/json", b"[" * 200_000, (400, 413, 422)),
    ("/v1/processes", "application/json", b'{"a":' * 50_000 + b"1" + b"}" * 50_000, (400, 413, 422)),
    ("/v1/processes", "application/json", b"[]", (422,)),
    ("/v1/processes", "application/json", b'{"definition": "x"}', (422,)),
    ("/v1/processes", "application/json", b'{"definition": {"namespace": "a", "name": "b"}, "inptu": 1}', (422,)),
    ("/v1/processes", "application/json", b'{"definition": {"namespace": "no", "name": "such"}}', (404, 422)),
    ("/v1/processes", "text/plain", b"{}", (415,)),
    ("/v1/processes", "application/json", b'"' + b"x" * 30_000_000 + b'"', (413,)),
    ("/v1/processes/batch", "application/json", b'{"processes": 1}', (422,)),
    ("/v1/events", "application/cloudevents+json", b'{"specversion": "1.0"}', (422,)),
    ("/v1/events", "application/cloudevents+json", b"no", (400,)),
    ("/v1/callbacks/no-such", "application/json", b"{}", (404,)),
    ("/v1/callbacks/no-such", "text/plain", b"hello", (404, 415)),
]


@pytest.mark.parametrize(("path", "media_type", "body", "statuses"), BODIES, ids=range(len(BODIES)))
async def test_a_bad_body_gets_a_clear_answer(
    topology: Topology, api: Api, path: str, media_type: str, body: bytes, statuses: tuple[int, ...]
) -> None:
    before = await topology.fetch("select count(*) from process union all select count(*) from definition")
    began = time.monotonic()
    answer = await api.call("POST", path, body, headers={"Content-Type": media_type})
    assert answer.status in statuses, answer
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    problem = answer.json
    assert problem["status"] == answer.status
    assert problem["title"]
    assert problem.get("detail") or problem.get("errors")
    assert len(answer.body) < 20_000, "an answer, not an echo"
    assert time.monotonic() - began < 10
    assert await topology.fetch("select count(*) from process union all select count(*) from definition") == before


async def test_a_batch_of_too_many(topology: Topology, api: Api) -> None:
    name = await api.deploy(definition("many", [{"one": {"set": {"n": 1}}}]))
    answer = await api.call("POST", "/v1/processes/batch", {"processes": [{"definition": reference(name)}] * 1001})
    assert answer.status in (413, 422)


@pytest.mark.parametrize("text", ["a\u0000b", "\ud800"])
async def test_characters_that_no_database_can_hold(topology: Topology, api: Api, text: str) -> None:
    name = await api.deploy(definition("text", [{"one": {"set": {"x": "${ .x }"}}}]))
    for body in ({"key": text}, {"tags": {"t": text}}, {"tags": {text: "t"}}):
        answer = await api.call("POST", "/v1/processes", {"definition": reference(name), **body})
        assert answer.status in (400, 422), answer
    answer = await api.call("POST", "/v1/processes", {"definition": reference(name), "input": {"x": text}})
    if answer.status == 201:
        ended = await api.end(answer.json["id"])
        assert ended["status"] in ("completed", "faulted")
        if ended["status"] == "completed":
            assert ended["output"] == {"x": text}
    else:
        assert answer.status in (400, 422), answer


async def test_a_large_payload_passes(topology: Topology, api: Api) -> None:
    name = await api.deploy(definition("large", [{f"pass{n}": {"set": "${ . }"}} for n in range(20)]))
    text = "x" * 1_000_000
    ended = await api.start(name, {"text": text}, wait=30)
    ended = ended if ended["endedAt"] else await api.end(ended["id"])
    assert ended["output"] == {"text": text}
    stored = await topology.fetch("select sum(length(data)) as bytes from payload where process = $1", ended["id"])
    assert stored[0]["bytes"] < 1_100_000, "stored once"


async def test_slow_senders_do_not_hold_up_others(topology: Topology, api: Api) -> None:
    port = topology.apis[0].port
    slow = [await asyncio.open_connection("127.0.0.1", port) for _ in range(50)]
    for _, writer in slow:
        writer.write(b"POST /v1/processes HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
    name = await api.deploy(definition("quick", [{"one": {"set": {"n": 1}}}]))
    assert (await api.start(name, wait=20))["status"] == "completed"
    for _, writer in slow:
        writer.close()
