"""`schedules` and `schedule pause|resume|trigger|backfill`: processes that start by themselves."""

from typing import Annotated

import typer

from perdure import clock
from perdure.cli import exits, terminal, values
from perdure.cli.commands.processes import AsJson, Reason
from perdure.cli.render import tables
from perdure.client import AsyncClient
from perdure.client.models import Schedule

Id = Annotated[str, typer.Argument(metavar="ID", help="As `perdure schedules` lists it.")]

app = typer.Typer(help="Pause, resume, trigger or backfill a schedule.", no_args_is_help=True)


def schedules(
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=500)] = 50,
    cursor: Annotated[str | None, typer.Option(help="Where the page before this one ended.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the schedules that act."""

    async def work(client: AsyncClient) -> None:
        page = await client.schedules(limit=limit, cursor=cursor)
        if as_json:
            terminal.print_json(page)
            return
        if not page["items"]:
            terminal.note("No schedules. A definition has one under `schedule`.")
        else:
            terminal.answers().print(tables.schedules(page["items"], clock.now()))
        if page["next"]:
            terminal.note(f"More: --cursor {page['next']}", style="dim")

    exits.call(work)


@app.command()
def pause(schedule: Id, reason: Reason = None, as_json: AsJson = False) -> None:
    """Start nothing until it is resumed."""
    _print(exits.call(lambda client: client.pause_schedule(schedule, reason)), as_json)


@app.command()
def resume(schedule: Id, reason: Reason = None, as_json: AsJson = False) -> None:
    """Go on with the next tick from now."""
    _print(exits.call(lambda client: client.resume_schedule(schedule, reason)), as_json)


@app.command()
def trigger(
    schedule: Id,
    input_: Annotated[
        values.Given | None,
        typer.Option("--input", "-i", parser=values.json_value, metavar="JSON|@FILE", help="The input, if not {}."),
    ] = None,
    reason: Reason = None,
    as_json: AsJson = False,
) -> None:
    """Start a process now. Prints its id."""
    given = {} if input_ is None else {"input": input_.value}
    process = exits.call(lambda client: client.trigger_schedule(schedule, reason=reason, **given))
    if as_json:
        terminal.print_json(process)
    else:
        terminal.answers().print(process["id"])


@app.command()
def backfill(
    schedule: Id,
    first: Annotated[str, typer.Option("--from", metavar="TIME", help="RFC 3339, such as 2026-11-01T00:00:00Z.")],
    last: Annotated[str, typer.Option("--to", metavar="TIME", help="RFC 3339; not in the future.")],
    reason: Reason = None,
    as_json: AsJson = False,
) -> None:
    """Start a process for each tick of a past range that has started none."""
    made = exits.call(lambda client: client.backfill_schedule(schedule, first, last, reason))
    if as_json:
        terminal.print_json(made)
    else:
        already = f", {made['already']} had run already" if made["already"] else ""
        terminal.answers().print(f"started {made['started']}{already}")


def _print(schedule: Schedule, as_json: bool) -> None:
    if as_json:
        terminal.print_json(schedule)
    else:
        terminal.answers().print(f"{schedule['id']} {'paused' if schedule['paused'] else 'running'}")
