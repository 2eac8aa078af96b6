"""Who is around the platform: services that it calls, providers that call back, people, job workers, operators."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from perdure import clock
from perdure.activities.contract import Call, CallFailed
from perdure.codec import decode
from perdure.engine import state as states
from perdure.engine.errors import Error, standard
from perdure.engine.refs import inline_value, key_of
from perdure.engine.state import ListenFrame
from perdure.runtime.errors import Refused
from perdure.runtime.views import HumanTaskFilter, JobRequest, JobView, Principal
from perdure.store.contract import StoreUnavailable

from .doubts import QUESTION, Doubtful

BREAKS = "breaks"
BROKEN = Error("http://planned/breaks", 500, BREAKS)
WHO = Principal(name="world", tenant="default", role="admin")
FAILURES_MAX = 2


class ServiceDied(Exception):
    """The API went away in the middle of a request: what became of it is not known."""


Ask = Callable[[Callable[[Any], Awaitable[Any]]], Awaitable[Any]]
"""Does something with the API's service. Raises `ServiceDied`, `StoreUnavailable` and what the service raises."""


class Services:
    """What calls reach. Slow, failing as planned; the same call may come again, always under the same key."""

    def __init__(self, chance: random.Random, ask: Ask, calm: Callable[[], bool]) -> None:
        self._chance = chance
        self._ask = ask
        self.keys: dict[UUID, set[str]] = {}
        self.calls = 0
        self._failures: Counter[UUID] = Counter()
        self.doubtful = Doubtful(chance, calm)
        self._providers: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        return None

    async def stop(self) -> None:
        return None

    async def perform(self, call: Call) -> Any:
        self.calls += 1
        self.keys.setdefault(call.activity, set()).add(call.idempotency_key.removesuffix("/lookup"))
        if "/made/" in call.request["uri"]:
            return await self.doubtful.look_up(call)
        if call.request["body"].get("doubt"):
            return await self.doubtful.perform(call)
        await asyncio.sleep(self._chance.choice((0.01, 0.1, 1, 5, 40)) * self._chance.random())
        body = call.request["body"]
        if body.get("never"):
            await asyncio.get_running_loop().create_future()
        fails = 1 if body.get(BREAKS) else body.get("fails", 0)
        if self._failures[call.activity] < fails:
            self._failures[call.activity] += 1
            raise CallFailed(BROKEN if body.get(BREAKS) else standard("communication", "no", status=503))
        if "url" in body:
            self._provider(body)
        return body["n"] + body["add"]

    def _provider(self, body: Any) -> None:
        """Calls back, in its own time, once or twice."""
        for _ in range(1 + (self._chance.random() < 0.2)):
            task = asyncio.Task(self._call_back(body["url"].rpartition("/")[2], body["n"] + body["add"]))
            self._providers.add(task)
            task.add_done_callback(self._providers.discard)

    async def _call_back(self, token: str, value: int) -> None:
        await asyncio.sleep(self._chance.choice((0, 1, 60)) * self._chance.random())
        while True:
            try:
                return await self._ask(lambda service: service.receive_callback(token, value))
            except Refused:
                return None
            except (ServiceDied, StoreUnavailable):
                await asyncio.sleep(1)


class People:
    """Decide human tasks, sometimes after claiming them, and what is to become of calls in doubt."""

    def __init__(self, chance: random.Random, ask: Ask, doubtful: Doubtful) -> None:
        self._chance = chance
        self._ask = ask
        self._doubtful = doubtful

    async def turn(self) -> None:
        for status in ("open", "claimed"):
            wanted = HumanTaskFilter(status=status)
            page = await self._ask(lambda service, w=wanted: service.list_human_tasks(WHO, w, limit=5, cursor=None))
            for task in page.items:
                if task.outcomes == QUESTION:
                    outcome, data = self._doubtful.decision(task.id)
                else:
                    outcome, data = "approved", int(task.description)
                await self._decide(task.id, outcome, data, claims=status == "open")

    async def _decide(self, task: UUID, outcome: str, data: int | None, *, claims: bool) -> None:
        if claims and self._chance.random() < 0.3:
            await self._ask(lambda service: service.claim(WHO, task, "ann"))
        await self._ask(lambda service: service.complete(WHO, task, "ann", outcome, None, data))


class JobWorker:
    """Takes jobs; does them, loses them, fails, or answers twice."""

    def __init__(self, chance: random.Random, ask: Ask) -> None:
        self._chance = chance
        self._ask = ask
        self._failures: Counter[UUID] = Counter()
        self._broken: set[UUID] = set()

    async def turn(self) -> None:
        wanted = JobRequest("planned", max=2, lease=10, wait=0, worker="w")
        for job in await self._ask(lambda service: service.activate_jobs(WHO, wanted)):
            await asyncio.sleep(self._chance.random() * 4)
            await self._answer(job)

    async def _answer(self, job: JobView) -> None:
        token, dice = str(job.lease.token), self._chance.random()
        if dice < 0.15:
            return
        if job.input[BREAKS] and job.id not in self._broken:
            self._broken.add(job.id)
            await self._ask(lambda service: service.fail_job(WHO, job.id, token, BROKEN, retryable=False))
        elif dice < 0.25 and self._failures[job.id] < FAILURES_MAX:
            self._failures[job.id] += 1
            await self._ask(lambda service: service.fail_job(WHO, job.id, token, BROKEN, retryable=True))
        else:
            output = job.input["n"] + job.input["add"]
            for _ in range(1 + (dice > 0.9)):
                await self._ask(lambda service: service.complete_job(WHO, job.id, token, output))


class Senders:
    """Send the events that processes listen for, and some that only look like it."""

    def __init__(
        self, chance: random.Random, ask: Ask, store: Any, tasks: dict[tuple[UUID, str], Any], post: Any
    ) -> None:
        self._chance = chance
        self._ask = ask
        self._store = store
        self._tasks = tasks
        self._post = post
        self._count = 0

    async def turn(self) -> None:
        for standing in await self._store.liveness.standings(None, None, 100):
            if standing.state is None:
                continue
            for frame in states.decode(standing.state).frames:
                if isinstance(frame, ListenFrame) and frame.listening:
                    wanted = await self._value(standing.id, next(iter(frame.expected.values())))
                    await self._send(wanted, await self._types(standing, frame))

    async def _types(self, standing: Any, frame: ListenFrame) -> list[str]:
        found = await self._store.activities(standing.id, 100_000, None)
        name = next(activity.name for activity in found if activity.id == frame.id)
        to = self._tasks[standing.id, name]["listen"]["to"]
        filters = to.get("any") or to.get("all") or [to["one"]]
        return [filter_["with"]["type"] for filter_ in filters]

    async def _value(self, process: UUID, ref: bytes) -> int:
        key = key_of(ref)
        if key is None:
            return int(inline_value(ref))
        return int(decode((await self._store.payloads([(process, key)]))[process, key]))

    async def _send(self, wanted: int, types: list[str]) -> None:
        type_ = self._chance.choice(types)
        off = self._chance.random() < 0.3
        data = {"k": wanted + 1 if off else wanted, "add": int(type_.removeprefix("planned."))}
        self._count += 1
        event = {"specversion": "1.0", "id": str(self._count), "source": "/w", "type": type_, "data": data}
        if self._chance.random() < 0.3:
            self._post.send("events-in", event)
        else:
            for _ in range(1 + (self._chance.random() < 0.2)):
                await self._ask(lambda service: service.receive_events(WHO, [dict(event)]))


class Operators:
    """Suspend and resume now and then; let what broke try again."""

    def __init__(self, chance: random.Random, ask: Ask, roots: list[UUID]) -> None:
        self._chance = chance
        self._ask = ask
        self._roots = roots
        self.calm = False

    async def turn(self) -> None:
        process = self._chance.choice(self._roots)
        view = await self._ask(lambda service: service.get_process(WHO, process))
        if view.status == "suspended":
            await self._command(process, "resume")
        elif view.status == "faulted" and view.error.title == BREAKS:
            await self._command(process, "retry")
        elif view.ended_at is None and not self.calm and self._chance.random() < 0.2:
            await self._command(process, "suspend")

    async def _command(self, process: UUID, command: str) -> None:
        await self._ask(lambda service: service.command(WHO, process, command, None))


async def live(chance: random.Random, who: Any, seconds: float) -> None:
    """Turn after turn, whatever goes wrong in one."""
    while True:
        await clock.sleep(chance.random() * seconds)
        try:
            await who.turn()
        except (Refused, ServiceDied, StoreUnavailable):
            continue
