"""What a call needs to know of a channel, whichever version its document has."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from perdure.codec import Json


@dataclass(frozen=True, slots=True)
class Server:
    """`uri` has a scheme, and may have ``{variable}`` in it. `protocol` is one of the DSL's names.

    `defaults` and `choices` are of the server's variables; `bindings` those of its protocol.
    """

    name: str
    protocol: str
    uri: str
    tls: bool
    defaults: Mapping[str, str] = field(default_factory=dict)
    choices: Mapping[str, Sequence[str]] = field(default_factory=dict)
    bindings: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Parameter:
    """Of a channel's address. `location` is a runtime expression, such as ``$message.payload#/user/id``."""

    default: str | None = None
    choices: Sequence[str] = ()
    location: str | None = None


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation on a channel, as the document says it, for any server.

    The bindings are by name of the protocol. `servers` are the names of those that have the channel; None means all.
    """

    name: str
    address: str
    parameters: Mapping[str, Parameter]
    content_type: str
    correlation: str | None
    servers: Sequence[str] | None
    channel_bindings: Mapping[str, Json] = field(default_factory=dict)
    operation_bindings: Mapping[str, Json] = field(default_factory=dict)
    message_bindings: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Bindings:
    """Those of one protocol."""

    server: Mapping[str, Json] = field(default_factory=dict)
    channel: Mapping[str, Json] = field(default_factory=dict)
    operation: Mapping[str, Json] = field(default_factory=dict)
    message: Mapping[str, Json] = field(default_factory=dict)

    def first(self, name: str) -> Json:
        """What the operation says, else the channel, else the message, else the server."""
        for holder in (self.operation, self.channel, self.message, self.server):
            if name in holder:
                return holder[name]
        return None


@dataclass(frozen=True, slots=True)
class Target:
    """Where to: a channel's address at a server, everything filled in. `path` is that of the server's URI."""

    protocol: str
    host: str
    port: int | None
    path: str
    tls: bool
    address: str
    bindings: Bindings
    content_type: str
    correlation: str | None = None
    userinfo: tuple[str, str] | None = field(default=None, repr=False)
    """Name and password in the server's address."""

    @property
    def shown(self) -> str:
        """For people: without credentials."""
        port = "" if self.port is None else f":{self.port}"
        return f"{self.address!r} at {self.protocol}{'s' if self.tls else ''}://{self.host}{port}"


@dataclass(frozen=True, slots=True)
class Login:
    """What proves who calls: a name and a password, or a token."""

    username: str | None = None
    password: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to publish, encoded. `headers` are the author's and the platform's; `id` is the idempotency key."""

    body: bytes
    content_type: str
    headers: Mapping[str, str]
    id: str
    correlation_id: str | None = None
