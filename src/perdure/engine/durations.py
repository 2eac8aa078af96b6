"""What durations mean from a moment on (DSL reference, "Duration")."""

import calendar
import math
from datetime import datetime, timedelta

from perdure.codec import Json
from perdure.definition.program import Duration


def kind_of(value: Json) -> str:
    """What a JSON value is, for messages that must not show it."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case list():
            return "an array"
        case _:
            return "an object"


def after(moment: datetime, duration: Duration) -> datetime:
    """`moment` plus `duration`; a day that the month lacks becomes its last. Raises `ValueError` out of range."""
    try:
        if duration.months:
            year, month = divmod(moment.year * 12 + moment.month - 1 + duration.months, 12)
            day = min(moment.day, calendar.monthrange(year, month + 1)[1])
            moment = moment.replace(year=year, month=month + 1, day=day)
        return moment + timedelta(seconds=duration.seconds)
    except (OverflowError, ValueError, calendar.IllegalMonthError):
        raise ValueError("the duration leads beyond the year 9999") from None


def seconds_of(duration: Duration, moment: datetime) -> float:
    """The length in seconds, counted from `moment` on where months are involved. Raises `ValueError`."""
    seconds = (after(moment, duration) - moment).total_seconds() if duration.months else duration.seconds
    if not math.isfinite(seconds):
        raise ValueError("the duration is not finite")
    return seconds
