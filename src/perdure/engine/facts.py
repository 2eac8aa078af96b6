"""Everything that can happen to a process. A closed union: together with `effects`, the engine's table of contents.

Facts are recorded by `runtime` in the process's inbox before the engine sees them, and may arrive in
any order, late, or for an activity that has ended meanwhile.
"""

from datetime import datetime
from typing import TypeAlias
from uuid import UUID

import msgspec

from perdure.codec import Json
from perdure.engine.errors import Error
from perdure.engine.refs import Key


class Fact(msgspec.Struct, frozen=True, tag=True, omit_defaults=True, forbid_unknown_fields=True):
    """What has happened; `tag` names it in the inbox.

    One that a later release has recorded, with something in it that this one does not know, is left to that release.
    """


class Exchange(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is known of how a call was made and answered: by which host, and with which status, where it has one.

    Times are the database's, from when the request went out.
    """

    sent_at: datetime
    answered_at: datetime
    by: str | None = None
    status: int | None = None


class ProcessStarted(Fact, frozen=True):
    """The process was accepted with this input, or with that which is stored under a key already."""

    input: Json
    actor: str
    input_key: Key | None = None


class ActivitySucceeded(Fact, frozen=True):
    """The call of an activity was answered. `attempt` tells which call it was, `lookup` (from 1) which one of those
    that found out about it.
    """

    activity: UUID
    attempt: int
    output: Json
    exchange: Exchange | None = None
    lookup: int = 0


class ActivityFailed(Fact, frozen=True):
    """The call of an activity failed for good, as far as the performer can tell. `lookup` as of `ActivitySucceeded`."""

    activity: UUID
    attempt: int
    error: Error
    exchange: Exchange | None = None
    lookup: int = 0


class CallInDoubt(Fact, frozen=True):
    """Whoever had the call since `sent_at` is gone without a word: nobody knows whether it was made.

    With a `request` nobody makes it now, and the engine says what is to become of it. Without one it is being made
    again, under the same idempotency key. `reference` is that of a call that nobody awaits.
    """

    activity: UUID
    attempt: int
    sent_at: datetime
    function: str
    request: Json = None
    reference: str | None = None


class TimerFired(Fact, frozen=True):
    """A timer set by `SetTimer` is due."""

    timer: UUID


class EventReceived(Fact, frozen=True):
    """An event that may match the subscription of a listen activity; the engine decides whether it does.

    `event` is the CloudEvent in its JSON format (attributes and ``data``).
    """

    activity: UUID
    event: Json


class MessageReceived(Fact, frozen=True):
    """A broker delivered a message to the subscription of an activity; the engine decides whether it is consumed.

    `message` is ``{payload, headers, correlationId?}``. `receipt` names this delivery, so that whoever handed
    it over learns whether it was taken (`engine.receipts`). `identity` is what the protocol tells the message
    from others by, where it does: a second delivery of the same message is refused.
    """

    activity: UUID
    attempt: int
    receipt: UUID
    message: Json
    identity: str | None = None


class CallbackReceived(Fact, frozen=True):
    """The callback URL of an activity was called with this body."""

    activity: UUID
    body: Json


class HumanTaskActed(Fact, frozen=True):
    """A person took a human task, gave it back or handed it on: `action` is ``claimed``, ``released`` or ``delegated``.

    `actor` is for whom it was done, `by` who asked for it, `to` who has the task then.
    """

    activity: UUID
    action: str
    actor: str
    by: str
    to: str | None = None


class HumanTaskCompleted(Fact, frozen=True):
    """A person decided. `output` is ``{outcome, data, comment, completedBy, completedAt}``.

    `actor` is who decided, `by` who said so to the platform.
    """

    activity: UUID
    output: Json
    actor: str
    by: str | None = None


class RunEnded(Fact, frozen=True):
    """A program that nobody awaits (``run`` with ``await: false``) has ended, or could not be run."""

    activity: UUID
    reference: str
    code: int | None = None
    error: Error | None = None


class JobLeased(Fact, frozen=True):
    """A worker has taken the job of an activity, until `until`. `delivery` counts from 1 within the attempt."""

    activity: UUID
    attempt: int
    delivery: int
    worker: str
    actor: str
    until: datetime


class JobReturned(Fact, frozen=True):
    """The job is to be done again, from `again_at` on where that is given.

    `reason`: ``lease-ended`` (nothing was heard of the worker), ``failed`` (the worker asks for another try,
    because of `error`) or ``released`` (the worker gave it back).
    """

    activity: UUID
    attempt: int
    delivery: int
    worker: str
    actor: str
    reason: str
    error: Error | None = None
    again_at: datetime | None = None


class JobCompleted(Fact, frozen=True):
    """A worker has done the job of an activity. `attempt` is the activity's."""

    activity: UUID
    attempt: int
    delivery: int
    output: Json
    worker: str
    actor: str


class JobFailed(Fact, frozen=True):
    """The job failed for good: its worker says so, or it was tried as often as it may be."""

    activity: UUID
    attempt: int
    delivery: int
    error: Error
    worker: str
    actor: str


class ChildEnded(Fact, frozen=True):
    """An awaited child process ended; `status` is ``completed``, ``faulted`` or ``cancelled``."""

    activity: UUID
    child: UUID
    status: str
    output: Json = None
    error: Error | None = None


class SuspendRequested(Fact, frozen=True):
    actor: str
    reason: str | None = None


class ResumeRequested(Fact, frozen=True):
    actor: str
    reason: str | None = None


class CancelRequested(Fact, frozen=True):
    actor: str
    reason: str | None = None


class RetryRequested(Fact, frozen=True):
    """An operator wants a faulted process to go on at the activity that faulted."""

    actor: str
    reason: str | None = None


class RepairRequested(Fact, frozen=True):
    """Wake-ups of these activities (the process's id stands for the process itself) are not recorded any more.

    `restart` wants those that can't be had again from the state to begin anew, as another attempt.
    """

    actor: str
    activities: tuple[UUID, ...]
    restart: bool = False


AnyFact: TypeAlias = (
    ProcessStarted
    | ActivitySucceeded
    | ActivityFailed
    | CallInDoubt
    | TimerFired
    | EventReceived
    | MessageReceived
    | CallbackReceived
    | HumanTaskActed
    | HumanTaskCompleted
    | RunEnded
    | JobLeased
    | JobReturned
    | JobCompleted
    | JobFailed
    | ChildEnded
    | SuspendRequested
    | ResumeRequested
    | CancelRequested
    | RetryRequested
    | RepairRequested
)
