"""The reckoning after chaos sees what it is there for: each tampering with a good end is found."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from integration import clients, load, reckoning
from integration.api import Api
from integration.reckoning import Told
from integration.standin import StandIn
from integration.topology import Topology

RUN = "reckoned"
ORDERS = 2

TWICE = """
insert into history
select h.process, h.sequence + 1000, h.at, h.type, h.activity, h.actor, h.data
from history h join process p on p.id = h.process
where p.key = 'reckoned-1' and h.type = '{type}' limit 1
"""
TAMPERINGS = {
    "a start is forgotten": "delete from idempotency where key like 'reckoned-%'",
    "a decision is forgotten": "update human_task set status = 'open' where outcome = 'approved'",
    "a decision counts twice": TWICE.format(type="dev.perdure.human-task.completed"),
    "an event is forgotten": "delete from event where event_id = 'reckoned-1'",
    "an event counts twice": TWICE.format(type="dev.perdure.event.consumed"),
    "an event counts never": "delete from history where type = 'dev.perdure.event.consumed'",
    "a callback is still waited for": "update callback set status = 'open'",
    "a call is another's": "update activity set id = gen_random_uuid() where name = 'charge'",
}


@pytest.fixture
async def story(topology: Topology, api: Api) -> AsyncIterator[tuple[StandIn, Told, asyncpg.Connection]]:
    """Orders that have ended well."""
    async with StandIn(service := clients.service(api)) as stand_in:
        await load.deploy(api)
        starts = (load.start(api, stand_in, RUN, number) for number in range(ORDERS))
        async with clients.clerk(api) as decided:
            started = await asyncio.gather(*starts)
            await reckoning.check(api, stand_in, started, 60)
        await stand_in.settled()
        connection = await asyncpg.connect(topology.dsn)
        yield stand_in, Told(RUN, started, decided, service), connection
        await connection.close()


async def test_what_does_not_fit_is_found(story: tuple[StandIn, Told, asyncpg.Connection]) -> None:
    stand_in, told, connection = story
    await reckoning.compare(connection, stand_in, told)
    await _tampered_records(connection, stand_in, told)
    told.service.events["reckoned-1"].append(400)
    with pytest.raises(AssertionError):
        await reckoning.compare(connection, stand_in, told)
    told.service.events["reckoned-1"].pop()
    told.decided.clear()
    with pytest.raises(AssertionError, match="decisions that nobody made"):
        await reckoning.compare(connection, stand_in, told)


async def _tampered_records(connection: asyncpg.Connection, stand_in: StandIn, told: Told) -> None:
    unseen = []
    for name, statement in TAMPERINGS.items():
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute(statement)
        try:
            await reckoning.compare(connection, stand_in, told)
        except AssertionError:
            pass
        else:
            unseen.append(name)
        finally:
            await transaction.rollback()
    assert not unseen
