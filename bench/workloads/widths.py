"""Forks, loops and maps from narrow to wide: what one activity costs must not grow with how many there are."""

import time
from collections.abc import AsyncIterator
from typing import Any

from bench.figures import Figure
from bench.stand import Stand

RUNS_MAX = 20
LOOP = [{"loop": {"for": {"in": ".items"}, "do": [{"add": {"set": {"sum": "${ (.sum // 0) + 1 }"}}}]}}]
CHILD = [{"double": {"set": {"n": "${ .n * 2 }"}}}]
CHILDREN = {"namespace": "bench", "name": "double", "version": "1.0.0"}
MAP = [
    {
        "map": {
            "call": "map:1.0.0@default",
            "with": {"items": "${ .items }", "process": CHILDREN, "concurrency": 100},
        }
    }
]


async def fork(stand: Stand) -> AsyncIterator[Figure]:
    """Each width is a definition of its own. Every branch sets its number."""
    for width in stand.size.widths:
        branches = [{f"b{n}": {"set": {"n": n}}} for n in range(width)]
        await stand.client.deploy(f"fork-{width}", [{"fork": {"fork": {"branches": branches}}}])
    cases = {width: (f"fork-{width}", {}, [{"n": n} for n in range(width)]) for width in stand.size.widths}
    for figure in await _costs(stand, "fork", cases):
        yield figure


async def loop(stand: Stand) -> AsyncIterator[Figure]:
    """Each iteration adds one."""
    await stand.client.deploy("loop", LOOP)
    cases = {length: ("loop", {"items": list(range(length))}, {"sum": length}) for length in stand.size.widths}
    for figure in await _costs(stand, "loop", cases):
        yield figure


async def map_(stand: Stand) -> AsyncIterator[Figure]:
    """Each item is a process of one activity."""
    await stand.client.deploy("double", CHILD)
    await stand.client.deploy("map", MAP)
    cases = {
        width: ("map", {"items": [{"n": n} for n in range(width)]}, [{"n": n * 2} for n in range(width)])
        for width in stand.size.widths
    }
    for figure in await _costs(stand, "map", cases):
        yield figure


async def _costs(stand: Stand, name: str, cases: dict[int, tuple[str, Any, Any]]) -> list[Figure]:
    """Time from start to end, per activity, and how many times that of a hundred the widest takes."""
    costs: dict[int, list[float]] = {}
    for width, (definition, input_, output) in cases.items():
        runs = max(1, min(RUNS_MAX, max(cases) // width))
        costs[width] = [
            await _per_activity(stand, definition, input_, output, width, runs) for _ in range(stand.size.samples)
        ]
    widest = max(cases)
    growth = [wide / narrow for wide, narrow in zip(costs[widest], costs[100], strict=True)]
    figures = [Figure(f"{name}.{width}", "µs/activity", samples) for width, samples in costs.items()]
    return [*figures, Figure(f"{name}.growth.100-{widest}", "ratio", growth)]


async def _per_activity(stand: Stand, definition: str, input_: Any, output: Any, width: int, runs: int) -> float:
    seconds = 0.0
    for _ in range(runs):
        began = time.perf_counter()
        view = await stand.client.run(definition, input_)
        seconds += time.perf_counter() - began
        if view["output"] != output:
            raise RuntimeError(f"{definition} of {width} gave {str(view['output'])[:200]}")
    return seconds / (width * runs) * 1_000_000
