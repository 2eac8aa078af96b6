"""Services that are started while PostgreSQL is away wait for it; what waiting would not mend they say at once."""

import asyncio
import signal
from collections.abc import AsyncIterator

import aiohttp
import asyncpg
import pytest

from integration.api import Api
from integration.programs import Program, run
from servers import PostgresServer

AWAY = "the database is away; waiting for it"


@pytest.fixture
async def own_postgres() -> AsyncIterator[PostgresServer]:
    server = PostgresServer()
    await server.start()
    await run("migrate", environment={"PERDURE_DATABASE_URL": server.url})
    yield server
    await server.close()


async def status(program: Program, path: str) -> int:
    async with Api(program.url, key="unknown") as api:
        return (await api.call("GET", path)).status


async def until(program: Program, path: str, wanted: int) -> None:
    async with asyncio.timeout(30):
        while True:
            assert program.running, program.said
            try:
                if await status(program, path) == wanted:
                    return
            except aiohttp.ClientError:
                pass  # it does not listen yet
            await asyncio.sleep(0.05)


async def said(program: Program, text: str, times: int) -> None:
    async with asyncio.timeout(30):
        while program.said.count(text) < times:
            assert program.running, program.said
            await asyncio.sleep(0.05)


async def test_services_wait_for_a_database_that_is_away(own_postgres: PostgresServer) -> None:
    await own_postgres.stop()
    programs = [Program(kind, environment={"PERDURE_DATABASE_URL": own_postgres.url}) for kind in ("api", "worker")]
    try:
        for program in programs:
            await program.begin()
        for program in programs:
            await until(program, "/readyz", 503)
            assert await status(program, "/healthz") == 200
        assert await status(programs[0], "/v1/processes") == 503
        for program in programs:
            await said(program, AWAY, 2)
        await own_postgres.start()
        for program in programs:
            await program.ready()
            await until(program, "/readyz", 200)
        assert await status(programs[0], "/v1/processes") == 401
    finally:
        for program in programs:
            await program.close()


@pytest.mark.parametrize("kind", ["api", "worker"])
async def test_a_service_that_waits_can_be_stopped(kind: str) -> None:
    program = Program(kind, environment={"PERDURE_DATABASE_URL": "postgresql://u:hidden@127.0.0.1:9/x"})
    try:
        await program.begin()
        await said(program, AWAY, 1)
        assert await program.stop(signal.SIGTERM) < 5
        assert "hidden" not in program.said and "Traceback" not in program.said
    finally:
        await program.close()


async def test_what_waiting_would_not_mend_is_said_at_once(own_postgres: PostgresServer) -> None:
    connection = await asyncpg.connect(own_postgres.url)
    await connection.execute("create role known login password 'right'")
    file = await connection.fetchval("show hba_file")
    await connection.execute(f"copy (select 'host all all all scram-sha-256') to '{file}'")
    await connection.execute("select pg_reload_conf()")
    await connection.close()
    server = f"127.0.0.1:{own_postgres.port}"
    wrong = {
        "api": (f"postgresql://known:wrong@{server}/postgres", "password authentication failed"),
        "worker": (f"postgresql://known:right@{server}/nowhere", 'database "nowhere" does not exist'),
    }
    for kind, (url, reason) in wrong.items():
        with pytest.raises(
            AssertionError, match=rf"(?s)perdure {kind}.*: 1\n.*{reason}.*Check PERDURE_DATABASE_URL"
        ) as shown:
            await run(kind, "--port", "0", environment={"PERDURE_DATABASE_URL": url})
        assert "Traceback" not in str(shown.value) and "wrong" not in str(shown.value)
