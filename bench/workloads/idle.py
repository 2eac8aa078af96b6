"""A platform with nothing to do."""

import asyncio
from collections.abc import AsyncIterator

from bench import database
from bench.figures import Figure
from bench.stand import Stand

SETTLE_SECONDS = 2.0


async def idle(stand: Stand) -> AsyncIterator[Figure]:
    """How often it asks the database, and what processor time it and its servers use."""
    await asyncio.sleep(SETTLE_SECONDS)
    seconds = stand.size.idle_seconds
    asked, used = [], []
    for _ in range(stand.size.samples):
        before, cpu = await database.transactions(stand.form.dsn), stand.form.cpu_seconds()
        await asyncio.sleep(seconds)
        used.append((stand.form.cpu_seconds() - cpu) / seconds * 100)
        asked.append((await database.transactions(stand.form.dsn) - before - 1) / seconds)
    yield Figure("idle.transactions", "transactions/s", asked)
    yield Figure("idle.cpu", "% of a core", used)
