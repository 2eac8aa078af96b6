"""`deploy`: registering definitions."""

from pathlib import PurePath
from typing import Annotated

import typer

from perdure.cli import exits, terminal, values
from perdure.cli.render import problems
from perdure.client import ApiError, AsyncClient

UNPROCESSABLE = (400, 413, 422)
"""What a definition itself may be refused with."""


def deploy(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="YAML or JSON files; - is standard input.")],
    check: Annotated[bool, typer.Option("--check", help="Only validate; register nothing.")] = False,
) -> None:
    """Register definitions. A bad one gets its errors with file, line and column."""
    sources = [(file, values.read(file)) for file in files]

    async def work(client: AsyncClient) -> bool:
        done = [await _one(client, file, source, check) for file, source in sources]
        return all(done)

    if not exits.call(work):
        raise typer.Exit(exits.FAILED)


async def _one(client: AsyncClient, file: str, source: bytes, check: bool) -> bool:
    """Deploy one file and say how that went; the files after it get their turn all the same."""
    media_type = "application/json" if PurePath(file).suffix == ".json" else "application/yaml"
    try:
        if check:
            warnings = await client.check(source, media_type)
            terminal.note(*problems.faults(file, warnings, "warning"))
            terminal.answers().print(f"valid {file}", soft_wrap=True)
        else:
            definition, created = await client.deploy(source, media_type)
            name = f"{definition['namespace']}/{definition['name']}:{definition['version']}"
            terminal.answers().print(f"{'registered' if created else 'unchanged'} {name}", soft_wrap=True)
    except ApiError as error:
        if error.faults:
            terminal.note(*problems.faults(file, error.faults))
        elif error.status in UNPROCESSABLE or error.status == 409:
            terminal.note(f"{file}: error: {error.detail or error.title}")
        else:
            raise
        return False
    return True
