"""The API's JSON, typed. Nothing is converted: times are RFC 3339 strings, ids are strings."""

from typing import Any, Generic, Literal, NotRequired, TypeAlias, TypedDict, TypeVar

Json: TypeAlias = Any
T = TypeVar("T")

OnConflict: TypeAlias = Literal["allow", "existing", "reject"]
Command: TypeAlias = Literal["suspend", "resume", "cancel", "retry"]

ENDED = frozenset({"completed", "faulted", "cancelled", "skipped"})
"""Statuses after which a process or an activity does nothing more by itself."""


class Error(TypedDict, total=False):
    """Problem details (RFC 9457); `instance` is the reference of the task it comes from."""

    type: str
    status: int
    title: str | None
    detail: str | None
    instance: str | None


class DefinitionReference(TypedDict):
    namespace: str
    name: str
    version: str


class Definition(DefinitionReference, total=False):
    title: str | None
    summary: str | None
    createdAt: str
    document: Json
    warnings: "list[Fault]"


class Waiting(TypedDict):
    """One thing that a process waits for."""

    activity: str
    reference: str
    reason: str
    since: str
    until: NotRequired[str | None]
    timesOutAt: NotRequired[str | None]


class WakeUp(TypedDict):
    """What is recorded that will wake a process."""

    kind: str
    id: str
    state: str
    at: str | None
    details: Json


class Wait(TypedDict):
    """One thing that a process waits for, with what will end that; `sentence` says it all."""

    activity: str
    reference: str
    reason: str
    since: str
    until: str | None
    timesOutAt: str | None
    wakeUps: list[WakeUp]
    sentence: str


class Why(TypedDict):
    """Why a process is where it is."""

    process: str
    status: str
    sentence: str
    total: int
    waits: list[Wait]


class Finding(TypedDict):
    """A process for which something was not recorded that it waits for."""

    process: str
    status: str
    missing: list[str]
    repaired: bool
    explanation: str


class Examined(TypedDict):
    """What an examination found; `next` is where the following one begins."""

    examined: int
    findings: list[Finding]
    next: str | None


class ParentReference(TypedDict):
    process: str
    activity: str


class Process(TypedDict):
    id: str
    definition: DefinitionReference
    status: str
    key: str | None
    tags: dict[str, str]
    input: Json
    output: Json
    error: Error | None
    parent: ParentReference | None
    createdAt: str
    startedAt: str | None
    endedAt: str | None
    waitingFor: list[Waiting]


class Activity(TypedDict):
    id: str
    process: str
    parent: str | None
    reference: str
    name: str
    kind: str
    iteration: list[int]
    status: str
    attempt: int
    input: Json
    output: Json
    error: Error | None
    createdAt: str
    startedAt: str | None
    endedAt: str | None
    progress: NotRequired[Json]


class Function(TypedDict):
    """A function of the default catalog."""

    name: str
    version: str
    builtIn: bool
    createdAt: str | None
    warnings: "NotRequired[list[Fault]]"


class HistoryEntry(TypedDict):
    sequence: int
    at: str
    type: str
    activity: str | None
    actor: str
    data: Json


class HumanTask(TypedDict):
    id: str
    process: str
    activity: str
    title: str
    description: str | None
    status: str
    assignee: str | None
    candidateGroups: list[str]
    outcomes: list[str]
    form: Json
    due: str | None
    outcome: str | None
    createdAt: str
    completedAt: str | None


class Lease(TypedDict):
    token: str
    until: str


class JobData(TypedDict):
    """A job as the API gives it out; `perdure.client.Job` is what handlers of workers see."""

    id: str
    process: str
    activity: str
    type: str
    input: Json
    attempt: int
    priority: int
    idempotencyKey: str
    traceparent: str
    lease: Lease


class StartRequest(TypedDict, total=False):
    """One of the starts of a batch, as `POST /v1/processes` takes it."""

    definition: dict[str, str]
    input: Json
    key: str
    onConflict: OnConflict
    tags: dict[str, str]
    startAt: str


class BatchResult(TypedDict, total=False):
    """Either of them."""

    process: Process
    error: Error


class LastRun(TypedDict):
    at: str
    process: str


class Schedule(TypedDict):
    id: str
    definition: DefinitionReference
    kind: str
    expression: Json
    timezone: str
    overlap: str
    catchUp: str
    paused: bool
    next: str | None
    last: LastRun | None
    queued: int
    since: str


class Backfilled(TypedDict):
    """`already` counts ticks that had started a process before."""

    started: int
    already: int
    processes: list[str]


class Page(TypedDict, Generic[T]):
    """`next` is the cursor of the next page, None on the last."""

    items: list[T]
    next: str | None


class Fault(TypedDict):
    """One thing wrong with a request, or a warning about it: at a pointer into the body, or in a parameter."""

    pointer: NotRequired[str]
    parameter: NotRequired[str]
    detail: str
    line: NotRequired[int | None]
    column: NotRequired[int | None]
