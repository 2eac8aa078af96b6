"""CloudEvents in AMQP messages, structured and binary (CloudEvents AMQP Protocol Binding 1.0.2, sections 3.1, 3.2).

RabbitMQ carries AMQP 1.0's application properties as the headers of AMQP 0-9-1, and so does this.
"""

import base64
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

from perdure import codec
from perdure.codec import Json
from perdure.engine.attributes import INTEGERS, NAME, REQUIRED, normal, text_fault

STRUCTURED: Final = "application/cloudevents+json; charset=UTF-8"
ROUTING_KEY_BYTES_MAX: Final = 255
DEPTH_MAX: Final = 100
"""How deep the JSON of an event from outside may be nested."""
_PREFIXES: Final = ("cloudevents:", "cloudevents_")


class Encoded(NamedTuple):
    """What goes into a message."""

    routing_key: str
    content_type: str
    body: bytes


def encode(event: Json) -> Encoded:
    """The event in structured mode, to be routed by its type."""
    key = str(event["type"]).encode()[:ROUTING_KEY_BYTES_MAX].decode(errors="ignore")
    return Encoded(key, STRUCTURED, codec.encode(event))


def decode(content_type: str | None, headers: Mapping[str, Any], body: bytes) -> Json:
    """The event in its JSON format. Raises `ValueError` where the message is no CloudEvent, saying why."""
    media_type = (content_type or "").partition(";")[0].strip().lower()
    if media_type.startswith("application/cloudevents"):
        if media_type != "application/cloudevents+json":
            raise ValueError(f"expected application/cloudevents+json or binary mode, found {media_type}")
        event = _decoded(body)
        if not isinstance(event, dict):
            raise ValueError(f"expected a JSON object, found {type(event).__name__}")
        event = normal(event)
    else:
        event = _binary(content_type, media_type, headers, body)
    _check(event)
    return event


def _binary(content_type: str | None, media_type: str, headers: Mapping[str, Any], body: bytes) -> dict[str, Json]:
    event: dict[str, Json] = {}
    for name, value in headers.items():
        for prefix in _PREFIXES:
            if name.lower().startswith(prefix) and value is not None:
                event[name[len(prefix) :].lower()] = _attribute(value)
    if not event.keys().isdisjoint(("data", "data_base64")):
        raise ValueError("expected data as the body of the message, found it as a header")
    if content_type:
        event["datacontenttype"] = content_type
    if body:
        member, data = _data(media_type, body)
        event[member] = data
    return event


def _attribute(value: Any) -> Json:
    if isinstance(value, datetime):
        try:
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        except OverflowError:
            raise ValueError(f"expected a time between the years 1 and 9999, found {value}") from None
    if isinstance(value, bytes | bytearray):
        return bytes(value).decode("utf-8", "replace")
    if isinstance(value, Decimal | float) or (type(value) is int and value not in INTEGERS):
        return str(value)  # AMQP has numbers that CloudEvents has not
    return value


def _data(media_type: str, body: bytes) -> tuple[str, Json]:
    if media_type in ("", "application/json", "text/json") or media_type.endswith("+json"):
        return "data", _decoded(body)
    if media_type.startswith("text/") or media_type == "application/xml" or media_type.endswith("+xml"):
        try:
            return "data", body.decode()
        except UnicodeDecodeError:
            raise ValueError(f"expected UTF-8 text for data of type {media_type}") from None
    return "data_base64", base64.b64encode(body).decode("ascii")


def _decoded(body: bytes) -> Json:
    try:
        return codec.decode_shallow(body, DEPTH_MAX)
    except ValueError as error:
        raise ValueError(f"expected JSON: {error}") from None


def _check(event: dict[str, Json]) -> None:
    if event.get("specversion") != "1.0":
        raise ValueError(f'expected specversion "1.0", found {event.get("specversion")!r}')
    for name in REQUIRED:
        if not isinstance(event.get(name), str) or not event[name]:
            raise ValueError(f"expected a non-empty string as {name}")
    for name, value in event.items():
        if name != "data" and (fault := _fault(name, value)):
            raise ValueError(f"{name[:80] if name.isprintable() else repr(name[:80])}: {fault}")
    if "data" in event and "data_base64" in event:
        raise ValueError("expected data or data_base64, found both")


def _fault(name: str, value: Json) -> str | None:
    """Why the member can't be this value; the same holds for events that come by HTTP."""
    if name == "data_base64":
        return _base64_fault(value)
    if not NAME.fullmatch(name):
        return "expected an attribute name of 1 to 64 lower-case letters and digits"
    if isinstance(value, str):
        return text_fault(name, value)
    if isinstance(value, bool) or (isinstance(value, int) and value in INTEGERS):
        return None
    return f"expected an attribute to be a text, a boolean or a 32-bit integer; found {type(value).__name__}"


def _base64_fault(value: Json) -> str | None:
    try:
        if isinstance(value, str):
            base64.b64decode(value, validate=True)
            return None
    except ValueError:  # binascii.Error is one
        pass
    return "expected base64"
