"""Restate: one server, one process with the services that it calls. Load comes from the process that makes ours."""

import asyncio
import contextlib
import json
import math
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import aiohttp

from bench.load import Load, LoadClient
from bench.outage import Stream, Victim
from bench.peers.contract import OUTPUTS, Runs
from bench.peers.installation import PYTHON, restate_server
from bench.stand import REQUESTS_MAX, Stand
from bench.wire import encode
from servers.server import Server, free_port

CLIENTS = 64
POLL_SECONDS = 0.05
PARKED = "select count(*) as parked from sys_invocation where target_service_name = 'Parking' and status = 'suspended'"
PARK_SECONDS_MAX = 300.0
SETTINGS: Mapping[str, str] = {
    # Other than that the defaults: they write through to the disk, and those for memory are above what is used here.
    # Two cores get through a third more with four partitions than with 24, the default, which is meant to be spread.
    "RESTATE_DEFAULT_NUM_PARTITIONS": "4",
    "RESTATE_AUTO_PROVISION": "true",
    "RESTATE_BIND_IP": "127.0.0.1",
    "RESTATE_LISTEN_MODE": "tcp",
    "RESTATE_DISABLE_TELEMETRY": "true",
    "RESTATE_LOG_FILTER": "warn",
}


class RestateServer(Server):
    """The server: `port` is where workflows are started."""

    def __init__(self) -> None:
        super().__init__()
        self._ports = {"admin": free_port(), "bind": free_port()}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def admin(self) -> str:
        return f"http://127.0.0.1:{self._ports['admin']}"

    async def start(self) -> None:
        places = {
            "RESTATE_BASE_DIR": str(self.directory / "data"),
            "RESTATE_BIND_PORT": str(self._ports["bind"]),
            "RESTATE_INGRESS__BIND_ADDRESS": f"127.0.0.1:{self.port}",
            "RESTATE_ADMIN__BIND_ADDRESS": f"127.0.0.1:{self._ports['admin']}",
        }
        await self._launch([str(restate_server()), "--no-logo"], {**SETTINGS, **places})

    async def _answers(self) -> bool:
        """It is healthy only once its partitions have a leader."""
        with contextlib.suppress(aiohttp.ClientError):
            async with aiohttp.ClientSession() as session:
                for url in (f"{self.admin}/health", f"{self.url}/restate/health"):
                    async with session.get(url) as response:
                        if response.status != 200:
                            return False
                return True
        return False


class RestateService(Server):
    """Granian, as it gets through more than Hypercorn, with one process: with two the server was left too little."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        granian = [str(PYTHON), "-m", "granian", "--interface", "asgi", "--http", "2", "--loop", "uvloop"]
        place = ["--host", "127.0.0.1", "--port", str(self.port), "--working-dir", str(Path(__file__).parent)]
        await self._launch([*granian, *place, "--no-access-log", "restate_service:app"])

    async def _answers(self) -> bool:
        return await self._port_answers(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", b"\0")


class Restate:
    """See `Peer`."""

    def __init__(self, server: RestateServer, service: RestateService, load: LoadClient) -> None:
        self._server = server
        self._service = service
        self._load = load

    async def saturate(self, workflow: str, input_: Any, seconds: float) -> Runs:
        return await self._runs(workflow, input_, REQUESTS_MAX, CLIENTS, seconds)

    async def one_by_one(self, workflow: str, input_: Any, number: int) -> Runs:
        return await self._runs(workflow, input_, number, 1, math.inf)

    async def fork(self, width: int) -> float:
        began = time.perf_counter()
        output = await _post(f"{self._server.url}/Bench/fork", width)
        seconds = time.perf_counter() - began
        if output != list(range(1, width + 1)):
            raise RuntimeError(f"Restate: a fork of {width} gave {str(output)[:200]}")
        return seconds

    async def park(self, number: int) -> None:
        requests = [encode("POST", "/Parking/park/send", kind) for kind in ("sleep", "receive")]
        await self._load.make(Load(self._server.port, requests, number, 202, b"Accepted", connections=CLIENTS))
        deadline = time.monotonic() + PARK_SECONDS_MAX
        while (there := await self._parked()) != number:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{number} workflows were to be parked, {there} are")
            await asyncio.sleep(POLL_SECONDS)

    def stream(self, workflow: str, input_: Any, tag: str) -> Stream:
        return Stream((self._server.port,), f"/Bench/{workflow}", input_, _answer(workflow), tag)

    def victim(self) -> Victim:
        return self._service

    async def _runs(self, workflow: str, input_: Any, number: int, clients: int, seconds: float) -> Runs:
        request = encode("POST", f"/Bench/{workflow}", input_)
        load = Load(self._server.port, [request], number, 200, _answer(workflow), connections=clients, seconds=seconds)
        outcome = await self._load.make(load)
        return Runs(outcome.milliseconds, outcome.seconds)

    async def _parked(self) -> int:
        answer = await _post(f"{self._server.admin}/query", {"query": PARKED})
        parked: int = answer["rows"][0]["parked"]
        return parked


def _answer(workflow: str) -> bytes:
    return json.dumps(OUTPUTS[workflow]).encode()


async def _post(url: str, body: Any) -> Any:
    headers = {"Accept": "application/json"}
    async with aiohttp.ClientSession() as session, session.post(url, json=body, headers=headers) as response:
        if response.status not in (200, 201):
            raise RuntimeError(f"Restate: {url} was answered {response.status}: {(await response.text())[:400]}")
        return await response.json()


@contextlib.asynccontextmanager
async def restate(stand: Stand) -> AsyncIterator[Restate]:
    async with contextlib.AsyncExitStack() as stack:
        server, service = RestateServer(), RestateService()
        for one in (server, service):
            stack.push_async_callback(one.close)
            await one.start()
        await _post(f"{server.admin}/deployments", {"uri": service.url})
        yield Restate(server, service, stand.load)
