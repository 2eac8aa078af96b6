"""Events over a real database: who hears them, once each, and what came before anybody listened."""

import asyncio

import asyncpg

from perdure.runtime import events
from perdure.store.postgres import events as rows

from .conftest import WHO, event, listen_for


async def test_an_event_has_one_effect_and_only_where_it_correlates(platform):
    await platform.deploy("paid", [{"l": listen_for("paid")}])
    mine, other = await platform.start("paid", {"id": "A"}), await platform.start("paid", {"id": "B"})
    for process in (mine, other):
        await platform.waiting(process, "event")
    for _ in range(3):
        await platform.service.receive_events(WHO, [event("paid", "1", id="A"), event("due", "2", id="B")])
    assert (await platform.ended(mine)).output == [{"id": "A"}]
    assert (await platform.history(mine)).count("dev.perdure.event.consumed") == 1
    assert (await platform.service.get_process(WHO, other.id)).status == "waiting"


async def test_events_of_the_same_time_each_find_those_that_listen(platform, monkeypatch):
    """Of all kinds: with and without correlation, of a type and of any; in several lots as they are too many."""
    monkeypatch.setattr(rows, "MATCHES_MAX", 3)
    anything = {"listen": {"to": {"one": {"with": {"data": '${ .id == "A" }'}}}}, "output": {"as": "${ .[0].id }"}}
    of_type = {"listen": {"to": {"one": {"with": {"type": "due"}}}}, "output": {"as": "${ .[0].id }"}}
    await platform.deploy("paid", [{"l": listen_for("paid")}])
    await platform.deploy("anything", [{"l": anything}])
    await platform.deploy("of-type", [{"l": of_type}])
    correlated = [await platform.start("paid", {"id": f"{n}"}) for n in range(8)]
    others = [await platform.start("anything"), await platform.start("of-type")]
    for process in (*correlated, *others):
        await platform.waiting(process, "event")
    sent = [event("paid", f"p{n}", id=f"{n}") for n in range(8)]
    sent += [event("due", "d1", id="B"), event("odd", "o1", id="A"), event("none", "n1", id="C")]
    async with asyncio.TaskGroup() as group:
        for one in sent:
            group.create_task(platform.service.receive_events(WHO, [one, one]))
    for number, process in enumerate(correlated):
        assert (await platform.ended(process)).output == [{"id": f"{number}"}]
    assert [(await platform.ended(process)).output for process in others] == ["A", "B"]
    assert await platform.stranded() == []


async def test_an_event_that_cannot_be_routed_keeps_no_other_back(platform, monkeypatch):
    digest = events._digest

    async def fails(context, expressions, one):
        if one["id"] == "bad":
            raise RuntimeError("broken")
        return await digest(context, expressions, one)

    await platform.deploy("paid", [{"l": listen_for("paid")}])
    process, bad = await platform.start("paid", {"id": "A"}), await platform.start("paid", {"id": "B"})
    for one in (process, bad):
        await platform.waiting(one, "event")
    monkeypatch.setattr(events, "_digest", fails)
    await platform.service.receive_events(WHO, [event("paid", "bad", id="B"), event("paid", "1", id="A")])
    assert (await platform.ended(process)).output == [{"id": "A"}]
    assert (await platform.service.get_process(WHO, bad.id)).status == "waiting"
    monkeypatch.setattr(events, "_digest", digest)
    assert (await platform.ended(bad)).output == [{"id": "B"}]


async def test_a_reply_that_outruns_the_listener_is_not_lost(platform):
    do = [{"pause": {"wait": {"milliseconds": 300}}}, {"l": listen_for("reply", input={"from": "$workflow.input"})}]
    await platform.deploy("quick", do)
    await platform.service.receive_events(WHO, [event("reply", "too-early", id="A")])
    process = await platform.start("quick", {"id": "A"})
    await platform.waiting(process, "timer")
    await platform.service.receive_events(WHO, [event("reply", "in-time", id="A")])
    assert (await platform.ended(process)).output == [{"id": "A"}]


async def test_a_loop_hears_what_came_before_it_got_there(platform, database, monkeypatch):
    monkeypatch.setattr(events, "RECENT_MAX", 2)
    loop = {"for": {"each": "id", "in": ".ids"}, "do": [{"l": listen_for("part", input={"from": "{id: $id}"})}]}
    await platform.deploy("parts", [{"pause": {"wait": {"milliseconds": 300}}}, {"all": loop}])
    ids = ["A", "B", "C"]
    process = await platform.start("parts", {"ids": ids})
    await platform.waiting(process, "timer")
    others = [event("part", f"other-{n}", id=f"other-{n}") for n in range(5)]
    await platform.service.receive_events(WHO, [*others, *(event("part", id_, id=id_) for id_ in reversed(ids))])
    assert (await platform.ended(process)).output == [{"id": "C"}]
    connection = await asyncpg.connect(database)
    offered = await connection.fetchval("select count(*) from offer where process = $1", process.id)
    await connection.close()
    assert offered == len(ids)


async def test_events_emitted_reach_listening_processes(platform):
    await platform.deploy("hears", [{"l": listen_for("said")}])
    process = await platform.start("hears", {"id": "A"})
    await platform.waiting(process, "event")
    said = {"source": "https://example.com/test", "type": "said", "data": {"id": "${ .id }"}}
    await platform.run("says", [{"e": {"emit": {"event": {"with": said}}}}], {"id": "A"})
    assert (await platform.ended(process)).output == [{"id": "A"}]
