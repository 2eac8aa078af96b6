"""``make upgrade FROM=commit [MINUTES=n] [SEED=n]``: an older build is replaced by this one, one service after the other.

Clients go on all the while, and both builds serve them side by side. Then it stops, and as after chaos everything that
a client was told, every call that a service received and everything in the database must fit together.
"""

import argparse
import asyncio
import random
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from integration import builds, clients, load, reckoning
from integration.api import Api
from integration.builds import PRESENT, Build
from integration.chaos import END_SECONDS_MAX, ORDERS_AT_LEAST, PARKED, no_violations, tell
from integration.programs import Program, run
from integration.standin import StandIn
from integration.topology import Topology, open_servers

PHASES = 4
UP_TO_DATE = "The schema is up to date.\n"
FIGURES = {"requests": "perdure_http_requests_total", "steps": "perdure_steps_total", "calls": "perdure_calls_total"}
"""What is told of each service, and the metrics that count it."""
ORDERS = (
    "select count(*) as accepted, count(ended_at) as ended from process where namespace = 'load' and name = 'order'"
)


@dataclass
class Service:
    """One that is started, whatever becomes of it."""

    kind: str
    build: Build
    program: Program
    key: str
    """With which it tells what it has done."""
    done: Counter[str] = field(default_factory=Counter)
    fate: list[str] = field(default_factory=list)

    async def stop(self) -> None:
        await self._note()
        self.fate.append(f"stopped in {await self.program.stop():.1f} s")

    async def kill(self) -> None:
        await self._note()
        await self.program.kill()
        self.fate.append("killed")

    async def start_again(self) -> None:
        await self.program.start()
        self.fate.append("started again")

    async def last(self) -> None:
        """Is there to the end."""
        assert self.program.running, f"{self.kind} of {self.build.name} has ended by itself"
        await self._note()
        self.fate.append("there to the end")

    async def _note(self) -> None:
        """What it has done since it was last started."""
        async with Api(self.program.url, key=self.key) as api:
            metrics = (await api.call("GET", "/metrics")).body.decode()
        for line in metrics.splitlines():
            for figure, metric in FIGURES.items():
                if line.startswith((f"{metric} ", f"{metric}{{")):
                    self.done[figure] += int(float(line.split()[-1]))


@dataclass
class Upgrade:
    """A platform of two builds; `api` is a client of whatever APIs there are."""

    topology: Topology
    old: Build
    run: str
    """The name of this one, which its orders bear."""
    seconds: float
    """Of each phase."""
    chance: random.Random
    api: Api = field(default_factory=Api)
    services: list[Service] = field(default_factory=list)
    parked: list[str] = field(default_factory=list)
    """What waits until all is over."""

    async def prepare(self) -> None:
        """As the older release installs itself."""
        await self.topology.prepare(self.old.executable, **self.old.environment)
        self.api = Api(key=self.topology.key)
        for kind in ("api", "worker", "worker"):
            await self.add(kind, self.old)

    async def add(self, kind: str, build: Build) -> Service:
        """Clients are sent to it once it is ready."""
        public = {"PERDURE_PUBLIC_URL": self.api.urls[-1]} if self.api.urls else {}
        environment = {**self.topology.environment, **public, **build.environment}
        program = Program(kind, environment=environment, executable=build.executable)
        (self.topology.apis if kind == "api" else self.topology.workers).append(program)
        await program.start()
        if kind == "api":
            self.api.urls.append(program.url)
        self.services.append(service := Service(kind, build, program, self.topology.key))
        return service

    async def old_alone(self) -> None:
        began = time.monotonic()
        self.parked += await clients.park(self.api, self.run, PARKED)
        await _until(began + self.seconds)

    async def beside(self) -> None:
        """The schema is the new one. An old worker that dies comes back on it."""
        began, moment = time.monotonic(), self.chance.uniform(0.4, 0.8) * self.seconds
        for line in (await run("migrate", environment=self.topology.environment)).splitlines():
            print(f"  {line}", flush=True)
        await self.add("worker", PRESENT)
        await self.add("api", PRESENT)
        self.parked += await clients.park(self.api, f"{self.run}-beside", PARKED)
        await _until(began + moment)
        unlucky = self.chance.choice(self._old("worker"))
        await unlucky.kill()
        await unlucky.start_again()
        await _until(began + self.seconds)

    async def handed_over(self) -> None:
        """The old services go, in any order: one worker in peace, one not; a new worker comes once one has gone."""
        began = time.monotonic()
        graceful, unlucky = self.chance.sample(self._old("worker"), 2)
        (front,) = self._old("api")
        ends = [graceful.stop, unlucky.kill, front.stop]
        self.chance.shuffle(ends)
        for end, moment in zip(ends, sorted(self.chance.uniform(0.05, 0.9) for _ in ends), strict=True):
            await _until(began + moment * self.seconds)
            await end()
            if end == graceful.stop:
                await self.add("worker", PRESENT)
        self.api.urls.remove(front.program.url)
        await _until(began + self.seconds)

    async def new_alone(self) -> None:
        await asyncio.sleep(self.seconds)

    async def finish(self) -> None:
        """Nothing went wrong with any service, and there is nothing left to migrate."""
        assert await run("migrate", environment=self.topology.environment) == UP_TO_DATE
        for service in self.services:
            if service.build is PRESENT:
                await service.last()
            said = service.program.said
            assert "Traceback" not in said, f"{service.kind} of {service.build.name} has met an error of its own"

    def _old(self, kind: str) -> list[Service]:
        return [service for service in self.services if (service.kind, service.build) == (kind, self.old)]


async def rolling(upgrade: Upgrade) -> None:
    """Raises `AssertionError` with what does not fit together."""
    topology, name, stop = upgrade.topology, upgrade.run, asyncio.Event()
    await upgrade.prepare()
    async with upgrade.api as api, StandIn(service := clients.service(api)) as stand_in:
        await load.deploy(api)
        async with clients.clerk(api) as decided:
            feeding = asyncio.create_task(clients.feed(api, stand_in, name, stop, least=ORDERS_AT_LEAST))
            try:
                await _phases(upgrade, stand_in, feeding)
            finally:
                stop.set()
            accepted = await feeding
            await reckoning.check(api, stand_in, accepted, END_SECONDS_MAX)
        await stand_in.settled()
        await reckoning.check_story(topology.dsn, stand_in, reckoning.Told(name, accepted, decided, service))
        await no_violations(topology)
        await reckoning.check_parked(api, upgrade.parked)
        await no_violations(topology)
        await upgrade.finish()
        _table(upgrade.services)
        reckoning.report(f"from {upgrade.old.name}", stand_in, len(accepted))


async def _phases(upgrade: Upgrade, stand_in: StandIn, feeding: asyncio.Task[list[str]]) -> None:
    for name, phase in (
        ("old alone", upgrade.old_alone),
        ("new beside old", upgrade.beside),
        ("old ones go", upgrade.handed_over),
        ("new alone", upgrade.new_alone),
    ):
        async with _measured(name, upgrade.topology, stand_in):
            await phase()
        assert not feeding.done(), feeding.result()


@asynccontextmanager
async def _measured(name: str, topology: Topology, stand_in: StandIn) -> AsyncIterator[None]:
    began, calls = time.monotonic(), len(stand_in.requests)
    (before,) = await topology.fetch(ORDERS)
    yield
    (after,) = await topology.fetch(ORDERS)
    accepted, ended = after["accepted"] - before["accepted"], after["ended"] - before["ended"]
    print(
        f"{name:<16} {time.monotonic() - began:5.1f} s: {accepted} orders accepted, {ended} ended,"
        f" {after['accepted'] - after['ended']} under way at its end, {len(stand_in.requests) - calls} calls received",
        flush=True,
    )


def _table(services: list[Service]) -> None:
    print(f"\n{'build':<10} {'service':<8}", *(f"{figure:>8}" for figure in FIGURES), " what became of it")
    for service in services:
        figures = (f"{service.done[figure]:>8}" for figure in FIGURES)
        print(f"{service.build.name:<10} {service.kind:<8}", *figures, f" {', '.join(service.fate)}")


async def _until(moment: float) -> None:
    await asyncio.sleep(max(0.0, moment - time.monotonic()))


async def main(old: Build, minutes: float, seed: int) -> int:
    async with open_servers() as topology:
        try:
            await rolling(Upgrade(topology, old, f"rolling-{seed}", minutes * 60 / PHASES, random.Random(seed)))
        except AssertionError as wrong:
            tell(wrong, f"make upgrade FROM={old.name} MINUTES={minutes:g} SEED={seed}", topology.programs)
            return 1
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--from", dest="commit", required=True)
    parser.add_argument("--minutes", type=float, default=2)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    sys.exit(asyncio.run(main(builds.older(asked.commit), asked.minutes, asked.seed)))
