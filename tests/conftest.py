"""Real servers, shared by the whole run, started when the first test asks for one."""

import signal
from collections.abc import AsyncIterator

import pytest

from servers import (
    KINDS,
    Fleet,
    KafkaServer,
    MosquittoServer,
    NatsServer,
    PostgresServer,
    RabbitServer,
    RedisServer,
    SecureMosquittoServer,
)

_NEEDED = pytest.StashKey[set[str]]()


def pytest_configure() -> None:
    """Where a script runs this in the background, interrupts are ignored, also by the programs that are tried."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Which servers the collected tests will ask for, so that these start together."""
    names = {name for item in session.items for name in _mentioned(item)}
    session.config.stash[_NEEDED] = names & KINDS.keys()


def _mentioned(item: pytest.Item) -> set[str]:
    """Its fixtures, and the strings that it is parametrised with."""
    parameters = item.callspec.params.values() if hasattr(item, "callspec") else ()
    return {*getattr(item, "fixturenames", ()), *(value for value in parameters if isinstance(value, str))}


@pytest.fixture(scope="session")
async def fleet(request: pytest.FixtureRequest) -> AsyncIterator[Fleet]:
    fleet = Fleet(request.config.stash[_NEEDED])
    yield fleet
    await fleet.close()


@pytest.fixture(autouse=True)
async def _all_running(fleet: Fleet) -> AsyncIterator[None]:
    yield
    await fleet.revive()


@pytest.fixture(scope="session")
async def postgres(fleet: Fleet, request: pytest.FixtureRequest) -> PostgresServer:
    """The oldest PostgreSQL that is supported; parametrised indirectly with "18", the embedded one."""
    server = await fleet.get("postgres18" if getattr(request, "param", None) == "18" else "postgres")
    assert isinstance(server, PostgresServer)
    return server


@pytest.fixture(scope="session")
async def rabbit(fleet: Fleet) -> RabbitServer:
    """RabbitMQ. Ask it for a virtual host of your own: `rabbit.fresh_url()`."""
    server = await fleet.get("rabbit")
    assert isinstance(server, RabbitServer)
    return server


@pytest.fixture(scope="session")
async def mosquitto(fleet: Fleet) -> MosquittoServer:
    server = await fleet.get("mosquitto")
    assert isinstance(server, MosquittoServer)
    return server


@pytest.fixture(scope="session")
async def secure_mosquitto(fleet: Fleet) -> SecureMosquittoServer:
    server = await fleet.get("secure_mosquitto")
    assert isinstance(server, SecureMosquittoServer)
    return server


@pytest.fixture(scope="session")
async def nats_server(fleet: Fleet) -> NatsServer:
    server = await fleet.get("nats_server")
    assert isinstance(server, NatsServer)
    return server


@pytest.fixture(scope="session")
async def kafka_server(fleet: Fleet) -> KafkaServer:
    server = await fleet.get("kafka_server")
    assert isinstance(server, KafkaServer)
    return server


@pytest.fixture(scope="session")
async def redis(fleet: Fleet) -> RedisServer:
    """Redis. Ask it for a database of your own: `redis.fresh_url()`."""
    server = await fleet.get("redis")
    assert isinstance(server, RedisServer)
    return server


@pytest.fixture
async def database(postgres: PostgresServer) -> AsyncIterator[str]:
    """The DSN of a fresh database at the newest schema."""
    async with postgres.fresh_database() as dsn:
        yield dsn
