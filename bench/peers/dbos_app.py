"""A DBOS application: the workflows that are measured, and what starts them, in one process.

Run by the peers' Python with a port, a database and the name of this executor. Workflows and steps are coroutines and
are called where they run, which is the shortest way that DBOS has: a queue between would add a table to poll.
"""

import asyncio
import sys
import time
from itertools import count, repeat
from typing import Any

import aiohttp
import uvloop
from aiohttp import web
from dbos import DBOS, SetWorkflowID

MONTH_SECONDS = 30 * 24 * 3600.0
POLL_SECONDS = 0.02
START_AT_A_TIME = 16

http: aiohttp.ClientSession


@DBOS.step()
async def add(n: int) -> int:
    return n + 1


@DBOS.step()
async def get(url: str, key: str) -> Any:
    async with http.get(url, headers={"Idempotency-Key": key}) as response:
        return await response.json()


@DBOS.workflow()
async def sequence(n: int) -> Any:
    for _ in range(5):
        n = await add(n)
    return {"n": n}


@DBOS.workflow()
async def calls(url: str) -> Any:
    answer = None
    for n in range(3):
        answer = await get(url, f"{DBOS.workflow_id}-{n}")
    return answer


@DBOS.workflow()
async def fork(width: int) -> Any:
    return await asyncio.gather(*(add(n) for n in range(width)))


@DBOS.workflow()
async def park(kind: str) -> None:
    if kind == "sleep":
        await DBOS.sleep_async(MONTH_SECONDS)
    else:
        await DBOS.recv_async("never", MONTH_SECONDS)


WORKFLOWS: dict[str, Any] = {"sequence": sequence, "calls": calls, "fork": fork}


async def run(request: web.Request) -> web.Response:
    """So many clients each run one workflow after the other: `number` in all, or as many as `seconds` allow.

    Answers how long each took, in milliseconds, how long all of them took, and the outputs that differ.
    """
    order = await request.json()
    workflow, input_ = WORKFLOWS[order["workflow"]], order["input"]
    turns = repeat(None, order["number"]) if order["number"] else count()
    milliseconds: list[float] = []
    outputs: list[Any] = []
    began = time.perf_counter()

    async def client() -> None:
        for _ in turns:
            sent = time.perf_counter()
            output = await workflow(input_)
            milliseconds.append((time.perf_counter() - sent) * 1000)
            if output not in outputs:
                outputs.append(output)
            if order["seconds"] and time.perf_counter() - began > order["seconds"]:
                break

    await asyncio.gather(*(client() for _ in range(order["clients"])))
    seconds = time.perf_counter() - began
    return web.json_response({"milliseconds": milliseconds, "seconds": seconds, "outputs": outputs})


async def start(request: web.Request) -> web.Response:
    """Start a workflow under the key of the request, or meet the one that was, and answer its output."""
    with SetWorkflowID(request.headers["Idempotency-Key"]):
        handle = await DBOS.start_workflow_async(WORKFLOWS[request.match_info["workflow"]], await request.json())
    return web.json_response(await handle.get_result(polling_interval_sec=POLL_SECONDS))


async def park_many(request: web.Request) -> web.Response:
    kinds = iter(await request.json())

    async def client() -> None:
        for kind in kinds:
            await DBOS.start_workflow_async(park, kind)

    await asyncio.gather(*(client() for _ in range(START_AT_A_TIME)))
    return web.json_response(None)


async def serve(port: int, database: str, executor: str) -> None:
    global http
    http = aiohttp.ClientSession()
    DBOS(
        config={
            "name": "bench",
            "system_database_url": database,
            # The version is said, as one made of the source would do the same with more work; recovery goes by both.
            "application_version": "1",
            "executor_id": executor,
            # 20 connections, the default: there are 16 clients to each process, and more connections made it slower.
            "sys_db_pool_size": 20,
            "log_level": "WARNING",
            "enable_otlp": False,
        }
    )
    DBOS.launch()
    application = web.Application()
    application.add_routes([web.post("/run", run), web.post("/start/{workflow}", start), web.post("/park", park_many)])
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), sys.argv[2], sys.argv[3]))
