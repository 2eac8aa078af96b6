"""One seed, one world: the real engine, runtime and workers, and everything around them that can go wrong.

Two workers and an API share a store. They die before and after commits and come back; the database and the broker are
away at times; messages are lost, doubled, late and out of order; services are slow or fail as planned, and everybody
answers when they like. After a while the faults cease: then every process must come to its planned end.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeVar
from unittest.mock import patch
from uuid import UUID

import structlog
from definitions import Plan, plan_of

from perdure.codec import encode
from perdure.engine.step import Environment, Limits
from perdure.runtime import step as runtime_step
from perdure.runtime.context import Context
from perdure.runtime.errors import Conflict
from perdure.runtime.programs import Programs
from perdure.runtime.service import Service
from perdure.runtime.views import StartRequest
from perdure.secrets import Secrets
from perdure.settings import Settings
from perdure.store.contract import StoreUnavailable
from perdure.worker import jobs, lookout, sweeper, timers, webhooks
from perdure.worker.worker import Worker

from .checks import Broken, Invariants, in_the_end
from .doubts import resolutions
from .evaluator import PlainEvaluator
from .faulty import FaultyStore, Shared
from .memory import MemoryStore
from .outside import BREAKS, WHO, JobWorker, Operators, People, Senders, ServiceDied, Services, live
from .owners import OWNER, Owner, task_factory
from .post import Coordinator, Exchange, Post
from .virtual import VirtualLoop, virtual_clock

T = TypeVar("T")

INPUT = 7
WORKERS = 2
WORLD_SECONDS_MAX = 250_000.0
"""By when everything must have come to its end: the faults cease within minutes, the longest plans wait for a day."""
STEPS_MAX = 20_000
SETTINGS = Settings(_env_file=None, sweep_seconds=10, job_attempts_max=50)
SLOW = {sweeper: "AWAY_SECONDS", lookout: "LOOK_SECONDS", timers: "AGAIN_SECONDS", jobs: "AGAIN_SECONDS"}
CHILD = {
    "document": {"dsl": "1.0.3", "namespace": "n", "name": "c", "version": "1.0.0"},
    "do": [
        {"rest": {"wait": {"seconds": 2}}},
        {
            "work": {
                "call": "http",
                "with": {"method": "post", "endpoint": "http://c", "body": {"n": "${ .n }", "add": "${ .add }"}},
            }
        },
    ],
}


@dataclass
class Report:
    """What came of a world."""

    seed: int
    processes: list[UUID]
    steps: int
    deaths: int
    calls: int
    seconds: float
    doubts: Counter[tuple[str, str]]
    """By whom doubts about calls were resolved, and how."""


class City:
    """Everything, from one seed."""

    def __init__(self, seed: int, store: Any, loop: VirtualLoop) -> None:
        self.seed = seed
        self.loop = loop
        self.store = store
        self.chance = random.Random(f"city {seed}")
        self.calm = False
        self.deaths = 0
        self.steps = 0
        self.failure: BaseException | None = None
        self.stopped: asyncio.Future[None] = loop.create_future()
        """Done when the world stands still: after `stop_after` commits."""
        self.stop_after: int | None = None
        self._commits = 0
        self._rates = (self.chance.choice((0.0, 0.005, 0.03)), self.chance.choice((0.0, 0.01, 0.05)))
        """How likely an operation kills its process, or finds the database away."""
        self._shared = Shared(store, self)
        self._exchange = Exchange(self.chance)
        self._locks: set[str] = set()
        self._chance_of_checks = random.Random(f"checks {seed}")
        """Apart from the world's, which goes on the same whether or not anybody looks."""
        self._invariants = Invariants(store) if isinstance(store, MemoryStore) else None
        self.services = Services(self.chance, self.ask, lambda: self.calm)
        self._service: Service | None = None
        self._api = Owner("api")
        self.plans: dict[UUID, Plan] = {}
        self._cancelled: set[UUID] = set()

    # what befalls the platform

    def fate(self) -> tuple[str, bool] | None:
        dies, away = self._rates
        dice = self.chance.random()
        if self.calm or dice >= dies + away:
            return None
        return self.chance.choice(("before", "after")), dice < dies

    async def pause(self) -> None:
        if self.stopped.done():
            await asyncio.get_running_loop().create_future()
        if self.failure is not None:
            await asyncio.sleep(1)  # until somebody looks
        if self.chance.random() < 0.3:
            await asyncio.sleep(self.chance.expovariate(100))

    async def committed(self, operation: str, processes: Sequence[UUID]) -> None:
        self._commits += 1
        if self._commits == self.stop_after:
            self.stopped.set_result(None)
            await self.pause()
        self.steps += operation in ("take", "accept")
        if self.steps > STEPS_MAX:
            self.failure = Broken(f"more than {STEPS_MAX} steps: it goes round in circles")
        if self._invariants is None or self.failure is not None:
            return
        try:
            if processes:
                self._invariants.check(processes)
            elif self._chance_of_checks.random() < 0.05:
                self._invariants.check_all()
        except Broken as broken:
            self.failure = broken

    # service processes

    def _context(self, owner: Owner) -> Context:
        store: Any = FaultyStore(self._shared, owner)
        return Context(
            store=store,
            broker=Post(self._exchange, owner),
            coordinator=Coordinator(self.chance, self._locks),
            evaluator=PlainEvaluator(),
            secrets=Secrets({}),
            settings=SETTINGS,
            environment=Environment("http://city", "0.0"),
            programs=Programs(store),
            fetcher=None,
            limits=Limits(self.chance.choice((1, 3, 10, 200))),
        )

    async def _worker(self, number: int) -> None:
        """A worker, life after life."""
        while True:
            owner = Owner(f"worker {number}")
            worker = Worker(self._context(owner), self.services)
            await asyncio.wait([owner.begin(worker.start())])
            while not owner.dead:
                await asyncio.sleep(0.5)
            self.deaths += 1
            await asyncio.sleep(self.chance.random() * 20)

    async def ask(self, what: Any) -> Any:
        """Of the API; it may die meanwhile."""
        if self._service is None or self._api.dead:
            self._api = Owner("api")
            self._service = Service(self._context(self._api))
        task = self._api.begin(what(self._service))
        await asyncio.wait([task])
        if task.cancelled():
            raise ServiceDied
        return task.result()

    async def _insist(self, what: Any) -> Any:
        while True:
            try:
                return await self.ask(what)
            except (ServiceDied, StoreUnavailable):
                await asyncio.sleep(1)

    async def _weather(self) -> None:
        """The broker is away now and then, until the calm."""
        until = self.chance.uniform(50, 400)
        while self.loop.time() < until:
            await asyncio.sleep(self.chance.uniform(0, until))
            self._exchange.away = self.chance.random() < 0.5
        self.calm = self._exchange.calm = True
        self._exchange.away = False

    # a life

    async def live(self) -> Report:
        """Start processes, let everything happen, and look at what came of it. Raises `Broken`."""
        await self._found()
        tasks = {(id_, name): task for id_, plan in self.plans.items() for name, task in _listeners(plan.document)}
        roots = list(self.plans)
        operators = Operators(self.chance, self.ask, roots)
        around: list[Any] = [
            (People(self.chance, self.ask, self.services.doubtful), 8.0),
            (JobWorker(self.chance, self.ask), 6.0),
            (Senders(self.chance, self.ask, self.store, tasks, self._exchange), 8.0),
            (operators, 30.0),
        ]
        running = [asyncio.ensure_future(live(self.chance, who, seconds)) for who, seconds in around]
        running += [asyncio.ensure_future(self._worker(number)) for number in range(WORKERS)]
        running.append(asyncio.ensure_future(self._weather()))
        if self.chance.random() < 0.15:
            running.append(asyncio.ensure_future(self._cancel(self.chance.choice(roots))))
        while not await self._all_ended(roots):
            await asyncio.sleep(5)
            if self.calm:
                operators.calm = True
            if self.failure is None and self.loop.time() > WORLD_SECONDS_MAX:
                self.failure = Broken(f"not ended after {WORLD_SECONDS_MAX} seconds: {await self._unended(roots)}")
            for one in running:
                if one.done() and one.exception() is not None:
                    self.failure = one.exception()
            if self.failure is not None:
                raise self.failure
        while not self.calm:
            await asyncio.sleep(5)
        await asyncio.sleep(60)  # what comes after the end finds it ended, and what is owed is done
        if self.failure is not None:
            raise self.failure
        await self._judge(roots)
        doubts = await self._doubts(roots)
        return Report(self.seed, roots, self.steps, self.deaths, self.services.calls, self.loop.time(), doubts)

    async def _found(self) -> None:
        """Definitions, and processes of them."""
        await self._insist(lambda service: service.register_definition(WHO, encode(CHILD), "application/json"))
        for number in range(self.chance.choice((1, 1, 2, 3))):
            plan = plan_of(self.seed * 10 + number)
            plan.document["document"]["name"] = f"planned-{number}"
            source = encode(plan.document)
            await self._insist(lambda service, s=source: service.register_definition(WHO, s, "application/json"))
            request = StartRequest("simulation", f"planned-{number}", input=INPUT)
            key, awaited = f"start {number}", (self.seed + number) % 2 == 1
            started = await self._insist(
                lambda service, r=request, k=key, a=awaited: service.start(WHO, r, idempotency_key=k, awaited=a)
            )
            self.plans[started.process.id] = plan

    async def _cancel(self, process: UUID) -> None:
        await asyncio.sleep(self.chance.random() * 100)
        self._cancelled.add(process)
        with suppress(Conflict):  # it has ended
            await self._insist(lambda service: service.command(WHO, process, "cancel", None))

    async def _all_ended(self, roots: Sequence[UUID]) -> bool:
        for process in roots:
            record = await self.store.process("default", process)
            if record.ended_at is None or (record.status == "faulted" and record.error.title == BREAKS):
                return False
        return True

    async def _unended(self, roots: Sequence[UUID]) -> Any:
        records = [await self.store.process("default", process) for process in roots]
        return [(record.id, record.status, record.waiting) for record in records if record.ended_at is None]

    async def _judge(self, roots: Sequence[UUID]) -> None:
        if self._invariants is not None:
            self._invariants.check_all()
        for activity, keys in self.services.keys.items():
            if len(keys) > 1:
                raise Broken(f"calls of {activity} bore several keys: {keys}")
        if self.services.doubtful.broken:
            raise Broken(self.services.doubtful.broken[0])
        self._nothing_left()
        await in_the_end(self.store, roots)
        for process, plan in self.plans.items():
            record = await self.store.process("default", process)
            if process in self._cancelled and record.status == "cancelled":
                continue
            if plan.fault is not None:
                if record.status != "faulted" or record.error.status != plan.fault:
                    raise Broken(f"{process}: {record.status} with {record.error}, planned was the fault {plan.fault}")
            elif record.status != "completed" or await self._output(record) != plan.function(INPUT):
                raise Broken(f"{process}: {record.status}, {record.error}; planned was {plan.function(INPUT)}")

    async def _doubts(self, roots: Sequence[UUID]) -> Counter[tuple[str, str]]:
        found = [resolutions(await self.store.history(process, 1_000_000, None)) for process in roots]
        return sum(found, Counter())

    def _nothing_left(self) -> None:
        """Whatever happened was taken in, and what was emitted has gone out."""
        if not isinstance(self.store, MemoryStore):
            return
        if left := {fact.process for fact in self.store.t.inbox.values()}:
            raise Broken(f"facts are left in the inboxes of {left}")
        out = {event["id"] for event in self._exchange.published}
        emitted = [row.event["id"] for row in self.store.t.events.values() if row.event["source"] == "http://planned"]
        if lost := [id_ for id_ in emitted if id_ not in out]:
            raise Broken(f"emitted events were never published: {lost}")

    async def _output(self, record: Any) -> Any:
        view = await self._insist(lambda service: service.get_process(WHO, record.id))
        return view.output


def _listeners(document: Any) -> Iterator[tuple[str, Any]]:
    """All tasks of a document that listen, by their names, which are given once."""
    stack: list[Any] = [document]
    while stack:
        node = stack.pop()
        if isinstance(node, dict):
            yield from ((name, task) for name, task in node.items() if isinstance(task, dict) and "listen" in task)
            stack += node.values()
        elif isinstance(node, list):
            stack += node


def run(seed: int, store: Any = None) -> Report:
    """The world of a seed. Raises `Broken` where a promise is not kept."""
    with _world(seed) as loop:
        city = City(seed, MemoryStore() if store is None else store, loop)
        return loop.run_until_complete(city.live())


def stop(seed: int, after: int, look: Callable[[Any], Awaitable[T]], store: Any = None) -> T | None:
    """What is seen of the store of a world that stands still after so many commits. None if it ended before."""

    async def until_then() -> T | None:
        living = asyncio.ensure_future(city.live())
        await asyncio.wait([living, city.stopped], return_when=asyncio.FIRST_COMPLETED)
        if not city.stopped.done():
            living.result()
            return None
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        return await look(city.store)

    with _world(seed) as loop:
        city = City(seed, MemoryStore() if store is None else store, loop)
        city.stop_after = after
        return loop.run_until_complete(until_then())


@contextmanager
def _world(seed: int) -> Iterator[VirtualLoop]:
    """Time and chance of a seed, and the product's code in them. What it logs as an error is a `Broken`."""
    loop = VirtualLoop()
    chance = random.Random(f"clock {seed}")
    noticed: list[Any] = []

    def notice(_: Any, method: str, event: dict[str, Any]) -> Any:
        if method in ("exception", "error", "critical"):
            noticed.append(event)
        raise structlog.DropEvent

    patches = [patch.object(module, name, 5.0) for module, name in SLOW.items()]
    patches.append(patch.object(webhooks, "TRIM_SECONDS", 1e5))
    patches.append(patch.object(runtime_step, "BATCH_WAIT_SECONDS_MAX", 1e5))
    before = structlog.get_config()
    structlog.configure(processors=[notice], cache_logger_on_first_use=False)
    for one in patches:
        one.start()
    token = OWNER.set(None)
    try:
        with virtual_clock(loop, chance):
            loop.set_task_factory(task_factory)
            asyncio.set_event_loop(loop)
            yield loop
        if noticed:
            raise Broken(f"logged: {noticed[0]}")
    finally:
        _close(loop)
        OWNER.reset(token)
        for one in patches:
            one.stop()
        structlog.configure(**before)


def _close(loop: VirtualLoop) -> None:
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
    loop.close()
    asyncio.set_event_loop(None)
