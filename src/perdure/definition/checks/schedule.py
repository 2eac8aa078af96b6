"""Checks of schedules (DSL reference, "Schedule") and of what ``document.metadata.perdure.schedule`` adds."""

from collections.abc import Mapping
from zoneinfo import ZoneInfo, available_timezones

from perdure.codec import Json
from perdure.definition import cron, durations
from perdure.definition.checks import events
from perdure.definition.checks.report import Check, Report, quoted, suggestion
from perdure.definition.checks.shapes import members, quotes_hint, word
from perdure.definition.checks.values import duration
from perdure.definition.interpolation import OPENING

INTERVAL_SECONDS_MIN = 0.001
"""Shorter intervals are refused: a schedule that never rests is a loop."""


def _cron(value: Json, pointer: str, report: Report) -> None:
    if not isinstance(value, str):
        report.expected('a cron expression such as "30 2 * * 1-5"', value, pointer, quotes_hint(value))
        return
    try:
        cron.normal(value)
    except ValueError as error:
        report.problem(pointer, str(error))


def _interval(value: Json, pointer: str, report: Report) -> None:
    """A duration that is known beforehand: before a process starts there is nothing to evaluate."""
    if isinstance(value, str) and OPENING in value:
        report.problem(pointer, f"expected a duration without expressions, found {quoted(value)}")
        return
    duration(value, pointer, report)


def _every(value: Json, pointer: str, report: Report) -> None:
    _interval(value, pointer, report)
    try:
        length = durations.of(value)
    except ValueError:
        return  # told already
    if not length.months and length.seconds < INTERVAL_SECONDS_MIN:
        report.problem(pointer, "expected an interval of at least one millisecond, found a shorter one")


def _strategy(value: Json, pointer: str, report: Report) -> None:
    events.strategy(value, pointer, report)
    if isinstance(value, dict) and value.get("all") == []:
        report.problem(f"{pointer}/all", "expected at least one event filter; of no events none can start a process")


_MEMBERS: Mapping[str, Check] = {"every": _every, "cron": _cron, "after": _interval, "on": _strategy}


def schedule(value: Json, pointer: str, report: Report) -> None:
    """``schedule``: at least one of its properties."""
    members(optional=_MEMBERS)(value, pointer, report)
    if value == {}:
        report.problem(pointer, "expected one of every, cron, after, on; found none")


def _timezone(value: Json, pointer: str, report: Report) -> None:
    if not isinstance(value, str):
        report.expected('the name of a time zone such as "Europe/Berlin"', value, pointer)
        return
    try:
        ZoneInfo(value)
    except (ValueError, OSError):
        near = suggestion(value, [name for name in available_timezones() if name[:1].lower() == value[:1].lower()])
        report.problem(pointer, f'expected a time zone such as "Europe/Berlin", found {quoted(value)}{near}')


_options = members(
    optional={
        "timezone": _timezone,
        "overlap": word("allow", "skip", "queue"),
        "catchUp": word("latest", "all", "none"),
    },
    what="an object with timezone, overlap, catchUp",
)


def metadata(value: Json, pointer: str, report: Report) -> None:
    """``document.metadata``: free, but for what Perdure reads of it."""
    if not isinstance(value, dict):
        report.expected("an object", value, pointer)
        return
    own = value.get("perdure")
    if isinstance(own, dict) and "schedule" in own:
        _options(own["schedule"], f"{pointer}/perdure/schedule", report)
