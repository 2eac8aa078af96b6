"""`dev`, `api`, `worker`, `migrate`: running the platform."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from perdure.cli import exits, terminal

if TYPE_CHECKING:
    from perdure.settings import Settings

T = TypeVar("T")

Host = Annotated[str, typer.Option(help="Address to listen on.")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 picks a free one.")]
DatabaseUrl = Annotated[
    str | None, typer.Option(help="postgresql://… (PostgreSQL 15 or newer).", show_default="PERDURE_DATABASE_URL")
]
BrokerUrl = Annotated[
    str | None, typer.Option(help="amqp://… (RabbitMQ 3.10 or newer).", show_default="PERDURE_BROKER_URL")
]
RedisUrl = Annotated[str | None, typer.Option(help="redis://… (Redis 6.2 or newer).", show_default="PERDURE_REDIS_URL")]


def dev(
    host: Host = "127.0.0.1",
    port: Port = 8080,
    data_dir: Annotated[Path, typer.Option(help="Where the embedded PostgreSQL keeps its data.")] = Path(".perdure"),
    database_url: DatabaseUrl = None,
    broker_url: BrokerUrl = None,
    redis_url: RedisUrl = None,
) -> None:
    """Run everything in one process, on a PostgreSQL of its own.

    API, worker and scheduler; nothing else needs to be installed. Started again on the same data directory, it
    goes on where it was.
    """
    from perdure import wiring

    chosen = _settings(database_url, broker_url, redis_url)
    serve(chosen, wiring.run_dev(chosen, host=host, port=port, data_dir=data_dir, on_ready=ready))


def api(
    host: Host = "127.0.0.1",
    port: Port = 8080,
    database_url: DatabaseUrl = None,
    broker_url: BrokerUrl = None,
    redis_url: RedisUrl = None,
) -> None:
    """Run the API service on external PostgreSQL (and RabbitMQ and Redis)."""
    from perdure import wiring

    chosen = _settings(database_url, broker_url, redis_url)
    serve(chosen, wiring.run_api(chosen, host=host, port=port, on_ready=ready))


def worker(
    host: Host = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port for health and metrics; 0 picks a free one.")
    ] = 8081,
    database_url: DatabaseUrl = None,
    broker_url: BrokerUrl = None,
    redis_url: RedisUrl = None,
) -> None:
    """Run the worker service on external PostgreSQL (and RabbitMQ and Redis)."""
    from perdure import wiring

    chosen = _settings(database_url, broker_url, redis_url)
    serve(chosen, wiring.run_worker(chosen, host=host, port=port, on_ready=ready))


def migrate(database_url: DatabaseUrl = None) -> None:
    """Bring the database schema up to date. Safe to run twice, and from several machines at once."""
    from perdure import wiring

    chosen = _settings(database_url, None, None)
    applied = serve(chosen, wiring.migrate(chosen))
    for name in applied:
        terminal.answers().print(f"applied {name}")
    if not applied:
        terminal.answers().print("The schema is up to date.")


def ready(url: str) -> None:
    """The one line that says the service answers."""
    print(f"Perdure is ready at {url}", flush=True)


def serve(chosen: "Settings", work: Coroutine[Any, Any, T]) -> T:
    """Run a service until it has stopped; exits where it can't start."""
    from perdure import hosting, wiring

    try:
        wiring.configure(chosen)
        with asyncio.Runner(loop_factory=event_loop()) as runner:
            return runner.run(work)
    except hosting.CannotStart as error:
        work.close()
        exits.fail(str(error))
    except KeyboardInterrupt:
        raise typer.Exit(exits.INTERRUPTED) from None


def event_loop() -> Any:
    """uvloop where there is one, else asyncio's own."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def _settings(database_url: str | None, broker_url: str | None, redis_url: str | None) -> "Settings":
    flags = {"database_url": database_url, "broker_url": broker_url, "redis_url": redis_url}
    given = {name: value for name, value in flags.items() if value is not None}
    return exits.settings().model_copy(update=given)
