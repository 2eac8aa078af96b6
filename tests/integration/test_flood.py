"""Ten times the load that an API and a worker can serve: they refuse, keep what they took, and grow no larger."""

import asyncio
import json
import time
from collections import Counter

import psutil
import pytest

from integration.api import Api, definition
from integration.topology import Topology

CLIENTS = 1_500
"""Connections that send one start after another without a pause; an API lets a third of them in at a time."""
PADDING = "x" * 4_000
SECONDS = 10.0
GROWTH_BYTES_MAX = 64 * 1024 * 1024
SAMPLE_SECONDS = 0.25

KEEP = definition("keep", [{"one": {"set": {"n": 1}}}, {"two": {"set": {"n": 2}}}], namespace="flood")


def memory(pid: int) -> int:
    """Of a service, with the processes that it has started."""
    root = psutil.Process(pid)
    return sum(process.memory_info().rss for process in (root, *root.children(recursive=True)))


class Flood:
    """Clients of one API. What they were answered is counted by status."""

    def __init__(self, port: int, key: str) -> None:
        body = json.dumps({"definition": {"namespace": "flood", "name": "keep"}, "input": {"pad": PADDING}})
        self._request = (
            f"POST /v1/processes HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        ).encode()
        self._port = port
        self.answers: Counter[int] = Counter()
        self.unsaid = 0
        """Answers without `Retry-After` where there has to be one."""

    async def run(self, seconds: float, clients: int) -> None:
        until = time.monotonic() + seconds
        await asyncio.gather(*(self._client(until) for _ in range(clients)))

    async def _client(self, until: float) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            while time.monotonic() < until:
                writer.write(self._request)
                head = await reader.readuntil(b"\r\n\r\n")
                status = int(head[9:12])
                lines = head.lower().split(b"\r\n")
                length = next(int(line[15:]) for line in lines if line.startswith(b"content-length:"))
                await reader.readexactly(length)
                self.answers[status] += 1
                if status in (429, 503) and not any(line.startswith(b"retry-after:") for line in lines):
                    self.unsaid += 1
        finally:
            writer.close()


async def watch(pids: list[int], seen: dict[int, list[int]]) -> None:
    while True:
        for pid in pids:
            seen.setdefault(pid, []).append(memory(pid))
        await asyncio.sleep(SAMPLE_SECONDS)


@pytest.mark.parametrize("seconds", [SECONDS, pytest.param(120.0, marks=(pytest.mark.long, pytest.mark.timeout(900)))])
async def test_ten_times_the_load(topology: Topology, api: Api, seconds: float) -> None:
    await api.deploy(KEEP)
    served = topology.apis[0]
    flood = Flood(served.port, topology.key)
    await flood.run(3.0, 20)  # caches are filled, pools are open
    assert set(flood.answers) == {201}
    pids = [served.pid, *(worker.pid for worker in topology.workers)]
    before = {pid: memory(pid) for pid in pids}
    seen: dict[int, list[int]] = {}
    watching = asyncio.create_task(watch(pids, seen))
    try:
        await flood.run(seconds, CLIENTS)
    finally:
        watching.cancel()
    assert set(flood.answers) <= {201, 429, 503} and flood.answers[429], flood.answers
    assert not flood.unsaid
    for pid in pids:
        assert max(seen[pid]) - before[pid] < GROWTH_BYTES_MAX, pid
    await topology.gone("select from process where namespace = 'flood' and ended_at is null limit 1", seconds=240)
    rows = await topology.fetch("select count(*) from process where namespace = 'flood' and status = 'completed'")
    assert rows[0][0] >= flood.answers[201]
