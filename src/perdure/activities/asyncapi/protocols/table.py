"""Which protocols are spoken, and what they need."""

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module

from perdure.activities.asyncapi.protocols.contract import MessageProtocol
from perdure.activities.http_request import misconfigured


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a protocol is implemented; `needs` is the module that the extra brings."""

    module: str
    name: str
    needs: str | None = None
    extra: str | None = None


_ROOM = "perdure.activities.asyncapi.protocols"

ENTRIES: Mapping[str, Entry] = {
    "amqp": Entry(f"{_ROOM}.amqp", "Amqp"),
    "http": Entry(f"{_ROOM}.http", "Http"),
    "kafka": Entry(f"{_ROOM}.kafka", "Kafka", "aiokafka", "kafka"),
    "mqtt": Entry(f"{_ROOM}.mqtt", "Mqtt", "aiomqtt", "mqtt"),
    "mqtt5": Entry(f"{_ROOM}.mqtt", "Mqtt", "aiomqtt", "mqtt"),
    "nats": Entry(f"{_ROOM}.nats", "Nats", "nats", "nats"),
}


def missing(protocol: str) -> str | None:
    """Why a protocol can't be spoken here, and what to do about it; None where it can."""
    entry = ENTRIES.get(protocol)
    if entry is None:
        return f"the protocol {protocol} is not available; those that are: {', '.join(ENTRIES)}"
    if entry.needs is not None and importlib.util.find_spec(entry.needs) is None:
        return (
            f"the protocol {protocol} needs an extra that is not installed here; "
            f"install it with: pip install 'perdure[{entry.extra}]'"
        )
    return None


def protocol_of(name: str) -> MessageProtocol:
    """Raises `CallFailed` (configuration) for one that can't be spoken here."""
    problem = missing(name)
    if problem is not None:
        raise misconfigured(f"{problem[0].upper()}{problem[1:]}.")
    entry = ENTRIES[name]
    made: MessageProtocol = getattr(import_module(entry.module), entry.name)()
    return made
