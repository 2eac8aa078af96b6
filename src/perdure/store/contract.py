"""What the runtime asks of a store. PostgreSQL is the only one that survives; others serve tests.

Every operation is atomic. `Taken` is the one that matters most: the processes of a batch under lock, with the
facts that wait for them, to be advanced and saved in one transaction.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import TYPE_CHECKING, Protocol, TypeAlias
from uuid import UUID

from perdure.codec import Json
from perdure.definition.pins import Pin
from perdure.engine.refs import Key
from perdure.store.records import (
    Accepted,
    ActivityRecord,
    Answer,
    DefinitionName,
    DefinitionRecord,
    EventOffer,
    FunctionRecord,
    HistoryRecord,
    HumanTaskRecord,
    JobRecord,
    KeyRecord,
    Lease,
    LeasedCall,
    LookBack,
    NewProcess,
    Outcome,
    Outlook,
    PendingEvent,
    ProcessRecord,
    RecentEvent,
    Saved,
    Shape,
    Start,
    TakenProcess,
)

if TYPE_CHECKING:
    from perdure.store.lifecycle import Lifecycle
    from perdure.store.liveness import Liveness
    from perdure.store.schedules import NewSchedule, Schedules


class StoreUnavailable(Exception):
    """The database can't be reached or refuses to serve now; the same call may succeed later."""


class StoreFull(StoreUnavailable):
    """The database's disk is full; the same call succeeds once there is room."""


class Taken(Protocol):
    """Processes under lock, until the context ends; leaving it without `save` changes nothing."""

    now: datetime
    processes: Sequence[TakenProcess]

    async def load(self, process: UUID, keys: Sequence[Key]) -> dict[Key, Json]:
        """Stored payloads. Raises `LookupError` where one is missing."""

    async def definition(self, tenant: str, namespace: str, name: str, version: str | None) -> DefinitionRecord | None:
        """As `Store.definition`, without another connection: who holds one and waits for a second may wait for
        somebody who does the same."""

    async def pins(self, definition: DefinitionName) -> list[Pin]:
        """As `Store.pins`, without another connection."""

    async def save(
        self,
        outcomes: Sequence[Outcome],
        *,
        children: Sequence[NewProcess] = (),
        facts: Sequence[tuple[UUID, bytes]] = (),
        commands: Sequence[tuple[UUID, bytes]] = (),
        lease: Lease | None = None,
    ) -> Saved:
        """Write everything that the steps decided, new child processes, and facts for other processes.

        `commands` are facts that act also while the process is suspended, as an operator's do. Those of the new calls
        that `lease` names are under that lease from the commit on.
        """


FactOf: TypeAlias = Callable[[UUID, Json], bytes]
"""The encoded fact for an activity that is offered an event."""

CallbackFactOf: TypeAlias = Callable[[UUID], bytes]
"""The encoded fact for an activity whose callback was called."""

TaskChange: TypeAlias = Callable[[HumanTaskRecord, datetime], tuple[HumanTaskRecord, bytes | None]]
"""From a human task and the time now, the task as it shall be, and perhaps an encoded fact."""


JobFactOf: TypeAlias = Callable[[JobRecord], bytes]
"""The encoded fact that a job was given to a worker."""

JobChange: TypeAlias = Callable[[JobRecord, datetime], tuple[JobRecord, bytes | None]]
"""From a job and the time now, the job as it shall be, and perhaps an encoded fact."""


class Store(Protocol):
    """The operations, by who uses them."""

    @property
    def lifecycle(self) -> "Lifecycle": ...

    @property
    def liveness(self) -> "Liveness": ...

    @property
    def schedules(self) -> "Schedules": ...

    async def ready(self) -> str:
        """``ok``, or what is wrong."""

    async def now(self) -> datetime: ...

    # definitions
    async def add_definition(
        self,
        record: DefinitionRecord,
        resources: Sequence[Pin] = (),
        schedules: "Sequence[NewSchedule]" = (),
    ) -> DefinitionRecord | None:
        """None where it was added, else the record that is there already.

        `resources` are pinned with it, also to a record that is there with the same digest; see `add_pins`. If it
        is then the highest stable version, `schedules` act from now on, instead of those of the version before.
        """

    async def definition(self, tenant: str, namespace: str, name: str, version: str | None) -> DefinitionRecord | None:
        """`version` None means the highest stable one."""

    async def definitions(self, tenant: str, limit: int, after: tuple[str, str, str] | None) -> list[DefinitionRecord]:
        """By namespace, name, and version from the highest; after that position."""

    async def versions(
        self, tenant: str, namespace: str, name: str, limit: int, after: str | None
    ) -> list[DefinitionRecord]: ...
    async def newest_versions(self, names: Sequence[tuple[str, str, str]]) -> list[str | None]:
        """The highest stable version of each (tenant, namespace, name)."""

    async def pins(self, definition: DefinitionName) -> list[Pin]:
        """In order."""

    async def add_pins(self, definition: DefinitionName, new: Sequence[Pin]) -> list[Pin]:
        """Add those that are not there yet, with the next ordinals (theirs don't count); answers all, in order."""

    # functions
    async def add_function(self, record: FunctionRecord) -> FunctionRecord | None:
        """None where it was added, else the record that is there already."""

    async def function(self, tenant: str, name: str, version: str) -> FunctionRecord | None: ...
    async def functions(self, tenant: str, limit: int, after: tuple[str, str] | None) -> list[FunctionRecord]:
        """By name, and version from the highest; after that position."""

    # processes
    async def add_processes(self, starts: Sequence[Start]) -> list[Accepted]:
        """All in one go. No idempotency key may be among them twice."""

    def accept(self, start: Start) -> "AbstractAsyncContextManager[tuple[Accepted, Taken | None]]":
        """Accept a process and take it, in one transaction; no other sees it before. Left without `save` it is accepted
        all the same. It is not taken where an earlier one came under the same idempotency key.
        """

    async def add_process_once(
        self,
        process: NewProcess,
        *,
        idempotency: tuple[str, bytes] | None,
        on_conflict: str,
    ) -> tuple[str, UUID]:
        """Add unless an earlier one stands for it.

        Answers ``("added", id)``, ``("repeated", id)`` for the same idempotency key and digest,
        ``("mismatch", id)`` for the key with another digest, or ``("existing", id)`` where an unfinished
        process has the same definition name and key and `on_conflict` is not ``allow``.
        """

    async def process(self, tenant: str, process: UUID) -> ProcessRecord | None: ...
    async def ended(self, processes: Sequence[UUID]) -> set[UUID]:
        """Which of these have ended."""

    async def list_processes(
        self,
        tenant: str,
        filter_: Mapping[str, Json],
        limit: int,
        before: tuple[datetime, UUID] | None,
    ) -> list[ProcessRecord]:
        """Newest first. Keys of the filter: status, namespace, name, version, key, parent, tags, created_after,
        created_before."""

    async def activities(self, process: UUID, limit: int, after: int | None) -> list[ActivityRecord]: ...
    async def history(self, process: UUID, limit: int, after: int | None) -> list[HistoryRecord]: ...
    async def payloads(self, keys: Sequence[tuple[UUID, Key]]) -> dict[tuple[UUID, Key], bytes]: ...

    # steps
    def take(
        self, processes: Sequence[UUID], *, facts_max: int, wait: bool = False
    ) -> AbstractAsyncContextManager[Taken | None]:
        """Lock those processes that nobody else holds (all of them where `wait`), with their facts.

        Facts for a suspended process stay back, but for an operator's.
        """

    async def record(self, facts: Sequence[tuple[UUID, bytes]], *, operator: bool = False) -> None:
        """Put facts into inboxes."""

    async def with_facts(self, processes: Sequence[UUID]) -> list[UUID]:
        """Which of these have facts that a step would take."""

    async def owed_steps(self, older_than_seconds: float, limit: int) -> list[UUID]:
        """Processes with facts or an owed step that have waited for longer."""

    async def put_off(self, processes: Sequence[UUID], seconds: float) -> None:
        """Count these as owed only from then on. A new fact wakes them as ever."""

    async def stranded(self, limit: int) -> list[UUID]:
        """Processes that have not ended and that nothing will wake. Always empty, or there is a fault."""

    # how much there is to do
    async def unfinished(self, tenant: str, up_to: int) -> int:
        """How many processes have not ended; not more than `up_to` are counted."""

    async def backlog(self, up_to: int) -> int:
        """How many facts wait for workers; not more than `up_to` are counted. Those of suspended processes do not."""

    # calls
    async def lease_calls(self, activities: Sequence[UUID], lease_seconds: float, token: UUID) -> list[LeasedCall]: ...
    async def extend_calls(
        self, token_by_activity: Mapping[UUID, UUID], lease_seconds: float
    ) -> dict[UUID, int | None]:
        """Those that are held under their token no more, with the attempt that is to be made of them now.

        The same attempt as before: somebody else has taken the call over. Another, or None: it was cancelled.
        """

    async def release_calls(
        self, token_by_activity: Mapping[UUID, UUID], *, sent: bool, after_seconds: float = 0.0
    ) -> None:
        """Give calls back, to be had by others after so long. Whoever gets one that was `sent` finds it `lost_at`."""

    async def finish_calls(self, answers: Sequence[Answer]) -> None:
        """The calls are done, the facts recorded, in one go.

        The first answer to an attempt counts, whoever's lease it was: all bore the same idempotency key.
        """

    async def give_up_call(self, call: LeasedCall, fact: bytes) -> bool:
        """The call is not to be made by anybody now, which the fact says.

        False, and nothing is done, where it is no longer held under its token.
        """

    async def record_of_call(self, call: LeasedCall, facts: Sequence[bytes], resume: bytes | None) -> list[int] | None:
        """Put facts of a call into its process's inbox; the call goes on, from the request `resume` if it is given.

        Answers the facts' inbox ids, or None, and nothing is done, where the call is no longer held under its token.
        """

    async def facts_left(self, facts: Sequence[int]) -> bool:
        """Whether any of these facts is still in an inbox."""

    async def awaits_event(self, process: UUID, activity: UUID) -> bool:
        """Whether the process says that it waits for an event at this activity; also while it is suspended."""

    async def forget_leases(self) -> None:
        """Make every call available. Only for who knows that nobody performs any: an embedded platform's start."""

    async def owed_calls(self, older_than_seconds: float, limit: int) -> list[UUID]: ...

    # timers
    async def fire_timers(self, limit: int) -> list[tuple[UUID, float]]:
        """Put the facts of due timers into inboxes; answers for each its process and how many seconds it is late."""

    async def next_timer(self) -> float | None:
        """Seconds until the next timer is due, None where there is none."""

    async def outlook(self) -> Outlook: ...
    async def is_owed(self, older_than_seconds: float) -> bool:
        """Whether steps, calls, events or look-backs have been owed for longer than that."""

    # events
    async def add_events(self, events: Sequence[tuple[str, Json]]) -> list[int]:
        """Ids of those that are new (by source and id, within the time that events are kept)."""

    async def events_to_finish(self, ids: Sequence[int]) -> list[PendingEvent]: ...
    async def owed_events(self, older_than_seconds: float, limit: int) -> list[int]: ...
    async def shapes(self, kinds: Sequence[tuple[str, str]]) -> list[list[Shape]]:
        """Those that subscriptions to events of each (tenant, type) have."""

    async def offer_events(self, offers: Sequence[EventOffer], fact_of: FactOf) -> list[UUID]:
        """Offer each to every subscription of its type, uncorrelated or with one of its values, and mark it routed.
        Answers the processes concerned."""

    async def event_published(self, event: int) -> None: ...
    async def look_backs(self, subscriptions: Sequence[tuple[UUID, UUID]]) -> list[LookBack]:
        """What those of the subscriptions want that have not looked back yet."""

    async def recent_events(
        self, tenant: str, type_: str | None, after: tuple[datetime, int], limit: int
    ) -> list[RecentEvent]:
        """Events in the order of their coming, from behind a moment and id."""

    async def owed_look_backs(self, older_than_seconds: float, limit: int) -> list[tuple[UUID, UUID]]: ...
    async def finish_look_back(
        self, process: UUID, activity: UUID, reference: str, matching: Sequence[tuple[int, bytes]]
    ) -> bool:
        """Offer these events (id, fact) once; answers whether any was new."""

    # callbacks
    async def receive_callback(
        self, token_digest: bytes, body_digest: bytes, fact_of: CallbackFactOf
    ) -> tuple[str, UUID | None]:
        """``("recorded"|"repeated"|"conflict"|"unknown", process)``."""

    # people
    async def human_task(self, tenant: str, task: UUID) -> HumanTaskRecord | None: ...
    async def human_tasks(
        self,
        tenant: str,
        filter_: Mapping[str, Json],
        limit: int,
        before: tuple[datetime, UUID] | None,
    ) -> list[HumanTaskRecord]: ...
    async def change_human_task(self, tenant: str, task: UUID, change: TaskChange) -> HumanTaskRecord | None:
        """Under the task's lock: `change` answers the new record and perhaps a fact, or raises."""

    # jobs
    async def lease_jobs(
        self,
        tenant: str,
        type_: str,
        most: int,
        *,
        lease_seconds: float | None,
        lease_seconds_default: float,
        worker: str,
        actor: str,
        token_seed: bytes,
        fact_of: JobFactOf,
    ) -> list[JobRecord]:
        """Give up to `most` available jobs of a type to a worker, by priority and then age, and record it.

        The lease is `lease_seconds`, else what the job asks for, else the default. Its token is as hard to guess as
        `token_seed`, up to 128 bits; each call has a seed of its own.
        """

    async def change_jobs(self, changes: Sequence[tuple[str, UUID, JobChange]]) -> list[JobRecord | None]:
        """For each tenant and job, under the job's lock: the change answers the new record and perhaps a fact.
        Several of one job are made in their order. None where there is no such job. Where one raises, others may have
        been made."""

    async def change_due_jobs(self, limit: int, change: JobChange) -> list[JobRecord]:
        """The same for jobs whose lease or delay has ended."""

    async def next_job_due(self) -> float | None:
        """Seconds until the next lease or delay of a job ends, None where there is none."""

    async def jobs_available(self, kinds: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
        """Which of these (tenant, type) have a job for somebody."""

    # keys
    async def add_key(self, record: KeyRecord, digest: bytes) -> None: ...
    async def keys(self) -> list[KeyRecord]: ...
    async def revoke_key(self, key: UUID) -> KeyRecord | None: ...
    async def keys_by_digest(self, digests: Sequence[bytes]) -> list[KeyRecord | None]:
        """One for each."""

    # housekeeping
    async def purge(self, retention_seconds: float, event_seconds: float, limit: int) -> int:
        """Forget ended processes, events and idempotency keys that are too old, up to `limit` of each.

        Answers how many there were of the most frequent kind: `limit` where there may be more.
        """
