"""`tasks`, `complete`, `emit`: answers from people and events from elsewhere."""

from typing import Annotated

import typer

from perdure import clock
from perdure.cli import exits, terminal, values
from perdure.cli.commands.processes import AsJson
from perdure.cli.render import tables
from perdure.client import AsyncClient

Data = Annotated[values.Given | None, typer.Option("--data", "-d", parser=values.json_value, metavar="JSON|@FILE")]

SOURCE = "/perdure/cli"
"""Where events of this program come from unless said otherwise (CloudEvents: a URI reference)."""


def tasks(
    status: Annotated[str | None, typer.Option("--status", "-s", help="open, claimed, completed, cancelled.")] = None,
    assignee: Annotated[str | None, typer.Option(help="Tasks of this person.")] = None,
    group: Annotated[str | None, typer.Option(help="Tasks that this group may decide.")] = None,
    process: Annotated[str | None, typer.Option(metavar="ID", help="Tasks of this process.")] = None,
    every: Annotated[bool, typer.Option("--all", "-a", help="Those already decided, too.")] = False,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=500)] = 50,
    cursor: Annotated[str | None, typer.Option(help="Where the page before this one ended.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the tasks that wait for people."""
    chosen = {"status": status, "assignee": assignee, "group": group, "process": process}
    filters = {name: value for name, value in chosen.items() if value is not None}

    async def work(client: AsyncClient) -> None:
        page = await client.tasks(filters, limit=limit, cursor=cursor)
        if as_json:
            terminal.print_json(page)
            return
        undecided = every or status is not None
        items = [task for task in page["items"] if undecided or task["status"] in {"open", "claimed"}]
        if not items:
            terminal.note("No tasks wait for a person.")
        else:
            terminal.answers().print(tables.tasks(items, clock.now()))
        if page["next"]:
            terminal.note(f"More: --cursor {page['next']}", style="dim")

    exits.call(work)


def complete(
    task: Annotated[str, typer.Argument(parser=values.id_, metavar="TASK-ID", help="As `perdure tasks` lists it.")],
    outcome: Annotated[str, typer.Option("--outcome", "-o", help="One of the task's outcomes, such as approved.")],
    comment: Annotated[str | None, typer.Option("--comment", "-c")] = None,
    data: Data = None,
    user: Annotated[str | None, typer.Option("--user", "-u", help="The person who decides; default: you.")] = None,
    as_json: AsJson = False,
) -> None:
    """Record a person's decision."""
    decided = exits.call(
        lambda client: client.complete(task, outcome, comment=comment, data=data and data.value, user=user)
    )
    if as_json:
        terminal.print_json(decided)
    else:
        terminal.answers().print(f"{decided['id']} {decided['outcome']}")


def emit(
    event_type: Annotated[str, typer.Argument(metavar="TYPE", help="The CloudEvent's type.")],
    data: Data = None,
    source: Annotated[str, typer.Option(help="Where it comes from, a URI reference.")] = SOURCE,
    id_: Annotated[str | None, typer.Option("--id", help="A repeat of the same source and id changes nothing.")] = None,
    subject: Annotated[str | None, typer.Option()] = None,
) -> None:
    """Send a CloudEvent to the processes that listen for it. Prints its id."""
    terminal.answers().print(
        exits.call(
            lambda client: client.emit(event_type, data and data.value, source=source, event_id=id_, subject=subject)
        )
    )
