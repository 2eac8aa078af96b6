"""`keys create`, `list`, `revoke`: API keys, straight on the database that PERDURE_DATABASE_URL names."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, TypeVar
from uuid import UUID

import typer

from perdure import clock
from perdure.cli import exits, terminal
from perdure.cli.commands.processes import AsJson
from perdure.cli.commands.serve import serve
from perdure.cli.render.listing import Listing
from perdure.cli.render.times import moment
from perdure.codec import decode, encode

if TYPE_CHECKING:
    from perdure.runtime.platform import Platform

T = TypeVar("T")

app = typer.Typer(help="Manage API keys (needs PERDURE_DATABASE_URL).", no_args_is_help=True)


@app.command()
def create(
    name: Annotated[str, typer.Option(help="Who will use it; the history shows this name.")],
    tenant: Annotated[str, typer.Option()] = "default",
    role: Annotated[str, typer.Option()] = "admin",
    as_json: AsJson = False,
) -> None:
    """Create a key. It is shown this once and stored as a hash."""
    view, key = _on_keys(lambda platform: platform.create_key(name, tenant, role))
    if as_json:
        terminal.print_json({**decode(encode(view)), "key": key})
        return
    print(key)
    terminal.note(f"Key {view.id} for {view.name}. Keep it: it can't be shown again.", style="dim")


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the keys, without the keys themselves."""
    views = _on_keys(lambda platform: platform.list_keys())
    if as_json:
        terminal.print_json({"items": decode(encode(views)), "next": None})
        return
    table = Listing(
        "id", "name", "tenant", "role", "begins with", "created", "revoked",
        spare=("begins with", "created", "tenant", "role"),
    )  # fmt: skip
    now = clock.now()
    for view in views:
        revoked = moment(view.revoked_at, now) if view.revoked_at else ""
        table.add_row(
            str(view.id), view.name, view.tenant, view.role, view.prefix, moment(view.created_at, now), revoked
        )
    terminal.answers().print(table)


@app.command()
def revoke(
    key: Annotated[UUID, typer.Argument(metavar="KEY-ID", help="As `perdure keys list` shows it.")],
) -> None:
    """Revoke a key for good: it opens nothing from then on."""
    view = _on_keys(lambda platform: platform.revoke_key(key))
    terminal.answers().print(f"{view.id} revoked")


def _on_keys(work: "Callable[[Platform], Awaitable[T]]") -> T:
    from perdure import wiring
    from perdure.runtime.errors import Refused

    chosen = exits.settings()

    async def opened() -> T:
        async with wiring.open_keys(chosen) as platform:
            return await work(platform)

    try:
        return serve(chosen, opened())
    except Refused as error:
        exits.fail(error.detail)
