"""Real servers, shared by the whole run, started when the first test asks for one."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from servers import PostgresServer, RabbitServer, RedisServer, Server

_KINDS: dict[str, Callable[[], Server]] = {
    "postgres": PostgresServer,
    "postgres18": lambda: PostgresServer("18"),
    "rabbit": RabbitServer,
    "redis": RedisServer,
}
_NEEDED = pytest.StashKey[set[str]]()


def pytest_collection_finish(session: pytest.Session) -> None:
    """Which servers the collected tests will ask for, so that these start together."""
    names = {name for item in session.items for name in getattr(item, "fixturenames", ())}
    session.config.stash[_NEEDED] = names & _KINDS.keys()


class _Fleet:
    """All servers of the run."""

    def __init__(self, needed: set[str]) -> None:
        self._needed = needed
        self._starts: dict[str, asyncio.Task[Server]] = {}

    async def get(self, name: str) -> Server:
        """The server of this name, running. The first to ask has all others started in the background."""
        for kind in (name, *sorted(self._needed)):
            if kind not in self._starts:
                self._starts[kind] = asyncio.create_task(self._start(kind))
        return await self._starts[name]

    async def revive(self) -> None:
        """Start again what a test has killed or frozen and not mended."""
        for start in self._starts.values():
            if start.done() and not start.cancelled() and start.exception() is None:
                await start.result().ensure()

    async def close(self) -> None:
        for start in self._starts.values():
            start.cancel()
        for server in await asyncio.gather(*self._starts.values(), return_exceptions=True):
            if isinstance(server, Server):
                await server.close()

    @staticmethod
    async def _start(kind: str) -> Server:
        server = _KINDS[kind]()
        try:
            await server.start()
        except BaseException:
            await server.close()
            raise
        return server


@pytest.fixture(scope="session")
async def _fleet(request: pytest.FixtureRequest) -> AsyncIterator[_Fleet]:
    fleet = _Fleet(request.config.stash[_NEEDED])
    yield fleet
    await fleet.close()


@pytest.fixture(autouse=True)
async def _all_running(_fleet: _Fleet) -> AsyncIterator[None]:
    yield
    await _fleet.revive()


@pytest.fixture(scope="session")
async def postgres(_fleet: _Fleet, request: pytest.FixtureRequest) -> PostgresServer:
    """The oldest PostgreSQL that is supported; parametrised indirectly with "18", the embedded one."""
    server = await _fleet.get("postgres18" if getattr(request, "param", None) == "18" else "postgres")
    assert isinstance(server, PostgresServer)
    return server


@pytest.fixture(scope="session")
async def rabbit(_fleet: _Fleet) -> RabbitServer:
    """RabbitMQ. Ask it for a virtual host of your own: `rabbit.fresh_url()`."""
    server = await _fleet.get("rabbit")
    assert isinstance(server, RabbitServer)
    return server


@pytest.fixture(scope="session")
async def redis(_fleet: _Fleet) -> RedisServer:
    """Redis. Ask it for a database of your own: `redis.fresh_url()`."""
    server = await _fleet.get("redis")
    assert isinstance(server, RedisServer)
    return server


@pytest.fixture
async def database(postgres: PostgresServer) -> AsyncIterator[str]:
    """The DSN of a fresh database at the newest schema."""
    async with postgres.fresh_database() as dsn:
        yield dsn
