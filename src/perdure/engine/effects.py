"""Everything that a step wants done outside the engine. A closed union, the counterpart of `facts`.

Effects are committed with the state that they follow from; what they ask of the world happens only after.
"""

from datetime import datetime
from typing import TypeAlias
from uuid import UUID

import msgspec

from perdure.codec import Json
from perdure.engine.refs import Ref


class Effect(msgspec.Struct, frozen=True):
    """What is to be done."""


class PerformCall(Effect, frozen=True):
    """Perform an external call and report `ActivitySucceeded` or `ActivityFailed`.

    `request` holds the evaluated arguments, secrets by name only where authentication names them. For
    ``http``: ``{method, uri, headers?, query?, body?, output, redirect, authentication?}``.
    """

    activity: UUID
    attempt: int
    function: str
    reference: str
    request: Json
    detached: bool = False
    """Nobody awaits the result: report `RunEnded`."""
    lookup: int = 0
    """From 1 where the call finds out about an earlier one of the activity."""
    in_doubt: str = "retry"
    """What becomes of it if nobody knows whether it was made: as `InDoubt.policy`."""


class CancelCall(Effect, frozen=True):
    """Forget the call of an activity; its late result is refused."""

    activity: UUID


class SetTimer(Effect, frozen=True):
    """Report `TimerFired` at `due`. `purpose`: ``wait``, ``timeout``, ``retry``, ``due``, ``until``
    (the time for a subscription is over)."""

    timer: UUID
    due: datetime
    purpose: str


class CancelTimer(Effect, frozen=True):
    timer: UUID


class EventPattern(msgspec.Struct, frozen=True):
    """What the router needs to find the subscription of an event; the engine matches exactly later.

    `type` is the literal CloudEvent type, or None if any type may match. `shape` lists the expressions
    over the event whose values must equal `values` (all correlations that have ``expect``), in the order of
    their names; both are empty where there are none, or not all of them are constant.
    """

    type: str | None
    shape: tuple[str, ...] = ()
    values: tuple[Json, ...] = ()


class Subscribe(Effect, frozen=True):
    """Report `EventReceived` for events that fit one of the patterns.

    `look_back` wants events of the last 60 seconds too, none older than the process.
    """

    activity: UUID
    reference: str
    patterns: tuple[EventPattern, ...]
    look_back: bool


class Unsubscribe(Effect, frozen=True):
    activity: UUID


class PublishEvent(Effect, frozen=True):
    """Publish a CloudEvent (JSON format, complete) to the outside and to listening processes."""

    activity: UUID
    event: Json


class OpenHumanTask(Effect, frozen=True):
    """Ask a person. The human task's id is the activity's."""

    activity: UUID
    title: str
    description: str | None
    assignees: tuple[str, ...]
    candidate_groups: tuple[str, ...]
    exclude_users: tuple[str, ...]
    outcomes: tuple[str, ...]
    form: Json
    due: datetime | None


class EscalateHumanTask(Effect, frozen=True):
    """The task is overdue: these groups may decide it too."""

    activity: UUID
    candidate_groups: tuple[str, ...]


class CloseHumanTask(Effect, frozen=True):
    """The activity ended without the person's decision."""

    activity: UUID


class OpenCallback(Effect, frozen=True):
    """Report `CallbackReceived` once `token` is called."""

    activity: UUID
    token: str


class CloseCallback(Effect, frozen=True):
    activity: UUID


class OpenJob(Effect, frozen=True):
    """Offer a job to workers of its type. The job's id is the activity's; a higher `priority` comes first."""

    activity: UUID
    attempt: int
    type: str
    input: Ref
    priority: int
    lease_seconds: float | None


class HoldJob(Effect, frozen=True):
    """While it is held, the job is given to no worker; whoever has it may answer."""

    activity: UUID
    held: bool


class CloseJob(Effect, frozen=True):
    """The activity ended without the job's result."""

    activity: UUID


class StartChild(Effect, frozen=True):
    """Start a process; when `await_`, report `ChildEnded` to the activity."""

    activity: UUID
    child: UUID
    namespace: str
    name: str
    version: str
    input: Json
    await_: bool


class CancelChild(Effect, frozen=True):
    child: UUID


AnyEffect: TypeAlias = (
    PerformCall
    | CancelCall
    | SetTimer
    | CancelTimer
    | Subscribe
    | Unsubscribe
    | PublishEvent
    | OpenHumanTask
    | EscalateHumanTask
    | CloseHumanTask
    | OpenCallback
    | CloseCallback
    | OpenJob
    | HoldJob
    | CloseJob
    | StartChild
    | CancelChild
)
