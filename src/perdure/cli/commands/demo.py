"""`demo`: an order from its definition to its audit trail, before one's eyes."""

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from perdure.cli import exits, follow, terminal
from perdure.cli.approval import Approval
from perdure.cli.commands import processes
from perdure.cli.commands.serve import serve
from perdure.cli.render import words
from perdure.client import ApiError, AsyncClient
from perdure.client.models import ENDED, Process
from perdure.demo.memory import Memory

if TYPE_CHECKING:
    from perdure.demo.services import Shop
    from perdure.settings import Settings

DATA_DIR = Path(".perdure/demo")
PORT = 8080
MEMORY_FILE = "demo.json"


def demo(
    once: Annotated[
        bool, typer.Option("--once", help="End after the run; exit 0 only if the order completed.")
    ] = False,
    data_dir: Annotated[Path, typer.Option(help="Where the demo keeps its data.")] = DATA_DIR,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="Port of the platform; default: the one before, 8080, or a free one."),
    ] = None,
) -> None:
    """Fulfil an order, live: HTTP calls, a callback, your approval, a decision, an event, the audit trail.

    Brings its own platform and services. Kill it in the middle and start it again: the order goes on.
    """
    chosen = exits.settings()
    try:
        completed = serve(chosen, _demo(chosen, once=once, data_dir=data_dir, port=port))
    except ApiError as error:
        exits.fail(str(error))
    if not completed:
        raise typer.Exit(exits.FAILED)


async def _demo(settings: "Settings", *, once: bool, data_dir: Path, port: int | None) -> bool:
    """Whether the order was completed."""
    from perdure.demo import ports, services, stage

    console = terminal.answers()
    completed = False
    try:
        memory = Memory(data_dir / MEMORY_FILE)
        chosen = _port(memory, port)
        console.print("Starting the platform and the services it will call …", style="dim")
        # Services first: a process that goes on at once must find them.
        async with (
            services.shop(memory) as shop,
            stage.embedded(settings, port=chosen, data_dir=data_dir) as url,
            AsyncClient(url) as client,
        ):
            process = await _order(client, shop.urls, console)
            process = await _followed(client, process, by_person=not once and _at_terminal(), console=console)
            completed = process["status"] == "completed"
            await _summary(client, process, shop, console)
            _where_next(console, url, process, data_dir)
            if not once:
                console.print(Text("\nServing until you press Ctrl-C.", "bold"))
                await asyncio.Event().wait()
    except ports.PortTaken as error:
        exits.fail(
            f"The demo can't go on: {error}.",
            f"Is another demo running? Stop that program, or use another directory: --data-dir {data_dir}2",
        )
    except stage.Stopped:
        if not completed:
            console.print("\nStopped. Run the same command again, and the order goes on where it was.")
    return completed


def _port(memory: Memory, asked: int | None) -> int:
    """The port that was asked for, else the one before: callbacks under way know it."""
    from perdure.demo import ports

    if asked:
        ports.keep(memory, "platform", asked)
        return asked
    return ports.kept(memory, "platform", PORT if asked is None else None)


async def _order(client: AsyncClient, urls: dict[str, str], console: Console) -> Process:
    """The demo's unfinished order, or a new one."""
    from perdure.demo import order

    await client.deploy(order.source())
    console.print(f"Platform ready at {client.url}; services: {_listed(urls)}", style="dim", soft_wrap=True)
    filters = {"namespace": order.NAMESPACE, "name": order.NAME, f"tag.{order.TAG}": "order"}
    page = await client.processes(filters, limit=1)
    last = page["items"][0] if page["items"] else None
    if last is not None and last["status"] not in ENDED:
        terminal.heading(console, f"Order {last['key']} was not finished: it goes on where it was")
        return last
    number = ((order.number_of(last["key"]) if last else None) or order.FIRST_NUMBER - 1) + 1
    process = await client.start(
        order.NAMESPACE,
        order.NAME,
        input={"order": order.order(number), "services": urls},
        key=order.order_id(number),
        on_conflict="existing",
        tags={order.TAG: "order"},
    )
    terminal.heading(console, f"Order {process['key']}")
    return process


async def _followed(client: AsyncClient, process: Process, *, by_person: bool, console: Console) -> Process:
    """Show the process until it ends, while its human tasks are decided."""
    approval = Approval(client, process["id"], lambda line: console.print(line, style="bold"))
    deciding = asyncio.create_task(approval.by_person() if by_person else approval.by_itself())
    following = asyncio.create_task(follow.until_ended(client, process, console=console, footer=approval.footer))
    try:
        await asyncio.wait([deciding, following], return_when=asyncio.FIRST_COMPLETED)
        if deciding.done():
            deciding.result()
        return await following
    finally:
        for task in (deciding, following):
            task.cancel()
        await asyncio.gather(deciding, following, return_exceptions=True)


async def _summary(client: AsyncClient, process: Process, shop: "Shop", console: Console) -> None:
    """What came of it, what the services saw, and the audit trail."""
    if process["error"] is None:
        console.print("Output:", style="dim")
        terminal.print_json(process["output"])
    else:
        console.print(words.error(process["error"]), style="red")
    terminal.heading(console, "What the services were asked in this run")
    console.print(_calls(shop))
    terminal.heading(console, "Audit trail")
    await processes.print_history(client, process["id"])


def _calls(shop: "Shop") -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="dim", show_edge=False)
    for column in ("service", "request", "answer", "idempotency key"):
        table.add_column(column)
    for service in (shop.warehouse, shop.payments, shop.messages):
        for call in service.calls:
            answer = f"{call.status}" + (", as before" if call.repeat else "")
            key = f"…{call.key[-17:]}" if call.key else "none"
            table.add_row(call.service, f"{call.method} {call.path}", answer, key)
    return table


def _where_next(console: Console, url: str, process: Process, data_dir: Path) -> None:
    from perdure.demo.stage import LOG_FILE

    terminal.heading(console, "Where to look next")
    prefix = "" if url == f"http://127.0.0.1:{PORT}" else f"PERDURE_API_URL={url} "
    rows = (
        ("The tree again", f"{prefix}perdure show {process['id']}"),
        ("The audit trail as JSON", f"{prefix}perdure history {process['id']} --json"),
        ("All processes", f"{prefix}perdure ps"),
        ("The HTTP API", f"{url}/docs"),
        ("The definition", f"{url}/v1/definitions/shop/order-fulfilment/latest"),
        ("What the platform logged", str(data_dir / LOG_FILE)),
    )
    for what, where in rows:
        console.print(Text(f"{what:<26}", "dim") + Text(where, "not dim"), soft_wrap=True)


def _at_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


def _listed(urls: dict[str, str]) -> str:
    return ", ".join(f"{name} {url}" for name, url in urls.items())
