"""The tree of a process's activities, as lines.

Activities are nested by parent; the children of a loop are grouped by iteration. Long loops are
collapsed to their first and last iterations and to those that still live or have failed.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from rich.text import Text

from perdure.cli.render import words
from perdure.cli.render.times import between
from perdure.client.models import ENDED, Activity, Process, Waiting

ITERATIONS_WHOLE_MAX = 8
"""Loops up to this length are shown whole."""
ITERATIONS_SHOWN = 3
"""Of longer ones this many at the start and at the end,"""
NOTABLE_SHOWN_MAX = 3
"""and this many more of those in between that still live or have failed."""
DETAIL_CHARACTERS_MAX = 300


@dataclass(slots=True)
class Node:
    """A line and what hangs below it."""

    label: Text
    children: list["Node"] = field(default_factory=list)


@dataclass(slots=True)
class _View:
    children: dict[str | None, list[Activity]]
    waiting: dict[str, list[Waiting]]
    now: datetime
    ascii_only: bool


def lines(process: Process, activities: Iterable[Activity], now: datetime, *, ascii_only: bool = False) -> list[Text]:
    """The process and its activities, one line each."""
    view = _View(_by_parent(activities), _by_activity(process["waitingFor"]), now, ascii_only)
    shown = [_process_line(process, now, ascii_only)]
    _draw(_nodes(view, None, depth=0, loop=False), Text(" "), shown, ascii_only)
    return shown


def fit(shown: Sequence[Text], height: int) -> list[Text]:
    """At most `height` lines: the first, then the last ones, for a tree that is taller than its window."""
    if len(shown) <= height or height < 3:
        return list(shown)
    hidden = len(shown) - height + 1
    return [shown[0], Text(f"   … {hidden:,} lines above", "dim"), *shown[hidden + 1 :]]


def _process_line(process: Process, now: datetime, ascii_only: bool) -> Text:
    definition = process["definition"]
    line = words.sign(process["status"], ascii_only)
    line.append(f" {definition['namespace']}/{definition['name']}", "bold not dim")
    line.append(f":{definition['version']} ", "not bold dim")
    line.append(process["status"], words.style(process["status"]))
    line.append(_spaced(between(process["createdAt"], process["endedAt"], now)), "not bold not dim cyan")
    if process["key"]:
        line.append(f"  key {process['key']}", "not bold dim")
    return line


def _by_parent(activities: Iterable[Activity]) -> dict[str | None, list[Activity]]:
    known: dict[str | None, list[Activity]] = {}
    listed = list(activities)
    ids = {activity["id"] for activity in listed}
    for activity in listed:
        parent = activity["parent"] if activity["parent"] in ids else None
        known.setdefault(parent, []).append(activity)
    return known


def _by_activity(waits: Iterable[Waiting]) -> dict[str, list[Waiting]]:
    known: dict[str, list[Waiting]] = {}
    for wait in waits:
        known.setdefault(wait["activity"], []).append(wait)
    return known


def _nodes(view: _View, parent: str | None, depth: int, loop: bool) -> list[Node]:
    """The children of one activity. `depth` is how many loops enclose it, its own included."""
    children = view.children.get(parent, [])
    if not loop:
        return [_node(view, child, depth) for child in children]
    iterations: dict[int, list[Activity]] = {}
    for child in children:
        index = child["iteration"][depth - 1] if len(child["iteration"]) >= depth else 0
        iterations.setdefault(index, []).append(child)
    return _iterations(view, iterations, depth)


def _node(view: _View, activity: Activity, depth: int) -> Node:
    label = _label(view, activity)
    inner = _inner_depth(view, activity, depth)
    return Node(label, _nodes(view, activity["id"], inner, loop=inner > depth))


def _inner_depth(view: _View, activity: Activity, depth: int) -> int:
    """A loop (``for``, or ``listen`` with ``foreach``) gives its children one index more than it has."""
    children = view.children.get(activity["id"], [])
    return depth + 1 if any(len(child["iteration"]) > depth for child in children) else depth


def _iterations(view: _View, iterations: dict[int, list[Activity]], depth: int) -> list[Node]:
    order = sorted(iterations)
    shown = _shown(view, iterations, order)
    nodes: list[Node] = []
    hidden: list[int] = []
    for index in order:
        if index not in shown:
            hidden.append(index)
            continue
        if hidden:
            nodes.append(_more(iterations, hidden))
            hidden = []
        nodes.append(_iteration(view, index, iterations[index], depth))
    return nodes


def _iteration(view: _View, index: int, activities: list[Activity], depth: int) -> Node:
    """One line for a body of one task, a line with the tasks below it for a longer one."""
    number = Text(f"[{index}] ", "dim")
    nodes = [_node(view, activity, depth) for activity in activities]
    if len(nodes) == 1:
        nodes[0].label = number + nodes[0].label
        return nodes[0]
    return Node(number, nodes)


def _shown(view: _View, iterations: dict[int, list[Activity]], order: list[int]) -> set[int]:
    if len(order) <= ITERATIONS_WHOLE_MAX:
        return set(order)
    notable = [
        index
        for index in order[ITERATIONS_SHOWN:-ITERATIONS_SHOWN]
        if any(a["status"] == "faulted" or a["status"] not in ENDED for a in iterations[index])
    ]
    return {*order[:ITERATIONS_SHOWN], *order[-ITERATIONS_SHOWN:], *notable[:NOTABLE_SHOWN_MAX]}


def _more(iterations: dict[int, list[Activity]], hidden: list[int]) -> Node:
    statuses = Counter(activity["status"] for index in hidden for activity in iterations[index])
    odd = ", ".join(f"{count:,} {status}" for status, count in statuses.items() if status != "completed")
    return Node(Text(f"… {len(hidden):,} more" + (f" ({odd})" if odd else ""), "dim"))


def _label(view: _View, activity: Activity) -> Text:
    """``✓ reserve  http  attempt 2  0.8 s`` and what it waits for, or why it failed."""
    status = activity["status"]
    label = words.sign(status, view.ascii_only)
    label.append(f" {activity['name']}", "not bold not dim" if status not in {"skipped", "pending"} else "")
    label.append(f"  {activity['kind']}", "not bold dim cyan")
    if activity["attempt"] > 1:
        label.append(f"  attempt {activity['attempt']}", "not bold not dim yellow")
    label.append(_spaced(between(activity["startedAt"], activity["endedAt"], view.now)), "not bold dim")
    for wait in view.waiting.get(activity["id"], []) if status not in ENDED else []:
        label.append(f"  {words.waiting(wait, view.now)}", "not bold not dim yellow")
    if activity.get("progress") is not None and status not in ENDED:
        label.append(f"  {words.progress(activity['progress'])}", "not bold not dim blue")
    if activity["error"] is not None and (status == "faulted" or status not in ENDED):
        label.append(f"  {_clipped(words.error(activity['error']))}", "not bold not dim red")
    if status in {"skipped", "cancelled", "suspended"}:
        label.append(f"  {status}", "not bold dim")
    return label


def _draw(nodes: Sequence[Node], indent: Text, into: list[Text], ascii_only: bool) -> None:
    branch, last, bar = ("|- ", "`- ", "|  ") if ascii_only else ("├─ ", "└─ ", "│  ")
    for position, node in enumerate(nodes):
        final = position == len(nodes) - 1
        into.append(indent + Text(last if final else branch, "dim") + node.label)
        _draw(node.children, indent + Text("   " if final else bar, "dim"), into, ascii_only)


def _spaced(text: str) -> str:
    return f"  {text}" if text else ""


def _clipped(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= DETAIL_CHARACTERS_MAX else flat[: DETAIL_CHARACTERS_MAX - 1] + "…"
