"""Durations: ISO 8601 text and the DSL's objects (DSL reference, "Duration")."""

import re
from collections.abc import Mapping

from perdure.codec import Json
from perdure.definition.program import Duration

MONTHS_MAX = 12 * 1000
DAYS_PER_MONTH = 30.44
"""Where no calendar tells how long a month is."""
SECONDS_MAX = 366 * 1000 * 86_400
"""A thousand years: beyond that, dates can't be reckoned with."""

UNITS = {"days": 86_400.0, "hours": 3600.0, "minutes": 60.0, "seconds": 1.0, "milliseconds": 0.001}
"""The members of a duration object, in seconds."""

_SECONDS_PER_MONTH = 30 * 86_400
_DIGITS_MAX = 18

_N = r"([0-9]+(?:\.[0-9]+)?)"
_SYNTAX = re.compile(rf"P(?!$)(?:{_N}Y)?(?:{_N}M)?(?:{_N}W)?(?:{_N}D)?(?:T(?=[0-9])(?:{_N}H)?(?:{_N}M)?(?:{_N}S)?)?")
_FACTORS = (7 * 86_400, 86_400, 3600, 60, 1)


def parse(text: str) -> Duration:
    """The duration that ISO 8601 text such as ``PT15M`` or ``P1DT12H`` says.

    Weeks may stand beside other units, and every number may have a fraction. A fraction of a month
    counts 30 days for a whole one. Raises `ValueError` where the text says no duration or one too long.
    """
    match = _SYNTAX.fullmatch(text) if len(text) <= _DIGITS_MAX * 8 else None
    if match is None:
        raise ValueError(f'expected an ISO 8601 duration such as PT30S or P1DT12H, found "{text[:60]}"')
    numbers = [float(group) if group else 0.0 for group in match.groups()]
    months = numbers[0] * 12 + numbers[1]
    seconds = sum(number * factor for number, factor in zip(numbers[2:], _FACTORS, strict=True))
    if months > MONTHS_MAX or seconds > SECONDS_MAX:
        raise ValueError(f'expected a duration of at most 1000 years, found "{text[:60]}"')
    return Duration(int(months), seconds + (months - int(months)) * _SECONDS_PER_MONTH)


def of(value: Json) -> Duration:
    """The duration that ISO 8601 text or an object such as ``{"minutes": 5}`` says.

    Raises `ValueError` where it says none.
    """
    if isinstance(value, str):
        return parse(value)
    if not isinstance(value, Mapping) or not value:
        raise ValueError('expected a duration: ISO 8601 text such as PT30S, or an object such as {"seconds": 30}')
    seconds = 0.0
    for unit, amount in value.items():
        if unit not in UNITS:
            raise ValueError(f'expected the units {", ".join(UNITS)} in a duration, found "{unit[:40]}"')
        if not _is_whole(amount):
            raise ValueError(f"expected a whole number of {unit}, not below 0 and within 1000 years")
        seconds += amount * UNITS[unit]
    if seconds > SECONDS_MAX:
        raise ValueError("expected a duration of at most 1000 years")
    return Duration(0, seconds)


def seconds_of(duration: Duration) -> float:
    """Its length where it begins at no known time."""
    return duration.seconds + duration.months * DAYS_PER_MONTH * 86_400


def _is_whole(amount: Json) -> bool:
    """Whether it is an integer as JSON Schema sees it: ``5.0`` is one, ``true`` is none."""
    if isinstance(amount, bool) or not isinstance(amount, int | float):
        return False
    return 0 <= amount <= SECONDS_MAX * 1000 and amount == int(amount)
