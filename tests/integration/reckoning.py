"""What clients were told, what a service received and what is recorded must be one story."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import asyncpg

from integration.api import Api, Json
from integration.clients import Service, Statuses
from integration.load import CALLS, NAMES, REASONS, SOURCE
from integration.standin import StandIn

AT_ONCE = 8
"""Processes that are looked at at the same time."""
SURE = (200, 409)
"""What a decision or a callback may be answered: it counts, or it, or one like it, has counted already."""

STARTS = "select key, process from idempotency where key like $1 || '-%'"
DECISIONS = """
select t.id, t.status, t.outcome, count(h.sequence) as times
from human_task t
left join history h on h.process = t.process and h.activity = t.id and h.type = 'dev.perdure.human-task.completed'
where t.process = any($1) group by t.id
"""
EVENTS = "select event_id, count(*) as times, bool_and(routed) as routed from event where source = $1 group by event_id"
CONSUMED = """
select a.process, a.name, count(h.sequence) as times
from activity a
left join history h on h.process = a.process and h.activity = a.id and h.type = 'dev.perdure.event.consumed'
where a.process = any($1) and a.kind = 'listen' group by a.process, a.name
"""
CALLBACKS = "select process, count(*) as times, max(status) as status from callback where process = any($1) group by 1"
CALLED = "select process, name, id from activity where process = any($1) and name = any($2)"


@dataclass(frozen=True)
class Told:
    """What clients were told: the orders they may count on, and what was answered to whoever decided, called back and
    sent events."""

    run: str
    started: Sequence[str]
    decided: Statuses
    service: Service


async def check(api: Api, service: StandIn, processes: Sequence[str], seconds: float) -> None:
    """As the API tells it: all have ended as they should, and nothing happened twice."""
    for number, process in enumerate(processes):
        ended = await api.end(process, seconds)
        assert ended["status"] == "completed", (ended, await api.activities(process))
        assert ended["output"] == {"order": number, "n": 12}
    some = asyncio.Semaphore(AT_ONCE)

    async def look(number: int, process: str) -> None:
        async with some:
            await _check_records(api, number, process)
            await _check_children(api, process)

    await asyncio.gather(*(look(number, process) for number, process in enumerate(processes)))
    await _check_nothing_else(api, processes)
    check_keys(service, len(processes))


async def check_story(dsn: str, service: StandIn, told: Told) -> None:
    """As the database tells it, once all has ended and everybody has been answered."""
    connection = await asyncpg.connect(dsn)
    try:
        await compare(connection, service, told)
    finally:
        await connection.close()


async def compare(connection: asyncpg.Connection, service: StandIn, told: Told) -> None:
    await _check_starts(connection, told)
    await _check_decisions(connection, told)
    await _check_events(connection, told)
    await _check_callbacks(connection, told)
    await _check_calls(connection, service, told)


async def check_parked(api: Api, processes: Sequence[str]) -> None:
    """They wait for all that they should, once each, and end at a word."""
    for process in processes:
        found = await api.waits_for(process, "human-task")
        assert found["status"] == "waiting", found
        assert Counter(waiting["reason"] for waiting in found["waitingFor"]) == Counter(REASONS), found
        waiting = {activity["name"] for activity in await api.activities(process) if activity["status"] == "waiting"}
        assert waiting >= set(REASONS)
        (await api.insist("POST", f"/v1/processes/{process}/cancel")).expect(200, 409)
        assert (await api.process(process))["status"] == "cancelled"


def check_keys(service: StandIn, count: int) -> None:
    """Each order made each call, and every repeat bore the same key."""
    keys = _keys(service)
    assert keys.keys() == {(number, step) for number in range(count) for step in CALLS}
    repeated_under_another = {call: found for call, found in keys.items() if len(found) != 1 or None in found}
    assert not repeated_under_another
    assert len({key for found in keys.values() for key in found}) == len(keys), "calls share a key"


def report(what: str, service: StandIn, count: int) -> None:
    """The figures of a run whose checks have passed; ``pytest -s`` shows them."""
    repeats = len(service.requests) - count * (len(CALLS) + 1)  # the flaky one asks for a second attempt by itself
    print(f"\n{what}: {count} accepted, {count} completed, {len(service.requests)} calls, {repeats} of them repeats")


def _keys(service: StandIn) -> dict[tuple[int, str], set[str | None]]:
    """What the service has received: by order and step, under which keys."""
    keys: dict[tuple[int, str], set[str | None]] = {}
    for request in service.requests:
        keys.setdefault((request.body["order"], request.body["step"]), set()).add(request.key)
    return keys


async def _check_records(api: Api, number: int, process: str) -> None:
    activities = await api.activities(process)
    assert Counter(activity["name"] for activity in activities) == NAMES
    assert len({activity["id"] for activity in activities}) == len(activities)
    assert {activity["status"] for activity in activities} == {"completed"}
    _check_outputs(number, {activity["name"]: activity["output"] for activity in activities})
    history = await api.history(process)
    assert [entry["sequence"] for entry in history] == list(range(1, len(history) + 1))


def _check_outputs(number: int, outputs: Mapping[str, Json]) -> None:
    """What services, people and senders of events have answered is what their activities have kept."""
    for step in ("reserve", "charge"):
        assert outputs[step] == {"order": number, "step": step}
    assert outputs["pay"] == {"answer": number}
    assert [event["order"] for event in outputs["packed"]] == [number]
    assert (outputs["approve"]["outcome"], outputs["approve"]["completedBy"]) == ("approved", "clerk")


async def _check_children(api: Api, process: str) -> None:
    """There are two, which have ended too."""
    children = await api.items("/v1/processes", parent=process)
    assert Counter(child["definition"]["name"] for child in children) == {"tell": 1, "double": 1}
    for child in children:
        assert (await api.end(child["id"]))["status"] == "completed"


async def _check_nothing_else(api: Api, processes: Sequence[str]) -> None:
    """A start that was repeated started nothing more."""
    run = (await api.process(processes[0]))["tags"]["run"]
    there = await api.items("/v1/processes", **{"tag.run": run})
    assert {process["id"] for process in there} == set(processes)


async def _check_starts(connection: asyncpg.Connection, told: Told) -> None:
    rows = await connection.fetch(STARTS, told.run)
    recorded = {row["key"]: str(row["process"]) for row in rows if "parked" not in row["key"]}
    assert recorded == {f"{told.run}-{number}": process for number, process in enumerate(told.started)}


async def _check_decisions(connection: asyncpg.Connection, told: Told) -> None:
    rows = await connection.fetch(DECISIONS, told.started)
    assert len(rows) == len(told.started)
    undone = [
        dict(row) for row in rows if (row["status"], row["outcome"], row["times"]) != ("completed", "approved", 1)
    ]
    assert not undone, "decisions that are not recorded, or twice"
    said = {str(row["id"]): told.decided.get(str(row["id"]), []) for row in rows}
    wrong = {task: statuses for task, statuses in said.items() if not statuses or statuses.count(200) > 1}
    assert not wrong, "decisions that nobody made, or that counted twice"


async def _check_events(connection: asyncpg.Connection, told: Told) -> None:
    sent = {f"{told.run}-{number}" for number in range(len(told.started))}
    assert told.service.events.keys() >= sent
    refused = {event: said for event, said in told.service.events.items() if set(said) != {202}}
    assert not refused
    kept = {row["event_id"]: (row["times"], row["routed"]) for row in await connection.fetch(EVENTS, SOURCE)}
    assert {event: kept.get(event) for event in sent} == dict.fromkeys(sent, (1, True))
    consumed = {
        (str(row["process"]), row["name"]): row["times"] for row in await connection.fetch(CONSUMED, told.started)
    }
    heard = {(process, name): 1 for process in told.started for name in ("packed", "hear")}
    assert consumed == heard, "events that were not taken in, or twice"


async def _check_callbacks(connection: asyncpg.Connection, told: Told) -> None:
    rows = await connection.fetch(CALLBACKS, told.started)
    assert {str(row["process"]) for row in rows} == set(told.started)
    assert all(row["times"] == 1 and row["status"] != "open" for row in rows), "callbacks that are still waited for"
    unsure = {path: said for path, said in told.service.callbacks.items() if set(said) - set(SURE) or 200 not in said}
    assert not unsure, "callbacks that did not count"


async def _check_calls(connection: asyncpg.Connection, service: StandIn, told: Told) -> None:
    """The service received the calls of the activities that are recorded, and no others."""
    rows = await connection.fetch(CALLED, told.started, CALLS)
    numbers = {process: number for number, process in enumerate(told.started)}
    recorded: dict[tuple[int, str], set[str | None]] = {
        (numbers[str(row["process"])], row["name"]): {f"{row['process']}/{row['id']}"} for row in rows
    }
    assert _keys(service) == recorded
