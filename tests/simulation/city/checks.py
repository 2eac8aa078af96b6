"""What must hold in the world at any time, and what must have come of it in the end."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from folding import Trail, stored
from perdure.engine import state as states
from perdure.engine.wake_ups import wake_ups

from .memory import MemoryStore
from .tables import UNDECIDED, UNDONE

ENDED = ("completed", "faulted", "cancelled")
AFTER_THE_END = ("dev.perdure.fact.refused", "dev.perdure.run.ended", "dev.perdure.call.in-doubt")
AGAIN = "dev.perdure.process.retried"


class Broken(AssertionError):
    """A promise was not kept."""


class Invariants:
    """After every commit, for the processes concerned."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self._lines_at_end: dict[UUID, int] = {}

    def check(self, processes: Sequence[UUID]) -> None:
        for process in processes:
            row = self._store.t.processes[process]
            if row.ended_at is None:
                self._awake(process)
                self._lines_at_end.pop(process, None)
            else:
                self._at_rest(process)

    def check_all(self) -> None:
        self.check(list(self._store.t.processes))

    def _awake(self, process: UUID) -> None:
        """Each thing that it waits for is recorded; what has happened meanwhile may be it."""
        standing = self._store.liveness.standing_of(process)
        if standing.facts or standing.status == "suspended":
            return
        if standing.state is None:
            if ("timer", process) not in standing.recorded:
                raise Broken(f"{process} has not begun, and nothing will begin it")
            return
        for wake_up in wake_ups(process, states.decode(standing.state)):
            if not standing.has(wake_up):
                raise Broken(f"{process} waits for a {wake_up.kind} of {wake_up.activity} that is not recorded")

    def _at_rest(self, process: UUID) -> None:
        """It has ended: nothing is left of it in the world, and it does nothing more."""
        t = self._store.t
        left = [key for key in t.timers if key[0] == process]
        left += [key for key, call in t.calls.items() if call.process == process and not call.detached]
        left += [key for key in t.subscriptions if key[0] == process]
        left += [x.id for x in t.human_tasks.values() if x.process == process and x.status in UNDECIDED]
        left += [x.id for x in t.jobs.values() if x.process == process and x.state in UNDONE]
        left += [x.activity for x in t.callbacks.values() if x.process == process and x.status == "open"]
        if left:
            raise Broken(f"{process} has {t.processes[process].status} and left {left} behind")
        lines = t.history[process]
        before = self._lines_at_end.setdefault(process, len(lines))
        new = [line.type for line in lines[before:]]
        if new and AGAIN not in new and not set(new) <= set(AFTER_THE_END):
            raise Broken(f"{process} has ended and did something more: {new}")
        self._lines_at_end[process] = len(lines)


async def in_the_end(store: Any, processes: Sequence[UUID]) -> None:
    """The trail has no gaps and tells what is stored."""
    for process in processes:
        lines = await store.history(process, 1_000_000, None)
        if [line.sequence for line in lines] != list(range(1, len(lines) + 1)):
            raise Broken(f"{process}: the sequence of the trail has gaps")
        record = await store.process("default", process)
        told = Trail().fold(lines)
        there = {
            a.id: stored(a.status, a.attempt, a.reference, a.ended_at, _error(a.error))
            for a in await store.activities(process, 1_000_000, None)
        }
        whole = stored(record.status, 1, None, record.ended_at, _error(record.error))
        if told.process != whole:
            raise Broken(f"{process}: the trail says {told.process}, stored is {whole}")
        if told.activities != there:
            wrong = [id_ for id_ in {*told.activities, *there} if told.activities.get(id_) != there.get(id_)]
            raise Broken(f"{process}: the trail tells otherwise than what is stored of {wrong}")


async def snapshot(store: Any, processes: Sequence[UUID]) -> list[Any]:
    """All that can be seen of processes in the end."""
    seen: list[Any] = []
    for process in sorted(processes):
        seen.append(await store.process("default", process))
        seen += await store.activities(process, 1_000_000, None)
        seen += await store.history(process, 1_000_000, None)
    return seen


def _error(error: Any) -> tuple[str, int] | None:
    return None if error is None else (error.type, error.status)
