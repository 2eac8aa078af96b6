"""``make chaos [MINUTES=n] [SEED=n]``: two APIs and three workers under load, and a seeded hand that breaks things.

It kills and freezes services, restarts and kills PostgreSQL, cuts its connections in the middle of transactions, wipes
RabbitMQ or takes it away, flushes Redis or takes it away. The clocks of an API and of a worker are wrong by minutes.
Then it stops, and everything that a client was told, every call that a service received and everything in the database
must fit together.
"""

import argparse
import asyncio
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable

from integration import load
from integration.invariants import violations
from integration.standin import StandIn
from integration.test_chaos import feed
from integration.topology import Topology, open_topology

PAUSE_SECONDS = (0.2, 3.0)
"""Between two deeds of the hand."""
FREEZE_SECONDS = (0.5, 6.0)
AWAY_SECONDS = (0.2, 4.0)
ORDERS_AT_LEAST = 20
END_SECONDS_MAX = 240.0

CONNECTIONS = "select pid from pg_stat_activity where application_name = 'perdure' order by backend_start, pid"
CUT = "select pg_terminate_backend(pid) from unnest($1::integer[]) as u (pid)"

Deed = Callable[[Topology, random.Random], Awaitable[None]]


async def kill(topology: Topology, chance: random.Random) -> None:
    await topology.kill_one(chance)


async def freeze(topology: Topology, chance: random.Random) -> None:
    """It holds its leases, locks and connections, and knows nothing of the time that passes."""
    victim = chance.choice(topology.programs)
    await victim.up()
    os.killpg(victim.pid, signal.SIGSTOP)
    try:
        await asyncio.sleep(chance.uniform(*FREEZE_SECONDS))
    finally:
        os.killpg(victim.pid, signal.SIGCONT)


async def restart_postgres(topology: Topology, chance: random.Random) -> None:
    await chance.choice((topology.postgres.stop, topology.postgres.kill))()
    await asyncio.sleep(chance.uniform(*AWAY_SECONDS))
    await topology.postgres.start()


async def cut_connections(topology: Topology, chance: random.Random) -> None:
    """About half of them."""
    open_ = [row["pid"] for row in await topology.fetch(CONNECTIONS)]
    await topology.fetch(CUT, [pid for pid in open_ if chance.random() < 0.5])


async def wipe_rabbit(topology: Topology, chance: random.Random) -> None:
    await topology.rabbit.wipe()


async def lose_rabbit(topology: Topology, chance: random.Random) -> None:
    await topology.rabbit.lose()
    await asyncio.sleep(chance.uniform(*AWAY_SECONDS))
    await topology.rabbit.start()


async def flush_redis(topology: Topology, chance: random.Random) -> None:
    await topology.redis.wipe()


async def lose_redis(topology: Topology, chance: random.Random) -> None:
    await topology.redis.kill()
    await asyncio.sleep(chance.uniform(*AWAY_SECONDS))
    await topology.redis.start()


DEEDS: dict[Deed, int] = {
    kill: 8,
    freeze: 4,
    cut_connections: 4,
    restart_postgres: 2,
    flush_redis: 2,
    lose_redis: 1,
    wipe_rabbit: 1,
    lose_rabbit: 1,
}
"""With how often each comes, in proportion."""


async def hand(topology: Topology, chance: random.Random, seconds: float) -> Counter[str]:
    """One deed after another until the time is over; then everything runs again."""
    done: Counter[str] = Counter()
    began = time.monotonic()
    while (spent := time.monotonic() - began) < seconds:
        deed = chance.choices(list(DEEDS), list(DEEDS.values()))[0]
        print(f"{spent:6.1f} s  {deed.__name__}", flush=True)
        await deed(topology, chance)
        done[deed.__name__] += 1
        await asyncio.sleep(chance.uniform(*PAUSE_SECONDS))
    for server in (topology.postgres, topology.rabbit, topology.redis):
        await server.ensure()
    await asyncio.gather(*(program.up() for program in topology.programs))
    return done


async def chaos(topology: Topology, seconds: float, seed: int) -> None:
    """Raises `AssertionError` with what does not fit together."""
    run, stop = f"chaos-{seed}", asyncio.Event()
    async with topology.client() as api, StandIn(load.calling_back(api)) as service:
        await load.deploy(api)
        async with load.clerk(api):
            feeding = asyncio.create_task(feed(api, service, run, stop, least=ORDERS_AT_LEAST))
            try:
                done = await hand(topology, random.Random(seed), seconds)
            finally:
                stop.set()
            accepted = await feeding
            await load.check(api, service, accepted, END_SECONDS_MAX)
        found = await violations(topology.dsn)
        assert not found, found
        assert all(program.running for program in topology.programs), "a service has ended by itself"
        print(", ".join(f"{name} {count}" for name, count in sorted(done.items())))
        load.report(f"seed {seed}, {seconds:.0f} s", service, len(accepted))


async def main(minutes: float, seed: int) -> int:
    async with open_topology(skewed=True) as topology:
        try:
            await chaos(topology, minutes * 60, seed)
        except AssertionError as wrong:
            print(f"\n{wrong}\n\nTo see it again: make chaos MINUTES={minutes:g} SEED={seed}")
            for program in topology.programs:
                print(f"\n== {' '.join(program.arguments)}\n{program.said[-3000:]}")
            return 1
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=1)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    sys.exit(asyncio.run(main(asked.minutes, asked.seed)))
