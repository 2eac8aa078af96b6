"""What performs activities in the world outside, as `worker` sees it."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Final, Protocol
from uuid import UUID

from perdure import clock
from perdure.codec import Json
from perdure.engine.errors import Error
from perdure.limits import Limit


@dataclass(frozen=True, slots=True)
class Message:
    """A message from a broker. `identity` is what the protocol tells it from others by, where it does."""

    payload: Json
    headers: Json
    correlation_id: str | None = None
    identity: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """Of messages handed over, the first `taken` are the process's for good; the others are none of it.

    Unless more is `wanted`, the subscription is over.
    """

    taken: int
    wanted: bool


class Deliver(Protocol):
    """Hands messages of a subscription to its process."""

    async def __call__(self, messages: Sequence[Message], resume: Json = None) -> Verdict:
        """Returns once the process has decided, which may take long: while it is suspended or busy.

        `resume` is where another worker would have to go on if this one died; it finds it in its request as
        ``subscription.resume``.
        """

    async def wanted(self) -> None:
        """Returns once the process wants a message."""


@dataclass(frozen=True, slots=True)
class Call:
    """One attempt of one activity.

    `request` is that of `engine.effects.PerformCall`. `idempotency_key` is the same for all attempts:
    ``PROCESS-ID/ACTIVITY-ID``. `secrets` are the names that the definition's ``use.secrets`` lists; no other
    secret may be used.
    """

    process: UUID
    activity: UUID
    attempt: int
    function: str
    reference: str
    request: Json
    tenant: str
    idempotency_key: str
    secrets: frozenset[str] = frozenset()
    deliver: Deliver | None = field(default=None, compare=False)
    """Where the messages of a subscription go; None for any other call."""


GIVEN_UP = "the call was cancelled"
"""The argument of the `CancelledError` that ends a call which nobody wants any more. Ended otherwise (this worker
stops, or another has taken over), the call goes on elsewhere."""


class CallFailed(Exception):
    """The call was performed and failed, or can't be performed as the definition says it.

    `error` has no instance yet. It holds no secret.
    """

    def __init__(self, error: Error) -> None:
        super().__init__(error.detail)
        self.error = error


class Unwanted(Exception):
    """Nobody wants the call any more, and whoever performed it knows: there is nothing to report."""


class Postponed(Exception):
    """This call was not made, and is to be tried again later: too many wait for a host with a limit already, or only a
    later release knows what to do.
    """


class Place(Protocol):
    """What a call takes up of its worker's room, which is others' while the call only waits for its turn."""

    begun: bool
    """Whether a request of the call has gone out, so that it would be repeated if it began anew."""

    def leave(self) -> None:
        """It waits from now on. Raises `Postponed` where too many do and it has not begun."""

    async def enter(self) -> None:
        """It waits no longer; returns when there is room again."""


PLACE: Final[ContextVar[Place | None]] = ContextVar("place", default=None)
"""That of the call being performed."""


@dataclass(slots=True)
class Trace:
    """What is known of how a call went beside its output. Whoever performs it writes down what there is."""

    sent: float | None = None
    """When its request went out, or its program was begun (monotonic)."""
    by: str | None = None
    """The host that answered, with its port."""
    status: int | None = None
    """The status of the answer, where the protocol has one: HTTP's, or the number of gRPC's code."""

    def sends(self) -> None:
        """The request goes out now. What one before it was answered, such as a redirection, is not its answer."""
        self.sent, self.by, self.status = clock.monotonic(), None, None


TRACE: Final[ContextVar[Trace | None]] = ContextVar("trace", default=None)
"""That of the call being performed."""


def trace_of_call() -> Trace:
    """That of the call being performed, or where there is none one that nobody reads."""
    return TRACE.get() or Trace()


@contextlib.contextmanager
def beside_the_call() -> Iterator[None]:
    """What is sent within is no part of how the call went: a document or a token is fetched, a session closed."""
    token = TRACE.set(None)
    try:
        yield
    finally:
        TRACE.reset(token)


class Permits(Protocol):
    """What all workers agree upon: see `coordination.contract.Coordinator`, which keeps to this."""

    async def admit(self, name: str, limit: Limit, permit: UUID, ttl_seconds: float) -> float: ...
    async def hold(self, permits: Sequence[tuple[str, UUID]], ttl_seconds: float) -> None: ...
    async def release(self, name: str, permit: UUID) -> None: ...


@dataclass(frozen=True, slots=True)
class Fetched:
    """A document from elsewhere. `uri` is where it was found, after redirections."""

    uri: str
    media_type: str
    body: bytes


class Fetcher(Protocol):
    """Fetches what definitions need from outside their documents, within the same bounds as calls."""

    async def fetch(self, endpoint: Json, tenant: str, secrets: frozenset[str]) -> Fetched:
        """What is at an ``endpoint`` (DSL reference, "Endpoint"): a URI, or an object with ``uri`` and
        ``authentication``, which may use these secrets. Raises `CallFailed`.
        """

    async def start(self) -> None: ...
    async def stop(self) -> None: ...


class Poster(Protocol):
    """Sends events to webhooks."""

    async def post(
        self, url: str, headers: Mapping[str, str], body: bytes, seconds: float
    ) -> tuple[int, Mapping[str, str]]:
        """Status and headers of the answer. Raises `ConnectionError` where there is none, without any secret."""


class Performer(Protocol):
    """Performs calls, any number at once."""

    async def perform(self, call: Call) -> Json:
        """The output of the activity. Raises `CallFailed`, `Unwanted` for a subscription that is over, and `Postponed`
        where it could not begin.

        Cancelling it drops the call; whether the other side noticed it is unknown then.
        """

    async def start(self) -> None: ...
    async def stop(self) -> None:
        """Drop what is under way and release all connections."""


class Activities(Performer, Poster, Protocol):
    """All that a worker does in the world."""
