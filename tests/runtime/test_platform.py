"""What the runtime promises, over a real database: commands, answers of the world, and nothing done twice."""

import asyncio
import base64
from uuid import uuid4

import asyncpg
import pytest

from perdure.definition.problems import DefinitionInvalid
from perdure.engine.dataflow import text_of
from perdure.engine.draft import WORKFLOW
from perdure.runtime.errors import Conflict, Forbidden, Invalid, NotFound
from perdure.runtime.views import HumanTaskFilter, ProcessFilter, StartRequest
from perdure.worker import sweeper

from .conftest import WHO, event, listen_for, open_platform

STEPS = [{"one": {"set": {"n": "${ (.n // 0) + 1 }"}}}, {"two": {"set": {"n": "${ .n + 1 }"}}}]


def get(world, path, **more):
    return {"call": "http", "with": {"method": "get", "endpoint": world.url + path}, **more}


async def test_a_process_runs_and_leaves_a_complete_trail(platform):
    view = await platform.run("plain", STEPS, {"n": 1})
    assert (view.status, view.output) == ("completed", {"n": 3})
    activities = (await platform.service.activities(WHO, view.id, limit=10, cursor=None)).items
    assert [(a.reference, a.status, a.input, a.output) for a in activities] == [
        ("/do/0/one", "completed", {"n": 1}, {"n": 2}),
        ("/do/1/two", "completed", {"n": 2}, {"n": 3}),
    ]
    types = await platform.history(view)
    assert types[0] == "io.serverlessworkflow.workflow.started.v1"
    assert types[-1] == "io.serverlessworkflow.workflow.completed.v1"


async def test_a_payload_that_passes_unchanged_is_stored_once(platform, database):
    big = {"text": "x" * 5000}
    view = await platform.run("pass", [{f"t{i}": {"set": "${ . }"}} for i in range(10)], big)
    assert view.output == big
    connection = await asyncpg.connect(database)
    stored = await connection.fetchval("select count(*) from payload where process = $1", view.id)
    await connection.close()
    assert stored == 1


async def test_definitions_never_change(platform):
    await platform.deploy("fixed", STEPS)
    again = await platform.service.get_definition(WHO, "test", "fixed", "latest")
    assert again.version == "1.0.0"
    with pytest.raises(Conflict, match="document.version"):
        await platform.deploy("fixed", STEPS[:1])
    with pytest.raises(DefinitionInvalid) as invalid:
        await platform.deploy("bad", [{"a": {"set": {"x": "${ .a | }"}}}])
    (problem,) = invalid.value.problems
    assert problem.pointer == "/do/0/a/set/x"
    assert problem.line is not None
    with pytest.raises(NotFound):
        await platform.start("bad")


async def test_the_highest_stable_version_is_started(platform):
    for version in ("1.9.0", "1.10.0", "2.0.0-rc.1"):
        await platform.deploy("versions", STEPS, version=version)
    assert (await platform.start("versions")).definition.version == "1.10.0"
    assert (await platform.start("versions", version="2.0.0-rc.1")).definition.version == "2.0.0-rc.1"
    page = await platform.service.list_versions(WHO, "test", "versions", limit=2, cursor=None)
    assert [item.version for item in page.items] == ["2.0.0-rc.1", "1.10.0"]
    rest = await platform.service.list_versions(WHO, "test", "versions", limit=2, cursor=page.next)
    assert ([item.version for item in rest.items], rest.next) == (["1.9.0"], None)


async def test_one_idempotency_key_starts_one_process(platform):
    await platform.deploy("once", [{"w": {"wait": {"hours": 1}}}])
    request = StartRequest("test", "once", input={"a": 1})
    started = await asyncio.gather(*(platform.service.start(WHO, request, idempotency_key="k-1") for _ in range(10)))
    assert len({one.process.id for one in started}) == 1
    assert sum(one.created for one in started) == 1
    with pytest.raises(Invalid, match="another body"):
        await platform.service.start(WHO, StartRequest("test", "once", input={"a": 2}), idempotency_key="k-1")


async def test_business_keys(platform):
    await platform.deploy("keyed", [{"w": {"wait": {"hours": 1}}}])
    first = await platform.start("keyed", key="order-1", tags={"region": "eu"})
    other = await platform.start("keyed", key="order-1")
    assert other.id != first.id
    existing = StartRequest("test", "keyed", key="order-1", on_conflict="existing")
    answered = await platform.service.start(WHO, existing)
    assert (answered.created, answered.process.id) == (False, first.id)
    with pytest.raises(Conflict, match="order-1"):
        await platform.service.start(WHO, StartRequest("test", "keyed", key="order-1", on_conflict="reject"))
    for view in (first, other):
        await platform.service.command(WHO, view.id, "cancel", None)
    assert (await platform.service.start(WHO, existing)).created
    by_tag = await platform.service.list_processes(WHO, ProcessFilter(tags={"region": "eu"}), limit=5, cursor=None)
    assert [view.id for view in by_tag.items] == [first.id]


async def test_a_refused_start_is_refused_again_under_its_idempotency_key(platform):
    await platform.deploy("keyed", [{"w": {"wait": {"hours": 1}}}])
    first = await platform.start("keyed", key="order-1")
    request = StartRequest("test", "keyed", key="order-1", on_conflict="reject")
    for _ in range(2):
        with pytest.raises(Conflict, match="order-1"):
            await platform.service.start(WHO, request, idempotency_key="k-1")
    await platform.service.command(WHO, first.id, "cancel", None)
    assert (await platform.service.start(WHO, request, idempotency_key="k-1")).created


async def test_a_batch_answers_each_in_order(platform):
    await platform.deploy("batch", STEPS)
    requests = [StartRequest("test", "batch"), StartRequest("test", "nothing"), StartRequest("test", "batch")]
    good, bad, also = await platform.service.start_batch(WHO, requests)
    assert isinstance(bad, NotFound)
    assert (await platform.ended(good)).output == (await platform.ended(also)).output == {"n": 2}


async def test_a_start_in_the_future_waits_and_can_be_cancelled(platform):
    await platform.deploy("later", STEPS)
    now = await platform.context.store.now()
    later = await platform.start("later", start_at=now.replace(year=now.year + 1))
    assert later.status == "pending"
    assert (await platform.service.command(WHO, later.id, "cancel", "not wanted")).status == "cancelled"
    assert await platform.context.store.next_timer() is None
    soon = await platform.start("later", start_at=now)
    assert (await platform.ended(soon)).status == "completed"


async def test_calls_repeat_under_one_key(platform, world):
    world.answers["/flaky"] = [503, 503, 200]
    retry = {"delay": {"milliseconds": 20}, "limit": {"attempt": {"count": 5}}}
    task = {"try": [{"get": get(world, "/flaky")}], "catch": {"errors": {"with": {"status": 503}}, "retry": retry}}
    view = await platform.run("flaky", [{"attempt": task}])
    assert view.output == {"path": "/flaky", "status": 200}
    keys = [key for _, _, key, _ in world.of("/flaky")]
    assert len(keys) == 3
    assert len(set(keys)) == 1
    assert keys[0].startswith(f"{view.id}/")


async def test_the_authorization_of_a_call_can_be_seen(platform, world):
    endpoint = {"uri": world.url + "/a", "authentication": {"basic": {"username": "ada", "password": "lovelace"}}}
    call = {"call": "http", "with": {"method": "get", "endpoint": endpoint}, "output": {"as": "$authorization"}}
    view = await platform.run("authorized", [{"c": call}])
    assert view.output == {"scheme": "Basic", "parameter": base64.b64encode(b"ada:lovelace").decode()}
    endpoint["authentication"] = {"bearer": {"use": "NOBODY"}}
    call["output"] = {"as": "$authorization | error"}
    view = await platform.run("unauthorized", [{"c": call}], use={"secrets": ["NOBODY"]})
    assert (view.error.type.rpartition("/")[2], view.error.status) == ("authorization", 403)


async def test_a_callback_counts_once(platform, world):
    request = {"method": "post", "endpoint": world.url + "/pay", "body": {"url": "${ $callback.url }"}}
    await platform.deploy("pay", [{"pay": {"call": "callback:1.0.0@default", "with": {"request": request}}}])
    process = await platform.start("pay")
    await platform.waiting(process, "callback")
    async with asyncio.timeout(10):
        while not world.of("/pay"):
            await asyncio.sleep(0.01)
    token = world.of("/pay")[0][3]["url"].rsplit("/", 1)[1]
    await asyncio.gather(*(platform.service.receive_callback(token, {"paid": 1}) for _ in range(5)))
    assert (await platform.ended(process)).output == {"paid": 1}
    await platform.service.receive_callback(token, {"paid": 1})
    with pytest.raises(Conflict):
        await platform.service.receive_callback(token, {"paid": 2})
    with pytest.raises(NotFound):
        await platform.service.receive_callback("unknown", None)
    assert (await platform.history(process)).count("dev.perdure.callback.received") == 1


async def test_people_decide(platform):
    form = {"type": "object", "required": ["limit"], "properties": {"limit": {"type": "integer"}}}
    with_ = {"title": "Approve", "assignees": ["ann"], "excludeUsers": ["eve"], "form": form}
    await platform.deploy("approve", [{"ask": {"call": "human-task:1.0.0@default", "with": with_}}])
    process = await platform.start("approve")
    await platform.waiting(process, "human-task")
    page = await platform.service.list_human_tasks(WHO, HumanTaskFilter(assignee="ann"), limit=5, cursor=None)
    (task,) = page.items
    service = platform.service
    with pytest.raises(Forbidden):
        await service.claim(WHO, task.id, "eve")
    assert (await service.claim(WHO, task.id, "ann")).assignee == "ann"
    with pytest.raises(Conflict, match="claimed by 'ann'"):
        await service.complete(WHO, task.id, "bob", "approved", None, {"limit": 1})
    with pytest.raises(Forbidden):
        await service.delegate(WHO, task.id, "ann", "eve")
    assert (await service.delegate(WHO, task.id, "ann", "bob")).assignee == "bob"
    assert (await service.release(WHO, task.id, "bob")).status == "open"
    with pytest.raises(Invalid, match="outcome"):
        await service.complete(WHO, task.id, "ann", "maybe", None, {"limit": 1})
    with pytest.raises(Invalid, match="user"):
        await service.complete(WHO, task.id, "perdure", "approved", None, {"limit": 1})
    with pytest.raises(Invalid) as unfit:
        await service.complete(WHO, task.id, "ann", "approved", None, {"limit": "x"})
    assert unfit.value.problems[0].pointer == "/data/limit"
    done = await service.complete(WHO, task.id, "ann", "approved", "fine", {"limit": 7})
    assert (done.status, done.outcome) == ("completed", "approved")
    with pytest.raises(Conflict):
        await service.complete(WHO, task.id, "ann", "approved", "fine", {"limit": 7})
    output = (await platform.ended(process)).output
    assert (output["outcome"], output["data"], output["completedBy"]) == ("approved", {"limit": 7}, "ann")


async def test_children_answer_their_parents(platform):
    await platform.deploy("child", [{"s": {"set": {"twice": "${ .n * 2 }"}}}])
    error = {"type": "https://example.com/bad", "status": 418, "title": "No"}
    await platform.deploy("broken", [{"r": {"raise": {"error": error}}}])

    def run(name):
        workflow = {"namespace": "test", "name": name, "version": "1.0.0", "input": {"n": "${ .n }"}}
        return {"r": {"run": {"workflow": workflow}}}

    good = await platform.run("parent", [run("child")], {"n": 21})
    assert good.output == {"twice": 42}
    children = await platform.service.list_processes(WHO, ProcessFilter(parent=good.id), limit=5, cursor=None)
    assert [child.definition.name for child in children.items] == ["child"]
    bad = await platform.run("parent-of-broken", [run("broken")], {"n": 1})
    assert (bad.status, bad.error.type, bad.error.instance) == ("faulted", "https://example.com/bad", "/do/0/r")
    missing = await platform.run("parent-of-none", [run("nobody")], {"n": 1})
    assert missing.error.type.endswith("/configuration")


async def test_cancel_reaches_children_people_and_calls(platform, world):
    world.held["/slow"] = asyncio.Event()
    await platform.deploy("sleeper", [{"w": {"wait": {"hours": 1}}}])
    workflow = {"namespace": "test", "name": "sleeper", "version": "latest"}
    branches = [
        {"child": {"run": {"workflow": workflow}}},
        {"person": {"call": "human-task:1.0.0@default", "with": {"title": "?"}}},
        {"call": get(world, "/slow")},
    ]
    await platform.deploy("all", [{"f": {"fork": {"branches": branches}}}])
    process = await platform.start("all")
    await platform.until(process, lambda view: len(view.waiting_for) == 3)
    async with asyncio.timeout(10):
        while not world.of("/slow"):
            await asyncio.sleep(0.01)
    cancelled = await platform.service.command(WHO, process.id, "cancel", "enough")
    assert cancelled.status == "cancelled"
    children = await platform.service.list_processes(WHO, ProcessFilter(parent=process.id), limit=5, cursor=None)
    assert (await platform.ended(children.items[0])).status == "cancelled"
    tasks = await platform.service.list_human_tasks(WHO, HumanTaskFilter(process=process.id), limit=5, cursor=None)
    assert [task.status for task in tasks.items] == ["cancelled"]
    world.held["/slow"].set()
    async with asyncio.timeout(10):
        while "dev.perdure.fact.refused" not in await platform.history(process):
            await asyncio.sleep(0.02)
    assert (await platform.service.get_process(WHO, process.id)).status == "cancelled"
    with pytest.raises(Conflict, match="cancel: expected"):
        await platform.service.command(WHO, process.id, "cancel", None)


async def test_cancel_reaches_a_suspended_child(platform):
    await platform.deploy("held", [{"w": {"wait": {"hours": 1}}}])
    workflow = {"namespace": "test", "name": "held", "version": "latest"}
    await platform.deploy("holder", [{"c": {"run": {"workflow": workflow}}}])
    process = await platform.waiting(await platform.start("holder"), "child")
    children = await platform.service.list_processes(WHO, ProcessFilter(parent=process.id), limit=5, cursor=None)
    (child,) = children.items
    await platform.waiting(child, "timer")
    await platform.service.command(WHO, child.id, "suspend", None)
    await platform.service.command(WHO, process.id, "cancel", None)
    assert (await platform.ended(child)).status == "cancelled"


async def test_a_step_needs_one_connection(database):
    async with open_platform(database, database_pool_max=3, sweep_seconds=3600) as platform:
        await platform.deploy("small", STEPS)
        workflow = {"namespace": "test", "name": "small", "version": "latest"}
        do = [{"w": {"wait": {"seconds": 2}}}, {"c": {"run": {"workflow": workflow, "await": False}}}]
        await platform.deploy("starts", do)
        processes = [await platform.start("starts") for _ in range(8)]
        for process in processes:
            await platform.service.command(WHO, process.id, "suspend", None)
        async with asyncio.timeout(10):
            while await platform.context.store.next_timer() is not None:
                await asyncio.sleep(0.02)
        async with asyncio.timeout(8):  # less than a connection is waited for
            await asyncio.gather(*(platform.service.command(WHO, one.id, "resume", None) for one in processes))
        for process in processes:
            assert (await platform.ended(process)).status == "completed"


async def test_suspended_processes_begin_nothing(platform, world):
    await platform.deploy("pausable", [{"w": {"wait": {"milliseconds": 300}}}, {"c": get(world, "/after")}])
    process = await platform.start("pausable")
    await platform.waiting(process, "timer")
    suspended = await platform.service.command(WHO, process.id, "suspend", "audit")
    assert suspended.status == "suspended"
    connection = platform.context.store
    async with asyncio.timeout(10):
        while await connection.next_timer() is not None:  # the timer runs on, and fires
            await asyncio.sleep(0.02)
    await platform.worker._sweeper.once(platform.context.settings.sweep_seconds)
    assert (await platform.service.get_process(WHO, process.id)).status == "suspended"
    assert not world.of("/after")
    await platform.service.command(WHO, process.id, "resume", None)
    assert (await platform.ended(process)).output["path"] == "/after"


async def test_a_faulted_process_is_retried_where_it_stopped(platform, world):
    world.answers["/pay"] = [500]
    await platform.deploy("retried", [{"before": {"set": {"x": 1}}}, {"pay": get(world, "/pay")}])
    process = await platform.ended(await platform.start("retried"))
    assert (process.status, process.error.status) == ("faulted", 500)
    with pytest.raises(Conflict):
        await platform.service.command(WHO, process.id, "resume", None)
    await platform.service.command(WHO, process.id, "retry", "service is back")
    done = await platform.ended(process)
    assert (done.status, done.error) == ("completed", None)
    activities = (await platform.service.activities(WHO, process.id, limit=10, cursor=None)).items
    assert [(a.name, a.attempt, a.status) for a in activities] == [
        ("before", 1, "completed"),
        ("pay", 2, "completed"),
    ]
    assert len({key for _, _, key, _ in world.of("/pay")}) == 1


@pytest.mark.parametrize(
    "program", ["[range(1e12)] | length", "def f: f; f", '("x" + tostring) * 1e9', "[limit(1e9; repeat(1))]", "input"]
)
async def test_a_hostile_expression_faults_its_own_process_only(platform, program):
    await platform.deploy("hostile", [{"s": {"set": {"x": "${ " + program + " }"}}}])
    await platform.deploy("good", STEPS)
    bad, *good = [await platform.start("hostile"), *[await platform.start("good") for _ in range(5)]]
    for process in good:
        assert (await platform.ended(process)).status == "completed"
    view = await platform.ended(bad)
    assert (view.status, view.error.type.rsplit("/", 1)[1]) == ("faulted", "expression")


async def test_lost_wake_ups_are_found_by_the_sweep(database, world):
    async with open_platform(database) as platform:

        async def lose(queue, ids):
            """A broker that confirms and forgets."""

        platform.context.broker.publish = lose
        listen = listen_for("go", input={"from": "$workflow.input"})
        do = [{"c": get(world, "/c")}, {"w": {"wait": {"milliseconds": 50}}}, {"l": listen}]
        await platform.deploy("lost", do)
        process = await platform.start("lost", {"id": "A"})
        await platform.waiting(process, "event")
        await platform.service.receive_events(WHO, [event("go", "1", id="A")])
        assert (await platform.ended(process)).status == "completed"
        assert len(world.of("/c")) == 1


async def test_a_call_whose_worker_died_is_performed_again(database, world):
    async with open_platform(database) as platform:
        await platform.deploy("dies", [{"c": get(world, "/c")}])
        world.held["/c"] = asyncio.Event()
        process = await platform.start("dies")
        await platform.die_in_mid_call(world, "/c")
        world.held["/c"].set()
        assert (await platform.ended(process)).status == "completed"
        assert len({key for _, _, key, _ in world.of("/c")}) == 1
        assert len(world.of("/c")) == 2


async def test_a_call_leased_twice_by_one_worker_takes_one_place_and_costs_no_room(database, world):
    async with open_platform(database, sweep_seconds=3600) as platform:
        await platform.deploy("twice", [{"c": get(world, "/c")}])
        world.held["/c"] = asyncio.Event()
        process = await platform.waiting(await platform.start("twice"), "call")
        calls, store = platform.worker._calls, platform.context.store
        async with asyncio.timeout(10):
            while not world.of("/c"):
                await asyncio.sleep(0.01)
            await store.forget_leases()  # as if they had ended while the database was away
            await calls.take([view.activity for view in process.waiting_for])
            while len(world.of("/c")) < 2:
                await asyncio.sleep(0.01)
        async with asyncio.timeout(10):
            while len(calls._running) > 1:
                await asyncio.sleep(0.01)
        room = calls.room
        world.held["/c"].set()
        assert (await platform.ended(process)).status == "completed"
        async with asyncio.timeout(10):
            while calls._running:
                await asyncio.sleep(0.01)
        assert calls.room == room + 1


async def test_old_processes_are_forgotten_whole(platform, database):
    view = await platform.run("old", STEPS, {"pad": "x" * 1000})
    await platform.worker._sweeper.purge()
    assert (await platform.service.get_process(WHO, view.id)).status == "completed"
    connection = await asyncpg.connect(database)
    await connection.execute("update process set ended_at = ended_at - interval '91 days'")
    await platform.worker._sweeper.purge()
    with pytest.raises(NotFound):
        await platform.service.get_process(WHO, view.id)
    for table in ("payload", "activity", "history", "inbox"):
        assert await connection.fetchval(f"select count(*) from {table} where process = $1", view.id) == 0
    await connection.close()


async def test_all_old_events_and_keys_are_forgotten(platform, database, monkeypatch):
    monkeypatch.setattr(sweeper, "PURGE_BATCH_MAX", 2)
    await platform.deploy("keyed", STEPS)
    for number in range(5):
        await platform.service.start(WHO, StartRequest("test", "keyed"), idempotency_key=f"k-{number}")
        await platform.service.receive_events(WHO, [event("old", f"e-{number}")])
    connection = await asyncpg.connect(database)
    async with asyncio.timeout(10):
        while await connection.fetchval("select count(*) from event where not routed"):
            await asyncio.sleep(0.02)
    await connection.execute("update event set received_at = received_at - interval '25 hours'")
    await connection.execute("update idempotency set created_at = created_at - interval '25 hours'")
    await platform.worker._sweeper.purge()
    assert await connection.fetchval("select count(*) from event") == 0
    assert await connection.fetchval("select count(*) from idempotency") == 0
    await connection.close()


async def test_keys_open_the_door_until_revoked(platform):
    view, key = await platform.service.create_key("ci", "default", "admin")
    assert key.startswith(view.prefix)
    assert (await platform.service.authenticate(key)).name == "ci"
    assert await platform.service.authenticate(key + "x") is None
    with pytest.raises(Invalid, match="role"):
        await platform.service.create_key("ci", "default", "viewer")
    with pytest.raises(Invalid, match="tenant"):
        await platform.service.create_key("ci", "acme", "admin")
    with pytest.raises(Invalid, match="'perdure' is what the history calls the platform itself"):
        await platform.service.create_key("perdure", "default", "admin")
    assert (await platform.service.revoke_key(view.id)).revoked_at is not None
    assert await platform.service.authenticate(key) is None
    with pytest.raises(NotFound):
        await platform.service.revoke_key(uuid4())


async def test_the_trail_tells_of_the_process_as_the_dsl_says(platform):
    """With its name and the time, which its lines are not stored with."""
    await platform.deploy("told", [{"l": listen_for("t")}])
    process = await platform.start("told", {"id": "A"})
    await platform.waiting(process, "event")
    await platform.service.receive_events(WHO, [event("t", "1", id="A")])
    await platform.ended(process)
    page = await platform.service.history(WHO, process.id, limit=100, cursor=None)
    lines = [entry for entry in page.items if entry.type.startswith(WORKFLOW)]
    name, at = f"told-{process.id}.test", [text_of(entry.at) for entry in lines]
    assert [(entry.type.removeprefix(WORKFLOW), entry.data) for entry in lines] == [
        ("started.v1", {"name": name, "startedAt": at[0], "definition": definition("told")}),
        ("correlation-started.v1", {"name": name, "startedAt": at[1], "task": "/do/0/l"}),
        (
            "correlation-completed.v1",
            {"name": name, "completedAt": at[2], "task": "/do/0/l", "correlationKeys": {"id": "A"}},
        ),
        ("completed.v1", {"name": name, "completedAt": at[3]}),
    ]


def definition(name):
    return {"namespace": "test", "name": name, "version": "1.0.0"}
