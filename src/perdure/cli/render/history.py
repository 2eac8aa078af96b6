"""The audit trail, a line per entry."""

from datetime import datetime
from typing import cast

from rich.text import Text

from perdure.cli.render import words
from perdure.cli.render.times import parse
from perdure.client.models import Activity, Error, HistoryEntry, Json
from perdure.codec import encode

TYPE_COLUMNS = 20
NAME_COLUMNS = 20
DETAIL_CHARACTERS_MAX = 140

_LEFT_OUT = frozenset({"name", "workflow", "task", "definition", "idempotencyKey", "requestDigest"})
"""Fields that the line says already, as those that end in ``At``, or that are for programs to compare."""

_STYLES = {
    "completed": "green",
    "faulted": "bold red",
    "cancelled": "yellow",
    "retried": "yellow",
    "refused": "yellow",
    "suspended": "magenta",
}


def name(activity: Activity) -> str:
    """What an activity is called in the trail: its task's name and the loop indices it ran at."""
    return activity["name"] + "".join(f"[{index}]" for index in activity["iteration"])


def line(entry: HistoryEntry, subject: str) -> Text:
    """``  12  14:03:22.123  task completed  reserve  by perdure``, then what the entry says.

    `subject` is the name of its activity.
    """
    kind = short_type(entry["type"])
    text = Text(f"{entry['sequence']:>5}  ", "dim")
    text.append(clock_time(parse(entry["at"])), "cyan")
    text.append(f"  {kind:<{TYPE_COLUMNS}}", _STYLES.get(kind.rsplit(" ", 1)[-1], "not dim"))
    text.append(f"  {subject:<{NAME_COLUMNS}}", "not dim bold")
    text.append(f"  {entry['actor']}", "not dim")
    detail = _detail(entry["data"])
    if detail:
        text.append(f"  {detail}", "dim")
    return text


def short_type(event_type: str) -> str:
    """``io.serverlessworkflow.task.completed.v1`` is ``task completed``."""
    parts = event_type.removeprefix("io.serverlessworkflow.").removeprefix("dev.perdure.").split(".")
    if len(parts) > 1 and parts[-1][:1] == "v" and parts[-1][1:].isdigit():
        parts.pop()
    return " ".join(parts)


def clock_time(at: datetime) -> str:
    """Time of day in the reader's time zone, to the millisecond."""
    local = at.astimezone()
    return f"{local:%H:%M:%S}.{local.microsecond // 1000:03d}"


def _detail(data: Json) -> str:
    if not data:
        return ""
    if not isinstance(data, dict):
        return _clipped(encode(data).decode())
    parts = [
        words.error(cast(Error, value)) if key == "error" and isinstance(value, dict) else f"{key} {_scalar(value)}"
        for key, value in data.items()
        if value is not None and key not in _LEFT_OUT and not key.endswith("At")
    ]
    return _clipped(", ".join(parts))


def _scalar(value: Json) -> str:
    if isinstance(value, dict) and isinstance(value.get("type"), str):
        return str(value["type"])
    return value if isinstance(value, str) else encode(value).decode()


def _clipped(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= DETAIL_CHARACTERS_MAX else flat[: DETAIL_CHARACTERS_MAX - 1] + "…"
