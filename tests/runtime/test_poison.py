"""A process that can't be stepped, whatever the reason: it harms itself only, and goes on when it can."""

import asyncio

import asyncpg
import pytest
from structlog.testing import capture_logs

from perdure.runtime import step as step_
from perdure.runtime.errors import Conflict

from .conftest import WHO

NAP = {"nap": {"wait": {"milliseconds": 5}}}
NUL = '${ "a\\u0000b" }'
LONG = '${ [range(5000)] | map("\\(. * 7919 % 9973)") | join("-") }'

UNSTORABLE = {
    "title": {"call": "human-task:1.0.0@default", "with": {"title": NUL}},
    "description": {"call": "human-task:1.0.0@default", "with": {"title": "t", "description": NUL}},
    "group": {"call": "human-task:1.0.0@default", "with": {"title": "t", "candidateGroups": [NUL]}},
    "two groups in one": {
        "call": "human-task:1.0.0@default",
        "with": {"title": "t", "assignees": ['${ "a\\u001fb" }']},
    },
    "type": {"emit": {"event": {"with": {"source": "urn:x", "type": NUL}}}},
    "source": {"emit": {"event": {"with": {"source": '${ "urn:a\\u0000b" }', "type": "x"}}}},
    "long source": {"emit": {"event": {"with": {"source": LONG, "type": "x"}}}},
    "long id": {"emit": {"event": {"with": {"source": "urn:x", "type": "x", "id": LONG}}}},
    "extension": {"emit": {"event": {"with": {"source": "urn:x", "type": "x", "extra": NUL}}}},
}


@pytest.mark.parametrize("name", UNSTORABLE)
async def test_text_that_no_database_can_hold_is_the_authors_error(platform, name):
    await platform.deploy("unstorable", [NAP, {"bad": UNSTORABLE[name]}])
    process = await platform.ended(await platform.start("unstorable"))
    assert (process.status, process.error.instance) == ("faulted", "/do/1/bad")
    assert process.error.type.endswith("/configuration")


async def test_a_listener_for_a_type_too_long_to_exist_just_waits(platform):
    to = {"one": {"with": {"type": "t" + "".join(str(n * 7919 % 9973) for n in range(5000))}}}
    await platform.deploy("deaf", [NAP, {"hear": {"listen": {"to": to}}}])
    await platform.waiting(await platform.start("deaf"), "event")


async def damaged_state(connection: asyncpg.Connection, process) -> None:
    await connection.execute("update process set state = 'damaged'::bytea where id = $1", process.id)


async def taken_sequence(connection: asyncpg.Connection, process) -> None:
    await connection.execute(
        """insert into history select id, sequence + 1, now(), 'in.the.way', null, 'tests', '{}' from process
           where id = $1""",
        process.id,
    )


@pytest.mark.parametrize("harm", [damaged_state, taken_sequence])
async def test_a_process_that_cannot_be_stepped_stops_nobody_else(platform, database, monkeypatch, harm):
    monkeypatch.setattr(step_, "PUT_OFF_SECONDS", 0.5)
    up = [NAP, {"up": {"set": {"up": True}}}]
    await platform.deploy("naps", up)
    await platform.deploy("woken", [{"hear": {"listen": {"to": {"one": {"with": {"type": "go"}}}}}}, *up])
    processes = [await platform.start("woken") for _ in range(8)]
    for process in processes:
        await platform.waiting(process, "event")
    broken = processes[3]
    connection = await asyncpg.connect(database)
    try:
        state = await connection.fetchval("select state from process where id = $1", broken.id)
        await harm(connection, broken)
        with capture_logs() as logs:
            event = {"specversion": "1.0", "id": "1", "source": "urn:tests", "type": "go"}
            await platform.service.receive_events(WHO, [event])
            for process in processes:
                if process is not broken:
                    assert (await platform.ended(process)).output == {"up": True}
            for _ in range(3):  # timers, the loops that fire them and the sweep go on
                assert (await platform.ended(await platform.start("naps"))).output == {"up": True}
        said = [entry for entry in logs if entry.get("process_id") == str(broken.id)]
        assert 1 <= len(said) <= 12, "said, and not in a loop"
        assert (await platform.service.get_process(WHO, broken.id)).status == "waiting"
        await connection.execute("update process set state = $2 where id = $1", broken.id, state)
        await connection.execute("delete from history where process = $1 and type = 'in.the.way'", broken.id)
    finally:
        await connection.close()
    assert (await platform.ended(broken)).output == {"up": True}


async def test_a_command_to_a_process_that_cannot_be_stepped_is_answered(platform, database):
    await platform.deploy("stuck", [{"nap": {"wait": {"days": 1}}}])
    process = await platform.waiting(await platform.start("stuck"), "timer")
    connection = await asyncpg.connect(database)
    try:
        state = await connection.fetchval("select state from process where id = $1", process.id)
        await damaged_state(connection, process)
        async with asyncio.timeout(10):
            with pytest.raises(Conflict):
                await platform.service.command(WHO, process.id, "cancel", None)
        await connection.execute("update process set state = $2 where id = $1", process.id, state)
    finally:
        await connection.close()
    await platform.context.store.put_off([process.id], 0)
    assert (await platform.ended(process)).status == "cancelled"
