"""Changes to jobs: those that are asked for at the same time are written together."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from perdure.runtime.announce import Announcement, announce
from perdure.runtime.context import Context
from perdure.runtime.errors import NotFound, Refused
from perdure.runtime.grouping import Group
from perdure.store.contract import JobChange
from perdure.store.records import JobRecord


class JobChanges:
    """One per service process."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._group = Group(self._make)

    async def stop(self) -> None:
        await self._group.stop()

    async def make(self, tenant: str, job: UUID, change: JobChange) -> JobRecord:
        """The job as it is then. Raises `NotFound`, or what the change is refused with."""
        asked = _Asked(tenant, job, change)
        record = await self._group.add(asked)
        if asked.refusal is not None:
            raise asked.refusal
        if record is None:
            raise NotFound(f"There is no job {job}.")
        return record

    async def _make(self, asked: Sequence["_Asked"]) -> Sequence[JobRecord | None]:
        records = await self._context.store.change_jobs([(one.tenant, one.job, one) for one in asked])
        told = [record for record, one in zip(records, asked, strict=True) if record is not None and one.told]
        available = {(record.tenant, record.type) for record in told if record.state == "available" and not record.held}
        steps = [record.process for record in told]
        await announce(self._context.broker, Announcement(steps=steps, jobs=available))
        return records


class _Asked:
    """A change that does not spoil those beside it, and what came of it."""

    def __init__(self, tenant: str, job: UUID, change: JobChange) -> None:
        self.tenant = tenant
        self.job = job
        self._change = change
        self.refusal: Refused | None = None
        self.told = False
        """Whether the process has something to decide."""

    def __call__(self, record: JobRecord, now: datetime) -> tuple[JobRecord, bytes | None]:
        self.refusal, self.told = None, False
        try:
            changed, fact = self._change(record, now)
        except Refused as refusal:
            self.refusal = refusal
            return record, None
        self.told = fact is not None
        return changed, fact
