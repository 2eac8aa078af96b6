"""Checks of events: their properties, filters, consumption strategies (DSL reference, "Event …")."""

import re
from collections.abc import Mapping

from perdure.codec import Json
from perdure.definition.checks.report import Check, Report, quoted
from perdure.definition.checks.shapes import array, exactly_one, mapping, members, variable
from perdure.definition.checks.text import expression, is_known, template, text
from perdure.definition.checks.uris import any_uri
from perdure.definition.checks.values import export, output
from perdure.definition.pointers import child

_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_ATTRIBUTE = re.compile(r"[a-z0-9]+")

_STRATEGIES = ("all", "any", "one")


def _time(value: Json, pointer: str, report: Report) -> None:
    text(value, pointer, report)
    if is_known(value, report) and not _TIME.fullmatch(value):
        report.expected('a time such as "2026-01-31T12:00:00Z", or an expression', value, pointer)


_EMITTED: Mapping[str, Check] = {
    "id": text,
    "source": any_uri,
    "type": text,
    "time": _time,
    "subject": text,
    "datacontenttype": text,
    "dataschema": any_uri,
    "data": template,
}
_FILTERED: Mapping[str, Check] = {name: text for name in _EMITTED if name != "data"} | {"data": template}


def _attributes(known: Mapping[str, Check], value: Json, pointer: str, report: Report) -> None:
    """The attributes of an event, extension attributes included (CloudEvents, "Extension Context Attributes")."""
    if not isinstance(value, dict):
        report.expected("an object with the attributes of an event", value, pointer)
        return
    for name, item in value.items():
        place = child(pointer, name)
        known.get(name, template)(item, place, report)
        if name not in known and not _ATTRIBUTE.fullmatch(name):
            report.warn(place, f"CloudEvents attributes are named with a-z and 0-9, found {quoted(name)}", at_key=True)


def emitted(value: Json, pointer: str, report: Report) -> None:
    """``emit.event.with``."""
    _attributes(_EMITTED, value, pointer, report)
    if isinstance(value, dict):
        for name in ("source", "type"):
            if name not in value:
                report.problem(pointer, f"expected the property {quoted(name)}, which is missing")


def _filtered(value: Json, pointer: str, report: Report) -> None:
    _attributes(_FILTERED, value, pointer, report)
    if value == {}:
        report.problem(pointer, "expected at least one attribute such as type, found none")


_correlation = members({"from": expression}, {"expect": text}, open_=True, what="a correlation with the property from")

event_filter: Check = members(
    {"with": _filtered}, {"correlate": mapping(_correlation)}, what="an event filter with the property with"
)


def _until(value: Json, pointer: str, report: Report) -> None:
    if isinstance(value, str):
        expression(value, pointer, report)
    elif isinstance(value, dict):
        _strategy(value, pointer, report, until=False)
    else:
        report.expected("an expression, or an event consumption strategy", value, pointer)


_filters = array(event_filter, what="an array of event filters")


def _strategy(value: Json, pointer: str, report: Report, *, until: bool) -> None:
    kinds: dict[str, Check] = {"all": _filters, "any": _filters, "one": event_filter}
    allowed = dict(kinds)
    if until and isinstance(value, dict) and "any" in value:
        allowed["until"] = _until
    elif isinstance(value, dict) and "until" in value:
        allowed["until"] = _misplaced_until
    members(optional=allowed, what="an event consumption strategy: all, any or one")(value, pointer, report)
    if not isinstance(value, dict):
        return
    exactly_one(value, _STRATEGIES, pointer, report)
    if value.get("all") == []:
        report.warn(child(pointer, "all"), "no event to listen to: the task completes at once")


def _misplaced_until(value: Json, pointer: str, report: Report) -> None:
    report.problem(pointer, 'expected "until" only beside "any", and not within another "until"', at_key=True)


def strategy(value: Json, pointer: str, report: Report) -> None:
    """DSL reference, "Event Consumption Strategy"."""
    _strategy(value, pointer, report, until=True)


def iterator(tasks: Check) -> Check:
    """DSL reference, "Subscription Iterator"; `tasks` checks a list of tasks."""
    inner = members(
        optional={"item": variable, "at": variable, "do": tasks, "output": output, "export": export},
        what="a subscription iterator",
    )

    def check(value: Json, pointer: str, report: Report) -> None:
        inner(value, pointer, report)
        distinct_variables(value, ("item", "item"), ("at", "index"), pointer, report)

    return check


def distinct_variables(value: Json, one: tuple[str, str], other: tuple[str, str], pointer: str, report: Report) -> None:
    """Two variables of one iteration, each given as (property, default), must not bear the same name."""
    if isinstance(value, dict) and value.get(*one) == value.get(*other):
        name = value.get(*one)
        report.problem(pointer, f"expected different variables, found {quoted(str(name))} as {one[0]} and {other[0]}")
