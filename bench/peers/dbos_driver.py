"""DBOS: two processes of one application on a database of its own, on the server that ours has its database on."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp

from bench import database
from bench.outage import Stream, Victim
from bench.peers.contract import OUTPUTS, Runs
from bench.peers.installation import PYTHON
from bench.stand import Stand
from servers.server import Server

APP = Path(__file__).parent / "dbos_app.py"
NAME = "peer_dbos"
PROCESSES = 2
"""As ours has workers. One gets through less, as it has but one interpreter lock."""

CLIENTS = 16
"""To each process. With more of them fewer workflows are got through."""

POLL_SECONDS = 0.05
PARKED = "select count(*) from dbos.operation_outputs where function_name = 'DBOS.sleep'"
PARK_SECONDS_MAX = 300.0


class App(Server):
    """One of the processes. It keeps its name, so that after a kill it takes up what it had under way."""

    def __init__(self, dsn: str, number: int) -> None:
        super().__init__()
        self._arguments = (dsn, f"executor-{number}")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        await self._launch([str(PYTHON), str(APP), str(self.port), *self._arguments])

    async def _answers(self) -> bool:
        return await self._port_answers(b"GET /nothing HTTP/1.1\r\nHost: bench\r\n\r\n", b"404")


class Dbos:
    """See `Peer`."""

    def __init__(self, dsn: str, apps: list[App], session: aiohttp.ClientSession) -> None:
        self._dsn = dsn
        self._apps = apps
        self._session = session

    async def saturate(self, workflow: str, input_: Any, seconds: float) -> Runs:
        order = {"workflow": workflow, "input": input_, "number": 0, "clients": CLIENTS, "seconds": seconds}
        answers = await asyncio.gather(*(self._post(app, "/run", order) for app in self._apps))
        return _checked(answers, OUTPUTS[workflow])

    async def one_by_one(self, workflow: str, input_: Any, number: int) -> Runs:
        order = {"workflow": workflow, "input": input_, "number": number, "clients": 1, "seconds": 0}
        return _checked([await self._post(self._apps[0], "/run", order)], OUTPUTS[workflow])

    async def fork(self, width: int) -> float:
        order = {"workflow": "fork", "input": width, "number": 1, "clients": 1, "seconds": 0}
        return _checked([await self._post(self._apps[0], "/run", order)], list(range(1, width + 1))).seconds

    async def park(self, number: int) -> None:
        kinds = ["sleep", "receive"] * (number // 2)
        shares = [kinds[: number // 2], kinds[number // 2 :]]
        await asyncio.gather(*(self._post(app, "/park", share) for app, share in zip(self._apps, shares, strict=True)))
        deadline = time.monotonic() + PARK_SECONDS_MAX
        async with database.connected(self._dsn) as connection:
            # Both kinds have recorded until when they wait.
            while (there := await connection.fetchval(PARKED)) != number:
                if time.monotonic() > deadline:
                    raise RuntimeError(f"{number} workflows were to be parked, {there} are")
                await asyncio.sleep(POLL_SECONDS)

    def stream(self, workflow: str, input_: Any, tag: str) -> Stream:
        ports = tuple(app.port for app in self._apps)
        return Stream(ports, f"/start/{workflow}", input_, json.dumps(OUTPUTS[workflow]).encode(), tag)

    def victim(self) -> Victim:
        return self._apps[0]

    async def _post(self, app: App, path: str, body: Any) -> Any:
        async with self._session.post(app.url + path, json=body) as response:
            if response.status != 200:
                raise RuntimeError(f"DBOS: {path} was answered {response.status}: {(await response.text())[:400]}")
            return await response.json()


def _checked(answers: list[Any], output: Any) -> Runs:
    for answer in answers:
        if answer["outputs"] != [output]:
            raise RuntimeError(f"DBOS: expected {str(output)[:200]}, got {str(answer['outputs'])[:400]}")
    milliseconds = [took for answer in answers for took in answer["milliseconds"]]
    return Runs(milliseconds, max(answer["seconds"] for answer in answers))


@contextlib.asynccontextmanager
async def dbos(stand: Stand) -> AsyncIterator[Dbos]:
    """Its applications one after the other, as the first makes the tables."""
    async with contextlib.AsyncExitStack() as stack:
        dsn = await stack.enter_async_context(_database(stand.form.dsn))
        session = await stack.enter_async_context(aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=600)))
        apps = [App(dsn, number) for number in range(PROCESSES)]
        for app in apps:
            stack.push_async_callback(app.close)
            await app.start()
        yield Dbos(dsn, apps, session)


@contextlib.asynccontextmanager
async def _database(dsn: str) -> AsyncIterator[str]:
    """A new one on the server of that one; answers where it is."""
    async with database.connected(dsn) as connection:
        await connection.execute(f"create database {NAME} template template0")
    try:
        yield f"{dsn.rpartition('/')[0]}/{NAME}"
    finally:
        async with database.connected(dsn) as connection:
            await connection.execute(f"drop database {NAME} with (force)")
