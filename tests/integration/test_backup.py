"""A backup taken under load and restored elsewhere: every process that it holds goes on, with the same keys."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from integration import clients, load, reckoning
from integration.api import Api, Json
from integration.clients import feed
from integration.invariants import violations
from integration.programs import Program
from integration.standin import StandIn
from integration.topology import SETTINGS, Topology
from servers import PostgresServer

END_SECONDS_MAX = 90.0
ORDERS_BEFORE = 10


@asynccontextmanager
async def restored(topology: Topology, dump: bytes) -> AsyncIterator[tuple[Api, str]]:
    """A platform on another server that has nothing but the backup: no broker, no cache."""
    async with AsyncExitStack() as stack:
        postgres = PostgresServer()
        stack.push_async_callback(postgres.close)
        await postgres.start()
        await postgres.restore(dump)
        environment = {**SETTINGS, "PERDURE_DATABASE_URL": postgres.url}
        programs = [Program(kind, environment=environment) for kind in ("api", "worker")]
        for program in programs:
            stack.push_async_callback(program.close)
            await program.start()
        yield await stack.enter_async_context(Api(programs[0].url, key=topology.key)), postgres.url


async def test_a_backup_goes_on_elsewhere(topology: Topology, api: Api) -> None:
    call_back, sent = clients.service(api), list[tuple[str, Json]]()

    async def noted(path: str, body: Json) -> None:
        sent.append((path, body))
        await call_back(path, body)  # of both platforms once there are two

    async with StandIn(noted) as service:
        await load.deploy(api)
        stop = asyncio.Event()
        async with clients.clerk(api):
            feeding = asyncio.create_task(feed(api, service, "backup", stop, least=4 * ORDERS_BEFORE))
            try:
                await service.requested(len(load.CALLS) * ORDERS_BEFORE)
                dump = await topology.postgres.dump()
            finally:
                stop.set()
            accepted = await feeding
        async with restored(topology, dump) as (other, dsn), clients.clerk(other), clients.clerk(api):
            call_back = clients.service(api, other)
            for path, body in tuple(sent):  # those of after the backup are not in it
                await call_back(path, body)
            held = await other.items("/v1/processes", **{"tag.run": "backup"})
            assert held and {process["id"] for process in held} <= set(accepted)
            for process in held:
                ended = await other.end(process["id"], END_SECONDS_MAX)
                assert ended["status"] == "completed", (ended, await other.activities(process["id"]))
            assert not await violations(dsn)
            await reckoning.check(api, service, accepted, END_SECONDS_MAX)  # the keys too: those of both
