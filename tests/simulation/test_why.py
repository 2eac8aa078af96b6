"""Why processes wait: worlds stand still at random, and what is said of each process is tried (`city.whys`)."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any
from unittest.mock import patch

import msgspec
import pytest
from city import city
from city.checks import Broken
from city.memory import MemoryStore
from city.outside import WHO
from city.sql import SqlWorld
from city.trial import quiet
from city.whys import Whys

from perdure import clock
from perdure.engine import waiting
from perdure.engine.state import CallFrame
from perdure.runtime import why
from perdure.runtime.service import Service
from perdure.runtime.views import WhyView

PROCESSES = 100
SEEDS_ON_POSTGRESQL = 20
WORLDS_PER_FAULT = 300
COMMITS_MAX = 400
REASONS = {"call", "timer", "event", "human-task", "callback", "job", "child", "retry", "step"}
Fault = Callable[[], AbstractContextManager[Any]]


def moment_of(seed: int) -> int:
    return random.Random(f"stop {seed}").randint(1, COMMITS_MAX)


def stopped(seed: int) -> list[WhyView]:
    """What is said in the world of a seed, all of it true."""

    async def look(store: MemoryStore) -> list[WhyView]:
        whys = Whys(store, clock.now())
        told = await whys.told()
        for view in told:
            try:
                await whys.check(view)
            except Broken as broken:
                raise Broken(f"seed {seed} after {moment_of(seed)} commits: {broken}") from None
        return told

    return city.stop(seed, moment_of(seed), look) or []


def test_what_is_said_of_processes_is_what_wakes_them() -> None:
    tried, seed, reasons = 0, 0, Counter[str]()
    while tried < PROCESSES or (reasons.keys() != REASONS and seed < WORLDS_PER_FAULT):
        told = stopped(seed)
        tried, seed = tried + len(told), seed + 1
        reasons.update(wait.reason for view in told for wait in view.waits)
    assert reasons.keys() == REASONS


@pytest.mark.long
@pytest.mark.parametrize("block", range(10))
def test_many_are_told_the_truth(block: int) -> None:
    for seed in range(20_000 + block * 100, 20_000 + (block + 1) * 100):
        stopped(seed)


@pytest.fixture
def sql(database: str) -> Iterator[SqlWorld]:
    world = SqlWorld(database)
    yield world
    world.close()


def test_postgresql_says_the_very_same(sql: SqlWorld) -> None:
    async def said(store: Any) -> list[WhyView]:
        standings = await store.liveness.standings(None, None, 1000)
        service = Service(quiet(store))
        return [await service.why(WHO, standing.id) for standing in standings]

    tried = 0
    for seed in range(SEEDS_ON_POSTGRESQL):
        there = city.stop(seed, moment_of(seed), said, sql.store())
        assert there == city.stop(seed, moment_of(seed), said), f"seed {seed}"
        tried += len(there or ())
    assert tried >= SEEDS_ON_POSTGRESQL // 2


# what is said wrongly is found


def the_time_is_wrong() -> AbstractContextManager[Any]:
    add = waiting._Waits.add

    def late(self: Any, frame: Any, reason: Any, timer: Any = None) -> None:
        add(self, frame, reason, timer)
        if timer is not None:
            told = self.waiting[-1]
            self.waiting[-1] = msgspec.structs.replace(told, until=told.until + (told.until - told.since))

    return patch.object(waiting._Waits, "add", late)


def a_reason_is_left_out() -> AbstractContextManager[Any]:
    of_frame = waiting._of_frame

    def forgetful(found: Any, frame: Any) -> None:
        of_frame(found, frame)
        if (
            isinstance(frame, CallFrame)
            and frame.calling
            and found.waiting[-1].reason == "call"
            and len(found.waiting) > 1
        ):
            del found.waiting[-1]
            found.waiting.append(found.waiting[-1])

    return patch.object(waiting, "_of_frame", forgetful)


def the_timeout_is_that_of_the_outermost() -> AbstractContextManager[Any]:
    return patch.object(waiting._Waits, "_timeout", lambda self, frame: self._timeouts[waiting.ROOT])


def the_request_of_a_callback_is_left_out() -> AbstractContextManager[Any]:
    return patch.object(why, "KINDS", {"event": ("subscription", "call")})


@pytest.mark.parametrize(
    "fault",
    [
        the_time_is_wrong,
        a_reason_is_left_out,
        the_timeout_is_that_of_the_outermost,
        the_request_of_a_callback_is_left_out,
    ],
    ids=lambda fault: fault.__name__,
)
def test_what_is_said_wrongly_is_found(fault: Fault) -> None:
    for seed in range(WORLDS_PER_FAULT):
        with fault():
            try:
                stopped(seed)
            except Broken:
                break
    else:
        pytest.fail(f"{WORLDS_PER_FAULT} worlds did not find it")
    stopped(seed)
