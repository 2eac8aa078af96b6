"""Whether an event fits a filter (DSL reference, "Event Filter", "Correlation").

An expression that fails on an event only means that the event is of another shape: it does not fit.
"""

import base64
import binascii
import re
from collections.abc import Mapping

from perdure.codec import Json, decode
from perdure.definition.program import EventFilter
from perdure.definition.template import Expression, Literal, Template
from perdure.engine.attributes import text_fault
from perdure.engine.dataflow import DEFINITION, argument_of, evaluate, holds
from perdure.engine.draft import Draft, Fault
from perdure.engine.effects import EventPattern
from perdure.engine.payloads import Flow
from perdure.engine.refs import Ref
from perdure.engine.state import ListenFrame

_MATCHES = Expression('. as $text | try ($text | test("^(?:" + $pattern + ")$")) catch false')
_REGULAR = re.compile(r"[\\^$*+?()\[\]{}|]")
"""A literal without any of these is no regular expression, but a value to be equal to."""


def fits(
    draft: Draft, frame: ListenFrame, filter_: EventFilter, name: str, event: Json
) -> Flow[dict[str, Json] | None]:
    """What the event gives to correlations that had no value yet, or None where it does not fit.

    `name` tells the filter from the others of the task. An event's binary data are decoded for conditions.
    """
    for attribute, template in filter_.attributes.items():
        if attribute == "data":
            fit = yield from _data_fits(draft, frame, template, data_of(event))
        elif attribute in event:
            fit = yield from _attribute_fits(draft, frame, template, event[attribute])
        else:
            fit = False
        if not fit:
            return None
    return (yield from _correlate(draft, frame, filter_, name, event))


def pattern_of(draft: Draft, filter_: EventFilter, name: str, expected: Mapping[str, Ref]) -> Flow[EventPattern]:
    """What the router can look for. An expression that needs variables is left to the engine."""
    type_ = filter_.attributes.get("type")
    literal = None
    if isinstance(type_, Literal) and isinstance(type_.value, str) and not _REGULAR.search(type_.value):
        literal = type_.value if text_fault("type", type_.value) is None else None  # else no event has it
    correlations = sorted((c for c in filter_.correlations if c.expect is not None), key=lambda c: c.name)
    if any("$" in correlation.from_.text for correlation in correlations):
        return EventPattern(literal)
    values = []
    for correlation in correlations:
        values.append((yield from draft.payloads.get(expected[expected_key(name, correlation.name)])))
    return EventPattern(literal, tuple(correlation.from_.text for correlation in correlations), tuple(values))


def expected_key(filter_name: str, correlation: str) -> str:
    return f"{filter_name}/{correlation}"


def data_of(event: Json) -> Json:
    """The event's data as a value: binary data are decoded as JSON or text where they are that."""
    if "data" in event or "data_base64" not in event:
        return event.get("data")
    encoded = event["data_base64"]
    try:
        data = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, ValueError, TypeError):
        return encoded
    media_type = str(event.get("datacontenttype") or "application/json").split(";")[0].strip().lower()
    if media_type.endswith(("/json", "+json")):
        try:
            return decode(data)
        except ValueError:
            return data
    return data if media_type.startswith("text/") else encoded


def same(one: Json, other: Json) -> bool:
    """Equality of JSON values: true is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(value, other[name]) for name, value in one.items())
    return bool(one == other)


def _data_fits(draft: Draft, frame: ListenFrame, template: Template, data: Json) -> Flow[bool]:
    """For data, an expression is a condition; anything else must be equal, or match as a pattern."""
    match template:
        case Expression():
            return holds((yield from _try(draft, frame, template, draft.payloads.lend(data))))
        case Literal(value):
            return (yield from _literal_fits(draft, frame, value, data))
        case _:
            value = yield from _try(draft, frame, template, draft.payloads.lend(data), failed=_NO_VALUE)
            return value is not _NO_VALUE and same(value, data)


def _attribute_fits(draft: Draft, frame: ListenFrame, template: Template, attribute: Json) -> Flow[bool]:
    """For other attributes, an expression that yields true or false is a condition on the attribute, and
    else its value. What fails on the attribute may mean the task's input, as elsewhere in a task."""
    if isinstance(template, Literal):
        return (yield from _literal_fits(draft, frame, template.value, attribute))
    value = yield from _try(draft, frame, template, draft.payloads.lend(attribute), failed=_NO_VALUE)
    if value is _NO_VALUE or value is None:
        value = yield from _try(draft, frame, template, argument_of(frame), failed=_NO_VALUE)
        return value is not _NO_VALUE and same(value, attribute)
    return value if isinstance(value, bool) else same(value, attribute)


def _literal_fits(draft: Draft, frame: ListenFrame, literal: Json, value: Json) -> Flow[bool]:
    if same(literal, value):
        return True
    if not (isinstance(literal, str) and isinstance(value, str) and _REGULAR.search(literal)):
        return False
    ref = draft.payloads.lend(value)
    return holds((yield from _try(draft, frame, _MATCHES, ref, own={"pattern": literal})))


def _correlate(
    draft: Draft, frame: ListenFrame, filter_: EventFilter, name: str, event: Json
) -> Flow[dict[str, Json] | None]:
    """A correlation without `expect` expects what the first event had, in every filter of the task."""
    values: dict[str, Json] = {}
    if not filter_.correlations:
        return values
    ref = draft.payloads.lend(event)
    for correlation in filter_.correlations:
        value = yield from _try(draft, frame, correlation.from_, ref)
        key = expected_key(name, correlation.name)
        if correlation.expect is not None:
            fit = same(value, (yield from draft.payloads.get(frame.expected[key])))
        elif correlation.name in frame.found:
            fit = same(value, (yield from draft.payloads.get(frame.found[correlation.name])))
        else:
            fit = value is not None
            values[correlation.name] = value
        if not fit:
            return None
    return values


_NO_VALUE = object()


def _try(
    draft: Draft,
    frame: ListenFrame,
    template: Template,
    subject: Ref,
    *,
    failed: Json = None,
    own: Mapping[str, Json] | None = None,
) -> Flow[Json]:
    try:
        return (yield from evaluate(draft, frame, template, subject, DEFINITION, own=own or {}))
    except Fault:
        return failed
