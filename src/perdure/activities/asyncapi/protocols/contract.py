"""What publishes and subscribes over one protocol."""

import asyncio
import ssl
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from perdure.activities.asyncapi.model import Login, Outgoing, Target
from perdure.activities.asyncapi.payloads import incoming
from perdure.activities.contract import Call, CallFailed, Message
from perdure.activities.credentials import Credentials
from perdure.activities.egress import Guard, bracketed
from perdure.activities.outside import Outside
from perdure.codec import Json
from perdure.engine.errors import standard

BATCH_MAX = 20
"""How many messages are handed to a process at once, and how many a broker is asked for ahead."""

KEPT_SECONDS = 7 * 24 * 3600
"""How long a broker keeps what is for a subscription that nobody has open, such as while all workers are down."""

PENDING_MAX = 10_000
PENDING_BYTES_MAX = 32 * 1024 * 1024
"""What waits for the process of a subscription whose broker sends without being asked."""


PORTS: Mapping[str, tuple[int, int]] = {
    "amqp": (5672, 5671),
    "http": (80, 443),
    "kafka": (9092, 9093),
    "mqtt": (1883, 8883),
    "mqtt5": (1883, 8883),
    "nats": (4222, 4222),
}
"""Where servers listen unless their address says otherwise, without TLS and with it."""


class Broken(Exception):
    """The connection, or what was made over it, is no more. The words are for people and hold no secret."""


class Denied(Broken):
    """The other side does not know who calls, or does not let them."""


@dataclass(frozen=True, slots=True)
class Access:
    """How to reach a target."""

    outside: Outside
    target: Target
    login: Login
    credentials: Credentials
    call: Call
    batch: int = BATCH_MAX
    """How many messages to ask for ahead."""
    resume: Any = None
    """Where an earlier worker's subscription had come to, if it said so."""

    @property
    def guard(self) -> Guard:
        return self.outside.http.guard

    @property
    def seconds(self) -> float:
        """How long to wait for an answer of the broker."""
        return self.outside.settings.call_timeout_seconds

    @property
    def own_name(self) -> str:
        """A name for what the broker keeps for this activity, the same for every worker."""
        return f"perdure-{self.call.activity.hex}-{self.call.attempt}"

    def received(
        self,
        body: bytes,
        content_type: str | None,
        headers: Iterable[tuple[str, Json]],
        *,
        correlation_id: str | None = None,
        identity: str | None = None,
    ) -> Message:
        """A message as it came. Raises `CallFailed` (communication) for one that is too long."""
        settings = self.outside.settings
        if len(body) > settings.response_body_bytes_max:
            limit = f"{settings.response_body_bytes_max} bytes (PERDURE_RESPONSE_BODY_BYTES_MAX)"
            raise CallFailed(standard("communication", f"A message of {self.target.shown} is longer than {limit}."))
        return incoming(
            body,
            content_type,
            headers,
            self.target.correlation,
            settings.payload_depth_max,
            correlation_id=correlation_id,
            identity=identity,
        )

    @property
    def port(self) -> int:
        plain, secure = PORTS[self.target.protocol]
        return self.target.port or (secure if self.target.tls else plain)

    @property
    def place(self) -> str:
        """Host and port, as an address has them."""
        return f"{bracketed(self.target.host)}:{self.port}"

    def tls(self) -> ssl.SSLContext | None:
        """The context of a connection that is to be encrypted."""
        if not self.target.tls:
            return None
        return self.credentials.tls or ssl.create_default_context()


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message, and what the protocol knows it by."""

    message: Message
    tag: Any = None


class Source(Protocol):
    """An open subscription."""

    async def receive(self) -> Sequence[Delivery]:
        """The messages at hand, at least one, at most `Access.batch`. Raises `Broken`."""

    async def settle(self, deliveries: Sequence[Delivery], taken: int) -> None:
        """Acknowledge the first `taken`; the others go back. Raises `Broken`."""

    async def forget(self) -> None:
        """The subscription is over: remove what the broker keeps for it. Raises `Broken`."""

    @property
    def resume(self) -> Any:
        """Where another worker would have to go on, for protocols that don't know that themselves."""


class MessageProtocol(Protocol):
    """Publishes and subscribes. What goes wrong is a `Broken`, an `OSError`, or a `CallFailed`."""

    async def publish(self, access: Access, message: Outgoing) -> None:
        """Returns once the other side has the message."""

    def subscribe(self, access: Access) -> AbstractAsyncContextManager[Source]:
        """Leaving it closes the connection; what was not settled goes back."""


async def at_hand(queue: "asyncio.Queue[Any]", most: int) -> list[Any]:
    """What a queue holds, waiting for the first; an exception in it is raised."""
    found = [await queue.get()]
    while len(found) < most and not queue.empty():
        found.append(queue.get_nowait())
    for item in found:
        if isinstance(item, BaseException):
            raise item
    return found
