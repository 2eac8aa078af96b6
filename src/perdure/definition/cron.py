"""Cron expressions: five fields, or one of the usual words for them (DSL reference, "Schedule").

Daylight saving is treated as Debian's cron does: a time that the clock skips comes right after the gap, a time
that comes twice comes the first time only, and what recurs with a wildcard in its hour or minute follows the clock.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

WORDS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}

FIELDS = "minute hour day-of-month month day-of-week"
LENGTH_MAX = 200

_SOME_TIME = datetime(2026, 1, 1, tzinfo=UTC)


def normal(text: str) -> str:
    """The five fields that the text means. Raises `ValueError`, saying what was expected."""
    fields = text.split()
    if len(text) > LENGTH_MAX:
        raise ValueError(f"expected a cron expression of at most {LENGTH_MAX} characters, found {len(text)}")
    if len(fields) == 1 and fields[0].startswith("@"):
        word = fields[0].lower()
        if word not in WORDS:
            raise ValueError(f'expected one of {", ".join(WORDS)}, or five fields; found "{text.strip()[:60]}"')
        return WORDS[word]
    if len(fields) != 5:
        hint = "; there is no field for seconds" if len(fields) == 6 else ""
        raise ValueError(
            f'expected five fields ({FIELDS}) such as "30 2 * * 1-5", found {len(fields)} in "{text[:60]}"{hint}'
        )
    expression = " ".join(fields)
    try:
        next(CronSim(expression, _SOME_TIME))
    except CronSimError as error:
        found = str(error).removeprefix("Bad ")
        raise ValueError(f'expected five fields ({FIELDS}), found something else as {found} in "{text[:60]}"') from None
    except StopIteration:
        raise ValueError(f'expected a time that comes, found "{text[:60]}", which never does') from None
    return expression


def after(expression: str, zone: ZoneInfo, moment: datetime) -> Iterator[datetime]:
    """The ticks later than `moment`, in order, in UTC. `expression` is `normal`."""
    return _walk(expression, zone, moment, reverse=False)


def before(expression: str, zone: ZoneInfo, moment: datetime) -> Iterator[datetime]:
    """The ticks earlier than `moment`, the latest first, in UTC."""
    return _walk(expression, zone, moment, reverse=True)


def _walk(expression: str, zone: ZoneInfo, moment: datetime, *, reverse: bool) -> Iterator[datetime]:
    try:
        for tick in CronSim(expression, moment.astimezone(zone), reverse=reverse):
            yield tick.astimezone(UTC)
    except OverflowError:
        return
