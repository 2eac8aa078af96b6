"""What the runtime asks of a store about telling others: lifecycle events, webhooks and their deliveries."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from perdure.store.records import HistoryRecord, Record

PARTITIONS = 4
"""How many workers at most tell at the same time."""

PROCESS_TYPES = ("io.serverlessworkflow.workflow.", "dev.perdure.process.", "dev.perdure.human-task.")
"""How types begin that the level ``process`` tells of: processes as a whole, and what people are to notice."""


@dataclass(frozen=True, slots=True)
class Telling:
    """What of the audit trail is told to others. `publish`: there is a broker to tell it to."""

    level: str = "all"
    publish: bool = False

    def wants(self, type_: str) -> bool:
        return self.level == "all" or (self.level == "process" and type_.startswith(PROCESS_TYPES))


class Owed(Record, frozen=True):
    """Lines `first` to `last` of a process's audit trail, to be told."""

    id: int
    tenant: str
    process: UUID
    namespace: str
    name: str
    version: str
    tags: Mapping[str, str]
    first: int
    last: int
    status: str | None


class Share(Record, frozen=True):
    """What is owed to one `purpose`, ``publish`` or ``deliver``, of one partition."""

    purpose: str
    partition: int


class TakenLifecycle(Protocol):
    """The oldest owed lines of one partition, until the context ends. No other worker tells of it meanwhile."""

    owed: Sequence[Owed]

    async def entries(self, rows: Sequence[Owed]) -> dict[int, list[HistoryRecord]]:
        """The lines of each of these owed rows, by its id, in order."""

    async def heads(self) -> set[int]:
        """The ids of the owed rows that have the first line of a type."""

    async def outputs(self, process: UUID, activities: Sequence[UUID], bytes_max: int) -> dict[UUID, tuple[int, bytes]]:
        """The encoded outputs of the process and of these activities, as far as they have completed, by id, with
        the attempt (of the process 0); longer ones are left out."""

    async def told(self, owed: Sequence[int], deliveries: "Sequence[NewDelivery]" = ()) -> None:
        """Forget that these were owed, and add deliveries, in one go."""


class WebhookRecord(Record, frozen=True):
    """Whom to tell of which events. `secret` is kept sealed where the platform has a key."""

    id: UUID
    tenant: str
    url: str
    description: str | None
    types: tuple[str, ...]
    namespace: str | None
    name: str | None
    tags: Mapping[str, str]
    secret: bytes
    enabled: bool
    disabled_reason: str | None
    failing_since: datetime | None
    created_at: datetime
    created_by: str
    updated_at: datetime


class NewDelivery(Record, frozen=True):
    id: UUID
    tenant: str
    webhook: UUID
    event_id: str
    type: str
    body: bytes


class DeliveryRecord(Record, frozen=True):
    """An event on its way to a webhook. `status`: ``pending``, ``delivered``, ``failed``."""

    id: UUID
    webhook: UUID
    event_id: str
    type: str
    status: str
    attempts: int
    due: datetime
    created_at: datetime
    last_at: datetime | None
    finished_at: datetime | None
    response_status: int | None
    error: str | None


class LeasedDelivery(Record, frozen=True):
    id: UUID
    webhook: UUID
    url: str
    secret: bytes
    body: bytes
    attempts: int
    failing_since: datetime | None
    now: datetime
    token: UUID


class Attempt(Record, frozen=True):
    """How an attempt came out: ``delivered``, ``pending`` again after `delay_seconds`, or ``failed`` for good.

    `disable` is why the webhook gets nothing from now on.
    """

    status: str
    response_status: int | None
    error: str | None
    delay_seconds: float = 0.0
    disable: str | None = None


class Lifecycle(Protocol):
    """Kept by `store.contract.Store` as `lifecycle`."""

    def take(self, purpose: str, partition: int, limit: int) -> AbstractAsyncContextManager[TakenLifecycle | None]:
        """A `Share`, locked. None where another worker has it, or nothing is owed."""

    async def owed(self) -> list[Share]:
        """Of which partitions anything is owed to whom."""

    async def recipients(self, tenants: Sequence[str]) -> list[WebhookRecord]:
        """The enabled webhooks of these tenants."""

    # webhooks
    async def add_webhook(self, record: WebhookRecord) -> None: ...
    async def webhook(self, tenant: str, webhook: UUID) -> WebhookRecord | None: ...
    async def webhooks(self, tenant: str, limit: int, before: tuple[datetime, UUID] | None) -> list[WebhookRecord]:
        """Newest first."""

    async def count_webhooks(self, tenant: str) -> int: ...
    async def change_webhook(self, record: WebhookRecord) -> bool:
        """Write url, description, filter, secret and whether it is enabled; False where it is gone."""

    async def remove_webhook(self, tenant: str, webhook: UUID) -> bool:
        """With its deliveries; False where there is none."""

    # deliveries
    async def add_delivery(self, delivery: NewDelivery) -> None: ...
    async def delivery(self, webhook: UUID, delivery: UUID) -> DeliveryRecord | None: ...
    async def deliveries(
        self, webhook: UUID, status: str | None, limit: int, before: tuple[datetime, UUID] | None
    ) -> list[DeliveryRecord]:
        """Newest first."""

    async def deliver_again(self, delivery: UUID) -> bool:
        """Begin anew with a delivery that has ended; False where it has not."""

    async def lease_deliveries(
        self, token: UUID, lease_seconds: float, busy: Sequence[UUID], per_webhook: int, limit: int
    ) -> list[LeasedDelivery]:
        """Due deliveries of webhooks that are not `busy`, each for one sender."""

    async def finish_attempt(self, leased: LeasedDelivery, attempt: Attempt) -> None:
        """Unless its lease has ended and another has it."""

    async def next_delivery(self) -> float | None:
        """Seconds until the next delivery is due, None where none is."""

    async def trim_deliveries(self, keep_seconds: float, kept_max: int, pending_max: int) -> None:
        """Forget deliveries that ended long ago or are too many; disable webhooks with too many that wait."""
