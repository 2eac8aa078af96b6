"""Services that say whether a call was made, the people who are asked about it, and what must hold of both.

A call is made at some moment while its worker waits for the answer: whoever dies meanwhile leaves either behind.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from perdure.activities.contract import Call, CallFailed
from perdure.engine.errors import standard

from .checks import Broken
from .owners import OWNER

DEATHS = 0.25
"""How often a worker dies in the middle of such a call, before it is made and after."""
QUESTION = ("done", "repeat", "fail")
IN_DOUBT, RESOLVED, REQUESTED = (f"dev.perdure.call.{what}" for what in ("in-doubt", "doubt-resolved", "requested"))
OVER = {f"io.serverlessworkflow.task.{how}.v1" for how in ("completed", "faulted", "cancelled", "retried")}
"""The activity has ended, or begins anew."""
RESOLVERS = {"ask": ("person", "answer"), "verify": ("lookup", "person", "answer")}
"""Who may resolve a doubt, by what the task says."""


class Doubtful:
    """The service behind calls that are not simply made again."""

    def __init__(self, chance: random.Random, calm: Callable[[], bool]) -> None:
        self._chance = chance
        self._calm = calm
        self._made: dict[UUID, int] = {}
        """What calls came to that were made."""
        self._begun: Counter[tuple[UUID, int]] = Counter()
        self._free: Counter[tuple[UUID, int]] = Counter()
        """How often each attempt may be made again: nobody knew of it, or somebody wanted it."""
        self._known: set[tuple[UUID, int]] = set()
        """Attempts of which a lookup was told that they were made."""
        self._attempts: dict[UUID, int] = {}
        self._blind: set[UUID] = set()
        self.broken: list[str] = []

    async def perform(self, call: Call) -> int:
        """Work that takes long, and is done at some moment of that."""
        body, attempt = call.request["body"], (call.activity, call.attempt)
        self._begun[attempt] += 1
        self._attempts[call.activity] = call.attempt
        if self._begun[attempt] > 1 + self._free[attempt]:
            self.broken.append(f"{call.activity} is made again, and nobody wanted that")
        if attempt in self._known:
            self.broken.append(f"{call.activity} is made again, though its lookup said that it was made")
        if body["doubt"] == "blind":
            self._blind.add(call.activity)
        await self._work()
        self._made[call.activity] = body["n"] + body["add"]
        await self._work()
        return self._made[call.activity]

    async def _work(self) -> None:
        """Takes its time, of which the worker that waits may not see the end."""
        await asyncio.sleep(self._chance.choice((0.1, 10, 40)) * self._chance.random())
        worker = OWNER.get()
        if not self._calm() and self._chance.random() < DEATHS and worker is not None:
            worker.kill()
            await asyncio.get_running_loop().create_future()

    async def look_up(self, call: Call) -> Any:
        """Whether it was made, as far as anybody can tell just now."""
        activity = UUID(call.request["uri"].rpartition("/")[2])
        await asyncio.sleep(self._chance.random())
        if activity in self._blind or self._chance.random() < 0.2:
            raise CallFailed(standard("communication", "nobody can tell", status=503))
        if activity in self._made:
            self._known.add((activity, call.attempt))
            return {"state": "booked", "value": self._made[activity]}
        self._free[activity, call.attempt] += 1
        if self._chance.random() < 0.5:
            return {"state": "unknown"}
        raise CallFailed(standard("communication", "not found", status=404))

    def decision(self, activity: UUID) -> tuple[str, int | None]:
        """What a person finds out, and what is to be done."""
        if self._chance.random() < 0.2:
            return "fail", None
        if activity in self._made and self._chance.random() < 0.8:
            return "done", self._made[activity]
        if activity in self._attempts:
            attempt = activity, self._attempts[activity]
            self._free[attempt] += 1
            self._known.discard(attempt)
        return "repeat", None


def resolutions(lines: Sequence[Any]) -> Counter[tuple[str, str]]:
    """By whom doubts of a process were resolved, and how. Raises `Broken` where that was not theirs to do.

    While a call is in doubt it is not made.
    """
    found: Counter[tuple[str, str]] = Counter()
    open_: dict[UUID, str] = {}
    for line in lines:
        match line.type:
            case t if t == IN_DOUBT and line.data["decision"] != "retry":
                open_[line.activity] = line.data["decision"]
            case t if t == RESOLVED:
                by, decision = line.data["by"], open_.pop(line.activity)
                if by not in RESOLVERS[decision]:
                    raise Broken(f"the doubt about {line.activity} was resolved by {by}, its task says {decision}")
                found[by, line.data["outcome"]] += 1
            case t if t == REQUESTED and line.activity in open_ and not line.data.get("lookup"):
                raise Broken(f"{line.activity} is in doubt, and is made")
            case t if t in OVER:
                open_.pop(line.activity, None)
    return found
