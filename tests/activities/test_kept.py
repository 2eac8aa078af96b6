"""What is kept: made once for many, ended, forgotten in time."""

import asyncio

import pytest

from perdure import clock
from perdure.activities.kept import Kept


class Maker:
    def __init__(self, seconds=10.0, error=None):
        self.seconds = seconds
        self.error = error
        self.made = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self):
        self.made += 1
        await self.gate.wait()
        if self.error:
            raise self.error
        return f"value {self.made}", self.seconds


@pytest.fixture
def time(monkeypatch):
    class Time:
        now = 50.0

    monkeypatch.setattr(clock, "monotonic", lambda: Time.now)
    return Time


async def test_a_value_holds_for_its_time(time):
    kept, make = Kept(5), Maker()
    assert await kept.get("a", make) == ("value 1", False)
    time.now += 9.9
    assert await kept.get("a", make) == ("value 1", True)
    time.now += 0.2
    assert kept.last("a") == "value 1" and kept.all() == []
    assert await kept.get("a", make) == ("value 2", False)


async def test_a_failure_reaches_all_who_wait_and_is_not_kept():
    kept, make = Kept(5), Maker(error=LookupError("gone"))
    make.gate.clear()
    waiting = [asyncio.create_task(kept.get("a", make)) for _ in range(5)]
    await asyncio.sleep(0)
    make.gate.set()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(result) for result in results] == [LookupError] * 5 and make.made == 1
    make.error = None
    assert await kept.get("a", make) == ("value 2", False)


async def test_what_was_used_longest_ago_is_forgotten():
    kept, make = Kept(2), Maker()
    for key in ("a", "b", "a", "c"):
        await kept.get(key, make)
    assert (await kept.get("a", make))[1] and not (await kept.get("b", make))[1]


async def test_ending_a_value_does_not_end_its_successor():
    kept, make = Kept(5), Maker()
    first, _ = await kept.get("a", make)
    kept.end("a", first)
    second, was_kept = await kept.get("a", make)
    assert not was_kept
    kept.end("a", first)
    assert await kept.get("a", make) == (second, True)


async def test_stopping_drops_what_is_under_way():
    kept, make = Kept(5), Maker()
    await kept.get("a", make)
    make.gate.clear()
    waiting = asyncio.create_task(kept.get("b", make))
    await asyncio.sleep(0)
    await kept.stop()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert kept.all() == []
