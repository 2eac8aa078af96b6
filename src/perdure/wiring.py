"""The one place that names implementations: puts the parts together and runs them as services."""

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from ipaddress import ip_address
from pathlib import Path

import asyncpg
import structlog
from fastapi import FastAPI

from perdure import __version__, telemetry
from perdure.activities.authentication.authorization import authorize
from perdure.activities.fetching import OutsideFetcher
from perdure.activities.outside import Outside
from perdure.activities.registry import Registry
from perdure.api.app import create_app
from perdure.api.server import Server
from perdure.broker.contract import Broker
from perdure.broker.postgres import PostgresBroker
from perdure.coordination.contract import Coordinator
from perdure.coordination.postgres import PostgresCoordinator
from perdure.embedded.errors import EmbeddedError
from perdure.embedded.postgres import EmbeddedPostgres
from perdure.engine.step import Environment, Limits
from perdure.expressions.contract import Evaluator, EvaluatorUnavailable
from perdure.expressions.evaluator import JqEvaluator
from perdure.limits import CallLimits
from perdure.runtime.context import Context
from perdure.runtime.programs import Programs
from perdure.runtime.service import Service
from perdure.sealing import Sealer
from perdure.secrets import Secrets
from perdure.settings import Settings
from perdure.store.contract import StoreUnavailable
from perdure.store.lifecycle import Telling
from perdure.store.postgres import migrations
from perdure.store.postgres.connection import Pool, open_pool
from perdure.store.postgres.store import PostgresStore
from perdure.worker.health import HealthServer
from perdure.worker.sweeper import retention_seconds
from perdure.worker.worker import Worker

log = structlog.get_logger("perdure")

OnReady = Callable[[str], None]

API_STOP_SECONDS = 3


class CannotStart(Exception):
    """The service can't start; the message says why and what to do."""


async def run_dev(settings: Settings, *, host: str, port: int, data_dir: Path, on_ready: OnReady) -> None:
    """API, worker and everything they need in this process. Returns after SIGINT or SIGTERM, cleanly stopped."""
    settings = _dev_defaults(settings)
    async with AsyncExitStack() as stack:
        listener = stack.enter_context(_listener(host, port))
        dsn = settings.database_url or await _embedded(stack, data_dir)
        await _migrate(dsn)
        base = _base_url(host, listener)
        context = await stack.enter_async_context(open_context(settings, dsn, settings.public_url or base))
        if settings.database_url is None:
            await context.store.forget_leases()  # whoever held them died with the last run
        service = Service(context)
        stack.push_async_callback(service.stop)
        worker = Worker(context, Registry(Outside(settings, context.secrets, context.coordinator)))
        await worker.start()
        stack.push_async_callback(worker.stop)
        app = create_app(service, settings=settings, open_access=_is_loopback(host), version=__version__)
        await _serve(app, listener, lambda: on_ready(base))


async def run_api(settings: Settings, *, host: str, port: int, on_ready: OnReady) -> None:
    """The API service. Returns after SIGINT or SIGTERM."""
    async with AsyncExitStack() as stack:
        listener = stack.enter_context(_listener(host, port))
        dsn = _database_url(settings)
        base = _base_url(host, listener)
        context = await stack.enter_async_context(open_context(settings, dsn, settings.public_url or base))
        service = Service(context)
        stack.push_async_callback(service.stop)
        app = create_app(service, settings=settings, open_access=False, version=__version__)
        await _serve(app, listener, lambda: on_ready(base))


async def run_worker(settings: Settings, *, host: str, port: int, on_ready: OnReady) -> None:
    """The worker service; its port serves health and metrics. Returns after SIGINT or SIGTERM."""
    async with AsyncExitStack() as stack:
        dsn = _database_url(settings)
        public_url = settings.public_url or settings.api_url
        context = await stack.enter_async_context(open_context(settings, dsn, public_url))
        service = Service(context)
        stack.push_async_callback(service.stop)
        worker = Worker(context, Registry(Outside(settings, context.secrets, context.coordinator)))
        await worker.start()
        stack.push_async_callback(worker.stop)
        health = HealthServer(service.ready, host=host, port=port)
        try:
            address = await health.start()
        except OSError as error:
            raise _cannot_listen(host, port, error) from error
        stack.push_async_callback(health.stop)
        on_ready(address)
        await _stop_signal()


async def migrate(settings: Settings) -> list[str]:
    """Bring the database schema up to date; answers the names of the migrations applied."""
    return await _migrate(_database_url(settings))


@asynccontextmanager
async def open_keys(settings: Settings) -> AsyncIterator[Service]:
    """The operations on API keys, straight on the database."""
    async with open_context(settings, _database_url(settings), settings.api_url, bare=True) as context:
        yield Service(context)


@asynccontextmanager
async def open_context(settings: Settings, dsn: str, public_url: str, *, bare: bool = False) -> AsyncIterator[Context]:
    """Everything that the runtime works with, started; `bare` starts the database only."""
    try:
        retention_seconds(settings.retention)
    except ValueError as error:
        raise CannotStart(f"PERDURE_RETENTION: {error}") from error
    try:
        CallLimits(settings.call_limits)
        Sealer(settings.encryption_key)
    except ValueError as error:
        raise CannotStart(str(error)) from error
    async with AsyncExitStack() as stack:
        pool = await _pool(stack, dsn, settings)
        store = PostgresStore(pool, Telling(settings.lifecycle_events, publish=bool(settings.broker_url)))
        secrets = Secrets(os.environ)
        context = Context(
            store=store,
            broker=_broker(settings, pool, dsn),
            coordinator=_coordinator(settings, pool),
            evaluator=JqEvaluator(settings, secrets, partial(authorize, secrets)),
            secrets=secrets,
            settings=settings,
            environment=Environment(public_url=public_url.rstrip("/"), version=__version__),
            programs=Programs(store),
            fetcher=OutsideFetcher(Outside(settings, secrets)),
            limits=Limits(activities_max=settings.step_activities_max),
        )
        if not bare:
            await context.broker.start()
            stack.push_async_callback(context.broker.stop)
            await context.coordinator.start()
            stack.push_async_callback(context.coordinator.stop)
            try:
                await context.evaluator.start()
            except EvaluatorUnavailable as error:
                raise CannotStart(f"No sandbox for expressions can be started: {error}") from error
            stack.push_async_callback(context.evaluator.stop)
            await context.fetcher.start()
            stack.push_async_callback(context.fetcher.stop)
        yield context


@asynccontextmanager
async def open_evaluator(settings: Settings, secrets: Secrets) -> AsyncIterator[Evaluator]:
    """An evaluator of expressions alone, started."""
    evaluator = JqEvaluator(settings, secrets)
    try:
        await evaluator.start()
    except EvaluatorUnavailable as error:
        raise CannotStart(f"No sandbox for expressions can be started: {error}") from error
    try:
        yield evaluator
    finally:
        await evaluator.stop()


async def _pool(stack: AsyncExitStack, dsn: str, settings: Settings) -> Pool:
    try:
        pool = await open_pool(dsn, settings.database_pool_max)
    except (StoreUnavailable, ValueError) as error:
        raise CannotStart(f"{error}. Check PERDURE_DATABASE_URL.") from error
    stack.push_async_callback(_close, pool)
    async with pool.acquire() as connection:
        try:
            missing = await migrations.pending(connection)
        except migrations.MigrationFailed as error:
            raise CannotStart(str(error)) from error
    if missing:
        raise CannotStart("The database schema is not up to date. Run `perdure migrate` first.")
    return pool


async def _close(pool: Pool) -> None:
    try:
        async with asyncio.timeout(2):
            await pool.close()
    except TimeoutError:
        pool.terminate()


def _broker(settings: Settings, pool: Pool, dsn: str) -> Broker:
    if settings.broker_url:
        # Here, as in the next: a development server starts sooner without libraries that it does not use.
        from perdure.broker.rabbitmq import RabbitBroker

        return RabbitBroker(settings.broker_url)
    return PostgresBroker(pool, dsn)


def _coordinator(settings: Settings, pool: Pool) -> Coordinator:
    if settings.redis_url:
        from perdure.coordination.redis import RedisCoordinator

        return RedisCoordinator(settings.redis_url)
    return PostgresCoordinator(pool)


async def _embedded(stack: AsyncExitStack, data_dir: Path) -> str:
    postgres = EmbeddedPostgres(data_dir)
    try:
        dsn = await postgres.start()
    except EmbeddedError as error:
        raise CannotStart(str(error)) from error
    stack.push_async_callback(postgres.stop)
    return dsn


async def _migrate(dsn: str) -> list[str]:
    try:
        return await migrations.migrate(dsn)
    except migrations.MigrationFailed as error:
        raise CannotStart(str(error)) from error
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
        raise CannotStart(f"The database can't be migrated: {error}. Check PERDURE_DATABASE_URL.") from error


def _database_url(settings: Settings) -> str:
    if not settings.database_url:
        raise CannotStart(
            "PERDURE_DATABASE_URL is not set. Give it a postgresql:// URL, or use `perdure dev`, which brings "
            "its own PostgreSQL."
        )
    return settings.database_url


def _dev_defaults(settings: Settings) -> Settings:
    """`dev` may call services on this machine and run shell and scripts, unless the settings say otherwise."""
    return settings.model_copy(
        update={
            "egress_allow": ",".join(filter(None, (settings.egress_allow, "127.0.0.0/8", "::1/128"))),
            "run_shell": True if settings.run_shell is None else settings.run_shell,
            "run_script": True if settings.run_script is None else settings.run_script,
        }
    )


@contextlib.contextmanager
def _listener(host: str, port: int) -> Iterator[socket.socket]:
    """A bound socket, so that port 0 is known before anything starts and a taken port fails at once."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(2048)
        listener.setblocking(False)
    except (OSError, OverflowError) as error:
        raise _cannot_listen(host, port, error) from error
    with contextlib.closing(listener):
        yield listener


def _cannot_listen(host: str, port: int, error: Exception) -> CannotStart:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return CannotStart(f"Can't listen on {host}:{port}: {reason}. Choose another with --host and --port.")


def _base_url(host: str, listener: socket.socket) -> str:
    port = listener.getsockname()[1]
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{shown}:{port}"


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


async def _serve(app: FastAPI, listener: socket.socket, on_ready: Callable[[], None]) -> None:
    """Serve until SIGINT or SIGTERM."""
    server = Server(app, stop_seconds_max=API_STOP_SECONDS)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    stopping = asyncio.create_task(_stop_signal())
    while not server.started and not serving.done():
        await asyncio.wait([serving], timeout=0.005)
    if not serving.done():
        on_ready()
    await asyncio.wait([serving, stopping], return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    server.should_exit = True
    await serving


async def _stop_signal() -> None:
    """Returns at the first SIGINT or SIGTERM."""
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    try:
        await stopped.wait()
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


def configure(settings: Settings) -> None:
    """Logging, once per program."""
    try:
        telemetry.configure_logging(level=settings.log_level, format_=settings.log_format)
    except ValueError as error:
        raise CannotStart(str(error)) from error
