"""Who deals with the platform under load, whatever dies meanwhile, and what it was told."""

import asyncio
import itertools
import json
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from integration import load
from integration.api import Api, Json
from integration.standin import StandIn

AT_ONCE = 4
"""How many start orders at the same time, so that one that waits for a killed API holds up no other."""
PACE_SECONDS = 0.5
"""How long each of them rests between two orders."""
POLL_SECONDS = 0.1
EVENTS = "/v1/events"
EVENT_HEADERS = {"Content-Type": "application/cloudevents+json"}

Statuses = dict[str, list[int]]
"""What was answered, in order, by what it was about. Each was repeated until there was an answer other than 503."""


@dataclass
class Service:
    """What the stand-in says to the platforms: calls them back, and sends events."""

    platforms: tuple[Api, ...]
    callbacks: Statuses = field(default_factory=lambda: defaultdict(list))
    """By path."""
    events: Statuses = field(default_factory=lambda: defaultdict(list))
    """By id."""

    async def __call__(self, path: str, body: Json) -> None:
        for platform in self.platforms:
            if path == EVENTS:
                answer = await platform.insist("POST", path, json.dumps(body).encode(), headers=EVENT_HEADERS)
                self.events[body["id"]].append(answer.status)
            else:
                answer = await platform.insist("POST", path, body)
                self.callbacks[path].append(answer.status)


def service(*platforms: Api) -> Service:
    """Of several platforms, one may not know a callback."""
    return Service(platforms)


async def feed(api: Api, stand_in: StandIn, run: str, stop: asyncio.Event, least: int) -> list[str]:
    """Have orders started until told to stop, and at least so many; answers them by number."""
    accepted: dict[int, str] = {}
    numbers = itertools.count()

    async def client() -> None:
        while not stop.is_set() or len(accepted) < least:
            number = next(numbers)
            accepted[number] = await load.start(api, stand_in, run, number)
            await asyncio.sleep(0 if stop.is_set() else PACE_SECONDS)

    await asyncio.gather(*(client() for _ in range(AT_ONCE)))
    return [accepted[number] for number in sorted(accepted)]


async def park(api: Api, run: str, count: int) -> list[str]:
    """Have processes started that wait for ever."""
    return [
        (await api.start(load.PARKED, idempotency_key=f"{run}-parked-{number}", tags={"run": f"{run}-parked"}))["id"]
        for number in range(count)
    ]


@asynccontextmanager
async def clerk(api: Api) -> AsyncIterator[Statuses]:
    """Somebody who approves whatever there is to be approved, while the context lasts. What was said, by task."""
    said: Statuses = defaultdict(list)

    over = asyncio.Event()

    async def approve() -> None:
        while not over.is_set():
            page = await api.get("/v1/human-tasks", status="open", group="load", limit=100)
            for task in page["items"]:
                answer = await api.insist(
                    "POST", f"/v1/human-tasks/{task['id']}/complete", {"user": "clerk", "outcome": "approved"}
                )
                assert answer.status in (200, 409), answer
                said[task["id"]].append(answer.status)
            await asyncio.sleep(POLL_SECONDS)

    work = asyncio.create_task(approve())
    try:
        yield said
        over.set()
        await work  # until the last answer is there
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
