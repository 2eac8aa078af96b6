"""Calls whose worker has died, over a real database and a real service: what becomes of them as their task says."""

import asyncio

import pytest

from .conftest import WHO, open_platform

POLICIES = {
    "retry": {"inDoubt": "retry"},
    "ask": {"inDoubt": "ask", "ask": {"candidateGroups": ["ops"]}},
}


def pay(world, metadata):
    call = {"call": "http", "with": {"method": "post", "endpoint": world.url + "/pay"}, "metadata": metadata}
    return [{"pay": call}]


async def dead_in_mid_call(platform, world, metadata):
    """A process whose worker has died after sending its call."""
    await platform.deploy("doubtful", pay(world, metadata))
    world.held["/pay"] = asyncio.Event()
    process = await platform.start("doubtful")
    await platform.die_in_mid_call(world, "/pay")
    world.held["/pay"].set()
    await platform.context.store.forget_leases()
    return process


async def lines(platform, process, type_):
    page = await platform.service.history(WHO, process.id, limit=500, cursor=None)
    return [entry.data for entry in page.items if entry.type == f"dev.perdure.{type_}"]


async def test_it_is_made_again_with_the_same_key(database, world):
    async with open_platform(database) as platform:
        process = await dead_in_mid_call(platform, world, POLICIES["retry"])
        assert (await platform.ended(process)).status == "completed"
        (line,) = await lines(platform, process, "call.in-doubt")
        assert line["decision"] == "retry"
        assert len(world.of("/pay")) == 2
        (key,) = {key for _, _, key, _ in world.of("/pay")}
        (answer,) = await lines(platform, process, "call.answered")
        assert (answer["status"], answer["by"]) == (200, world.url.removeprefix("http://"))
        assert line["sentAt"] < answer["sentAt"] <= answer["answeredAt"]
        (request,) = await lines(platform, process, "call.requested")
        assert request["idempotencyKey"] == key


@pytest.mark.parametrize(("outcome", "calls"), [("done", 1), ("repeat", 2)])
async def test_a_person_decides(database, world, outcome, calls):
    async with open_platform(database) as platform:
        process = await dead_in_mid_call(platform, world, POLICIES["ask"])
        waiting = await platform.waiting(process, "human-task")
        assert "Was the call of /do/0/pay made?" in (await platform.service.why(WHO, process.id)).sentence
        (wait,) = waiting.waiting_for
        await platform.service.complete(WHO, wait.activity, "mia", outcome, None, {"id": 1})
        ended = await platform.ended(process)
        assert ended.status == "completed"
        assert len(world.of("/pay")) == calls
        assert len({key for _, _, key, _ in world.of("/pay")}) == 1
        if outcome == "done":
            assert ended.output == {"id": 1}


@pytest.mark.parametrize(("status", "calls"), [(200, 1), (404, 2)])
async def test_a_lookup_decides(database, world, status, calls):
    metadata = {
        "inDoubt": "verify",
        "lookup": {"with": {"method": "get", "endpoint": world.url + "/paid/${ $call.idempotencyKey }"}},
    }
    async with open_platform(database) as platform:
        world.lookups = [status]
        process = await dead_in_mid_call(platform, world, metadata)
        ended = await platform.ended(process)
        assert ended.status == "completed"
        assert len(world.of("/pay")) == calls
        (lookup,) = [request for request in world.requests if request[1].startswith("/paid/")]
        (key,) = {key for _, _, key, _ in world.of("/pay")}
        assert lookup[2] == f"{key}/lookup"
        assert lookup[1] == f"/paid/{key}"
        (resolved,) = await lines(platform, process, "call.doubt-resolved")
        assert resolved == {"task": "/do/0/pay", "by": "lookup", "outcome": "done" if calls == 1 else "repeat"}
