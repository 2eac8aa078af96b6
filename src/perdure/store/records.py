"""What the store keeps and gives out: its rows, as the runtime sees them."""

from collections.abc import Mapping
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

import msgspec

from perdure.codec import Json
from perdure.engine.errors import Error
from perdure.engine.refs import Ref
from perdure.engine.step import Step, Waiting

DefinitionName: TypeAlias = tuple[str, str, str, str]
"""Tenant, namespace, name, version."""


class Record(msgspec.Struct, frozen=True):
    """A row, as the runtime sees it."""


class DefinitionRecord(Record, frozen=True):
    tenant: str
    namespace: str
    name: str
    version: str
    version_order: str
    """Sorts as semantic versions do."""
    stable: bool
    title: str | None
    summary: str | None
    document: bytes
    source: bytes
    media_type: str
    digest: bytes
    created_at: datetime
    created_by: str


class FunctionRecord(Record, frozen=True):
    """A function of the default catalog."""

    tenant: str
    name: str
    version: str
    version_order: str
    """Sorts as semantic versions do."""
    document: bytes
    source: bytes
    media_type: str
    digest: bytes
    created_at: datetime
    created_by: str


class ProcessRecord(Record, frozen=True):
    id: UUID
    tenant: str
    namespace: str
    name: str
    version: str
    status: str
    key: str | None
    tags: Mapping[str, str]
    input: Ref
    output: Ref | None
    error: Error | None
    waiting: tuple[Waiting, ...]
    parent_process: UUID | None
    parent_activity: UUID | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


class ActivityRecord(Record, frozen=True):
    id: UUID
    process: UUID
    number: int
    parent: UUID | None
    reference: str
    name: str
    kind: str
    iteration: tuple[int, ...]
    status: str
    attempt: int
    input: Ref | None
    output: Ref | None
    error: Error | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    progress: Json = None
    """What the worker of its job has reported."""


class JobRecord(Record, frozen=True):
    """A job for external workers. `state`: ``available``, ``leased`` or ``delayed``; in the end ``completed``,
    ``failed`` or ``cancelled``.

    `attempt` is the activity's; in it, `deliveries` counts how often the job was given out and `failures` how
    often a worker asked for another try. `lease_seconds` is the length of the last lease, `due` when it or the
    delay ends. `token` is that of the last lease, None where that has ended by itself. `answer` is a digest of
    the answer to it.
    """

    id: UUID
    tenant: str
    process: UUID
    type: str
    priority: int
    input: Ref
    attempt: int
    state: str
    held: bool
    deliveries: int
    failures: int
    lease_seconds_wanted: float | None
    lease_seconds: float | None
    due: datetime | None
    token: UUID | None
    worker: str | None
    actor: str | None
    progress: Json
    answer: bytes | None
    created_at: datetime


class HistoryRecord(Record, frozen=True):
    sequence: int
    at: datetime
    type: str
    activity: UUID | None
    actor: str
    data: Json


class HumanTaskRecord(Record, frozen=True):
    id: UUID
    tenant: str
    process: UUID
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


class KeyRecord(Record, frozen=True):
    id: UUID
    tenant: str
    name: str
    role: str
    prefix: str
    created_at: datetime
    revoked_at: datetime | None


class NewProcess(Record, frozen=True):
    """A process to be accepted. `fact` goes into its inbox now, or at `start_at`."""

    id: UUID
    tenant: str
    namespace: str
    name: str
    version: str
    key: str | None
    tags: Mapping[str, str]
    seed: bytes
    input: Ref
    payload: bytes | None
    """The encoded input where `input` names a stored payload."""
    fact: bytes
    start_at: datetime | None = None
    parent_process: UUID | None = None
    parent_activity: UUID | None = None
    depth: int = 0
    """How many processes wait for it, one for the other."""


class Start(Record, frozen=True):
    """A process to be accepted, unless an earlier one came under the same idempotency key (`claim`: key, digest)."""

    process: NewProcess
    claim: tuple[str, bytes] | None = None


class Accepted(Record, frozen=True):
    """What came of a start. `how` is ``added``; ``repeated`` where the process `id` was accepted under the same
    idempotency key and digest, ``mismatch`` where it was with another digest.
    """

    how: str
    id: UUID
    created_at: datetime | None = None
    """Of an added one."""


class TakenProcess(Record, frozen=True):
    """A process under lock. `facts` are the encoded facts that wait, oldest first, with their inbox ids."""

    id: UUID
    tenant: str
    namespace: str
    name: str
    version: str
    status: str
    seed: bytes
    state: bytes | None
    sequence: int
    parent_process: UUID | None
    parent_activity: UUID | None
    depth: int
    created_at: datetime
    owed: bool
    """Whether the process owes itself a step, facts or not."""
    facts: tuple[tuple[int, bytes], ...]


class Answer(Record, frozen=True):
    """What came of an attempt of a call, as an encoded fact."""

    process: UUID
    activity: UUID
    attempt: int
    lookup: int
    fact: bytes


class Lease(Record, frozen=True):
    """Calls that somebody is to have from now on, for so long, under a token."""

    activities: tuple[UUID, ...]
    token: UUID
    seconds: float


class Outcome(Record, frozen=True):
    """What a step made of a taken process. `facts` are the inbox ids that it has taken in, `answers` what it has taken
    in beside: their calls are done.
    """

    process: TakenProcess
    step: Step
    state: bytes
    facts: tuple[int, ...]
    secrets: frozenset[str]
    answers: tuple[Answer, ...] = ()
    runs_again: bool = False
    """Whether the process has ended and its version's schedule wants it to run again after a delay."""


class LeasedCall(Record, frozen=True):
    """A call under lease from `sent_at` on. `lost_at`: since when somebody had it who has not been heard of again.

    `lookup` and `in_doubt` as of `engine.effects.PerformCall`.
    """

    activity: UUID
    process: UUID
    tenant: str
    attempt: int
    function: str
    reference: str
    request: Json
    detached: bool
    secrets: frozenset[str]
    token: UUID
    sent_at: datetime
    lost_at: datetime | None
    lookup: int
    in_doubt: str


class Saved(Record, frozen=True):
    """What is to be done after the commit."""

    events: tuple[int, ...]
    """Ids of event rows written, to be published and routed."""
    calls: tuple[LeasedCall, ...] = ()
    """Those that were leased, to be made."""


class PendingEvent(Record, frozen=True):
    id: int
    tenant: str
    event: Json
    routed: bool
    to_publish: bool


class EventOffer(Record, frozen=True):
    """An event, and the correlated values that it has: pairs of a shape's digest and the value's."""

    event: PendingEvent
    values: tuple[tuple[bytes, bytes], ...]


class Outlook(Record, frozen=True):
    """What there is to do for workers, and in how many seconds; None where there is nothing. `telling`: whether events
    of the lifecycle are owed.
    """

    timer: float | None
    job: float | None
    schedule: float | None
    delivery: float | None
    telling: bool


class Shape(Record, frozen=True):
    """Correlation expressions that some subscription uses."""

    digest: bytes
    expressions: tuple[str, ...]


class RecentEvent(Record, frozen=True):
    id: int
    event: Json
    received_at: datetime


class LookBack(Record, frozen=True):
    """A new subscription's wish for one kind of event received since a moment.

    `type` is None for any; `expressions`, where there are any, must yield the values of the digest `value`.
    """

    process: UUID
    activity: UUID
    reference: str
    tenant: str
    type: str | None
    expressions: tuple[str, ...]
    value: bytes | None
    since: datetime
