"""What the audit trail alone says about a process: folding it must give what is stored.

Of statuses that an activity or process passes through on its way (``pending``, ``running``, ``waiting``) the trail
tells only that it has not ended: ``live``.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

WORKFLOW = "io.serverlessworkflow.workflow."
TASK = "io.serverlessworkflow.task."
OWN = "dev.perdure."

STATUSES = {
    "created": "live",
    "started": "live",
    "resumed": "live",
    "retried": "live",
    "skipped": "skipped",
    "suspended": "suspended",
    "cancelled": "cancelled",
    "faulted": "faulted",
    "completed": "completed",
}
ENDED = frozenset({"skipped", "cancelled", "faulted", "completed"})


class Entry(Protocol):
    """A line of the trail, however it was read."""

    @property
    def at(self) -> datetime: ...
    @property
    def type(self) -> str: ...
    @property
    def activity(self) -> UUID | None: ...
    @property
    def data(self) -> Any: ...


@dataclass
class Folded:
    """A process or an activity. `error` is the type and status of what it faulted with."""

    status: str = "live"
    attempt: int = 1
    reference: str | None = None
    ended_at: datetime | None = None
    error: tuple[str, int] | None = None

    def take(self, verb: str, entry: Entry) -> None:
        self.status = STATUSES[verb]
        self.ended_at = entry.at if self.status in ENDED else None
        error = entry.data["error"] if self.status == "faulted" else None
        self.error = None if error is None else (error["type"], error["status"])


@dataclass
class Trail:
    """Where a process and its activities stand after the entries folded so far."""

    process: Folded = field(default_factory=Folded)
    activities: dict[UUID, Folded] = field(default_factory=dict)

    def fold(self, entries: Iterable[Entry]) -> "Trail":
        """Take the entries that follow, in their order."""
        for entry in entries:
            verb = _verb(entry.type)
            if verb is None:
                continue
            if entry.activity is None:
                self.process.take(verb, entry)
            else:
                self._take(entry.activity, verb, entry)
        return self

    def _take(self, id_: UUID, verb: str, entry: Entry) -> None:
        known = self.activities.get(id_)
        if known is None:
            # An iteration that no attempt before has reached begins with the attempt that reaches it.
            assert verb in ("created", "retried"), f"not created: {entry}"
            known = self.activities[id_] = Folded(reference=entry.data["task"])
        else:
            assert verb != "created", f"created twice: {entry}"
        known.attempt = entry.data.get("attempt", 1)
        known.take(verb, entry)


def stored(
    status: str, attempt: int, reference: str | None, ended_at: datetime | None, error: tuple[str, int] | None
) -> Folded:
    """What is stored, in the same terms."""
    told = "live" if status in ("pending", "running", "waiting") else status
    return Folded(told, attempt, reference, ended_at, error)


def _verb(type_: str) -> str | None:
    """What happened to the process or the activity itself; None for all else that the trail tells."""
    for prefix in (WORKFLOW, TASK):
        if type_.startswith(prefix):
            verb = type_.removeprefix(prefix).removesuffix(".v1")
            return verb if verb in STATUSES else None
    return {OWN + "process.retried": "retried", OWN + "task.skipped": "skipped"}.get(type_)
