"""Schedules over a real database: each tick starts one process, whoever runs, whoever dies."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from perdure.definition.problems import DefinitionInvalid
from perdure.runtime import collecting, scheduling
from perdure.runtime import events as routing
from perdure.runtime.errors import Conflict, Invalid, NotFound
from perdure.runtime.views import ProcessFilter, ProcessView, ScheduleView

from .conftest import DEADLINE_SECONDS, WHO, Platform, open_platform

DO = [{"say": {"set": {"got": "${ . }"}}}]
WAIT = [{"rest": {"wait": {"hours": 1}}}]


async def schedules(platform: Platform) -> list[ScheduleView]:
    return (await platform.service.list_schedules(WHO, limit=50, cursor=None)).items


async def runs(platform: Platform, name: str, **more: Any) -> list[ProcessView]:
    """Its processes, the oldest first."""
    filter_ = ProcessFilter(name=name, **more)
    page = await platform.service.list_processes(WHO, filter_, limit=500, cursor=None)
    return page.items[::-1]


async def until_runs(platform: Platform, name: str, count: int, **more: Any) -> list[ProcessView]:
    async with asyncio.timeout(DEADLINE_SECONDS):
        while len(found := await runs(platform, name, **more)) < count:
            await asyncio.sleep(0.02)
    return found


async def sql(platform: Platform, statement: str, *arguments: Any) -> Any:
    async with platform.context.store._pool.acquire() as connection:  # type: ignore[attr-defined]
        return await connection.fetch(statement, *arguments)


async def make_due(platform: Platform, seconds_ago: float = 0) -> None:
    """As if so much time had passed since the next tick was due."""
    await sql(platform, "update schedule set next_at = clock_timestamp() - make_interval(secs => $1)", seconds_ago)


async def test_every_starts_at_its_grid(platform: Platform) -> None:
    await platform.deploy("pulse", DO, schedule={"every": {"milliseconds": 300}})
    found = await until_runs(platform, "pulse", 4)
    (schedule,) = await schedules(platform)
    ticks = [datetime.fromisoformat(run.tags["perdure.tick"]) for run in found]
    assert [(tick - schedule.since) / timedelta(milliseconds=300) for tick in ticks] == [1, 2, 3, 4][: len(ticks)] + [
        *range(5, len(ticks) + 1)
    ]
    assert {run.tags["perdure.schedule"] for run in found} == {str(schedule.id)}
    assert all(run.input == {} for run in found)
    assert (schedule.kind, schedule.expression, schedule.paused) == ("every", {"milliseconds": 300}, False)
    assert schedule.last is not None and schedule.next is not None and schedule.next > schedule.last.at
    assert (await platform.ended(found[0])).output == {"got": {}}


async def test_a_tick_starts_one_process_for_any_number_of_schedulers(platform: Platform) -> None:
    await platform.worker.stop()
    await platform.deploy("once", WAIT, schedule={"cron": "0 0 1 1 *"})
    await make_due(platform)
    await asyncio.gather(*(scheduling.run_due(platform.context) for _ in range(8)))
    assert len(await runs(platform, "once")) == 1
    # One that died after it had read, and one that comes with the same tick once more.
    tick = (await sql(platform, "select at from schedule_tick"))[0]["at"]
    await sql(platform, "update schedule set next_at = $1", tick)
    assert await scheduling.run_due(platform.context) == 0
    assert len(await runs(platform, "once")) == 1


async def test_a_scheduler_that_dies_in_mid_turn_leaves_the_tick_to_others(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    await platform.worker.stop()
    await platform.deploy("once", WAIT, schedule={"cron": "0 0 1 1 *"})
    await make_due(platform)

    class Died(Exception):
        pass

    async with asyncio.timeout(DEADLINE_SECONDS):
        with pytest.raises(Died):
            async with platform.context.store.schedules.take_due(10) as taken:
                (record,) = taken.schedules
                await taken.save([await scheduling._turn(taken, record)])
                raise Died
    assert await runs(platform, "once") == []
    assert await scheduling.run_due(platform.context) == 1
    assert len(await runs(platform, "once")) == 1


async def test_a_newer_version_replaces_and_ends_a_schedule(platform: Platform) -> None:
    await platform.deploy("job", DO, schedule={"cron": "@daily"})
    (first,) = await schedules(platform)
    assert (first.definition.version, first.expression) == ("1.0.0", "@daily")
    await platform.deploy("job", DO, version="0.9.0", schedule={"cron": "@hourly"})
    await platform.deploy("job", DO, version="2.0.0-rc.1", schedule={"cron": "@hourly"})
    assert await schedules(platform) == [first]
    await platform.deploy("job", DO, version="1.1.0", schedule={"every": "PT1H", "cron": "@hourly"})
    every_and_cron = {s.kind: s for s in await schedules(platform)}
    assert {kind: s.definition.version for kind, s in every_and_cron.items()} == {"every": "1.1.0", "cron": "1.1.0"}
    assert every_and_cron["cron"].id == first.id
    await platform.deploy("job", DO, version="1.2.0")
    assert await schedules(platform) == []
    with pytest.raises(NotFound):
        await platform.service.get_schedule(WHO, first.id)


async def test_after_begins_with_the_first_start_and_goes_on_from_each_end(platform: Platform) -> None:
    await platform.deploy("loop", DO, schedule={"after": {"milliseconds": 100}})
    (schedule,) = await schedules(platform)
    assert (schedule.kind, schedule.next, schedule.last) == ("after", None, None)
    first = await platform.ended(await platform.start("loop"))
    found = await until_runs(platform, "loop", 4)
    assert found[0].id == first.id
    for earlier, later in zip(found[:3], found[1:4], strict=True):
        ended = (await platform.ended(earlier)).ended_at
        assert ended is not None
        assert datetime.fromisoformat(later.tags["perdure.tick"]) == ended + timedelta(milliseconds=100)


async def test_overlap_skip_and_queue(platform: Platform) -> None:
    await platform.worker.stop()
    for overlap in ("skip", "queue"):
        document = {"metadata": {"perdure": {"schedule": {"overlap": overlap}}}}
        await deploy(platform, overlap, WAIT, document, schedule={"every": "PT1S"})
    for _ in range(3):
        await make_due(platform)
        await scheduling.run_due(platform.context)
    assert len(await runs(platform, "skip")) == 1
    assert len(await runs(platform, "queue")) == 1
    by_name = {s.definition.name: s for s in await schedules(platform)}
    assert (by_name["skip"].queued, by_name["queue"].queued) == (0, 2)
    for name in ("skip", "queue"):
        for run in await runs(platform, name):
            await platform.service.command(WHO, run.id, "cancel", None)
    await sql(platform, "update schedule set next_at = clock_timestamp() + interval '1 hour'")
    await scheduling.run_due(platform.context)
    assert len(await runs(platform, "skip")) == 1
    assert len(await runs(platform, "queue")) == 2
    await scheduling.run_due(platform.context)  # the second still runs
    assert len(await runs(platform, "queue")) == 2


async def deploy(platform: Platform, name: str, do: Any, document: Any, **top: Any) -> None:
    import yaml

    head = {"dsl": "1.0.3", "namespace": "test", "name": name, "version": "1.0.0", **document}
    source = yaml.safe_dump({"document": head, "do": do, **top}).encode()
    await platform.service.register_definition(WHO, source, "application/yaml")


@pytest.mark.parametrize(("catch_up", "expected"), [("latest", 1), ("all", 61), ("none", 0)])
async def test_catching_up_after_an_outage(platform: Platform, catch_up: str, expected: int) -> None:
    await platform.worker.stop()
    document = {"metadata": {"perdure": {"schedule": {"catchUp": catch_up}}}}
    await deploy(platform, "missed", WAIT, document, schedule={"every": "PT60S"})
    # The grid stood still for an hour and a half minute.
    await sql(
        platform,
        "update schedule set anchor = date_trunc('second', clock_timestamp()) - interval '3700 seconds',"
        " next_at = date_trunc('second', clock_timestamp()) - interval '3640 seconds'",
    )
    while await scheduling.run_due(platform.context):
        pass
    assert len(await runs(platform, "missed")) == expected
    (schedule,) = await schedules(platform)
    assert schedule.next is not None and schedule.next > datetime.now(UTC)
    history = (await platform.service.schedule_history(WHO, schedule.id, limit=50, cursor=None)).items
    assert [entry.action for entry in history] == ([] if catch_up == "all" else ["missed"])


async def test_operators(platform: Platform) -> None:
    await platform.worker.stop()
    await platform.deploy("ops", DO, schedule={"cron": "0 12 * * *"})
    (schedule,) = await schedules(platform)
    service = platform.service
    paused = await service.pause_schedule(WHO, schedule.id, "holidays")
    assert (paused.paused, paused.next) == (True, None)
    with pytest.raises(Conflict):
        await service.pause_schedule(WHO, schedule.id, None)
    await make_due(platform)
    assert await scheduling.run_due(platform.context) == 0
    started = await service.trigger_schedule(WHO, schedule.id, None)
    assert started.tags["perdure.startedBy"] == "trigger"
    resumed = await service.resume_schedule(WHO, schedule.id, None)
    assert resumed.next is not None and resumed.next > datetime.now(UTC)
    with pytest.raises(Conflict):
        await service.resume_schedule(WHO, schedule.id, None)
    first, last = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 10, tzinfo=UTC)
    filled = await service.backfill_schedule(WHO, schedule.id, first, last, "month end")
    assert (filled.started, filled.already) == (9, 0)
    again = await service.backfill_schedule(WHO, schedule.id, first, last + timedelta(days=1), None)
    assert (again.started, again.already) == (1, 9)
    assert len(await runs(platform, "ops")) == 11
    entries = (await service.schedule_history(WHO, schedule.id, limit=50, cursor=None)).items
    assert [(entry.action, entry.actor) for entry in entries] == [
        ("backfilled", "tester"),
        ("backfilled", "tester"),
        ("resumed", "tester"),
        ("triggered", "tester"),
        ("paused", "tester"),
    ]
    assert entries[-1].data == {"reason": "holidays"}
    for a, b in ((last, first), (first, datetime(2999, 1, 1, tzinfo=UTC)), (datetime(2000, 1, 1, tzinfo=UTC), last)):
        with pytest.raises(Invalid) as refused:
            await service.backfill_schedule(WHO, schedule.id, a, b, None)
        assert refused.value.problems[0].pointer in ("/from", "/to")


def event(type_: str, number: int, **data: Any) -> dict[str, Any]:
    return {"specversion": "1.0", "id": f"{type_}-{number}", "source": "/tests", "type": type_, "data": data}


ON: dict[str, tuple[Any, list[dict[str, Any]], list[list[str]]]] = {
    "one": ({"one": {"with": {"type": "a"}}}, [event("a", 1), event("b", 1), event("a", 2)], [["a-1"], ["a-2"]]),
    "any": (
        {"any": [{"with": {"type": "a"}}, {"with": {"type": "b", "data": "${ .ok }"}}]},
        [event("b", 1, ok=False), event("b", 2, ok=True), event("a", 1)],
        [["b-2"], ["a-1"]],
    ),
    "all": (
        {"all": [{"with": {"type": "a"}}, {"with": {"type": "b"}}]},
        [event("a", 1), event("a", 2), event("b", 1), event("b", 2), event("b", 3)],
        [["a-1", "b-1"], ["a-2", "b-2"]],
    ),
    "correlated": (
        {
            "all": [
                {"with": {"type": "a"}, "correlate": {"order": {"from": "${ .data.order }"}}},
                {"with": {"type": "b"}, "correlate": {"order": {"from": "${ .data.order }"}}},
            ]
        },
        [event("a", 1, order=7), event("a", 2, order=8), event("b", 2, order=8), event("b", 1, order=7)],
        [["a-2", "b-2"], ["a-1", "b-1"]],
    ),
    "expect": (
        {"one": {"with": {"type": "a"}, "correlate": {"shop": {"from": "${ .data.shop }", "expect": "north"}}}},
        [event("a", 1, shop="south"), event("a", 2, shop="north")],
        [["a-2"]],
    ),
    "until an event": (
        {"any": [{"with": {"type": "a"}}], "until": {"one": {"with": {"type": "b"}}}},
        [event("b", 0), event("a", 1), event("a", 2), event("b", 1), event("a", 3)],
        [["a-1", "a-2"]],
    ),
    "until a condition": (
        {"any": [{"with": {"type": "a"}}], "until": "${ length == 2 }"},
        [event("a", 1), event("a", 2), event("a", 3)],
        [["a-1", "a-2"]],
    ),
}


@pytest.mark.parametrize("case", ON)
async def test_on_starts_with_each_whole_set_of_events(platform: Platform, case: str) -> None:
    strategy, events, expected = ON[case]
    await platform.deploy("heard", DO, schedule={"on": strategy})
    for one in events:
        await platform.service.receive_events(WHO, [one])
        await all_taken_in(platform)
    await platform.service.receive_events(WHO, events)  # repeats change nothing
    await all_taken_in(platform)
    found = await until_runs(platform, "heard", len(expected))
    assert [[e["id"] for e in run.input] for run in found] == expected
    assert [await_.output for await_ in [await platform.ended(run) for run in found]] == [
        {"got": run.input} for run in found
    ]
    (schedule,) = await schedules(platform)
    assert (schedule.kind, schedule.next) == ("on", None)
    assert schedule.last is not None and schedule.last.process == found[-1].id


async def all_taken_in(platform: Platform) -> None:
    async with asyncio.timeout(DEADLINE_SECONDS):
        while await sql(platform, "select from event where not routed limit 1") or await sql(
            platform, "select from inbox i join schedule s on s.id = i.process limit 1"
        ):
            await asyncio.sleep(0.01)


async def test_events_while_paused_are_not_made_up_for(platform: Platform) -> None:
    await platform.deploy("heard", DO, schedule={"on": ON["one"][0]})
    (schedule,) = await schedules(platform)
    await platform.service.pause_schedule(WHO, schedule.id, None)
    await platform.service.receive_events(WHO, [event("a", 1)])
    await all_taken_in(platform)
    await platform.service.resume_schedule(WHO, schedule.id, None)
    await platform.service.receive_events(WHO, [event("a", 2)])
    found = await until_runs(platform, "heard", 1)
    assert [[e["id"] for e in run.input] for run in found] == [["a-2"]]
    with pytest.raises(Conflict):
        await platform.service.backfill_schedule(WHO, schedule.id, schedule.since, schedule.since, None)


async def test_schedulers_that_race_for_events_start_each_set_once(database: str) -> None:
    async with open_platform(database) as platform, open_platform(database) as other:
        await platform.worker.stop()
        await other.worker.stop()
        await platform.deploy("heard", DO, schedule={"on": ON["one"][0]})
        (schedule,) = await schedules(platform)
        await receive(platform, *(event("a", n) for n in range(50)))
        while await sql(platform, "select from inbox where process = $1", schedule.id):
            await asyncio.gather(*(collecting.consume(p.context) for p in (platform, other, platform, other)))
        found = await runs(platform, "heard")
        assert sorted(e["id"] for run in found for e in run.input) == sorted(f"a-{n}" for n in range(50))


async def test_a_schedule_that_fails_does_not_stop_others(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    await platform.worker.stop()
    await platform.deploy("broken", DO, schedule={"on": ON["one"][0]})
    await platform.deploy("whole", DO, schedule={"on": ON["one"][0]})
    broken = next(s for s in await schedules(platform) if s.definition.name == "broken")
    turn = collecting._turn

    async def fails_for_one(context: Any, taken: Any, record: Any) -> Any:
        if record.id == broken.id:
            raise RuntimeError("a fault that nobody has thought of")
        return await turn(context, taken, record)

    monkeypatch.setattr(collecting, "_turn", fails_for_one)
    await receive(platform, event("a", 1))
    while await collecting.consume(platform.context):
        pass
    assert [len(await runs(platform, name)) for name in ("broken", "whole")] == [0, 1]
    # What was put off is not lost.
    monkeypatch.setattr(collecting, "_turn", turn)
    await sql(platform, "update inbox set recorded_at = clock_timestamp() where process = $1", broken.id)
    while await collecting.consume(platform.context):
        pass
    assert [len(await runs(platform, name)) for name in ("broken", "whole")] == [1, 1]


async def receive(platform: Platform, *events: Any) -> None:
    """And route, as a worker does."""
    await routing.finish(
        platform.context, await platform.context.store.add_events([("default", event) for event in events])
    )


async def test_a_new_version_begins_anew_with_its_sets(platform: Platform) -> None:
    await platform.worker.stop()
    await platform.deploy("heard", DO, schedule={"on": ON["all"][0]})
    await receive(platform, event("a", 1))
    while await collecting.consume(platform.context):
        pass
    assert await sql(platform, "select from schedule_set")
    await asyncio.gather(
        platform.deploy("heard", DO, version="1.1.0", schedule={"on": ON["all"][0]}),
        *(collecting.consume(platform.context) for _ in range(4)),
    )
    assert not await sql(platform, "select from schedule_set")
    await receive(platform, event("b", 1), event("a", 2))
    while await collecting.consume(platform.context):
        pass
    (found,) = await runs(platform, "heard")
    assert sorted(e["id"] for e in found.input) == ["a-2", "b-1"]
    assert found.definition.version == "1.1.0"


async def test_a_full_queue_takes_no_turn_from_others(platform: Platform) -> None:
    await platform.worker.stop()
    document = {"metadata": {"perdure": {"schedule": {"overlap": "queue"}}}}
    await deploy(platform, "queue", WAIT, document, schedule={"every": "PT1S"})
    for _ in range(2):
        await make_due(platform)
        await scheduling.run_due(platform.context)
    await sql(platform, "update schedule set next_at = clock_timestamp() + interval '1 hour'")
    async with platform.context.store.schedules.take_due(10) as taken:
        assert taken.schedules == []


@pytest.mark.parametrize(
    ("schedule", "pointer"),
    [
        ({"cron": "61 * * * *"}, "/schedule/cron"),
        ({"cron": "* * * * * *"}, "/schedule/cron"),
        ({"cron": "@fortnightly"}, "/schedule/cron"),
        ({"every": "PT0S"}, "/schedule/every"),
        ({"after": "${ .n }"}, "/schedule/after"),
        ({"on": {"all": []}}, "/schedule/on/all"),
    ],
)
async def test_refused_at_registration(platform: Platform, schedule: Any, pointer: str) -> None:
    with pytest.raises(DefinitionInvalid) as refused:
        await platform.deploy("wrong", DO, schedule=schedule)
    assert [problem.pointer for problem in refused.value.problems] == [pointer]
