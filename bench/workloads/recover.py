"""A worker dies under load and is started again."""

import asyncio
import time
from bisect import bisect_left
from collections.abc import AsyncIterator
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe

import uvloop

from bench.client import starting
from bench.figures import Figure
from bench.processes import SPAWN, end_with_parent
from bench.service import Service
from bench.stand import Stand
from bench.wire import Connection, encode

CALLS = 3
CLIENTS = 16
FULL_RATE = 0.9
WINDOW_SECONDS = 1.0
STEP_SECONDS = 0.1
SECONDS_MAX = 60.0
WARM_SECONDS = 2.0
AFTER_SECONDS_MIN = 15.0


@dataclass(frozen=True)
class Stream:
    """Clients who start one process after the other, and start it again with the same key where the answer is lost."""

    port: int
    key: str | None
    tag: str
    seconds: float


async def recover(stand: Stand) -> AsyncIterator[Figure]:
    """`kill -9` of one of three workers (of the only process, where all is one), started again at once: time until as
    much is got through as before, how many calls were made twice, and the longest that a process took.
    """
    back, repeats, longest = [], [], []
    async with Service() as service:
        call = {"call": "http", "with": {"method": "get", "endpoint": service.url}}
        await stand.client.deploy("recover", [{f"call{n}": call} for n in range(CALLS)])
        for sample in range(stand.size.kills):
            tag = f"recover-{sample}"
            killed, ends = await _kill_one(stand, tag)
            back.append(seconds_until_full(killed, [end for end, _ in ends]))
            longest.append(max(took for _, took in ends))
            await stand.client.drained(tag)
            await stand.client.check(tag, len(ends), {"n": 1})
            requests, keys = await service.seen()
            if keys != len(ends) * CALLS:
                raise RuntimeError(f"{len(ends)} processes bore {keys} keys, expected {CALLS} each")
            repeats.append(float(requests - keys))
    yield Figure("recover.time", "s", back)
    yield Figure("recover.longest", "s", longest)
    yield Figure("recover.repeats", "calls", repeats)


async def _kill_one(stand: Stand, tag: str) -> tuple[float, list[tuple[float, float]]]:
    """When it was killed, and of each process when it ended and how long it took."""
    seconds = stand.size.load_seconds
    async with stand.form.victims() as victim:
        ours, theirs = SPAWN.Pipe()
        after = max(AFTER_SECONDS_MIN, 2 * seconds)
        stream = Stream(stand.form.port, stand.form.key, tag, WARM_SECONDS + seconds + after)
        process = SPAWN.Process(target=_client, args=(theirs, stream), daemon=True)
        process.start()
        try:
            await asyncio.to_thread(ours.recv)
            await asyncio.sleep(WARM_SECONDS + seconds)
            killed = time.monotonic()
            await victim.kill()
            await victim.start()
            ends: list[tuple[float, float]] = await asyncio.to_thread(ours.recv)
        finally:
            process.kill()
            process.join()
    return killed, ends


def seconds_until_full(killed: float, ends: list[float]) -> float:
    """From the kill to the first second in which nearly as many end as in a usual one before it."""
    ends = sorted(ends)

    def rate(at: float) -> float:
        return (bisect_left(ends, at + WINDOW_SECONDS) - bisect_left(ends, at)) / WINDOW_SECONDS

    first = ends[0] + WARM_SECONDS
    usual = (bisect_left(ends, killed) - bisect_left(ends, first)) / (killed - first)
    at = killed
    while rate(at) < FULL_RATE * usual:
        at += STEP_SECONDS
        if at + WINDOW_SECONDS > ends[-1]:
            raise RuntimeError(f"{usual:.0f} processes per second before the kill, never as many after it")
    return at - killed


def _client(pipe: Pipe, stream: Stream) -> None:
    end_with_parent()
    uvloop.run(_run(pipe, stream))


async def _run(pipe: Pipe, stream: Stream) -> None:
    ends: list[tuple[float, float]] = []
    pipe.send("running")
    until = time.monotonic() + stream.seconds
    await asyncio.gather(*(_start_until(until, number, stream, ends) for number in range(CLIENTS)))
    pipe.send(ends)


async def _start_until(until: float, client: int, stream: Stream, ends: list[tuple[float, float]]) -> None:
    connection = Connection(stream.port)
    number = 0
    while (began := time.monotonic()) < until:
        headers = {"Idempotency-Key": f"{stream.tag}-{client}-{number}"}
        body = starting("recover", tag=stream.tag)
        request = encode("POST", "/v1/processes?wait=60", body, key=stream.key, headers=headers)
        await _insist(connection, request, began)
        ended = time.monotonic()
        ends.append((ended, ended - began))
        number += 1
    connection.close()


async def _insist(connection: Connection, request: bytes, began: float) -> None:
    """Again and again until the process has ended."""
    said = b""
    while time.monotonic() < began + SECONDS_MAX:
        try:
            status, said, pause = await connection.send(request)
        except (OSError, EOFError):
            await asyncio.sleep(STEP_SECONDS)
            continue
        if status in (200, 201) and b'"status":"completed"' in said:
            return
        await asyncio.sleep(pause or STEP_SECONDS)
    raise RuntimeError(f"a process has not ended after {SECONDS_MAX:.0f} s: {said[:400]!r}")
