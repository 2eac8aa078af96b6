"""Limits of hosts as a service sees them: two workers, a real server, limits kept in PostgreSQL and in Redis."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import asyncpg
import pytest
from aiohttp import web
from prometheus_client import REGISTRY

from perdure.hosting import CannotStart
from perdure.limits import Limit
from servers import Fleet, RedisServer

from .conftest import WHO, open_platform


@dataclass
class Shop:
    """Notes when requests come, and how many are there at once. Holds them while `open` is not set."""

    url: str = ""
    came: list[float] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    now: int = 0
    most: int = 0
    open: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def host(self) -> str:
        return self.url.removeprefix("http://")

    async def answer(self, request: web.Request) -> web.Response:
        self.came.append(time.monotonic())
        self.keys.append(request.headers["Idempotency-Key"])
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await self.open.wait()
            await asyncio.sleep(0.01)  # so that requests which may overlap do
            if request.path == "/away":
                raise web.HTTPTemporaryRedirect(request.query["to"])
            return web.json_response({"path": request.path})
        finally:
            self.now -= 1

    async def until(self, count: int) -> None:
        async with asyncio.timeout(20):
            while len(self.came) < count:
                await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def open_shop() -> AsyncIterator[Shop]:
    shop = Shop()
    shop.open.set()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", shop.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    shop.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield shop
    shop.open.set()
    await runner.cleanup()


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    async with open_shop() as opened:
        yield opened


@pytest.fixture
async def other() -> AsyncIterator[Shop]:
    async with open_shop() as opened:
        yield opened


@pytest.fixture(params=["postgres", "redis"])
async def shared(request: pytest.FixtureRequest, fleet: Fleet) -> dict[str, str]:
    """The setting that says where limits are kept."""
    server = await fleet.get(request.param)
    return {"redis_url": server.fresh_url()} if isinstance(server, RedisServer) else {}


def get(shop, path="/", **more):
    return {"call": "http", "with": {"method": "get", "endpoint": shop.url + path, **more}}


def many(shop, count):
    branches = [{f"b{i}": get(shop, f"/{i}")} for i in range(count)]
    return [{"all": {"fork": {"branches": branches}}}]


@pytest.fixture
def waiting() -> Callable[[], float]:
    """How many calls wait. Tests before this one, in which workers died, may have left some in the count."""
    before = _waiting()
    return lambda: _waiting() - before


def _waiting() -> float:
    return REGISTRY.get_sample_value("perdure_calls_waiting") or 0.0


async def until(reached):
    async with asyncio.timeout(20):
        while not reached():
            await asyncio.sleep(0.01)


async def test_two_workers_keep_to_a_concurrency_together(database, shop, shared):
    limits = {"call_limits": f"{shop.host}=,3", **shared}
    async with open_platform(database, **limits) as one, open_platform(database, **limits) as two:
        await one.deploy("many", many(shop, 12))
        for view in await asyncio.gather(*(platform.start("many") for platform in (one, two, one, two))):
            assert (await one.ended(view)).status == "completed"
    assert (len(shop.came), len(set(shop.keys)), shop.most) == (48, 48, 3)


async def test_two_workers_keep_to_a_rate_together(database, shop, shared):
    rate, limits = 20, {"call_limits": "127.0.0.1=20/s", **shared}
    async with open_platform(database, **limits) as one, open_platform(database, **limits) as two:
        await one.deploy("many", many(shop, 10))
        start = time.monotonic()
        for view in await asyncio.gather(*(platform.start("many") for platform in (one, two, one, two))):
            assert (await one.ended(view)).status == "completed"
    assert len(shop.came) == 40
    burst = Limit(rate).burst
    for count, at in enumerate(sorted(shop.came), start=1):  # a permit comes before its request: no load breaks this
        assert count <= rate * (at - start + 0.01) + burst


async def test_a_full_host_holds_up_nobody_else(database, shop, other, waiting):
    shop.open.clear()
    settings = {"call_limits": f"{shop.host}=,1", "calls_concurrency_max": 2}
    async with open_platform(database, **settings) as platform:
        await platform.deploy("many", many(shop, 10))
        view = await platform.start("many")
        await shop.until(1)
        await until(lambda: waiting() == 9)
        assert {wait.reason for wait in (await platform.waiting(view, "call")).waiting_for} == {"call"}
        for i in range(3):
            assert (await platform.run(f"quick{i}", [{"a": get(other)}, {"b": get(other)}])).status == "completed"
        assert (len(shop.came), waiting()) == (1, 9)
        shop.open.set()
        assert (await platform.ended(view)).status == "completed"
        assert await platform.stranded() == []
    assert (len(shop.came), shop.most, waiting()) == (10, 1, 0)


async def test_a_worker_that_outslept_its_lease_makes_the_call_once_at_a_time(database, shop):
    shop.open.clear()
    async with open_platform(database) as platform:
        await platform.deploy("one", [{"a": get(shop)}])
        view = await platform.start("one")
        await shop.until(1)
        connection = await asyncpg.connect(database)
        await connection.execute("update call set lease_until = clock_timestamp() - interval '1 minute'")
        await connection.close()
        await shop.until(2)
        await until(lambda: len(platform.worker._calls._running) == 1)
        shop.open.set()
        assert (await platform.ended(view)).status == "completed"
    assert len(set(shop.keys)) == 1


async def test_what_is_too_much_to_wait_is_put_off(database, shop, other, waiting):
    shop.open.clear()
    settings = {"call_limits": f"{shop.host}=,1", "calls_concurrency_max": 3, "calls_waiting_max": 2}
    outcome = {"function": "http", "outcome": "postponed"}
    before = REGISTRY.get_sample_value("perdure_calls_total", outcome) or 0
    async with open_platform(database, **settings, call_lease_seconds=1) as platform:
        await platform.deploy("many", many(shop, 8))
        view = await platform.start("many")
        await shop.until(1)
        await until(lambda: (REGISTRY.get_sample_value("perdure_calls_total", outcome) or 0) >= before + 5)
        assert waiting() == 2
        assert (await platform.run("quick", [{"a": get(other)}])).status == "completed"
        shop.open.set()
        assert (await platform.ended(view)).status == "completed"
        assert await platform.stranded() == []
    assert (len(shop.came), len(set(shop.keys)), shop.most) == (8, 8, 1)


async def test_a_call_that_waits_can_be_cancelled(database, shop, waiting):
    shop.open.clear()
    async with open_platform(database, call_limits=f"{shop.host}=,1", call_lease_seconds=1) as platform:
        await platform.deploy("one", [{"a": get(shop)}])
        first = await platform.start("one")
        await shop.until(1)
        second = await platform.start("one")
        await until(lambda: waiting() == 1)
        await platform.service.command(WHO, second.id, "cancel", None)
        await until(lambda: waiting() == 0)
        shop.open.set()
        assert (await platform.ended(first)).status == "completed"
        assert (await platform.run("after", [{"a": get(shop)}])).status == "completed"
    assert len(shop.came) == 2


async def test_the_time_of_a_call_begins_with_its_permit(database, shop):
    """Three seconds between calls, each of which may take two; leases of the calls that wait are extended."""
    settings = {"call_limits": "*=20/m", "call_timeout_seconds": 2, "call_lease_seconds": 1}
    async with open_platform(database, **settings) as platform:
        assert (await platform.run("slow", many(shop, 3))).status == "completed"
    assert len(shop.came) == 3
    assert shop.came[-1] - shop.came[0] > 5


async def test_a_redirection_counts_where_it_leads(database, shop, other, waiting):
    other.open.clear()
    async with open_platform(database, call_limits=f"{other.host}=,1", calls_concurrency_max=2) as platform:
        do = [
            {
                "all": {
                    "fork": {
                        "branches": [{f"b{i}": get(shop, f"/away?to={other.url}/{i}", redirect=True)} for i in range(4)]
                    }
                }
            }
        ]
        await platform.deploy("led", do)
        view = await platform.start("led")
        await shop.until(4)
        await until(lambda: waiting() == 3)
        other.open.set()
        assert (await platform.ended(view)).status == "completed"
    assert (len(shop.came), len(other.came), other.most) == (4, 4, 1)


async def test_a_worker_that_stops_hands_back_what_waits(database, shop, waiting):
    shop.open.clear()
    settings = {"call_limits": f"{shop.host}=,1", "call_lease_seconds": 60, "stop_seconds_max": 1}
    async with open_platform(database, **settings) as first:
        await first.deploy("many", many(shop, 5))
        view = await first.start("many")
        await shop.until(1)
        await until(lambda: waiting() == 4)
    shop.open.set()
    await until(lambda: shop.now == 0)
    async with open_platform(database, **settings) as second:  # leases and permits of a minute are not waited for
        assert (await second.ended(view)).status == "completed"
    assert (len(set(shop.keys)), shop.most) == (5, 1)


async def test_limits_go_on_while_redis_is_away(database, shop, redis):
    settings = {"call_limits": f"{shop.host}=,2", "redis_url": redis.fresh_url()}
    async with open_platform(database, **settings) as platform:
        assert (await platform.run("before", many(shop, 4))).status == "completed"
        await redis.kill()
        assert (await platform.run("during", many(shop, 12))).status == "completed"
        await redis.ensure()
        assert (await platform.run("after", many(shop, 4))).status == "completed"
    assert (len(shop.came), shop.most) == (20, 2)


async def test_a_wrong_limit_is_said_at_the_start(database):
    with pytest.raises(CannotStart, match=r"PERDURE_CALL_LIMITS: 'a=1/d' can't be understood: a rate is"):
        async with open_platform(database, call_limits="a=1/d"):
            pass


@pytest.mark.parametrize("most", [1, 3])
async def test_two_workers_keep_to_the_calls_of_a_tenant_together(database, shop, other, shared, most, waiting):
    """Whatever the hosts. A call that waits for its tenant's turn has no place among those under way."""
    shop.open.clear()
    limits = {"tenant_calls_max": most, **shared}
    async with open_platform(database, **limits) as one, open_platform(database, **limits) as two:
        await one.deploy("many", many(shop, 6))
        await one.deploy("others", many(other, 6))
        views = [await one.start("many"), await two.start("many")]
        await shop.until(most)
        views.append(await one.start("others"))
        await until(lambda: waiting() == 18 - most)
        assert (len(shop.came), len(other.came)) == (most, 0)
        shop.open.set()
        for view in views:
            assert (await one.ended(view)).status == "completed"
    assert (len(shop.came), len(set(shop.keys)), len(other.came)) == (12, 12, 6)
    assert shop.most <= most and other.most <= most
