"""Runs the scenarios of `scenarios/*.yaml`, each a definition, an input and what must come of it.

A scenario may say under `during` what happens while the process waits: `waitsFor: REASON`, `emit: CLOUDEVENT`,
`consumes: COUNT` (of events so far: nothing keeps the order of those sent apart), `decide: {outcome, data?}`,
`command: suspend|resume|cancel`. With `begins` nobody starts the process but the schedule of its definition, once these
steps have happened. `expect` knows: `status` (default completed), `output`, `has` (paths that the output has), `at`
(path: value), `count` (path: number of items), `error` (fields that it must have), `first`, `last`, `order` (names of
activities by start), `runs` (name: how often it started), `activities` (name: status).
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from conformance.services import library
from integration.api import Api, definition
from integration.programs import Program

SCENARIOS = Path(__file__).parent / "scenarios"
SERVICE = "http://service.test"
"""Stands for the library's address in the scenarios."""

SECRETS = {
    "PERDURE_SECRET_HARBOUR": '{"key": "chain"}',
    "PERDURE_SECRET_DOOR": '{"username": "grace", "password": "hopper"}',
}

Json = Any


def scenarios() -> list[Any]:
    found = []
    for file in sorted(SCENARIOS.glob("*.yaml")):
        for number, scenario in enumerate(yaml.safe_load(file.read_text("utf-8"))):
            found.append(pytest.param(f"{file.stem}-{number}", scenario, id=f"{file.stem}: {scenario['scenario']}"))
    return found


@pytest.fixture(scope="module")
async def service() -> AsyncIterator[str]:
    async with library() as url:
        yield url


@pytest.fixture(scope="module")
async def api() -> AsyncIterator[Api]:
    platform = Program("dev", environment=SECRETS)
    try:
        await platform.start()
        async with Api(platform.url) as client:
            yield client
    finally:
        await platform.close()


@pytest.mark.parametrize(("name", "scenario"), scenarios())
async def test_scenario(name: str, scenario: Json, api: Api, service: str) -> None:
    for number, needed in enumerate(scenario.get("needs", [])):
        await api.deploy(_document(f"{name}-needed-{number}", needed, service))
    deployed = await api.deploy(_document(name, scenario["definition"], service))
    if "begins" in scenario:
        process = await _scheduled(api, name, scenario["begins"])
    else:
        process = await api.start(deployed, scenario.get("input"), key=name)
    for step in scenario.get("during", []):
        await _do(api, process["id"], name, step)
    ended = await api.end(process["id"], seconds=30)
    _check(scenario["expect"], ended, await api.activities(process["id"]))


async def _scheduled(api: Api, name: str, steps: list[Json]) -> Json:
    """The first process that the schedule of this definition starts; it is paused then."""
    for step in steps:
        await _do(api, "", name, step)
    deadline = time.monotonic() + 30
    while not (found := await api.items("/v1/processes", namespace="conformance", name=name)):
        assert time.monotonic() < deadline, f"no process of {name} was started"
        await asyncio.sleep(0.05)
    for schedule in await api.items("/v1/schedules"):
        if schedule["definition"]["name"] == name:
            await api.post(f"/v1/schedules/{schedule['id']}/pause")
    return found[-1]


def _document(name: str, parts: Json, service: str) -> str:
    parts = dict(parts)
    document = definition(parts.pop("name", name), parts.pop("do"), namespace="conformance", **parts)
    return yaml.safe_dump(document, sort_keys=False).replace(SERVICE, service)


async def _do(api: Api, process: str, name: str, step: Json) -> None:
    match next(iter(step.items())):
        case "waitsFor", reason:
            await api.waits_for(process, reason)
        case "consumes", count:
            await api.consumes(process, count)
        case "emit", event:
            await api.emit(event["type"], event.get("data"), **{"id": name, **event.get("attributes", {})})
        case "decide", decision:
            task = (await api.items("/v1/human-tasks", process=process, status="open"))[0]
            await api.post(f"/v1/human-tasks/{task['id']}/complete", {"user": "ada", **decision})
        case "command", command:
            await api.post(f"/v1/processes/{process}/{command}")
        case other:
            raise AssertionError(f"unknown step {other}")


def _check(expect: Json, process: Json, activities: list[Json]) -> None:
    assert process["status"] == expect.get("status", "completed"), process
    output = process["output"]
    if "output" in expect:
        assert output == expect["output"]
    for path in expect.get("has", []):
        assert _at(output, path) is not MISSING, f"{path} is missing in {output}"
    for path, value in expect.get("at", {}).items():
        assert _at(output, path) == value, path
    for path, count in expect.get("count", {}).items():
        assert len(_at(output, path)) == count, path
    for name, value in expect.get("error", {}).items():
        assert process["error"][name] == value, process["error"]
    names = [activity["name"] for activity in activities]
    if "first" in expect:
        assert names[0] == expect["first"], names
    if "last" in expect:
        assert names[-1] == expect["last"], names
    starts = [names.index(name) for name in expect.get("order", [])]
    assert starts == sorted(starts), names
    started = Counter(names)
    for name, count in expect.get("runs", {}).items():
        assert started[name] == count, names
    for name, status in expect.get("activities", {}).items():
        assert [a["status"] for a in activities if a["name"] == name] == [status], activities


MISSING = object()


def _at(value: Json, path: str) -> Json:
    for step in path.split("."):
        if isinstance(value, list) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        elif isinstance(value, dict) and step in value:
            value = value[step]
        else:
            return MISSING
    return value
