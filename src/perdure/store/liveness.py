"""What the runtime asks of a store to tell why a process will move again, and to find those that will not."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from perdure.codec import Json
from perdure.engine.wake_ups import Kind, WakeUp
from perdure.store.records import Record


class Standing(Record, frozen=True):
    """A process that has not ended, and the wake-ups recorded for it at the same moment."""

    id: UUID
    tenant: str
    status: str
    state: bytes | None
    created_at: datetime
    owed_since: datetime | None
    facts: int
    """How many facts wait in its inbox, as far as they were counted (`FACTS_COUNTED_MAX`)."""
    facts_since: datetime | None
    """Since when the first of them waits; lies ahead where the process could not be stepped and is put off."""
    recorded: frozenset[tuple[Kind, UUID]]
    """As `WakeUp.kind` and `WakeUp.id`; of the kinds other than ``step``."""

    def has(self, wake_up: WakeUp) -> bool:
        if wake_up.kind == "step":
            return self.owed_since is not None or self.facts > 0
        return (wake_up.kind, wake_up.id) in self.recorded


FACTS_COUNTED_MAX = 1000


class Recorded(Record, frozen=True):
    """A recorded wake-up of an activity.

    `state` is what it is at and `at` the time that goes with that: of a call ``queued`` or ``performing`` (until the
    end of the lease), of a job or a human task its own state, of a child process its status.
    """

    kind: Kind
    activity: UUID
    state: str
    at: datetime | None
    details: Json


class Line(Record, frozen=True):
    """The last line of the audit trail of some type, of an activity or of the process."""

    activity: UUID | None
    type: str
    at: datetime
    actor: str
    data: Json


class Liveness(Protocol):
    """Kept by `store.contract.Store` as `liveness`."""

    async def standings(self, tenant: str | None, after: UUID | None, limit: int) -> list[Standing]:
        """Processes that have not ended, in order of their ids, after that one; of all tenants where it is None."""

    async def standing(self, tenant: str, process: UUID) -> Standing | None:
        """None where it is unknown or has ended."""

    async def recorded(self, process: UUID, activities: Sequence[UUID]) -> list[Recorded]:
        """What is recorded for these activities (timers apart), for people to read."""

    async def last_lines(self, process: UUID, types: Sequence[str], lines_max: int) -> list[Line]:
        """Of each activity and type the last, among the latest lines of the process's trail."""
