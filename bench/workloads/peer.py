"""Other durable execution platforms at what ours does, on the same machine, each at its best durable setting."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager

from bench.figures import Figure, percentiles
from bench.outage import kill_under_load, seconds_until_full
from bench.peers.contract import Peer
from bench.peers.dbos_driver import dbos
from bench.peers.installation import install
from bench.peers.restate_driver import restate
from bench.service import Service
from bench.stand import Stand

STEPS = 5
CALLS = 3
WIDTHS = (100, 1_000)
WARM_SECONDS = 1.0
AFTER_SECONDS_MIN = 8.0
PEERS: dict[str, Callable[[Stand], AbstractAsyncContextManager[Peer]]] = {"dbos": dbos, "restate": restate}


async def peer(stand: Stand) -> AsyncIterator[Figure]:
    """One after the other, beside the distributed form at rest. One that fails leaves the other its figures."""
    if stand.form.name != "distributed":
        return
    await asyncio.to_thread(install)
    failed: list[Exception] = []
    for name, running in PEERS.items():
        try:
            async with running(stand) as other:
                async for figure in _figures(stand, f"peer.{name}", other):
                    yield figure
        except Exception as error:
            failed.append(error)
    if failed:
        raise ExceptionGroup("peers have failed", failed)


async def _figures(stand: Stand, name: str, other: Peer) -> AsyncIterator[Figure]:
    """What is parked comes last, as it stays."""
    await other.saturate("sequence", 0, WARM_SECONDS)
    alone = await _sequence_rate(stand, f"{name}.sequence.rate", other)
    yield alone
    runs = await other.one_by_one("sequence", 0, stand.size.runs)
    for figure in percentiles(f"{name}.sequence.latency", runs.milliseconds):
        yield figure
    async with Service() as service:
        async for figure in _calls(stand, f"{name}.calls", other, service):
            yield figure
        yield await _recover(stand, f"{name}.recover.time", other, service)
    for width in WIDTHS:
        costs = [await other.fork(width) / width * 1_000_000 for _ in range(stand.size.samples)]
        yield Figure(f"{name}.fork.{width}", "µs/activity", costs)
    await other.park(stand.size.beside)
    beside = await _sequence_rate(stand, f"{name}.parked.{stand.size.beside}.sequence", other)
    yield beside
    yield Figure(f"{name}.parked.{stand.size.beside}.kept", "ratio", [beside.median / alone.median])


async def _sequence_rate(stand: Stand, name: str, other: Peer) -> Figure:
    """Activities per second while clients wait for one workflow after the other."""
    rates = [
        (await other.saturate("sequence", 0, stand.size.peer_seconds)).rate * STEPS for _ in range(stand.size.samples)
    ]
    return Figure(name, "activities/s", rates)


async def _calls(stand: Stand, name: str, other: Peer, service: Service) -> AsyncIterator[Figure]:
    """The same of workflows that call a service over HTTP; latency of three calls."""
    rates = []
    for _ in range(stand.size.samples):
        runs = await other.saturate("calls", service.url, stand.size.peer_seconds)
        rates.append(runs.rate * CALLS)
        await _check_calls(service, len(runs.milliseconds))
    yield Figure(f"{name}.rate", "calls/s", rates)
    runs = await other.one_by_one("calls", service.url, stand.size.runs)
    await _check_calls(service, stand.size.runs)
    for figure in percentiles(f"{name}.latency", runs.milliseconds):
        yield figure


async def _check_calls(service: Service, workflows: int) -> None:
    requests, keys = await service.seen()
    if (requests, keys) != (workflows * CALLS, workflows * CALLS):
        raise RuntimeError(f"{workflows} workflows were to call {CALLS} times each: {requests} calls, {keys} keys")


async def _recover(stand: Stand, name: str, other: Peer, service: Service) -> Figure:
    """As `recover`: a process that runs workflows is killed under load and started again at once."""
    back = []
    seconds = stand.size.peer_seconds * 2
    for sample in range(stand.size.kills):
        stream = other.stream("calls", service.url, f"recover-{sample}")
        killed, ends = await kill_under_load(other.victim(), stream, seconds, max(AFTER_SECONDS_MIN, seconds))
        back.append(seconds_until_full(killed, [end for end, _ in ends]))
        _, keys = await service.seen()
        if keys != len(ends) * CALLS:
            raise RuntimeError(f"{len(ends)} workflows bore {keys} keys, expected {CALLS} each")
    return Figure(name, "s", back)
