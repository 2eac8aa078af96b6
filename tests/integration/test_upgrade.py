"""Databases of earlier releases, upgraded: every process in them goes on to its planned end."""

from pathlib import Path

import asyncpg
import pytest

from integration import upgrade
from integration.api import Api
from integration.invariants import violations
from integration.programs import run
from integration.standin import StandIn
from perdure.store.postgres.migrations import runner
from servers import PostgresServer
from servers.server import free_port

NEWER = runner.Migration(9999, "9999_newer.sql", "create table newer (id integer)")


@pytest.mark.parametrize("path", sorted(upgrade.FOLDER.glob("*.sql")), ids=lambda path: path.stem)
async def test_every_process_goes_on(postgres: PostgresServer, path: Path) -> None:
    """As services of the release in the middle: the schema goes on to a newer one while they are there."""
    async with postgres.empty_database() as dsn, StandIn(port=free_port()) as service:
        await upgrade.restore(dsn, path, int(service.url.rpartition(":")[2]))
        await run("migrate", environment={"PERDURE_DATABASE_URL": dsn})
        await _migrate_further(dsn)
        async with upgrade.platform(dsn, "api", "worker") as (api, programs):
            assert await run("migrate", environment={"PERDURE_DATABASE_URL": dsn}) == "The schema is up to date.\n"
            ended = await upgrade.finish(api, dsn)
            await _check(api, ended)
            await _check_schedules(api)
            assert "Traceback" not in "".join(program.said for program in programs)
        assert not await violations(dsn)
        keys = {request.path: request.key for request in service.requests}
        assert len(keys) == 2 and len(set(keys.values())) == 2


async def _migrate_further(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await runner.apply(connection, NEWER)
    finally:
        await connection.close()


async def _check(api: Api, ended: dict) -> None:
    assert ended.keys() == upgrade.TASKS.keys()
    for kind, process in ended.items():
        assert process["status"] == "completed", (kind, process, await api.activities(process["id"]))
        assert process["output"]["k"] == kind
        if kind in upgrade.OUTPUTS:
            assert process["output"]["got"] == upgrade.OUTPUTS[kind], kind


async def _check_schedules(api: Api) -> None:
    """Each has started something since."""
    for kind in upgrade.SCHEDULES:
        (process, *_) = await api.items("/v1/processes", namespace="upgrade", name=kind)
        assert (await api.end(process["id"]))["status"] == "completed"
