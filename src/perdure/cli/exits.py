"""Exit codes of the commands (0 is success), and how what goes wrong becomes one."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import typer

from perdure.cli import terminal
from perdure.cli.render import problems
from perdure.client import ApiError, AsyncClient, Unreachable, exchange

if TYPE_CHECKING:
    from perdure.settings import Settings

FAILED = 1
"""Refused, failed, or ended otherwise than completed."""
USAGE = 2
"""The command line or a setting makes no sense."""
UNREACHABLE = 3
"""No server answers."""
INTERRUPTED = 130
"""By Ctrl-C, as shells say it: 128 + SIGINT."""

T = TypeVar("T")


def fail(*lines: str, code: int = FAILED) -> NoReturn:
    terminal.failure(*lines)
    raise typer.Exit(code)


def settings() -> "Settings":
    """The settings of this run. Exits where one makes no sense."""
    from pydantic import ValidationError

    from perdure.settings import Settings

    try:
        return Settings()
    except ValidationError as error:
        wrong = [
            f"PERDURE_{'_'.join(str(part) for part in fault['loc']).upper()}: {fault['msg']}"
            for fault in error.errors(include_input=False)
        ]
        fail("A setting can't be used.", *wrong, code=USAGE)


def call(work: Callable[[AsyncClient], Coroutine[Any, Any, T]]) -> T:
    """Do the work with a client of the configured server; exits where it fails."""
    return run(_with_client(work, *server()))


def server() -> tuple[str, str | None]:
    """Address and key of the server that commands talk to.

    Without a `.env` file that is two variables, and no reason to load the library that checks the other settings: it
    takes longer than most commands.
    """
    if Path(".env").exists():
        chosen = settings()
        return chosen.api_url, chosen.api_key
    return exchange.address(None), exchange.key(None)


def run(work: Coroutine[Any, Any, T]) -> T:
    """The result of the work; exits where the server refuses or does not answer."""
    try:
        return asyncio.run(work)
    except ApiError as error:
        fail(*problems.refusal(error))
    except Unreachable as error:
        fail(*problems.unreachable(error), code=UNREACHABLE)
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None


async def _with_client(work: Callable[[AsyncClient], Awaitable[T]], url: str, key: str | None) -> T:
    async with AsyncClient(url, key, retries=0) as client:
        return await work(client)
