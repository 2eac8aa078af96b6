"""What comes at the same time is done together; nobody waits for others to come, and nobody is left behind."""

import asyncio
import random
from collections.abc import Sequence

import pytest

from perdure.runtime.grouping import GROUPS_MAX, ITEMS_MAX, Group
from perdure.store.contract import StoreUnavailable


class Work:
    """Doubles numbers once it may; remembers the groups."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.may = asyncio.Event()
        self.may.set()
        self.fails: type[Exception] | None = None

    async def __call__(self, items: Sequence[int]) -> list[int]:
        self.groups.append(list(items))
        await self.may.wait()
        if self.fails is not None and 13 in items:
            raise self.fails("13")
        return [2 * item for item in items]


async def test_one_alone_is_done_at_once() -> None:
    work = Work()
    assert await Group(work).add(3) == 6
    assert work.groups == [[3]]


async def test_who_comes_meanwhile_gathers() -> None:
    work = Work()
    group = Group(work)
    work.may.clear()
    first = []
    for n in range(GROUPS_MAX):
        first.append(asyncio.create_task(group.add(n)))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    others = [asyncio.create_task(group.add(n)) for n in range(10, 10 + ITEMS_MAX + 5)]
    await asyncio.sleep(0)
    work.may.set()
    assert await asyncio.gather(*first, *others) == [
        *(2 * n for n in range(GROUPS_MAX)),
        *range(20, 20 + 2 * ITEMS_MAX + 10, 2),
    ]
    assert [len(lot) for lot in work.groups] == [1] * GROUPS_MAX + [ITEMS_MAX, 5]


@pytest.mark.parametrize(
    ("sizes", "lots"),
    [
        ([4, 5, 1, 1], [[4, 5, 1], [1]]),
        ([11, 1], [[11], [1]]),
        ([1, 11, 1], [[1], [11], [1]]),
        ([10, 10], [[10], [10]]),
    ],
)
async def test_a_group_has_its_size(sizes: list[int], lots: list[list[int]]) -> None:
    """An item that is larger by itself comes alone; nobody is passed by."""
    work = Work()
    group = Group(work, lambda item: item, 10)
    work.may.clear()
    first = [asyncio.create_task(group.add(0)) for _ in range(GROUPS_MAX)]
    for _ in range(3):
        await asyncio.sleep(0)
    others = [asyncio.create_task(group.add(size)) for size in sizes]
    await asyncio.sleep(0)
    work.groups.clear()
    work.may.set()
    assert await asyncio.gather(*first, *others) == [0] * GROUPS_MAX + [2 * size for size in sizes]
    assert work.groups == lots


async def test_one_that_fails_spoils_no_other() -> None:
    work = Work()
    work.fails = ValueError
    group = Group(work)
    results = await asyncio.gather(*(group.add(n) for n in range(10, 16)), return_exceptions=True)
    assert [r for r in results if not isinstance(r, Exception)] == [20, 22, 24, 28, 30]
    assert isinstance(results[3], ValueError)


async def test_an_outage_is_everybodys() -> None:
    work = Work()
    work.fails = StoreUnavailable
    results = await asyncio.gather(*(Group(work).add(13) for _ in range(2)), return_exceptions=True)
    assert [type(result) for result in results] == [StoreUnavailable] * 2
    assert len(work.groups) == 2


async def test_who_leaves_holds_up_nobody() -> None:
    work = Work()
    work.may.clear()
    group = Group(work)
    leaving = asyncio.create_task(group.add(1))
    staying = asyncio.create_task(group.add(2))
    await asyncio.sleep(0)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    work.may.set()
    assert await staying == 4
    await group.stop()


@pytest.mark.parametrize("seed", range(20))
async def test_whenever_they_come_all_are_done(seed: int) -> None:
    """At every turn of the loop, also just when a group has ended."""
    chance = random.Random(seed)

    async def work(items: Sequence[int]) -> list[int]:
        for _ in range(chance.randrange(3)):
            await asyncio.sleep(0)
        return list(items)

    group = Group(work)

    async def client(n: int) -> None:
        for _ in range(20):
            assert await group.add(n) == n
            for _ in range(chance.randrange(4)):
                await asyncio.sleep(0)

    async with asyncio.timeout(20):
        await asyncio.gather(*(client(n) for n in range(1 + seed % 4)))
