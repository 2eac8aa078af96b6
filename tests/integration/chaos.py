"""``make chaos [MINUTES=n] [SEED=n]``: two APIs and three workers under load, and a seeded hand that breaks things.

What it does is in `harms`. Then it stops, and everything that a client was told, every call that a service received and
everything in the database must fit together. ``make test`` does the same for a minute.
"""

import argparse
import asyncio
import random
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator

from integration import clients, load, reckoning
from integration.harms import HARMS, Harm
from integration.invariants import violations
from integration.programs import Program
from integration.standin import StandIn
from integration.topology import Topology, open_topology

PAUSE_SECONDS = (0.2, 2.0)
"""Between two harms."""
ORDERS_AT_LEAST = 20
PARKED = 5
END_SECONDS_MAX = 240.0
LAST_LINES = 20
LINE_CHARACTERS = 400


def harms(chance: random.Random) -> Iterator[Harm]:
    """Each kind once, in any order, then without end, by how often each comes."""
    kinds = list(HARMS)
    yield from chance.sample(kinds, len(kinds))
    while True:
        yield from chance.choices(kinds, list(HARMS.values()))


async def hand(topology: Topology, chance: random.Random, seconds: float) -> Counter[str]:
    """One harm after another until each kind was done and the time is over; then everything runs again."""
    done: Counter[str] = Counter()
    began = time.monotonic()
    for harm in harms(chance):
        spent = time.monotonic() - began
        if spent > seconds and len(done) == len(HARMS):
            break
        print(f"{spent:6.1f} s  {harm.__name__}", end="", flush=True)
        print(f"  {await harm(topology, chance) or ''}", flush=True)
        done[harm.__name__] += 1
        await asyncio.sleep(chance.uniform(*PAUSE_SECONDS))
    for server in (topology.postgres, topology.rabbit, topology.redis):
        await server.ensure()
    await asyncio.gather(*(program.up() for program in topology.programs))
    return done


async def chaos(topology: Topology, seconds: float, seed: int) -> None:
    """Raises `AssertionError` with what does not fit together."""
    run, stop = f"chaos-{seed}", asyncio.Event()
    async with topology.client() as api, StandIn(service := clients.service(api)) as stand_in:
        await load.deploy(api)
        async with clients.clerk(api) as decided:
            feeding = asyncio.create_task(clients.feed(api, stand_in, run, stop, least=ORDERS_AT_LEAST))
            parking = asyncio.create_task(clients.park(api, run, PARKED))
            try:
                done = await hand(topology, random.Random(seed), seconds)
            finally:
                stop.set()
            accepted, parked = await feeding, await parking
            await reckoning.check(api, stand_in, accepted, END_SECONDS_MAX)
        await stand_in.settled()
        await reckoning.check_story(topology.dsn, stand_in, reckoning.Told(run, accepted, decided, service))
        await no_violations(topology)
        await reckoning.check_parked(api, parked)
        await no_violations(topology)
        assert all(program.running for program in topology.programs), "a service has ended by itself"
        print(", ".join(f"{name} {count}" for name, count in sorted(done.items())))
        reckoning.report(f"seed {seed}, {seconds:.0f} s", stand_in, len(accepted))


async def no_violations(topology: Topology) -> None:
    found = await violations(topology.dsn)
    assert not found, found


async def main(minutes: float, seed: int) -> int:
    async with open_topology(skewed=True, wired=True) as topology:
        try:
            await chaos(topology, minutes * 60, seed)
        except AssertionError as wrong:
            tell(wrong, f"make chaos MINUTES={minutes:g} SEED={seed}", topology.programs)
            return 1
    return 0


def tell(wrong: AssertionError, again: str, programs: Iterable[Program]) -> None:
    """What does not hold, and what may tell why."""
    print(f"\n{wrong}\n\nTo see it again: {again}")
    for program in programs:
        print(f"\n== {' '.join(program.arguments)}", *_telling(program.said), sep="\n")


def _telling(said: str) -> list[str]:
    """The lines of a log that may tell why: all errors, and the last of the rest."""
    lines = [
        line[:LINE_CHARACTERS]
        if len(line) < 2 * LINE_CHARACTERS
        else f"{line[:LINE_CHARACTERS]} … {line[-LINE_CHARACTERS:]}"
        for line in said.splitlines()
    ]
    return [*(line for line in lines[:-LAST_LINES] if '"level":"error"' in line), *lines[-LAST_LINES:]]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=1)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    sys.exit(asyncio.run(main(asked.minutes, asked.seed)))
