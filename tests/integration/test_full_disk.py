"""`perdure dev` on a volume that fills up under load: it says so, and goes on by itself once there is room."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import aiohttp
import asyncpg
import pytest

from integration import clients, load, reckoning
from integration.api import Api
from integration.clients import feed
from integration.invariants import violations
from integration.programs import Program
from integration.standin import StandIn
from servers import Volume

VOLUME_BYTES = 256 * 1024 * 1024
LOG_BYTES = 4_000_000
"""Written to PostgreSQL's log at once; a few of them fill all of it that there is."""
PAUSE_SECONDS = 0.02
FULL = "no room left on its disk"
RUN = "full"
SECONDS_MAX = 60.0


@pytest.fixture
def volume() -> Iterator[Volume]:
    opened = Volume(VOLUME_BYTES)
    yield opened
    opened.close()


@pytest.fixture
async def dev(volume: Volume) -> AsyncIterator[Program]:
    home = ("--data-dir", str(volume.path / "home"))
    program = Program("dev", *home, environment={"PERDURE_SWEEP_SECONDS": "1"}, launcher=volume.entering)
    try:
        await program.start()
        yield program
    finally:
        await program.close()


@pytest.fixture
async def client(dev: Program) -> AsyncIterator[Api]:
    async with Api(dev.url) as api:
        yield api


async def test_started_on_a_full_disk_it_says_so(volume: Volume, dev: Program) -> None:
    await dev.stop()
    volume.fill()
    with pytest.raises(AssertionError, match="No space left on device"):
        await dev.start()
    assert "Traceback" not in dev.said
    volume.give_back()
    await dev.start()


def address(volume: Volume) -> str:
    """Of the embedded PostgreSQL."""
    sockets = (volume.inside / "home/postgres/sockets").read_text()
    return f"postgresql://perdure@/postgres?host={sockets}&port=5432"


async def fill(volume: Volume) -> None:
    """Again and again: what PostgreSQL frees is taken from it."""
    while True:
        volume.fill()
        await asyncio.sleep(PAUSE_SECONDS)


async def use_up_log(volume: Volume) -> None:
    """Until PostgreSQL gives up, as its log finds no room, and can't be started again either."""
    async with asyncio.timeout(SECONDS_MAX):
        while True:
            try:
                connection = await asyncpg.connect(address(volume))
            except (FileNotFoundError, ConnectionRefusedError):
                return
            except (OSError, asyncpg.PostgresError):
                await asyncio.sleep(PAUSE_SECONDS)
                continue
            try:
                await connection.execute("select pg_logical_emit_message(false, '', repeat('x', $1))", LOG_BYTES)
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                pass
            finally:
                connection.terminate()


async def told(api: Api, times: int) -> Counter[str]:
    """What the API says to starts until it has said so often that the disk is full: every answer a 503 with a reason."""
    said: Counter[str] = Counter()
    body = {"definition": {"namespace": "load", "name": "double"}, "input": {"n": 1}}
    async with asyncio.timeout(SECONDS_MAX):
        while sum(count for reason, count in said.items() if FULL in reason) < times:
            answer = await api.call("POST", "/v1/processes", body, timeout=aiohttp.ClientTimeout(total=20))
            if answer.status != 201:  # a page of the database may still have had room for it
                assert answer.headers["Content-Type"] == "application/problem+json"
                said[answer.expect(503)["detail"]] += 1
            await asyncio.sleep(PAUSE_SECONDS)
    return said


@asynccontextmanager
async def running(work: "asyncio.Task[None]") -> AsyncIterator[None]:
    try:
        yield
        assert not work.done(), work.result()
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)


@pytest.mark.parametrize("log_too", [False, True], ids=["tables", "log"])
async def test_full_and_then_not(volume: Volume, dev: Program, client: Api, log_too: bool) -> None:
    """Without room for tables PostgreSQL refuses; without room for its log it dies."""
    await load.deploy(client)
    stop = asyncio.Event()
    async with StandIn(clients.service(client)) as service, clients.clerk(client):
        feeding = asyncio.create_task(feed(client, service, RUN, stop, least=40))
        await service.requested(20)
        async with running(asyncio.create_task(fill(volume))):
            await told(client, 20)
            if log_too:
                await use_up_log(volume)
                await told(client, 20)
        volume.give_back()
        stop.set()
        accepted = await feeding
        await reckoning.check(client, service, accepted, SECONDS_MAX)
        reckoning.report(f"disk full, {'log' if log_too else 'tables'}", service, len(accepted))
    assert not await violations(address(volume))
    assert dev.running
    died = "embedded PostgreSQL died" in dev.said
    assert died == log_too
