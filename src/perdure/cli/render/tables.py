"""Lists as tables."""

from collections.abc import Iterable
from datetime import datetime

from rich import box
from rich.table import Table
from rich.text import Text

from perdure.cli.render import words
from perdure.cli.render.times import between, duration, moment, parse
from perdure.client.models import HumanTask, Process


def processes(items: Iterable[Process], now: datetime, *, ascii_only: bool = False) -> Table:
    table = _table("id", "definition", "status", "key", "created", "took", "waits for")
    for process in items:
        definition = process["definition"]
        status = words.sign(process["status"], ascii_only).append(f" {process['status']}")
        table.add_row(
            process["id"],
            f"{definition['namespace']}/{definition['name']}:{definition['version']}",
            status,
            process["key"] or "",
            moment(parse(process["createdAt"]), now),
            between(process["createdAt"], process["endedAt"], now),
            _waits(process, now),
        )
    return table


def tasks(items: Iterable[HumanTask], now: datetime) -> Table:
    table = _table("id", "title", "status", "for", "outcomes", "age", "due")
    for task in items:
        table.add_row(
            task["id"],
            Text(task["title"]),
            task["outcome"] or task["status"],
            Text(_who(task)),
            Text(", ".join(task["outcomes"])),
            duration(now - parse(task["createdAt"])),
            _due(task, now),
        )
    return table


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="dim", show_edge=False)
    for column in columns:
        table.add_column(column, no_wrap=column in {"id", "status", "took", "age"}, overflow="fold")
    return table


def _waits(process: Process, now: datetime) -> Text:
    """The first thing waited for, by the name of its task, and how many more there are."""
    waits = process["waitingFor"]
    if not waits or process["endedAt"]:
        return Text("")
    name = waits[0]["reference"].rsplit("/", 1)[-1]
    more = f" (+{len(waits) - 1})" if len(waits) > 1 else ""
    return Text(f"{name} {words.waiting(waits[0], now)}{more}")


def _who(task: HumanTask) -> str:
    if task["assignee"]:
        return task["assignee"]
    return ", ".join(task["candidateGroups"]) or "anyone"


def _due(task: HumanTask, now: datetime) -> Text:
    if not task["due"]:
        return Text("")
    due = parse(task["due"])
    late = due < now and task["status"] in {"open", "claimed"}
    return Text(moment(due, now) + (" overdue" if late else ""), "red" if late else "")
