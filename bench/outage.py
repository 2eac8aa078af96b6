"""A process is killed under load and started again: what its clients see of it."""

import asyncio
import time
from bisect import bisect_left
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from typing import Any, Protocol

import uvloop

from bench.processes import SPAWN, end_with_parent
from bench.wire import Connection, encode

CLIENTS = 16
FULL_RATE = 0.9
WINDOW_SECONDS = 1.0
STEP_SECONDS = 0.1
SECONDS_MAX = 60.0
WARM_SECONDS = 2.0


@dataclass(frozen=True)
class Stream:
    """Clients who start one process after the other, and start it again with the same key where the answer is lost.

    They are spread over the ports. An answer with `done` in it says that the process has ended as it should.
    """

    ports: tuple[int, ...]
    path: str
    body: Any
    done: bytes
    tag: str
    key: str | None = None


class Victim(Protocol):
    async def kill(self) -> None: ...

    async def start(self) -> None: ...


async def kill_under_load(
    victim: Victim, stream: Stream, before: float, after: float
) -> tuple[float, list[tuple[float, float]]]:
    """Load for so many seconds before and after; when it was killed, and of each process when it ended and how long
    it took.
    """
    ours, theirs = SPAWN.Pipe()
    process = SPAWN.Process(target=_client, args=(theirs, stream, WARM_SECONDS + before + after), daemon=True)
    process.start()
    try:
        await asyncio.to_thread(ours.recv)
        await asyncio.sleep(WARM_SECONDS + before)
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


def _client(pipe: Pipe, stream: Stream, seconds: float) -> None:
    end_with_parent()
    uvloop.run(_run(pipe, stream, seconds))


async def _run(pipe: Pipe, stream: Stream, seconds: float) -> None:
    ends: list[tuple[float, float]] = []
    pipe.send("running")
    until = time.monotonic() + seconds
    await asyncio.gather(*(_start_until(until, number, stream, ends) for number in range(CLIENTS)))
    pipe.send(ends)


async def _start_until(until: float, client: int, stream: Stream, ends: list[tuple[float, float]]) -> None:
    connection = Connection(stream.ports[client % len(stream.ports)])
    number = 0
    while (began := time.monotonic()) < until:
        headers = {"Idempotency-Key": f"{stream.tag}-{client}-{number}"}
        request = encode("POST", stream.path, stream.body, key=stream.key, headers=headers)
        await _insist(connection, request, stream.done, began)
        ended = time.monotonic()
        ends.append((ended, ended - began))
        number += 1
    connection.close()


async def _insist(connection: Connection, request: bytes, done: bytes, began: float) -> None:
    """Again and again until the process has ended."""
    said = b""
    while time.monotonic() < began + SECONDS_MAX:
        try:
            status, said, pause = await connection.send(request)
        except (OSError, EOFError):
            await asyncio.sleep(STEP_SECONDS)
            continue
        if status in (200, 201) and done in said:
            return
        await asyncio.sleep(pause or STEP_SECONDS)
    raise RuntimeError(f"a process has not ended after {SECONDS_MAX:.0f} s: {said[:400]!r}")
