"""Side by side with a later release: what that one has stored is left to it, and everything goes on."""

import asyncio

import pytest

from integration.programs import Program
from perdure.engine import state as states
from perdure.runtime.errors import Left
from perdure.runtime.step import Stepper
from perdure.store.postgres import steps

from .conftest import WHO, open_platform

pytestmark = pytest.mark.usefixtures("plain_logs")

SOON = [{"w": {"wait": {"milliseconds": 300}}}, {"s": {"set": {"n": 1}}}]
HEARING = [{"l": {"listen": {"to": {"one": {"with": {"type": "go"}}}}}}]


def become_older(monkeypatch):
    """From now on, all that was stored is of a later release than the one in this process."""
    monkeypatch.setattr(states, "VERSION", states.PLAIN_VERSION - 1)
    monkeypatch.setattr(steps, "VERSION", states.VERSION)


async def go(platform):
    event = {"specversion": "1.0", "id": "1", "source": "urn:test", "type": "go"}
    await platform.service.receive_events(WHO, [event])


async def test_a_worker_of_the_later_release_goes_on_beside_one_of_an_older(database, monkeypatch, capsys):
    async with open_platform(database) as older:
        await older.deploy("hear", HEARING)
        hearing = [await older.waiting(await older.start("hear"), "event") for _ in range(5)]
        await older.deploy("soon", SOON)
        soon = [await older.waiting(await older.start("soon"), "timer") for _ in range(2)]
        become_older(monkeypatch)
        await go(older)
        later = Program("worker", environment={"PERDURE_DATABASE_URL": database, "PERDURE_SWEEP_SECONDS": "0.3"})
        try:
            await later.start()
            for process in (*hearing, *soon):
                assert (await older.ended(process)).status == "completed"
        finally:
            await later.close()
    said = capsys.readouterr()
    assert "could not be stepped" not in said.out + said.err


async def test_what_it_has_written_is_left_alone(database, monkeypatch):
    async with open_platform(database, working=False) as older:
        await older.deploy("hear", HEARING)
        process = await older.start("hear")
        stepper, store = Stepper(older.context), older.context.store
        await stepper.step([process.id])
        become_older(monkeypatch)
        with pytest.raises(Left, match="later release"):
            await older.service.command(WHO, process.id, "suspend", None)
        await stepper.step([process.id])
        assert await store.owed_steps(0, 10) == []
        assert await store.with_facts([process.id]) == [process.id]
        monkeypatch.undo()
        assert await store.owed_steps(0, 10) == [process.id]
        await stepper.step([process.id])
        assert (await older.service.get_process(WHO, process.id)).status == "suspended"


@pytest.mark.parametrize(
    "fact", [b'{"type":"MoonRose","at":1}', b'{"type":"ResumeRequested","actor":"ann","gently":true}']
)
async def test_a_fact_of_a_later_release_waits_for_it(database, connection, fact):
    async with open_platform(database) as older:
        await older.deploy("soon", SOON)
        process = await older.waiting(await older.start("soon"), "timer")
        await connection.execute(
            "insert into inbox (process, fact, recorded_at) values ($1, $2, clock_timestamp())", process.id, fact
        )
        async with asyncio.timeout(20):
            while not await connection.fetchval(
                "select recorded_at > clock_timestamp() from inbox where fact = $1", fact
            ):
                await asyncio.sleep(0.01)
        other = await older.start("soon")
        assert (await older.ended(other)).status == "completed"
        assert (await older.service.get_process(WHO, process.id)).ended_at is None
        await connection.execute("delete from inbox where fact = $1", fact)
        assert (await older.ended(process)).status == "completed"
