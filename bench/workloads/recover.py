"""A worker dies under load and is started again."""

from collections.abc import AsyncIterator

from bench.client import starting
from bench.figures import Figure
from bench.outage import Stream, kill_under_load, seconds_until_full
from bench.service import Service
from bench.stand import Stand

CALLS = 3
AFTER_SECONDS_MIN = 15.0
COMPLETED = b'"status":"completed"'


async def recover(stand: Stand) -> AsyncIterator[Figure]:
    """`kill -9` of one of three workers (of the only process, where all is one), started again at once: time until as
    much is got through as before, how many calls were made twice, and the longest that a process took.
    """
    back, repeats, longest = [], [], []
    seconds = stand.size.load_seconds
    async with Service() as service:
        call = {"call": "http", "with": {"method": "get", "endpoint": service.url}}
        await stand.client.deploy("recover", [{f"call{n}": call} for n in range(CALLS)])
        for sample in range(stand.size.kills):
            tag = f"recover-{sample}"
            body = starting("recover", tag=tag)
            stream = Stream((stand.form.port,), "/v1/processes?wait=60", body, COMPLETED, tag, stand.form.key)
            async with stand.form.victims() as victim:
                killed, ends = await kill_under_load(victim, stream, seconds, max(AFTER_SECONDS_MIN, 2 * seconds))
            back.append(seconds_until_full(killed, [end for end, _ in ends]))
            longest.append(max(took for _, took in ends))
            await stand.client.drained(tag)
            await stand.client.check(tag, len(ends), {"n": 1})
            requests, keys = await service.seen()
            if keys != len(ends) * CALLS:
                raise RuntimeError(f"{len(ends)} processes bore {keys} keys, expected {CALLS} each")
            repeats.append(float(requests - keys))
    yield Figure("recover.time", "s", back)
    yield Figure("recover.longest", "s", longest)
    yield Figure("recover.repeats", "calls", repeats)
