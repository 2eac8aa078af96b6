"""CloudEvents 1.0 as HTTP carries them: structured, binary and batched (HTTP Protocol Binding 1.0.2).

Whatever the mode, what comes out are events in the JSON format, checked to be complete.
"""

import base64
import binascii
import re
from datetime import datetime
from typing import Final
from urllib.parse import unquote_to_bytes

import msgspec
from starlette.requests import Request

from perdure.api import bodies
from perdure.api.problems import Refusal
from perdure.codec import Json, encode
from perdure.engine import attributes
from perdure.settings import Settings

STRUCTURED: Final = "application/cloudevents+json"
BATCH: Final = "application/cloudevents-batch+json"

EVENTS_MAX: Final = 1_000
REQUIRED: Final = ("specversion", "id", "source", "type")

_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")
_EXPECTED: Final = (
    f"expected {STRUCTURED} (structured), {BATCH} (batched), or ce- headers such as ce-specversion, ce-id, "
    "ce-source and ce-type with any Content-Type (binary)"
)

Errors = list[dict[str, Json]]


async def read(request: Request) -> list[Json]:
    """The events of a request. 400 undecodable, 415 in no known mode, 422 incomplete or malformed."""
    media_type = bodies.content_type(request)
    if media_type == STRUCTURED:
        events = [_normal(bodies.decode_json(request, await bodies.read(request)))]
        errors = _check(events[0], "")
    elif media_type == BATCH:
        events = [_normal(event) for event in _batch(bodies.decode_json(request, await bodies.read(request)))]
        errors = [error for n, event in enumerate(events) for error in _check(event, f"/{n}")]
    elif media_type.startswith("application/cloudevents") or not _headers(request):
        raise Refusal(415, f"Content-Type: {_EXPECTED}; found {media_type[:80] or 'none'!r}.")
    else:
        events = [_binary(request, media_type, await bodies.read(request))]
        errors = _check(events[0], "")
    if errors:
        raise _refusal(errors)
    _check_sizes(request, events)
    return events


def _check_sizes(request: Request, events: list[Json]) -> None:
    settings: Settings = request.app.state.settings
    bytes_max = settings.event_bytes_max
    for number, event in enumerate(events):
        if (size := len(encode(event))) > bytes_max:
            limit = f"at most {bytes_max} bytes as JSON (PERDURE_EVENT_BYTES_MAX)"
            detail = f"expected an event of {limit}, found {size}"
            place = {"pointer": f"/{number}" if len(events) > 1 else "", "detail": detail}
            raise Refusal(413, f"The event is too large: {detail}.", [place])


def _refusal(errors: Errors) -> Refusal:
    errors = errors[: bodies.ERRORS_MAX]
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return Refusal(422, f"No CloudEvent: {errors[0]['pointer']}: {errors[0]['detail']}{more}", errors)


def _batch(value: Json) -> list[Json]:
    if not isinstance(value, list) or len(value) > EVENTS_MAX:
        found = f"{len(value)} of them" if isinstance(value, list) else bodies.shown(value)
        detail = f"expected an array of at most {EVENTS_MAX} events, found {found}"
        raise Refusal(422, f"No batch of CloudEvents: {detail}.", [{"pointer": "", "detail": detail}])
    return value


def _normal(event: Json) -> Json:
    return attributes.normal(event) if isinstance(event, dict) else event


def _headers(request: Request) -> list[tuple[str, bytes]]:
    return [
        (name[3:].decode("latin-1"), value)
        for name, value in request.headers.raw
        if name[:3] == b"ce-" and name != b"ce-"
    ]


def _binary(request: Request, media_type: str, data: bytes) -> Json:
    event: dict[str, Json] = {}
    for name, value in _headers(request):
        if name in event or name in ("data", "datacontenttype") or not attributes.NAME.fullmatch(name):
            detail = "expected each attribute once, named in lower-case letters and digits"
            raise _refusal([{"pointer": f"/{name[:80]}", "detail": f"{detail}; `data` is the body"}])
        event[name] = _header_value(name, value)
    if media_type:
        event["datacontenttype"] = request.headers["content-type"]
    if data:
        event |= _data(request, media_type, data)
    return event


def _header_value(name: str, value: bytes) -> str:
    """HTTP binding, section 3.1.3.2: perhaps quoted, then percent-encoded UTF-8."""
    text = value.decode("latin-1").strip()
    if len(text) >= 2 and text[0] == text[-1] == '"':
        text = re.sub(r"\\(.)", r"\1", text[1:-1])
    try:
        return unquote_to_bytes(text.encode("latin-1")).decode()
    except UnicodeDecodeError:
        detail = "expected a header of percent-encoded UTF-8"
        raise _refusal([{"pointer": f"/{name}", "detail": detail}]) from None


def _data(request: Request, media_type: str, data: bytes) -> dict[str, Json]:
    if not media_type or bodies.is_json(media_type):
        return {"data": bodies.decode_json(request, data)}
    if media_type.startswith("text/") or media_type == "application/xml":
        try:
            return {"data": data.decode()}
        except UnicodeDecodeError:
            pass
    return {"data_base64": base64.b64encode(data).decode()}


def _check(event: Json, at: str) -> Errors:
    """Everything that keeps the value from being a CloudEvent; its place begins with `at`."""
    if not isinstance(event, dict):
        return [{"pointer": at, "detail": f"expected an event, which is an object; found {bodies.shown(event)}"}]
    missing = [name for name in REQUIRED if event.get(name) is None]
    if missing:
        detail = f"expected the attributes {', '.join(REQUIRED)}; missing: {', '.join(missing)}"
        return [{"pointer": f"{at}/{name}", "detail": detail} for name in missing]
    found = {name: _fault(name, value) for name, value in event.items() if value is not None}
    if "data" in event and event.get("data_base64") is not None:
        found["data_base64"] = "expected either data or data_base64, found both"
    return [{"pointer": f"{at}/{name[:80]}", "detail": detail} for name, detail in found.items() if detail]


def _fault(name: str, value: Json) -> str | None:
    match name:
        case "data":
            return None
        case "data_base64":
            return _base64_fault(value)
        case "specversion":
            return None if value == "1.0" else f"expected '1.0', found {bodies.shown(value)}"
        case "id" | "source" | "type" | "subject" | "dataschema" | "datacontenttype":
            return _text_fault(name, value)
        case "time":
            if isinstance(value, str) and _TIME.fullmatch(value) and _is_time(value):
                return None
            return f"expected a time as RFC 3339 writes it, found {bodies.shown(value)}"
        case _ if not attributes.NAME.fullmatch(name):
            return "expected an attribute name of 1 to 64 lower-case letters and digits"
        case _:
            return _extension_fault(name, value)


def _is_time(value: str) -> bool:
    try:
        msgspec.convert(value.upper(), datetime)
    except msgspec.ValidationError:
        return False
    return True


def _text_fault(name: str, value: Json) -> str | None:
    if not isinstance(value, str) or not value:
        return f"expected a text of at least one character, found {bodies.shown(value)}"
    return attributes.text_fault(name, value)


def _extension_fault(name: str, value: Json) -> str | None:
    if isinstance(value, str):
        return _text_fault(name, value) if value else None
    if isinstance(value, bool) or (isinstance(value, int) and value in attributes.INTEGERS):
        return None
    return f"expected an attribute to be a text, a boolean or a 32-bit integer; found {bodies.shown(value)}"


def _base64_fault(value: Json) -> str | None:
    try:
        if isinstance(value, str):
            base64.b64decode(value, validate=True)
            return None
    except (ValueError, binascii.Error):
        pass
    return f"expected base64, found {bodies.shown(value)}"
