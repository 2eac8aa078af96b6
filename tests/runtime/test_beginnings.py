"""Long inputs, which are stored once."""

import asyncpg
import pytest

from perdure.runtime import beginnings

from .conftest import open_platform


@pytest.mark.parametrize("characters", [10, 300, beginnings.INPUT_BYTES_MAX - 20, beginnings.INPUT_BYTES_MAX * 2])
async def test_a_long_input_is_written_once(database, characters):
    """Into the payload, and not into the fact as well."""
    given = {"text": "x" * characters}
    async with open_platform(database, working=False) as platform:
        await platform.deploy("long", [{"one": {"set": {"length": "${ .text | length }"}}}])
        process = await platform.start("long", given)
        connection = await asyncpg.connect(database)
        fact = await connection.fetchval("select length(fact) from inbox where process = $1", process.id)
        await connection.close()
        assert (fact < 200) == (characters < 100 or characters > beginnings.INPUT_BYTES_MAX)
        await platform.worker.start()
        try:
            view = await platform.ended(process)
        finally:
            await platform.worker.stop()
        assert (view.input, view.output) == (given, {"length": characters})


@pytest.mark.parametrize("depth", [190, 300])
async def test_a_long_input_that_is_nested_too_deep_faults(database, depth):
    nested = {"text": "x" * beginnings.INPUT_BYTES_MAX * 2}
    for _ in range(depth):
        nested = [nested]
    async with open_platform(database) as platform:
        view = await platform.run("deep", [{"one": {"set": {"ok": True}}}], nested)
        assert view.status == ("completed" if depth < 200 else "faulted")
