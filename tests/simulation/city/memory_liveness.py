"""Which wake-ups are recorded in the store in memory."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from perdure import clock
from perdure.store.liveness import Line, Recorded, Standing

from .tables import UNDECIDED, UNDONE, Tables


class MemoryLiveness:
    """See `perdure.store.liveness.Liveness`."""

    def __init__(self, tables: Tables) -> None:
        self._t = tables

    async def standings(self, tenant: str | None, after: UUID | None, limit: int) -> list[Standing]:
        alive = sorted(id_ for id_, row in self._t.processes.items() if row.ended_at is None)
        return [self.standing_of(id_) for id_ in alive if after is None or id_ > after][:limit]

    async def standing(self, tenant: str, process: UUID) -> Standing | None:
        row = self._t.processes.get(process)
        return None if row is None or row.ended_at is not None else self.standing_of(process)

    async def recorded(self, process: UUID, activities: Sequence[UUID]) -> list[Recorded]:
        found = [*self._asked(process), *self._offered(process)]
        return [one for one in found if one.activity in activities]

    def _asked(self, process: UUID) -> Iterator[Recorded]:
        """Of the world at large."""
        t, now = self._t, clock.now()
        for activity, call in t.calls.items():
            if call.process == process:
                state = "queued" if call.lease_token is None or call.lease_until <= now else "performing"
                details = {"function": call.function, "attempt": call.attempt}
                yield Recorded("call", activity, state, call.lease_until, details)
        for (of, activity), rows in t.subscriptions.items():
            if of == process:
                since: datetime = min(row.since for row in rows)
                types = sorted({row.type for row in rows}, key=lambda type_: (type_ is None, type_))
                yield Recorded("subscription", activity, "open", since, {"types": types})
        for callback in t.callbacks.values():
            if callback.process == process and callback.status == "open":
                yield Recorded("callback", callback.activity, "open", None, {})

    def _offered(self, process: UUID) -> Iterator[Recorded]:
        """To people, workers and other processes."""
        t = self._t
        for task in t.human_tasks.values():
            if task.process == process and task.status in UNDECIDED:
                details: Any = {"title": task.title, "assignee": task.assignee}
                details |= {"assignees": [*task.assignees], "candidateGroups": [*task.candidate_groups]}
                yield Recorded("human-task", task.id, task.status, task.due, details)
        for job in t.jobs.values():
            if job.process == process and job.state in UNDONE:
                details = {"type": job.type, "worker": job.worker, "deliveries": job.deliveries, "held": job.held}
                yield Recorded("job", job.id, job.state, job.due, details)
        for child, row in sorted(t.processes.items()):
            if row.new.parent_process == process and row.new.parent_activity is not None and row.ended_at is None:
                details = {"process": str(child), "namespace": row.new.namespace, "name": row.new.name}
                yield Recorded("child", row.new.parent_activity, row.status, None, details)

    async def last_lines(self, process: UUID, types: Sequence[str], lines_max: int) -> list[Line]:
        last: dict[Any, Line] = {}
        for line in self._t.history.get(process, [])[-lines_max:]:
            if line.type in types:
                last[line.activity, line.type] = Line(line.activity, line.type, line.at, line.actor, line.data)
        return list(last.values())

    def standing_of(self, id_: UUID) -> Standing:
        t, row = self._t, self._t.processes[id_]
        recorded: set[tuple[Any, UUID]] = {("timer", timer) for process, timer in t.timers if process == id_}
        recorded |= {("call", activity) for activity, call in t.calls.items() if call.process == id_}
        recorded |= {("subscription", activity) for process, activity in t.subscriptions if process == id_}
        recorded |= {("human-task", x.id) for x in t.human_tasks.values() if x.process == id_ and x.status in UNDECIDED}
        recorded |= {("callback", x.activity) for x in t.callbacks.values() if x.process == id_ and x.status == "open"}
        recorded |= {("job", x.id) for x in t.jobs.values() if x.process == id_ and x.state in UNDONE}
        recorded |= {
            ("child", child)
            for child, x in t.processes.items()
            if x.new.parent_process == id_ and x.new.parent_activity is not None and x.ended_at is None
        }
        facts = [fact.recorded_at for fact in t.inbox.values() if fact.process == id_]
        return Standing(
            id_,
            row.new.tenant,
            row.status,
            row.state,
            row.created_at,
            row.owed_since,
            len(facts),
            min(facts, default=None),
            frozenset(recorded),
        )
