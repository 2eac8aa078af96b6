"""The one place that names implementations: puts the parts together and runs them as services."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

import asyncpg
import structlog

from perdure import __version__, clock, hosting, telemetry
from perdure.activities.authentication.authorization import authorize
from perdure.activities.fetching import OutsideFetcher
from perdure.activities.outside import Outside
from perdure.activities.registry import Registry
from perdure.api.app import create_app
from perdure.broker.contract import Broker
from perdure.broker.postgres import PostgresBroker
from perdure.coordination.contract import Coordinator
from perdure.coordination.postgres import PostgresCoordinator
from perdure.embedded.errors import EmbeddedError
from perdure.embedded.postgres import EmbeddedPostgres
from perdure.engine.step import Environment, Limits
from perdure.expressions.contract import Evaluator, EvaluatorUnavailable
from perdure.expressions.evaluator import JqEvaluator
from perdure.hosting import CannotStart
from perdure.limits import CallLimits
from perdure.runtime.context import Context
from perdure.runtime.programs import Programs
from perdure.runtime.service import Service
from perdure.runtime.starting import Starting
from perdure.sealing import Sealer
from perdure.secrets import Secrets
from perdure.settings import Settings
from perdure.store.contract import Store, StoreUnavailable
from perdure.store.lifecycle import Telling
from perdure.store.postgres import migrations
from perdure.store.postgres.connection import Pool, Unreachable, connected, never, open_pool
from perdure.store.postgres.store import PostgresStore
from perdure.worker.health import HealthServer
from perdure.worker.sweeper import retention_seconds
from perdure.worker.worker import Worker

log = structlog.get_logger("perdure")

OnReady = Callable[[str], None]
OnWait = Callable[[str], None]

AWAY_SECONDS = 2.0
"""Between two looks at whether a database that is away is there."""


async def run_dev(settings: Settings, *, host: str, port: int, data_dir: Path, on_ready: OnReady) -> None:
    """API, worker and everything they need in this process. Returns after SIGINT or SIGTERM, cleanly stopped."""
    await hosting.until_stopped(_dev(_dev_defaults(settings), host, port, data_dir, on_ready))


async def run_api(settings: Settings, *, host: str, port: int, on_ready: OnReady) -> None:
    """The API service. Returns after SIGINT or SIGTERM."""
    await hosting.until_stopped(_api(settings, host, port, on_ready))


async def run_worker(settings: Settings, *, host: str, port: int, on_ready: OnReady) -> None:
    """The worker service; its port serves health and metrics. Returns after SIGINT or SIGTERM."""
    await hosting.until_stopped(_worker(settings, host, port, on_ready))


async def _dev(settings: Settings, host: str, port: int, data_dir: Path, on_ready: OnReady) -> None:
    async with AsyncExitStack() as stack:
        listener = stack.enter_context(hosting.listen(host, port))
        dsn, full = (settings.database_url, never) if settings.database_url else await _embedded(stack, data_dir)
        await _migrate(dsn)
        base = hosting.base_url(host, listener)
        opening = open_context(settings, dsn, settings.public_url or base, full=full)
        context = await stack.enter_async_context(opening)
        if settings.database_url is None:
            await context.store.forget_leases()  # whoever held them died with the last run
        service = await _begin(stack, context, working=True)
        app = create_app(service, settings=settings, open_access=hosting.is_loopback(host), version=__version__)
        async with hosting.serve(app, listener) as served:
            on_ready(base)
            await served.wait()


async def _api(settings: Settings, host: str, port: int, on_ready: OnReady) -> None:
    async with AsyncExitStack() as stack:
        listener = stack.enter_context(hosting.listen(host, port))
        dsn = _database_url(settings)
        base, starting = hosting.base_url(host, listener), Starting()
        app = create_app(starting.platform, settings=settings, open_access=False, version=__version__)
        async with hosting.serve(app, listener) as served:
            opening = open_context(settings, dsn, settings.public_url or base, on_wait=starting.waits)
            context = await stack.enter_async_context(opening)
            starting.begin(await _begin(stack, context, working=False))
            on_ready(base)
            await served.wait()


async def _worker(settings: Settings, host: str, port: int, on_ready: OnReady) -> None:
    async with AsyncExitStack() as stack:
        dsn = _database_url(settings)
        starting = Starting()
        health = HealthServer(starting.ready, host=host, port=port)
        try:
            address = await health.start()
        except OSError as error:
            raise hosting.cannot_listen(host, port, error) from error
        stack.push_async_callback(health.stop)
        public_url = settings.public_url or settings.api_url
        context = await stack.enter_async_context(open_context(settings, dsn, public_url, on_wait=starting.waits))
        starting.begin(await _begin(stack, context, working=True))
        on_ready(address)
        await asyncio.Event().wait()


async def _begin(stack: AsyncExitStack, context: Context, *, working: bool) -> Service:
    """The platform over what was opened; with a worker of its own where it is `working`."""
    service = Service(context)
    stack.push_async_callback(service.stop)
    if working:
        worker = Worker(context, Registry(Outside(context.settings, context.secrets, context.coordinator)))
        await worker.start()
        stack.push_async_callback(worker.stop)
    return service


async def migrate(settings: Settings) -> list[str]:
    """Bring the database schema up to date; answers the names of the migrations applied."""
    return await _migrate(_database_url(settings))


@asynccontextmanager
async def open_keys(settings: Settings) -> AsyncIterator[Service]:
    """The operations on API keys, straight on the database."""
    async with open_context(settings, _database_url(settings), settings.api_url, bare=True) as context:
        yield Service(context)


@asynccontextmanager
async def open_context(
    settings: Settings,
    dsn: str,
    public_url: str,
    *,
    bare: bool = False,
    on_wait: OnWait | None = None,
    full: Callable[[], bool] = never,
) -> AsyncIterator[Context]:
    """Everything that the runtime works with, started; `bare` starts the database only.

    With `on_wait` a database that is away is waited for, and that is told why each time. `full`: as `open_pool`.
    """
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
        pool = await _pool(dsn, settings, on_wait, full)
        stack.push_async_callback(_close, pool)
        store = PostgresStore(pool, Telling(settings.lifecycle_events, publish=bool(settings.broker_url)))
        secrets = Secrets(os.environ)
        replica = None if bare else await _replica(stack, settings)
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
            limits=_limits(settings),
            replica=replica,
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


async def _pool(dsn: str, settings: Settings, on_wait: OnWait | None, full: Callable[[], bool]) -> Pool:
    while True:
        try:
            return await _fitting_pool(dsn, settings, full)
        except StoreUnavailable as error:
            if on_wait is None:
                raise CannotStart(f"{error}. Check PERDURE_DATABASE_URL.") from error
            log.warning("the database is away; waiting for it", reason=str(error))
            on_wait(str(error))
        await clock.sleep(AWAY_SECONDS)


async def _replica(stack: AsyncExitStack, settings: Settings) -> Store | None:
    """The one that there is. It may be away, now or later; what is wrong for good is said at once."""
    if settings.replica_url is None:
        return None
    pool = await open_pool(settings.replica_url, settings.database_pool_max, size_min=0)
    stack.push_async_callback(_close, pool)
    try:
        async with connected(pool):
            pass
    except StoreUnavailable as error:
        log.warning("the replica is away; the database is read instead", reason=str(error))
    except (asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
        raise CannotStart(f"The replica can't be reached: {error}. Check PERDURE_REPLICA_URL.") from error
    return PostgresStore(pool, Telling(settings.lifecycle_events, publish=False))


async def _fitting_pool(dsn: str, settings: Settings, full: Callable[[], bool]) -> Pool:
    """Connections to a database with this release's schema. Raises `StoreUnavailable` while it is away."""
    try:
        pool = await open_pool(dsn, settings.database_pool_max, full)
    except Unreachable as error:
        raise CannotStart(f"{error}. Check PERDURE_DATABASE_URL.") from error
    try:
        async with connected(pool) as connection:
            missing = await migrations.pending(connection)
        if missing:
            raise CannotStart("The database schema is not up to date. Run `perdure migrate` first.")
    except migrations.MigrationFailed as error:
        await _close(pool)
        raise CannotStart(str(error)) from error
    except BaseException:
        await _close(pool)
        raise
    return pool


async def _close(pool: Pool) -> None:
    try:
        async with asyncio.timeout(2):
            await pool.close()
    except TimeoutError:
        pool.terminate()


def _limits(settings: Settings) -> Limits:
    return Limits(
        activities_max=settings.step_activities_max,
        loop_items_max=settings.loop_items_max,
        map_items_max=settings.map_items_max,
        fork_branches_max=settings.fork_branches_max,
        listen_events_max=settings.listen_events_max,
        payload_bytes_max=settings.payload_bytes_max,
        event_bytes_max=settings.event_bytes_max,
        history_lines_max=settings.history_lines_max,
    )


def _broker(settings: Settings, pool: Pool, dsn: str) -> Broker:
    if settings.broker_url:
        # Here, as in the next: a development server starts sooner without libraries that it does not use.
        from perdure.broker.rabbitmq import RabbitBroker

        return RabbitBroker(settings.broker_url, event_bytes_max=settings.event_bytes_max)
    return PostgresBroker(pool, dsn)


def _coordinator(settings: Settings, pool: Pool) -> Coordinator:
    if settings.redis_url:
        from perdure.coordination.redis import RedisCoordinator

        return RedisCoordinator(settings.redis_url)
    return PostgresCoordinator(pool)


async def _embedded(stack: AsyncExitStack, data_dir: Path) -> tuple[str, Callable[[], bool]]:
    """Its DSN, and whether its disk is full."""
    postgres = EmbeddedPostgres(data_dir)
    try:
        dsn = await postgres.start()
    except EmbeddedError as error:
        raise CannotStart(str(error)) from error
    stack.push_async_callback(postgres.stop)
    return dsn, lambda: postgres.full


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


def configure(settings: Settings) -> None:
    """Logging, once per program."""
    try:
        telemetry.configure_logging(level=settings.log_level, format_=settings.log_format)
    except ValueError as error:
        raise CannotStart(str(error)) from error
