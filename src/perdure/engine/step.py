"""What one step of a process consumes and produces."""

from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID

import msgspec

from perdure.codec import Json
from perdure.engine.effects import AnyEffect
from perdure.engine.errors import Error
from perdure.engine.refs import Key, Ref
from perdure.engine.state import State

PROCESS_REFERENCE = "/"
"""The reference of what belongs to no task, and the instance of its errors."""


class Process(msgspec.Struct, frozen=True):
    """What the engine knows of a process beside its state.

    `seed` is 32 random bytes given at creation, from which callback tokens are derived. `sequence` is the number of
    lines in its audit trail.
    """

    id: UUID
    created_at: datetime
    seed: bytes
    sequence: int = 0


class Environment(msgspec.Struct, frozen=True):
    """What the engine knows of where it runs."""

    public_url: str
    """Base of callback URLs, without a slash at the end."""
    version: str


class Limits(msgspec.Struct, frozen=True):
    """How far one step may go before it owes itself a wake-up (`activities_max`), and how large a process may grow."""

    activities_max: int = 200
    loop_items_max: int = 1_000_000
    map_items_max: int = 100_000
    fork_branches_max: int = 10_000
    listen_events_max: int = 100_000
    """How many events or messages one task may consume."""
    payload_bytes_max: int = 32 * 1024 * 1024
    """Of one value, as JSON."""
    event_bytes_max: int = 1024 * 1024
    """Of one event that is emitted, as JSON."""
    history_lines_max: int = 10_000_000


class Activity(msgspec.Struct):
    """The record of an activity as it stands after the step. Written whole, by id.

    `order` numbers activities by their start within the process, from 0.
    """

    id: UUID
    order: int
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


class Entry(msgspec.Struct, frozen=True):
    """One line of the audit trail. Its sequence number is given when it is written."""

    at: datetime
    type: str
    activity: UUID | None
    actor: str
    data: Json


Reason: TypeAlias = Literal["call", "timer", "event", "human-task", "callback", "job", "child", "retry", "step"]
"""Why a process will move again."""


class Waiting(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """One thing that a process waits for. `reason` is a `Reason`; later releases may store more of them.

    `until`: when it comes by itself. `times_out_at`: when the first timeout ends the waiting, that of the activity
    or of one that encloses it.
    """

    activity: UUID
    reference: str
    reason: str
    since: datetime
    until: datetime | None = None
    times_out_at: datetime | None = None


def waits_to_begin(process: UUID, since: datetime, start_at: datetime | None = None) -> Waiting:
    """What a process waits for before its first step: for that, or for the time of its start."""
    return Waiting(process, PROCESS_REFERENCE, "step" if start_at is None else "timer", since, start_at)


class Step(msgspec.Struct):
    """Everything that one step decided, to be committed at once.

    `payloads` holds encoded JSON by key. `more` says that the step stopped at its limit and the process
    owes itself a wake-up.
    """

    state: State
    status: str
    effects: list[AnyEffect]
    activities: dict[UUID, Activity]
    history: list[Entry]
    payloads: dict[Key, bytes]
    waiting: list[Waiting]
    output: Ref | None
    error: Error | None
    started_at: datetime | None
    ended_at: datetime | None
    more: bool
