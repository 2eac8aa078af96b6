"""Which wake-ups are recorded in the store in memory."""

from typing import Any
from uuid import UUID

from perdure.store.liveness import Standing

from .tables import UNDECIDED, UNDONE, Tables


class MemoryLiveness:
    """See `perdure.store.liveness.Liveness`, as far as the check-ups go."""

    def __init__(self, tables: Tables) -> None:
        self._t = tables

    async def standings(self, tenant: str | None, after: UUID | None, limit: int) -> list[Standing]:
        alive = sorted(id_ for id_, row in self._t.processes.items() if row.ended_at is None)
        return [self.standing_of(id_) for id_ in alive if after is None or id_ > after][:limit]

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
