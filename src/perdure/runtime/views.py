"""What the runtime answers: plain values shaped as the outside contract says (camelCase in JSON)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Generic, TypeVar
from uuid import UUID

import msgspec

from perdure.codec import Json
from perdure.engine.errors import Error
from perdure.engine.step import Waiting

T = TypeVar("T")


class View(msgspec.Struct, frozen=True, rename="camel"):
    """Encodes to the JSON of the outside contract."""


class DefinitionReference(View, frozen=True):
    namespace: str
    name: str
    version: str


class DefinitionView(View, frozen=True):
    """A registered definition version. `document` is the decoded JSON, `source` the author's own text."""

    namespace: str
    name: str
    version: str
    title: str | None
    summary: str | None
    created_at: datetime
    document: Json
    source: str
    media_type: str


class FunctionView(View, frozen=True):
    """A function of the default catalog. `created_at` is None for those of the platform (`built_in`)."""

    name: str
    version: str
    built_in: bool
    created_at: datetime | None
    document: Json
    source: str
    media_type: str


class ParentReference(View, frozen=True):
    process: UUID
    activity: UUID


class ProcessView(View, frozen=True):
    id: UUID
    definition: DefinitionReference
    status: str
    key: str | None
    tags: Mapping[str, str]
    input: Json
    output: Json
    error: Error | None
    parent: ParentReference | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    waiting_for: tuple[Waiting, ...]


class ActivityView(View, frozen=True):
    id: UUID
    process: UUID
    parent: UUID | None
    reference: str
    name: str
    kind: str
    iteration: tuple[int, ...]
    status: str
    attempt: int
    input: Json
    output: Json
    error: Error | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    progress: Json = None


class WakeUpView(View, frozen=True):
    """What is recorded outside the process and will wake it. `id` is that of the timer or of the child
    process, of all else the activity's. `state` and `at` as the kind has them: a call is ``queued`` or
    ``performing`` until the end of its lease, a job ``available``, ``leased`` or ``delayed`` until then."""

    kind: str
    id: str
    state: str
    at: datetime | None
    details: Json


class WaitView(View, frozen=True):
    """One thing that a process waits for. `wake_ups` is empty where nothing is recorded that would end it."""

    activity: UUID
    reference: str
    reason: str
    since: datetime
    until: datetime | None
    times_out_at: datetime | None
    wake_ups: tuple[WakeUpView, ...]
    sentence: str


class WhyView(View, frozen=True):
    """Why a process is where it is. `waits` are the first `WAITS_MAX` of `total`."""

    process: UUID
    status: str
    sentence: str
    total: int
    waits: tuple[WaitView, ...]


class FindingView(View, frozen=True):
    """A process for which wake-ups were not recorded.

    `repaired`: they are now. Otherwise `explanation` says why that can't be done by itself, and what to do.
    """

    process: UUID
    status: str
    missing: tuple[str, ...]
    repaired: bool
    explanation: str


class ExamineRequest(View, frozen=True):
    """Which processes to look at: one, or the next `limit` after that one. `restart` is for one alone."""

    process: UUID | None = None
    after: UUID | None = None
    limit: int = 500
    repair: bool = False
    restart: bool = False


class ExaminedView(View, frozen=True):
    """What an examination found among the processes that had not ended. `next` is where the next one goes on."""

    examined: int
    findings: tuple[FindingView, ...]
    next: UUID | None


class HistoryView(View, frozen=True):
    sequence: int
    at: datetime
    type: str
    activity: UUID | None
    actor: str
    data: Json


class HumanTaskView(View, frozen=True):
    id: UUID
    process: UUID
    activity: UUID
    title: str
    description: str | None
    status: str
    assignee: str | None
    assignees: tuple[str, ...]
    candidate_groups: tuple[str, ...]
    exclude_users: tuple[str, ...]
    outcomes: tuple[str, ...]
    form: Json
    due: datetime | None
    outcome: str | None
    output: Json
    created_at: datetime
    completed_at: datetime | None


class LeaseView(View, frozen=True):
    """`token` proves the lease in every answer; it is worth nothing after `until`."""

    token: UUID
    until: datetime


class JobView(View, frozen=True):
    """A job in a worker's hands. `attempt` counts from 1 and rises with every further try."""

    id: UUID
    process: UUID
    activity: UUID
    type: str
    input: Json
    attempt: int
    priority: int
    idempotency_key: str
    traceparent: str
    lease: LeaseView


class JobRequest(View, frozen=True):
    """What a worker asks for. `lease` and `wait` are seconds; `lease` None leaves it to the job."""

    type: str
    max: int = 1
    lease: float | None = None
    wait: float = 0
    worker: str | None = None


class JobRetry(View, frozen=True):
    """`retry_at` is when the job is offered again, None where its failure is final."""

    retry_at: datetime | None


class LastRun(View, frozen=True):
    """The latest tick of a schedule that started a process."""

    at: datetime
    process: UUID


class ScheduleView(View, frozen=True):
    """The schedule of the version that acts. `expression` is as the author wrote it; `next` is None where it waits
    for events, for a run to end, or has been paused."""

    id: UUID
    definition: DefinitionReference
    kind: str
    expression: Json
    timezone: str
    overlap: str
    catch_up: str
    paused: bool
    next: datetime | None
    last: LastRun | None
    queued: int
    since: datetime


class ScheduleEntryView(View, frozen=True):
    """What was done with a schedule, by whom."""

    at: datetime
    actor: str
    action: str
    data: Json


class BackfillView(View, frozen=True):
    """What a backfill came to. `already` counts ticks that had started a process before."""

    started: int
    already: int
    processes: list[UUID]


class WebhookFilterView(View, frozen=True):
    """Which events a webhook gets: of one of these types (``*`` for any text), of processes that are like this."""

    types: tuple[str, ...] = ("*",)
    namespace: str | None = None
    name: str | None = None
    tags: Mapping[str, str] = msgspec.field(default_factory=dict)


class WebhookRequest(View, frozen=True):
    """A webhook to be created. Without `secret`, one is made."""

    url: str
    secret: str | None = None
    filter: WebhookFilterView = msgspec.field(default_factory=WebhookFilterView)
    description: str | None = None
    enabled: bool = True


class WebhookView(View, frozen=True):
    """A webhook as it may be shown: never its secret."""

    id: UUID
    url: str
    description: str | None
    filter: WebhookFilterView
    enabled: bool
    disabled_reason: str | None
    failing_since: datetime | None
    created_at: datetime
    created_by: str
    updated_at: datetime


class DeliveryView(View, frozen=True):
    """One event on its way to a webhook. `id` is what the receiver gets as ``webhook-id``, at each attempt."""

    id: UUID
    webhook: UUID
    event: str
    type: str
    status: str
    attempts: int
    next_attempt_at: datetime | None
    created_at: datetime
    last_attempt_at: datetime | None
    finished_at: datetime | None
    response_status: int | None
    error: str | None


class KeyView(View, frozen=True):
    """An API key as it may be listed: never the key itself."""

    id: UUID
    name: str
    tenant: str
    role: str
    prefix: str
    created_at: datetime
    revoked_at: datetime | None


class Principal(View, frozen=True):
    """Who calls. `name` is what the history records as actor."""

    name: str
    tenant: str
    role: str


class Page(View, Generic[T], frozen=True):
    """`next` is an opaque cursor, None on the last page."""

    items: list[T]
    next: str | None


class Registration(View, frozen=True):
    """`created` is False where the very same document was there already."""

    created: bool
    definition: DefinitionView
    warnings: tuple["Warning_", ...] = ()


class FunctionRegistration(View, frozen=True):
    """`created` is False where the very same document was there already."""

    created: bool
    function: FunctionView
    warnings: tuple["Warning_", ...] = ()


class Warning_(View, frozen=True):  # noqa: N801
    pointer: str
    detail: str
    line: int | None = None
    column: int | None = None


class StartRequest(View, frozen=True):
    """What `POST /v1/processes` asks for. `on_conflict`: ``allow``, ``existing`` or ``reject``."""

    namespace: str
    name: str
    version: str | None = None
    input: Json = msgspec.field(default_factory=dict)
    key: str | None = None
    on_conflict: str = "allow"
    tags: Mapping[str, str] = msgspec.field(default_factory=dict)
    start_at: datetime | None = None


class Started(View, frozen=True):
    """`created` is False where an earlier process answers instead (idempotency, or `existing`)."""

    created: bool
    process: ProcessView


class ProcessFilter(View, frozen=True):
    """Which processes to list; None means any."""

    status: str | None = None
    namespace: str | None = None
    name: str | None = None
    version: str | None = None
    key: str | None = None
    parent: UUID | None = None
    tags: Mapping[str, str] = msgspec.field(default_factory=dict)
    created_after: datetime | None = None
    created_before: datetime | None = None


class HumanTaskFilter(View, frozen=True):
    status: str | None = None
    assignee: str | None = None
    group: str | None = None
    process: UUID | None = None
