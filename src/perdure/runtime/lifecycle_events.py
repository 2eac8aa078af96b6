"""Lines of the audit trail as the DSL's lifecycle CloudEvents (DSL reference, "Lifecycle Events"). Pure.

The id is the process's and the line's sequence number, so that a repeat is known as one.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from uuid import UUID

from perdure.codec import Json
from perdure.engine.dataflow import text_of
from perdure.engine.draft import TASK, WORKFLOW
from perdure.store.lifecycle import Owed, Telling
from perdure.store.records import HistoryRecord

STATUS_CHANGED = "status-changed.v1"
COMPLETED = (WORKFLOW + "completed.v1", TASK + "completed.v1")

_TIMES = {
    "correlation-started": "startedAt",
    "correlation-completed": "completedAt",
    **{name: f"{name}At" for name in ("started", "suspended", "resumed", "cancelled", "faulted", "completed")},
    **{name: f"{name}At" for name in ("created", "retried")},
}
"""The member that says when, by the event's name."""

_STATUSES = {
    "created": "pending",
    "started": "running",
    "suspended": "suspended",
    "resumed": "running",
    "retried": "pending",
    "cancelled": "cancelled",
    "faulted": "faulted",
    "completed": "completed",
}
"""The status phase that a task's lifecycle event leads to."""


class Line(NamedTuple):
    """An event to be made: its type is known before the rest of it is needed."""

    type: str
    id: str
    entry: HistoryRecord
    status: str | None
    """For status-changed events, which have no line of their own."""

    @property
    def wants_output(self) -> bool:
        return self.status is None and self.type in COMPLETED


def lines(owed: Owed, entries: list[HistoryRecord], telling: Telling) -> Iterator[Line]:
    """The events of a step in order. A change of the process's status comes last, one of a task after its cause."""
    last = None
    for entry in entries:
        if not telling.wants(entry.type):
            continue
        last = entry
        id_ = f"{owed.process}/{entry.sequence}"
        yield Line(entry.type, id_, entry, None)
        if entry.type.startswith(TASK):
            status = _STATUSES.get(_name(entry.type))
            if status is not None:
                yield Line(TASK + STATUS_CHANGED, f"{id_}/status", entry, status)
    if last is not None and owed.status is not None:
        yield Line(WORKFLOW + STATUS_CHANGED, f"{owed.process}/{last.sequence}/process-status", last, owed.status)


def cloud_event(owed: Owed, line: Line, output: Json, *, has_output: bool) -> dict[str, Json]:
    """The CloudEvent in its JSON format."""
    entry = line.entry
    subject: UUID = owed.process
    if entry.activity is not None and not line.type.startswith(WORKFLOW):
        subject = entry.activity
    data = _data(owed, line)
    if has_output:
        data["output"] = output
    return {
        "specversion": "1.0",
        "id": line.id,
        "source": f"/v1/processes/{owed.process}",
        "type": line.type,
        "subject": str(subject),
        "time": text_of(entry.at),
        "datacontenttype": "application/json",
        "sequence": f"{entry.sequence:010d}",
        "perdureactor": entry.actor,
        "perduredefinition": f"{owed.namespace}/{owed.name}:{owed.version}",
        "data": data,
    }


def told(entry: HistoryRecord, qualified: str) -> dict[str, Json]:
    """What a line about a process says, with its name and time; they are not kept in the line."""
    said: Mapping[str, Any] = entry.data if isinstance(entry.data, Mapping) else {"data": entry.data}
    return {"name": qualified, _TIMES.get(_name(entry.type), "at"): text_of(entry.at), **said}


def qualified_name(process: UUID, namespace: str, name: str) -> str:
    """Of a process (DSL reference, "Lifecycle Events")."""
    return f"{name}-{process}.{namespace}"


def _data(owed: Owed, line: Line) -> dict[str, Json]:
    entry = line.entry
    moment = text_of(entry.at)
    qualified = qualified_name(owed.process, owed.namespace, owed.name)
    if line.type.startswith(WORKFLOW):
        if line.status is not None:
            return {"name": qualified, "updatedAt": moment, "status": line.status}
        return told(entry, qualified)
    said: Mapping[str, Any] = entry.data if isinstance(entry.data, Mapping) else {"data": entry.data}
    if line.status is not None:
        return {"workflow": qualified, "task": said.get("task"), "updatedAt": moment, "status": line.status}
    if line.type.startswith(TASK):
        return {"workflow": qualified, _TIMES.get(_name(line.type), "at"): moment, **said}
    return {"workflow": qualified, **said}


def _name(type_: str) -> str:
    """``started`` of ``io.serverlessworkflow.task.started.v1``."""
    return type_.removesuffix(".v1").rpartition(".")[2]
