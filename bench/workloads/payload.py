"""A large document on its way through many activities: it should be stored once, not once for each of them."""

import time
from collections.abc import AsyncIterator
from random import Random

from bench import database
from bench.figures import Figure
from bench.stand import Stand

ACTIVITIES = 20
LINES, LINE_BYTES = 8_000, 120
KEPT = [{f"pass{n}": {"set": "${ . }"}} for n in range(ACTIVITIES)]
CHANGED = [{f"count{n}": {"set": "${ . + {n: (.n + 1)} }"}} for n in range(ACTIVITIES)]


async def payload(stand: Stand) -> AsyncIterator[Figure]:
    """Passed on as it is, and with a small change by each activity. The document is of noise, which does not shrink."""
    noise = Random(1)
    document = {"n": 0, "lines": [noise.randbytes(LINE_BYTES // 2).hex() for _ in range(LINES)]}
    for name, do, n in (("kept", KEPT, 0), ("changed", CHANGED, ACTIVITIES)):
        await stand.client.deploy(f"payload-{name}", do)
        written, took = [], []
        for _ in range(stand.size.payloads):
            before, began = await database.written_bytes(stand.form.dsn), time.perf_counter()
            view = await stand.client.run(f"payload-{name}", document)
            took.append((time.perf_counter() - began) * 1000)
            written.append((await database.written_bytes(stand.form.dsn) - before) / 1_000_000)
            if view["output"] != {**document, "n": n}:
                raise RuntimeError(f"payload-{name} gave another document: {str(view['output'])[:200]}")
        yield Figure(f"payload.{name}.written", "MB", written)
        yield Figure(f"payload.{name}.time", "ms", took)
