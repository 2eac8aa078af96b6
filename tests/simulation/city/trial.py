"""One thing happens to one process of a world that stands still, and nothing else does."""

import pickle
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime
from typing import Any
from unittest.mock import patch
from uuid import UUID

from perdure import clock
from perdure.codec import decode, encode
from perdure.engine import state as states
from perdure.engine.facts import ActivitySucceeded
from perdure.engine.ids import callback_token
from perdure.engine.refs import inline_value, key_of
from perdure.engine.step import Environment
from perdure.runtime import events
from perdure.runtime.context import Context
from perdure.runtime.errors import Conflict
from perdure.runtime.jobs import return_due
from perdure.runtime.programs import Programs
from perdure.runtime.service import Service
from perdure.runtime.step import Stepper
from perdure.runtime.views import JobRequest
from perdure.secrets import Secrets
from perdure.settings import Settings
from perdure.store.facts import encode_fact
from perdure.store.records import Answer

from .evaluator import PlainEvaluator
from .memory import MemoryStore
from .memory_liveness import MemoryLiveness
from .outside import WHO
from .owners import Owner
from .post import Coordinator, Exchange, Post
from .tables import Tables

REFUSED = "dev.perdure.fact.refused"
FIRED = "dev.perdure.timer.fired"
SETTINGS = Settings(_env_file=None)
Happening = Callable[["Trial"], Awaitable[None]]


def quiet(store: Any, programs: Programs | None = None) -> Context:
    """The product around a store, with nobody else there."""
    exchange = Exchange(random.Random(0))
    exchange.calm = True
    nobody: Any = None
    broker: Any = Post(exchange, Owner("nobody"))
    coordinator: Any = Coordinator(random.Random(0), set())
    return Context(
        store=store,
        broker=broker,
        coordinator=coordinator,
        evaluator=PlainEvaluator(),
        secrets=Secrets({}),
        settings=SETTINGS,
        environment=Environment("http://city", "0.0"),
        programs=programs or Programs(store),
        fetcher=nobody,
    )


class Trial:
    """A copy of the world, and all that can happen in it: what comes of it is of no consequence outside."""

    def __init__(self, world: bytes, process: UUID, programs: Programs) -> None:
        self.t: Tables = pickle.loads(world)
        self.process = process
        self.store = MemoryStore()
        self.store.t, self.store.liveness = self.t, MemoryLiveness(self.t)
        self.context = quiet(self.store, programs)
        self.service = Service(self.context)

    async def come_of(self, happening: Happening | None, at: datetime, *, inbox: bool) -> "Consequences":
        """What the process does about it, at that time. Without its `inbox`, nothing else has happened to it.

        One that is suspended is resumed.
        """
        row, lines = self.t.processes[self.process], self.t.history.get(self.process, [])
        before = len(lines)
        with patch.object(clock, "now", lambda: at):
            if not inbox:
                for number, _ in self.t.facts_of(self.process):
                    del self.t.inbox[number]
            if happening is not None:
                await happening(self)
            if row.status == "suspended":
                await self.service.command(WHO, self.process, "resume", None)
            await Stepper(self.context).step([self.process])
        return Consequences(self.process, self.t.history.get(self.process, [])[before:], row.state)

    # what can happen

    async def fire(self, timer: UUID) -> None:
        """It is the timer's time."""
        _, fact = self.t.timers.pop((self.process, timer))
        self.t.add_facts([(self.process, fact)], clock.now())

    async def answer(self, activity: UUID) -> None:
        """The call is answered."""
        call = self.t.calls[activity]
        fact = encode_fact(ActivitySucceeded(activity, call.attempt, 1, lookup=call.lookup))
        await self.store.finish_calls([Answer(self.process, activity, call.attempt, call.lookup, fact)])

    async def send(self, activity: UUID, type_: str) -> None:
        """Events arrive that fit what the activity listens for: all of them expect its input.

        Each is given to one of those that listen by the same task, so there is one for each.
        """
        row = next(a for a in self.t.activities[self.process].values() if a.id == activity)
        key = key_of(row.input)
        wanted = inline_value(row.input) if key is None else decode(self.t.payloads[self.process, key])
        data = {"k": wanted, "add": int(type_.removeprefix("planned."))}
        same = [a for a in self.t.activities[self.process].values() if a.reference == row.reference]
        for number in range(sum((self.process, a.id) in self.t.subscriptions for a in same)):
            event = {"specversion": "1.0", "id": f"{number}", "source": "/trial", "type": type_, "data": data}
            await self.service.receive_events(WHO, [event])
            await events.finish(self.context, [self.t.event_ids[WHO.tenant, "/trial", f"{number}"]])
            await Stepper(self.context).step([self.process])

    async def decide(self, task: UUID) -> None:
        outcomes = self.t.human_tasks[task].outcomes
        who = self.t.human_tasks[task].assignee or "bob"
        await self.service.complete(WHO, task, who, outcomes[0], None, 1)

    async def call_back(self, activity: UUID) -> None:
        token = callback_token(self.t.processes[self.process].new.seed, activity)
        await self.service.receive_callback(token, 1)

    async def do_job(self, job: UUID) -> None:
        """Whoever has it completes it; else somebody takes it, as soon as it is offered."""
        if self.t.jobs[job].state == "delayed":
            await return_due(self.context)
        if self.t.jobs[job].state == "available":
            if self.t.processes[self.process].status == "suspended":
                await self.service.command(WHO, self.process, "resume", None)
            await self.service.activate_jobs(WHO, JobRequest("planned", max=100, lease=10, wait=0, worker="w"))
        await self.service.complete_job(WHO, job, str(self.t.jobs[job].token), 1)

    async def end_child(self, child: UUID) -> None:
        with suppress(Conflict):  # it was about to end by itself, and has
            await self.service.command(WHO, child, "cancel", None)


class Consequences:
    """What has changed of a process: new lines of its trail, refusals left out, and what its live activities are at."""

    def __init__(self, process: UUID, lines: list[Any], state: bytes | None) -> None:
        self._process = process
        self._lines = [line for line in lines if line.type != REFUSED]
        frames = [] if state is None else states.decode(state).frames
        self._frames = {frame.id: encode(frame) for frame in frames}

    def of(self, activity: UUID) -> Any:
        """All of an activity, or of the process by its id."""
        lines = [(x.type, encode(x.data)) for x in self._lines if (x.activity or self._process) == activity]
        return sorted(lines), self._frames.get(activity)

    def same_as(self, other: "Consequences") -> bool:
        """Whether just the same has come of something else."""
        return [(x.type, x.data) for x in self._lines] == [(x.type, x.data) for x in other._lines]

    def fired(self) -> tuple[UUID, str] | None:
        """Whose timer has fired, and for what."""
        fired = [(x.activity or self._process, x.data["purpose"]) for x in self._lines if x.type == FIRED]
        return fired[0] if fired else None
