"""`map` from the definition to its children, over a real database."""

import asyncio

from .conftest import WHO

CHILD = [{"double": {"set": {"n": "${ .n * 2 }"}}}]
MOODY = [
    {"judge": {"switch": [{"bad": {"when": ".n == 3", "then": "fail"}}, {"good": {"then": "end"}}]}},
    {
        "fail": {
            "raise": {"error": {"type": "https://example.com/bad", "status": 422, "title": "Bad", "detail": "three"}}
        }
    },
]


def mapping(child, **more):
    process = {"namespace": "test", "name": child, "version": "latest"}
    return [{"m": {"call": "map:1.0.0@default", "with": {"items": "${ .items }", "process": process, **more}}}]


async def test_a_thousand_items(platform):
    await platform.deploy("double", CHILD)
    items = [{"n": n} for n in range(1000)]
    view = await platform.run("all", mapping("double", concurrency=100), {"items": items})
    assert view.status == "completed", view.error
    assert view.output == [{"n": n * 2} for n in range(1000)]
    (activity,) = (await platform.service.activities(WHO, view.id, limit=10, cursor=None)).items
    assert (activity.kind, activity.status) == ("call", "completed")


async def test_one_fault_cancels_the_rest(platform):
    await platform.deploy("moody", [{"w": {"if": ".n != 3", "wait": {"minutes": 5}}}, *MOODY])
    view = await platform.run("strict", mapping("moody"), {"items": [{"n": n} for n in range(6)]})
    assert (view.status, view.error.status, view.error.detail) == ("faulted", 422, "item 3: three")
    async with asyncio.timeout(20):  # they are told after their parent has ended
        children = await platform.children(view)
        while not all(child.ended_at for child in children):
            await asyncio.sleep(0.02)
            children = await platform.children(view)
    assert sorted(child.status for child in children) == ["cancelled"] * 5 + ["faulted"]


async def test_collecting(platform):
    await platform.deploy("moody", MOODY)
    view = await platform.run("lenient", mapping("moody", onError="collect"), {"items": [{"n": 2}, {"n": 3}]})
    assert [item["status"] for item in view.output] == ["completed", "faulted"]
    assert view.output[0]["output"] == {"n": 2}
    assert view.output[1]["error"]["title"] == "Bad"


async def test_a_definition_that_is_not_there(platform):
    view = await platform.run("lost", mapping("nobody", onError="collect"), {"items": [1]})
    assert view.output[0]["status"] == "faulted"
    assert "no definition test/nobody" in view.output[0]["error"]["detail"]


async def test_the_trail_tells_who_had_a_human_task(platform):
    await platform.deploy("ask", [{"q": {"call": "human-task:1.0.0@default", "with": {"title": "Well?"}}}])
    process = await platform.start("ask")
    view = await platform.waiting(process, "human-task")
    task = view.waiting_for[0].activity
    await platform.service.claim(WHO, task, "mia")
    await platform.service.claim(WHO, task, "mia")  # changes nothing, so it is not told again
    await platform.service.delegate(WHO, task, "mia", "noor")
    await platform.service.release(WHO, task, "noor")
    await platform.service.complete(WHO, task, "ada", "approved", None, None)
    await platform.ended(process)
    trail = (await platform.service.history(WHO, process.id, limit=100, cursor=None)).items
    acts = [(e.type, e.actor, e.data.get("by"), e.data.get("to")) for e in trail if "human-task" in e.type]
    assert acts == [
        ("dev.perdure.human-task.opened", "perdure", None, None),
        ("dev.perdure.human-task.claimed", "mia", "tester", None),
        ("dev.perdure.human-task.delegated", "mia", "tester", "noor"),
        ("dev.perdure.human-task.released", "noor", "tester", None),
        ("dev.perdure.human-task.completed", "ada", "tester", None),
    ]
