"""Statuses, reasons and errors in words and signs."""

from datetime import datetime, timedelta

from rich.text import Text

from perdure.cli.render.times import duration, moment, parse
from perdure.client.models import Error, Json, Waiting
from perdure.codec import encode

SIGNS = {
    "pending": ("·", ".", "dim"),
    "running": ("●", "*", "bold blue"),
    "waiting": ("◷", "~", "yellow"),
    "suspended": ("‖", "=", "magenta"),
    "completed": ("✓", "+", "green"),
    "skipped": ("–", "-", "dim"),
    "cancelled": ("⊘", "/", "dim yellow"),
    "faulted": ("✗", "x", "bold red"),
}
"""Per status its sign, the sign in ASCII, and its style."""

PROGRESS_CHARACTERS_MAX = 100

SHORT = timedelta(seconds=1)
"""Who has waited less has only begun to."""

REASONS = {
    "call": "an answer",
    "timer": "time",
    "event": "an event",
    "human-task": "a person",
    "callback": "its callback",
    "child": "a child process",
    "job": "an external worker",
    "step": "its turn",
}


def sign(status: str, ascii_only: bool = False) -> Text:
    fancy, plain, style = SIGNS.get(status, ("?", "?", ""))
    return Text(plain if ascii_only else fancy, style)


def style(status: str) -> str:
    return SIGNS.get(status, ("", "", ""))[2]


def waiting(what: Waiting, now: datetime) -> str:
    """What is waited for, how long it has been and until when: ``waits for its callback since 12 s``."""
    until = parse(what["until"]) if what.get("until") else None  # type: ignore[arg-type]
    since = _since(now - parse(what["since"]))
    left = duration(until - now) if until else ""
    if what["reason"] == "retry":
        return f"tries again in {left}" if left else "tries again now"
    if what["reason"] == "timer" and until:
        return f"waits{since}, {left} to go, until {moment(until, now)}" if left else "waited, and is due"
    words = f"waits for {REASONS.get(what['reason'], what['reason'])}{since}"
    return f"{words}, until {moment(until, now)}" if until else words


def progress(what: Json) -> str:
    """What a worker has reported, on one line: text as it is, the members of an object side by side."""
    if isinstance(what, dict):
        text = ", ".join(f"{name} {_flat(value)}" for name, value in what.items())
    else:
        text = _flat(what)
    flat = " ".join(text.split())
    return flat if len(flat) <= PROGRESS_CHARACTERS_MAX else flat[: PROGRESS_CHARACTERS_MAX - 1] + "…"


def _flat(value: Json) -> str:
    return value if isinstance(value, str) else encode(value).decode()


def _since(length: timedelta) -> str:
    return f" since {duration(length)}" if length >= SHORT else ""


def error(what: Error) -> str:
    """One line: the kind, the status and the most telling words of an error."""
    kind = (what.get("type") or "error").rsplit("/", 1)[-1]
    said = what.get("detail") or what.get("title") or ""
    status = what.get("status")
    head = f"{kind} {status}" if status else kind
    return f"{head}: {said}" if said else head
