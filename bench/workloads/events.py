"""Events for processes that listen, each to its own."""

import time
from collections.abc import AsyncIterator
from typing import Any

from bench.client import NAMESPACE, starting
from bench.figures import Figure
from bench.load import Load
from bench.stand import CLIENTS, Stand
from bench.wire import encode

TYPE = "bench.shipped"
LISTEN = [
    {
        "hear": {
            "listen": {
                "to": {
                    "one": {
                        "with": {"type": TYPE},
                        "correlate": {"order": {"from": ".data.order", "expect": "${ .order }"}},
                    }
                }
            },
            "output": {"as": "${ .[0] }"},
        }
    }
]


async def events(stand: Stand) -> AsyncIterator[Figure]:
    """From the first event sent to the last process ended, when few listen and when many do."""
    await stand.client.deploy("events", LISTEN)
    few, many = stand.size.listeners
    rates: dict[int, list[float]] = {}
    there = 0
    for listeners in (few, many):
        rates[listeners] = []
        for sample in range(stand.size.samples):
            tag = f"events-{listeners}-{sample}"
            await listen(stand, "events-others", range(there, listeners - stand.size.events))
            there = max(there, listeners - stand.size.events)
            rates[listeners].append(await _rate(stand, tag))
        yield Figure(f"events.{listeners}", "events/s", rates[listeners])
    growth = [one / other for one, other in zip(rates[few], rates[many], strict=True)]
    yield Figure(f"events.growth.{few}-{many}", "ratio", growth)


async def listen(stand: Stand, tag: str, orders: Any) -> None:
    await stand.client.start_many([starting("events", {"order": f"{tag}-{n}"}, tag) for n in orders])
    await stand.client.drained(tag, ("pending", "running"))


async def _rate(stand: Stand, tag: str) -> float:
    count = stand.size.events
    await listen(stand, tag, range(count))
    requests = [event(stand, f"{tag}-{n}", {"order": f"{tag}-{n}", "n": 1}) for n in range(count)]
    began = time.perf_counter()
    await stand.load.make(Load(stand.form.port, requests, count, 202, connections=CLIENTS))
    await stand.client.drained(tag)
    seconds = time.perf_counter() - began
    orders = set()
    async for process in stand.client.each(tag):
        if process["status"] != "completed":
            raise RuntimeError(f"a process of {tag} is {process['status']}: {str(process)[:400]}")
        orders.add(process["output"]["order"])
    if len(orders) != count:
        raise RuntimeError(f"{count} processes of {tag} were sent an event each, {len(orders)} got theirs")
    return count / seconds


def event(stand: Stand, id_: str, data: Any) -> bytes:
    """A request with one event."""
    body = {"specversion": "1.0", "id": id_, "source": f"urn:{NAMESPACE}", "type": TYPE, "data": data}
    headers = {"Content-Type": "application/cloudevents+json"}
    return encode("POST", "/v1/events", body, key=stand.form.key, headers=headers)
