"""How processes of the platform wake each other, and how CloudEvents leave and enter.

A message is a wake-up: the name of a queue and a few ids. It carries no facts, these are in the database, so
a message may come twice or late; and if the broker loses all of them, the sweep owes them again.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Protocol, TypeAlias

from perdure.codec import Json

STEPS: Final = "steps"
"""Ids of processes that have something to decide."""
CALLS: Final = "calls"
"""Ids of calls that are to be performed."""
EVENTS: Final = "events"
"""Events to be published and routed, and subscriptions that look back; see `runtime.announce`."""

EVENTS_OUT: Final = "perdure.events"
"""The durable topic exchange that emitted CloudEvents go to; the routing key is the event's type."""
EVENTS_IN: Final = "perdure.events.in"
"""The durable topic exchange that CloudEvents for the platform are published to."""

IDS_PER_MESSAGE_MAX: Final = 200
DELIVERIES_MAX: Final = 20
"""How often a message is delivered, each time failing or losing its consumer, before it is put aside."""
DEAD_MAX: Final = 100_000
"""How many messages that were put aside are kept per queue; the oldest give way."""

IdsHandler: TypeAlias = Callable[[list[str]], Awaitable[None]]
EventHandler: TypeAlias = Callable[[Json], Awaitable[None]]
SignalHandler: TypeAlias = Callable[[str], None]


class BrokerUnavailable(Exception):
    """The broker can't be reached, or did not confirm in time. What was published may or may not arrive."""


class Consumer(Protocol):
    """Takes messages from one queue for as long as it is started, through every outage of the broker."""

    async def start(self) -> None:
        """Begin to take messages; returns at once, also while the broker can't be reached."""

    async def stop(self, timeout: float) -> None:
        """Take no more; give what is in flight `timeout` seconds to end, then cancel it.

        Whatever was not handled to its end is handed back, for another consumer to take.
        """


class Broker(Protocol):
    """All implementations keep this contract; `tests/contracts` holds them to it."""

    async def start(self) -> None:
        """Connect, and from then on reconnect whenever needed. Does not fail where the broker is away."""

    async def stop(self) -> None:
        """Disconnect. Consumers must have been stopped before."""

    async def publish(self, queue: str, ids: Sequence[str]) -> None:
        """Wake whoever consumes `queue`, with at most `IDS_PER_MESSAGE_MAX` ids in one message.

        The broker has them on disk when this returns. Raises `BrokerUnavailable` within seconds otherwise.
        """

    def consume(
        self, queue: str, handler: IdsHandler, *, prefetch: int, batch_max: int, concurrency: int = 1
    ) -> Consumer:
        """A consumer, not yet started, that calls `handler` with the ids of one or more messages.

        It gets what is at hand, without waiting for more: as many messages as fit into `batch_max` ids (a
        single larger message is handed over whole), each id once. At most `concurrency` handlers run at a
        time; at most `prefetch` messages are held, waiting or being handled. A message is acknowledged after
        the handler returned. If the handler raises, its messages come again after a growing pause, then not
        mixed with others, and in smaller pieces each time; after `DELIVERIES_MAX` deliveries they are put
        aside as dead.
        """

    async def signal(self, topics: Sequence[str]) -> None:
        """Tell every process that listens now that these topics (short ASCII text) have news. Nothing is kept.

        Raises `BrokerUnavailable`.
        """

    def listen(self, handler: SignalHandler) -> Consumer:
        """A consumer, not yet started, that calls `handler` with each topic signalled by any process, this one
        included. Signals may come twice, and those during an outage are lost: whoever relies on them also looks."""

    async def publish_event(self, event: Json) -> bool:
        """Send a CloudEvent in its JSON format to `EVENTS_OUT`. Raises `BrokerUnavailable`.

        False where it went nowhere, as nobody has asked for events of its type.
        """

    def consume_events(self, handler: EventHandler, *, prefetch: int = 50, concurrency: int = 8) -> Consumer:
        """A consumer, not yet started, of the CloudEvents that arrive at `EVENTS_IN`, in their JSON format.

        Raising and acknowledging are as in `consume`. A message that is no CloudEvent is put aside at once.
        """

    async def ready(self) -> str:
        """``ok``, or what is wrong."""
