"""`start`, `ps`, `show`, `history`, `suspend`, `resume`, `cancel`, `retry`: processes and what becomes of them."""

from typing import Annotated, cast

import typer

from perdure import clock
from perdure.cli import exits, follow, terminal, values
from perdure.cli.render import history as trail
from perdure.cli.render import tables, words
from perdure.client import AsyncClient
from perdure.client.models import ENDED, Command, OnConflict, Process

Id = Annotated[str, typer.Argument(parser=values.id_, metavar="ID", help="As `perdure ps` shows it.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the API's JSON.")]
Reason = Annotated[str | None, typer.Option(help="Why; the history keeps it.")]


def start(
    definition: Annotated[
        values.Definition,
        typer.Argument(parser=values.definition, metavar="NAMESPACE/NAME[:VERSION]", help="What to run."),
    ],
    input_: Annotated[
        values.Given | None,
        typer.Option("--input", "-i", parser=values.json_value, metavar="JSON|@FILE", help="The input; {} if none."),
    ] = None,
    key: Annotated[str | None, typer.Option("--key", "-k", help="Your own key for it, to find it by.")] = None,
    on_conflict: Annotated[
        str | None,
        typer.Option(
            metavar="allow|existing|reject",
            help="If an unfinished one has the same name and key: start another, answer that one, or refuse.",
        ),
    ] = None,
    tag: Annotated[list[str] | None, typer.Option(metavar="NAME=VALUE", help="A tag; may be repeated.")] = None,
    idempotency_key: Annotated[
        str | None, typer.Option(help="A repeat with the same key answers the first process.")
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", "-w", help="Follow it live; exit 0 only if it completes.")] = False,
    as_json: AsJson = False,
) -> None:
    """Start a process. Prints its id, or with --wait its progress and its output."""
    tags = values.pairs(tag or [])

    async def work(client: AsyncClient) -> bool:
        process = await client.start(
            *definition,
            input={} if input_ is None else input_.value,
            key=key,
            on_conflict=cast(OnConflict | None, on_conflict),
            tags=tags,
            idempotency_key=idempotency_key,
        )
        if not wait:
            _print_started(process, as_json)
            return True
        if as_json:
            process = await client.ended(process["id"])
            terminal.print_json(process)
        else:
            terminal.note(f"Process {process['id']}", style="dim")
            process = await _followed(client, process)
        return process["status"] == "completed"

    if not exits.call(work):
        raise typer.Exit(exits.FAILED)


def ps(
    status: Annotated[str | None, typer.Option("--status", "-s", help="running, waiting, faulted, …")] = None,
    namespace: Annotated[str | None, typer.Option()] = None,
    name: Annotated[str | None, typer.Option(help="Name of the definition.")] = None,
    version: Annotated[str | None, typer.Option()] = None,
    key: Annotated[str | None, typer.Option("--key", "-k")] = None,
    parent: Annotated[str | None, typer.Option(help="Id of the process that started it.")] = None,
    tag: Annotated[list[str] | None, typer.Option(metavar="NAME=VALUE", help="May be repeated.")] = None,
    created_after: Annotated[str | None, typer.Option(metavar="TIME", help="RFC 3339.")] = None,
    created_before: Annotated[str | None, typer.Option(metavar="TIME", help="RFC 3339.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=500)] = 50,
    cursor: Annotated[str | None, typer.Option(help="Where the page before this one ended.")] = None,
    as_json: AsJson = False,
) -> None:
    """List processes, newest first."""
    chosen = {
        "status": status,
        "namespace": namespace,
        "name": name,
        "version": version,
        "key": key,
        "parent": parent,
        "createdAfter": created_after,
        "createdBefore": created_before,
    }
    filters = {name: value for name, value in chosen.items() if value is not None}
    filters |= {f"tag.{name}": value for name, value in values.pairs(tag or []).items()}

    async def work(client: AsyncClient) -> None:
        page = await client.processes(filters, limit=limit, cursor=cursor)
        if as_json:
            terminal.print_json(page)
            return
        console = terminal.answers()
        if not page["items"]:
            terminal.note("No processes" + (" like that." if filters else " yet. Start one with `perdure start`."))
            return
        console.print(tables.processes(page["items"], clock.now(), ascii_only=terminal.ascii_only(console)))
        if page["next"]:
            terminal.note(f"More: --cursor {page['next']}", style="dim")

    exits.call(work)


def show(
    process: Id,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Follow it until it ends.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show a process as the tree of its activities: state, attempts, times, and what each waits for."""

    async def work(client: AsyncClient) -> None:
        found = await client.process(process)
        if watch and not as_json:
            await _followed(client, found)
            return
        if watch:
            found = await client.ended(process)
        if as_json:
            terminal.print_json({**found, "activities": await client.all_activities(process)})
            return
        await follow.show(client, found)
        if found["status"] in ENDED:
            print_end(found)

    exits.call(work)


def history(
    process: Id,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Go on until the process ends.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show a process's audit trail: what happened, when, and by whom."""

    async def work(client: AsyncClient) -> None:
        if as_json and not watch:
            terminal.print_json({"items": await client.all_history(process), "next": None})
            return
        await print_history(client, process, watch=watch, as_json=as_json)

    exits.call(work)


def suspend(process: Id, reason: Reason = None, as_json: AsJson = False) -> None:
    """Suspend a process: what arrives is recorded, nothing new begins."""
    _command(process, "suspend", reason, as_json)


def resume(process: Id, reason: Reason = None, as_json: AsJson = False) -> None:
    """Let a suspended process go on."""
    _command(process, "resume", reason, as_json)


def cancel(process: Id, reason: Reason = None, as_json: AsJson = False) -> None:
    """Cancel a process with everything it waits for."""
    _command(process, "cancel", reason, as_json)


def retry(process: Id, reason: Reason = None, as_json: AsJson = False) -> None:
    """Let a faulted process try again from the activity that faulted."""
    _command(process, "retry", reason, as_json)


def print_end(process: Process) -> None:
    """Why a process faulted, or what it gave."""
    if process["error"] is not None:
        terminal.failure(words.error(process["error"]))
        if process["error"].get("instance"):
            terminal.note(f"  at {process['error']['instance']}")
    elif process["status"] == "completed":
        terminal.note("Output:", style="dim")
        terminal.print_json(process["output"])


async def print_history(client: AsyncClient, process: str, *, watch: bool = False, as_json: bool = False) -> None:
    """The audit trail, an entry a line, live with `watch`."""
    console = terminal.answers()
    names = _Names(client, process)
    async for entry in client.follow_history(process) if watch else client.each_history(process):
        if as_json:
            terminal.print_json(entry)
        else:
            console.print(trail.line(entry, await names.of(entry["activity"])), soft_wrap=True)


class _Names:
    """What activities are called, read page by page as they are asked for, no page much more than once."""

    def __init__(self, client: AsyncClient, process: str) -> None:
        self._client = client
        self._process = process
        self._cursor: str | None = None
        self._known: dict[str, str] = {}

    async def of(self, activity: str | None) -> str:
        """The activity's name; empty where there is none."""
        while activity is not None and activity not in self._known:
            page = await self._client.activities(self._process, cursor=self._cursor)
            self._known |= {found["id"]: trail.name(found) for found in page["items"]}
            if page["next"] is None:
                break
            self._cursor = page["next"]
        return self._known.get(activity or "", "")


async def _followed(client: AsyncClient, process: Process) -> Process:
    process = await follow.until_ended(client, process)
    print_end(process)
    return process


def _print_started(process: Process, as_json: bool) -> None:
    if as_json:
        terminal.print_json(process)
        return
    terminal.answers().print(process["id"])
    if terminal.answers().is_terminal:
        terminal.note(f"Follow it with `perdure show {process['id']} --watch`.", style="dim")


def _command(process: str, command: Command, reason: str | None, as_json: bool) -> None:
    changed = exits.call(lambda client: client.command(process, command, reason))
    if as_json:
        terminal.print_json(changed)
    else:
        terminal.answers().print(f"{changed['id']} {changed['status']}")
