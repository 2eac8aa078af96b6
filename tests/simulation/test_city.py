"""Whole worlds, from their seeds. To see one again: ``make simulate SEED=n``."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from city import city
from city.checks import snapshot
from city.memory import MemoryStore
from city.sql import SqlWorld
from planted import FAULTS, Fault

SEEDS = 300
SEEDS_ON_POSTGRESQL = 20
SEEDS_PER_FAULT = 200
REGRESSIONS = Path(__file__).with_name("regressions.txt")


def regressions() -> list[int]:
    lines = REGRESSIONS.read_text().splitlines()
    return [int(line.split()[0]) for line in lines if line and not line.startswith("#")]


def lived(seed: int) -> None:
    try:
        city.run(seed)
    except Exception as broken:
        pytest.fail(f"make simulate SEED={seed} shows it again: {broken!r}")


@pytest.mark.parametrize("block", range(SEEDS // 10))
def test_worlds_come_to_their_planned_end(block: int) -> None:
    for seed in range(block * 10, (block + 1) * 10):
        lived(seed)


def test_what_once_went_wrong() -> None:
    for seed in regressions():
        lived(seed)


def test_doubts_about_calls_are_resolved_in_every_way() -> None:
    wanted = {("lookup", "done"), ("lookup", "repeat"), ("person", "done"), ("person", "repeat"), ("person", "fail")}
    found = Counter[tuple[str, str]]()
    for seed in range(SEEDS_PER_FAULT):
        found += city.run(seed).doubts
        if found.keys() >= wanted:
            return
    pytest.fail(f"{SEEDS_PER_FAULT} seeds led only to {found}")


@pytest.mark.long
@pytest.mark.parametrize("block", range(50))
def test_many_worlds(block: int) -> None:
    for seed in range(10_000 + block * 100, 10_000 + (block + 1) * 100):
        lived(seed)


@pytest.fixture
def sql(database: str) -> Iterator[SqlWorld]:
    world = SqlWorld(database)
    yield world
    world.close()


@pytest.mark.parametrize("block", range(SEEDS_ON_POSTGRESQL // 5))
def test_postgresql_comes_to_the_very_same(sql: SqlWorld, block: int) -> None:
    compare(sql, range(block * 5, (block + 1) * 5))


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_postgresql_comes_to_the_very_same_in_many_worlds(sql: SqlWorld) -> None:
    compare(sql, range(1000, 1300))


def compare(sql: SqlWorld, seeds: range) -> None:
    """Every line of every history is the same, at the same time."""
    for seed in seeds:
        there, here = sql.store(), MemoryStore()
        processes = city.run(seed, there).processes
        assert city.run(seed, here).processes == processes
        assert sql.now(snapshot(there.itself, processes)) == sql.now(snapshot(here, processes)), f"seed {seed}"


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_a_fault_in_the_product_is_found(fault: Fault, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a world that is well without it, under the same bounds."""
    monkeypatch.setattr(city, "WORLD_SECONDS_MAX", 30_000)
    for seed in range(SEEDS_PER_FAULT):
        with fault():
            found = breaks(seed)
        if found:
            city.run(seed)
            return
    pytest.fail(f"{SEEDS_PER_FAULT} seeds did not find it")


def breaks(seed: int) -> bool:
    try:
        city.run(seed)
    except Exception:  # a promise that is not kept, or what the product itself asserts
        return True
    return False
