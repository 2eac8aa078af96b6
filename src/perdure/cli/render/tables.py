"""Lists as tables."""

from collections.abc import Iterable
from datetime import datetime

from rich.text import Text

from perdure.cli.render import words
from perdure.cli.render.listing import Listing
from perdure.cli.render.times import between, duration, moment, parse
from perdure.client.models import HumanTask, Process, Schedule
from perdure.codec import encode

WHEN_CHARACTERS_MAX = 60


def processes(items: Iterable[Process], now: datetime, *, ascii_only: bool = False) -> Listing:
    table = Listing(
        "id", "definition", "status", "key", "created", "took", "waits for",
        spare=("created", "took", "key", "waits for"),
    )  # fmt: skip
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


def tasks(items: Iterable[HumanTask], now: datetime) -> Listing:
    table = Listing(
        "id", "title", "status", "for", "outcomes", "age", "due", spare=("age", "outcomes", "due", "for")
    )  # fmt: skip
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


def schedules(items: Iterable[Schedule], now: datetime) -> Listing:
    table = Listing("id", "definition", "kind", "when", "next", "last", spare=("last", "kind", "when"))
    for schedule in items:
        definition = schedule["definition"]
        expression, last = schedule["expression"], schedule["last"]
        when = expression if isinstance(expression, str) else encode(expression).decode()
        if schedule["kind"] == "cron" and schedule["timezone"] != "UTC":
            when += f" {schedule['timezone']}"
        following = "paused" if schedule["paused"] else _moment(schedule["next"], now)
        table.add_row(
            schedule["id"],
            f"{definition['namespace']}/{definition['name']}:{definition['version']}",
            schedule["kind"],
            Text(when if len(when) <= WHEN_CHARACTERS_MAX else when[: WHEN_CHARACTERS_MAX - 1] + "…"),
            Text(following, "yellow" if schedule["paused"] else ""),
            _moment(last["at"] if last else None, now),
        )
    return table


def _moment(text: str | None, now: datetime) -> str:
    return moment(parse(text), now) if text else ""


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
