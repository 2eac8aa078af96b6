"""The state of a process: the frames of its live activities, and what the process itself holds.

Payloads are named by reference (`refs`), never carried, unless they are short. Ended activities have left
the state; whatever grows with data (chunks of collections, consumed events) is stored under derived keys.

Stored as MessagePack: a version number, then the state as arrays. Whatever changes in these classes makes a new
version, by which workers of the release before know what to leave alone: they would drop fields that they don't know.
Earlier versions keep their readers in `_READERS`; where fields were only added at the end, with defaults, the reader of
the new version reads the old one too.
"""

from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

import msgspec

from perdure.engine.errors import Error
from perdure.engine.refs import NULL, Ref

VERSION = 3
"""Of states with a fork whose branches have not all begun, which releases before would forget."""
DOUBTFUL_VERSION = 2
"""Of states with calls in doubt."""
PLAIN_VERSION = 1
"""Of states with neither, which releases before these can go on with."""

ROOT = -1
"""The parent of the tasks in the top-level ``do``."""


class Timer(msgspec.Struct, frozen=True, array_like=True):
    """A timer that was set and has not fired. `purpose` as in `effects.SetTimer`, or ``attempt``."""

    id: UUID
    purpose: str
    due: datetime
    since: datetime


class Frame(msgspec.Struct, array_like=True, tag=0):
    """A live activity. Tasks that remember more than this have a subclass.

    `input` is the raw task input, `argument` the transformed one (None before it is known). `status` is
    ``pending`` (in `State.ready`), ``running`` or ``waiting``; in a faulted process also ``faulted`` and
    ``cancelled``, for frames kept so that the process can be retried.
    """

    order: int
    """Start number within the process; names the frame within the state."""
    id: UUID
    task: int
    """`Task.index`."""
    parent: int
    """`order` of the enclosing frame, or `ROOT`."""
    iteration: tuple[int, ...]
    depth: int
    input: Ref
    created_at: datetime
    attempt: int = 1
    status: str = "pending"
    argument: Ref | None = None
    started_at: datetime | None = None
    base: int = 0
    """Attempts that everything beneath has possibly had before this frame began."""
    guard: int = ROOT
    """`order` of the nearest enclosing try that may retry, or `ROOT`."""
    round: int = 0
    """How often the flow within this frame has gone backwards."""
    timers: tuple[Timer, ...] = ()
    timer_count: int = 0


class SwitchFrame(Frame, tag=1):
    then: str | None = None
    """The directive of the case that matched."""
    case: str | None = None
    """Its name."""


class ForFrame(Frame, tag=2):
    """A loop. The collection lies in chunks; `chunk` is the current one, numbered `chunk_number`, whose
    first item has index `chunk_start`."""

    index: int = 0
    count: int = 0
    chunk: Ref = NULL
    chunk_number: int = 0
    chunk_start: int = 0
    chunk_count: int = 0


class ForkFrame(Frame, tag=3):
    """`remaining` branches have not completed, of which the last `left` have not begun."""

    outputs: list[Ref | None] = msgspec.field(default_factory=list)
    remaining: int = 0
    left: int = 0


class TryFrame(Frame, tag=4):
    """`phase`: ``try``, ``retry`` (waiting to try again) or ``catch``.

    `current` and `prior` count, by task index, the attempts of activities beneath: in this attempt of the
    try, and in those before it.
    """

    phase: str = "try"
    error: Error | None = None
    retries: int = 0
    since: datetime | None = None
    """When the first attempt began that counts for the retry policy's limits."""
    current: dict[int, int] = msgspec.field(default_factory=dict)
    prior: dict[int, int] = msgspec.field(default_factory=dict)


class Doubt(msgspec.Struct, array_like=True):
    """A call of which nobody knows whether it was made: what it was, since when, and how often it was looked up."""

    function: str
    request: Ref
    sent_at: datetime
    lookups: int = 0


class CallFrame(Frame, tag=5):
    """A call, with what is open of it in the world.

    While it is in `doubt`, `calling` means that it is being looked up, `human_task` that a person is asked about it.
    """

    calling: bool = False
    human_task: bool = False
    callback: bool = False
    escalate_to: tuple[str, ...] = ()
    job: bool = False
    doubt: Doubt | None = None


class RunFrame(Frame, tag=6):
    child: UUID | None = None


class ListenFrame(Frame, tag=7):
    """A subscription. `count` events were consumed, of which `done` have been through `foreach`.

    `expected` are the values of correlations with ``expect``, by filter and name; `found` those that the
    first event gave for correlations without. `matched` and `until_matched` are indices of filters.
    """

    listening: bool = False
    count: int = 0
    done: int = 0
    iterating: bool = False
    expected: dict[str, Ref] = msgspec.field(default_factory=dict)
    found: dict[str, Ref] = msgspec.field(default_factory=dict)
    matched: list[int] = msgspec.field(default_factory=list)
    until_matched: list[int] = msgspec.field(default_factory=list)


class ExtendedFrame(Frame, tag=8):
    """What runs extensions around a task. It is no activity of its own: records and history leave it out.

    `phase`: ``before``, ``task``, ``given`` (the task, whose work an extension has done instead) or ``after``.
    `position` is that of the extension it is at, in `Extended.extensions`; `applied` has those whose ``after`` is
    still to run. `then` is where the task wants the flow to go.
    """

    phase: str = "before"
    position: int = 0
    applied: list[int] = msgspec.field(default_factory=list)
    output: Ref | None = None
    """What the task gave; in the phase ``given``, what stands for its raw output."""
    then: str | None = None
    shown: bool = False
    """Whether it stands in records and history for the task, which was not begun."""


class MapFrame(ForFrame, tag=11):
    """Child processes for items. `index` is the next item's, `done` counts those that have ended.

    `running` tells which item each child that runs is for; its size is bounded by the concurrency.
    """

    running: dict[UUID, int] = msgspec.field(default_factory=dict)
    done: int = 0
    concurrency: int = 1
    collect: bool = False
    definition: tuple[str, str, str] = ("", "", "")
    """Namespace, name and version of the process for each item."""


class SubscriptionFrame(ListenFrame, tag=12):
    """A subscription to messages of a broker, kept open by a call; it is `listening` as long as that is wanted.

    `receipt` is that of the message taken last, `recent` the digests of the latest messages' identities.
    """

    receipt: UUID | None = None
    recent: bytes = b""


AnyFrame: TypeAlias = (
    Frame
    | SwitchFrame
    | ForFrame
    | ForkFrame
    | TryFrame
    | CallFrame
    | RunFrame
    | ListenFrame
    | ExtendedFrame
    | MapFrame
    | SubscriptionFrame
)


class State(msgspec.Struct, array_like=True):
    """What the engine knows of a process between steps.

    `phase` tells what the process itself is at: ``new``, ``input``, ``body`` or ``output``; a retry of a
    process that faulted outside its tasks goes on there. `output` is the last task's output from the phase
    ``output`` on, and the process's own once it has completed.
    """

    status: str = "pending"
    phase: str = "new"
    suspended: bool = False
    input: Ref = NULL
    argument: Ref = NULL
    context: Ref = NULL
    output: Ref | None = None
    error: Error | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    timer: Timer | None = None
    """The timeout of the process."""
    timer_count: int = 0
    order: int = 0
    """The start number of the next activity."""
    attempt_max: int = 1
    """The highest attempt that any activity has had."""
    round: int = 0
    faulted: int | None = None
    """The frame where the fault arose that ended the process, `ROOT` for the process itself."""
    ready: list[int] = msgspec.field(default_factory=list)
    """Frames that are to begin, in order."""
    frames: list[AnyFrame] = msgspec.field(default_factory=list)
    held: list[bytes] = msgspec.field(default_factory=list)
    """Facts, as JSON, that came while the process was suspended; they act at resume."""


_encoder = msgspec.msgpack.Encoder(uuid_format="bytes")
_READERS: dict[int, Any] = dict.fromkeys((1, 2, 3), msgspec.msgpack.Decoder(tuple[int, State]))
_version = msgspec.msgpack.Decoder(tuple[int, msgspec.Raw])


class StateUnreadable(Exception):
    """The stored state was written by a later release, or is damaged."""


class StateNewer(StateUnreadable):
    """The stored state was written by a later release."""


def encode(state: State) -> bytes:
    """The state in its stored form."""
    return _encoder.encode((_version_of(state), state))


def _version_of(state: State) -> int:
    version = PLAIN_VERSION
    for frame in state.frames:
        if isinstance(frame, ForkFrame) and frame.left:
            return VERSION
        if isinstance(frame, CallFrame) and frame.doubt is not None:
            version = DOUBTFUL_VERSION
    return version


def decode(data: bytes) -> State:
    """The state from its stored form, of this release or an earlier one. Raises `StateUnreadable`, `StateNewer`."""
    try:
        version = _version.decode(data)[0]
        if version > VERSION:
            raise StateNewer(
                f"the state has version {version}, this release reads up to {VERSION}; run the newer release"
            )
        state: State = _READERS[version].decode(data)[1]
    except (msgspec.DecodeError, KeyError) as error:
        raise StateUnreadable(f"the state can't be read: {error}") from None
    return state
