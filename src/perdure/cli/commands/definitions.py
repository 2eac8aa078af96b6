"""`deploy`: registering definitions, and functions of the default catalog."""

from pathlib import PurePath
from typing import Annotated

import typer

from perdure.cli import exits, terminal, values
from perdure.cli.render import problems
from perdure.client import ApiError, AsyncClient
from perdure.client.models import Fault

UNPROCESSABLE = (400, 413, 422)
"""What a definition itself may be refused with."""


def deploy(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="YAML or JSON files; - is standard input.")],
    check: Annotated[bool, typer.Option("--check", help="Only validate; register nothing.")] = False,
    function: Annotated[
        str | None,
        typer.Option(
            metavar="NAME:VERSION",
            help="The one file is a function of the default catalog, to be called as NAME:VERSION@default.",
        ),
    ] = None,
) -> None:
    """Register definitions, or a function. A bad one gets its errors with file, line and column."""
    if function is not None and len(files) != 1:
        raise typer.BadParameter(f"expected one file, found {len(files)}", param_hint="--function")
    name, _, version = (function or "").partition(":")
    if function is not None and not (name and version):
        raise typer.BadParameter(f"expected NAME:VERSION, found {function!r}", param_hint="--function")
    named = None if function is None else (name, version)
    sources = [(file, values.read(file)) for file in files]

    async def work(client: AsyncClient) -> bool:
        done = [await _one(client, file, source, check, named) for file, source in sources]
        return all(done)

    if not exits.call(work):
        raise typer.Exit(exits.FAILED)


async def _one(client: AsyncClient, file: str, source: bytes, check: bool, function: tuple[str, str] | None) -> bool:
    """Deploy one file and say how that went; the files after it get their turn all the same."""
    media_type = "application/json" if PurePath(file).suffix == ".json" else "application/yaml"
    try:
        if check:
            said, warnings = f"valid {file}", await _check(client, source, media_type, function)
        else:
            said, warnings = await _register(client, source, media_type, function)
    except ApiError as error:
        if error.faults:
            terminal.note(*problems.faults(file, error.faults))
        elif error.status in UNPROCESSABLE or error.status == 409:
            terminal.note(f"{file}: error: {error.detail or error.title}")
        else:
            raise
        return False
    terminal.note(*problems.faults(file, warnings, "warning"))
    terminal.answers().print(said, soft_wrap=True)
    return True


async def _check(client: AsyncClient, source: bytes, media_type: str, function: tuple[str, str] | None) -> list[Fault]:
    if function is not None:
        return await client.check_function(*function, source, media_type)
    return await client.check(source, media_type)


async def _register(
    client: AsyncClient, source: bytes, media_type: str, function: tuple[str, str] | None
) -> tuple[str, list[Fault]]:
    """What to say, and the warnings."""
    if function is not None:
        registered, created = await client.publish(*function, source, media_type)
        name, warnings = f"{registered['name']}:{registered['version']}@default", registered.get("warnings", [])
    else:
        definition, created = await client.deploy(source, media_type)
        name = f"{definition['namespace']}/{definition['name']}:{definition['version']}"
        warnings = definition.get("warnings", [])
    return f"{'registered' if created else 'unchanged'} {name}", warnings
