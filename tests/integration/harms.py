"""What the hand of chaos does to services, servers and the wires between them. Each mends what it has broken."""

import asyncio
import os
import random
import signal
from collections.abc import Awaitable, Callable

from integration.topology import Topology
from servers import Proxy

FREEZE_SECONDS = (0.5, 6.0)
AWAY_SECONDS = (0.2, 4.0)
SLOW_SECONDS = (0.005, 0.05)
TRAP_SECONDS_MAX = 3.0
COMMITS = (1, 6)

CONNECTIONS = "select pid from pg_stat_activity where application_name = 'perdure' order by backend_start, pid"
CUT = "select pg_terminate_backend(pid) from unnest($1::integer[]) as u (pid)"

Harm = Callable[[Topology, random.Random], Awaitable[str | None]]
"""May answer what it has met."""


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


async def end_connections(topology: Topology, chance: random.Random) -> str:
    """PostgreSQL ends about half of them."""
    open_ = [row["pid"] for row in await topology.fetch(CONNECTIONS)]
    ended = [pid for pid in open_ if chance.random() < 0.5]
    await topology.fetch(CUT, ended)
    return f"{len(ended)} of {len(open_)}"


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


async def cut_wires(topology: Topology, chance: random.Random) -> str:
    """All connections to all servers reset at the same moment, whatever is on them."""
    return f"{sum(wire.cut() for wire in _wires(topology))} wires"


async def cut_before_commits(topology: Topology, chance: random.Random) -> str:
    caught = await _wires(topology)[0].before_commit.catch(chance.randint(*COMMITS), TRAP_SECONDS_MAX)
    return f"{caught} commits"


async def cut_after_commits(topology: Topology, chance: random.Random) -> str:
    """Nobody hears that it is done."""
    caught = await _wires(topology)[0].after_commit.catch(chance.randint(*COMMITS), TRAP_SECONDS_MAX)
    return f"{caught} commits"


async def stall(topology: Topology, chance: random.Random) -> None:
    async with _one(topology, chance).stalled():
        await asyncio.sleep(chance.uniform(*FREEZE_SECONDS))


async def slow(topology: Topology, chance: random.Random) -> None:
    async with _one(topology, chance).slowed(chance.uniform(*SLOW_SECONDS)):
        await asyncio.sleep(chance.uniform(*FREEZE_SECONDS))


HARMS: dict[Harm, int] = {
    kill: 8,
    freeze: 4,
    end_connections: 2,
    cut_wires: 2,
    cut_before_commits: 3,
    cut_after_commits: 3,
    stall: 2,
    slow: 2,
    restart_postgres: 2,
    flush_redis: 2,
    lose_redis: 1,
    wipe_rabbit: 1,
    lose_rabbit: 1,
}
"""With how often each comes, in proportion."""


def _wires(topology: Topology) -> tuple[Proxy, ...]:
    """That to PostgreSQL first."""
    assert topology.wires is not None
    return topology.wires.all


def _one(topology: Topology, chance: random.Random) -> Proxy:
    """Mostly that to PostgreSQL."""
    return chance.choices(_wires(topology), (2, 1, 1))[0]
