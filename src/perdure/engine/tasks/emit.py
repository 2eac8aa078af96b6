"""`emit`: publish a CloudEvent (DSL reference, "Emit"; CloudEvents 1.0)."""

import re
from datetime import datetime

from perdure.codec import Json, encode
from perdure.definition.program import Emit
from perdure.engine.attributes import REQUIRED, text_fault
from perdure.engine.dataflow import DEFINITION, argument_of, evaluate, expand_uris, fault, text_of
from perdure.engine.draft import OWN, Draft
from perdure.engine.durations import kind_of
from perdure.engine.effects import PublishEvent
from perdure.engine.payloads import Flow
from perdure.engine.refs import Ref
from perdure.engine.state import Frame

_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")

EVENT_PUBLISHED = OWN + "event.published"


def begin(draft: Draft, frame: Frame, task: Emit) -> Flow[Ref]:
    """The output is the whole event."""
    value = yield from evaluate(draft, frame, task.event, argument_of(frame), DEFINITION)
    value = yield from expand_uris(draft, frame, task.event, value, "source", "dataschema")
    try:
        event = _event(draft, frame, value)
    except ValueError as problem:
        raise fault(draft, frame, "configuration", str(problem)) from None
    size = len(encode(event))
    if size > draft.limits.event_bytes_max:
        limit = f"at most {draft.limits.event_bytes_max} bytes (PERDURE_EVENT_BYTES_MAX)"
        raise draft.too_much(frame, f"expected an event of {limit}, found {size}; emit where the data is instead")
    draft.effect("event", frame.id, PublishEvent(frame.id, event))
    draft.note_task(EVENT_PUBLISHED, frame, event={name: event[name] for name in ("id", "source", "type")})
    return draft.store(frame, event)


def _event(draft: Draft, frame: Frame, value: Json) -> dict[str, Json]:
    """The event with what CloudEvents requires. Its id is the activity's, so that a repeat is known as one."""
    if not isinstance(value, dict):
        raise ValueError(f"expected emit.event.with to be an object, found {kind_of(value)}")
    event: dict[str, Json] = {"specversion": "1.0", "id": str(frame.id)}
    event.update((name, attribute) for name, attribute in value.items() if attribute is not None or name == "data")
    event.setdefault("time", text_of(draft.now))
    if "data" in event:
        event.setdefault("datacontenttype", "application/json")
    for name in REQUIRED:
        if not isinstance(attribute := event.get(name), str) or not attribute:
            found = kind_of(attribute)
            raise ValueError(f"expected the event's {name} to be a string that is not empty, found {found}")
    if event["specversion"] != "1.0":
        raise ValueError("expected the event's specversion to be 1.0, or to be left out")
    _check_time(event["time"])
    for name, attribute in event.items():
        if name != "data" and not isinstance(attribute, str | bool | int):
            raise ValueError(
                f"expected the event's {name} to be a string, integer or boolean, found {kind_of(attribute)}"
            )
        if name != "data" and isinstance(attribute, str) and (problem := text_fault(name, attribute)):
            raise ValueError(f"the event's {name}: {problem}")
    return event


def _check_time(value: Json) -> None:
    """CloudEvents 1.0, section 3.1.2."""
    try:
        if isinstance(value, str) and _TIME.fullmatch(value):
            datetime.fromisoformat(value.upper())
            return
    except ValueError:
        pass
    raise ValueError("expected the event's time to be as RFC 3339 writes it, such as 2026-11-23T09:30:00Z")
