"""Messages as bytes, by content type: JSON is JSON, text is text, everything else is bytes in Base64."""

import base64
from collections.abc import Iterable, Mapping

from perdure.activities.asyncapi.locations import at
from perdure.activities.asyncapi.model import Outgoing
from perdure.activities.contract import Call, Message
from perdure.activities.http_request import misconfigured, platform_headers
from perdure.activities.openapi import bodies
from perdure.activities.openapi.model import Content
from perdure.codec import Json, decode_shallow, text_of

CORRELATION_HEADERS = ("correlationid", "correlation-id", "x-correlation-id")
IDENTITY_HEADER = "idempotency-key"
_PLATFORM = ("Idempotency-Key", "traceparent")


def outgoing(message: Mapping[str, Json], content_type: str, correlation: str | None, call: Call) -> Outgoing:
    """The message of a call as it is sent. Raises `CallFailed` (configuration)."""
    headers = message.get("headers") or {}
    if not isinstance(headers, dict) or any(isinstance(value, dict | list) for value in headers.values()):
        raise misconfigured("`message.headers` must be an object with text, numbers and booleans.")
    payload = message.get("payload")
    written, body = content_type, b""
    if payload is not None:
        written, body = bodies.encoded(Content(content_type), payload)
    texts = {str(name): text_of(value) for name, value in headers.items() if value is not None}
    own = {name.lower() for name in texts}
    for name, value in platform_headers(call):
        if name in _PLATFORM and name.lower() not in own:
            texts[name] = value
    found = _correlation(correlation, payload, headers)
    return Outgoing(body, written, texts, call.idempotency_key, found)


def incoming(
    body: bytes,
    content_type: str | None,
    headers: Iterable[tuple[str, Json]],
    correlation: str | None,
    depth_max: int,
    *,
    correlation_id: str | None = None,
    identity: str | None = None,
) -> Message:
    """A message as it was received; `correlation_id` and `identity` are what the protocol itself says of that."""
    given = dict(headers)
    payload = _payload(body, (content_type or "").partition(";")[0].strip().lower(), depth_max)
    found = _correlation(correlation, payload, given)
    if identity is None:
        identity = next((v for n, v in given.items() if n.lower() == IDENTITY_HEADER and isinstance(v, str)), None)
    return Message(payload, given, correlation_id if found is None else found, identity)


def _payload(body: bytes, content_type: str, depth_max: int) -> Json:
    """What says that it is JSON but is not is text; what says nothing is JSON, text or bytes as far as it can be."""
    if not body:
        return None
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return base64.b64encode(body).decode()
    if content_type == "application/octet-stream":
        return base64.b64encode(body).decode()
    if content_type.startswith("text/"):
        return text
    try:
        return decode_shallow(body, depth_max)
    except ValueError:
        return text


def _correlation(location: str | None, payload: Json, headers: Mapping[str, Json]) -> str | None:
    if location is not None:
        found = at(location, {"payload": payload, "headers": headers})
        if found is not None and not isinstance(found, dict | list):
            return text_of(found)
    for name, value in headers.items():
        if name.lower() in CORRELATION_HEADERS and isinstance(value, str):
            return value
    return None
