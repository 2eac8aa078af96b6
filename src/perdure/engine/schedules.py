"""When a schedule starts its next process (DSL reference, "Schedule"). Pure: time is an argument.

A *tick* is a moment at which a process is to start. `every` has them on a grid that begins with the registration
and never drifts, `cron` where its expression says. What else a tick needs (is the schedule paused, does an earlier
run go on) is decided by `due` and `admit`; the runtime records what they say.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import TypeAlias
from zoneinfo import ZoneInfo

from perdure.definition import cron
from perdure.definition.program import Duration
from perdure.engine.durations import after

LATE_SECONDS = 30.0
"""A tick that nobody saw for longer was missed, and the schedule's catch-up says what becomes of it."""
TICKS_PER_TURN_MAX = 100
CATCH_UP_TICKS_MAX = 1_000
"""Of ticks missed in one outage, at most so many are run; the oldest are given up."""
QUEUED_MAX = 100

_MONTH_SECONDS_MIN = 28 * 86_400.0
_MONTH_SECONDS_MAX = 31 * 86_400.0


@dataclass(frozen=True, slots=True)
class Every:
    """A grid of whole intervals, forwards and backwards from its anchor, which itself is no tick."""

    anchor: datetime
    interval: Duration

    def at(self, number: int) -> datetime:
        """The `number`-th tick, from the anchor as number 0. Raises `ValueError` beyond the calendar."""
        interval = self.interval
        if not interval.months:
            try:
                return self.anchor + number * timedelta(seconds=interval.seconds)
            except OverflowError:
                raise ValueError("the schedule leads beyond the calendar") from None
        return after(self.anchor, Duration(number * interval.months, number * interval.seconds))

    def number(self, moment: datetime) -> int:
        """The number of the last tick that is not later than `moment`."""
        interval = self.interval
        if not interval.months:
            return (moment - self.anchor) // timedelta(seconds=interval.seconds)
        seconds = (moment - self.anchor).total_seconds()
        month = _MONTH_SECONDS_MAX if seconds >= 0 else _MONTH_SECONDS_MIN
        number = int(seconds // (interval.months * month + interval.seconds)) - 1
        while self.at(number + 1) <= moment:
            number += 1
        return number


@dataclass(frozen=True, slots=True)
class Cron:
    """`expression` is normal (`definition.cron.normal`)."""

    expression: str
    zone: ZoneInfo


Rhythm: TypeAlias = Every | Cron


def following(rhythm: Rhythm, moment: datetime) -> datetime | None:
    """The first tick later than `moment`; None where the calendar ends before."""
    return next(ticks_after(rhythm, moment), None)


def latest(rhythm: Rhythm, moment: datetime) -> datetime | None:
    """The last tick that is not later than `moment`."""
    return next(_ticks_until(rhythm, moment), None)


def between(rhythm: Rhythm, first: datetime, last: datetime, limit: int) -> list[datetime]:
    """The ticks from `first` to `last`, both included, in order; at most `limit`."""
    found = []
    for tick in islice(ticks_after(rhythm, first - timedelta(microseconds=1)), limit):
        if tick > last:
            break
        found.append(tick)
    return found


@dataclass(frozen=True, slots=True)
class Due:
    """What a schedule owes now: the ticks to run, where it goes on, and what it gives up (first and last tick)."""

    ticks: tuple[datetime, ...]
    next_at: datetime | None
    missed: tuple[datetime, datetime] | None = None


def due(rhythm: Rhythm, next_at: datetime, now: datetime, catch_up: str) -> Due:
    """What is due at `now`, of a schedule whose next tick is `next_at` (not later than `now`).

    `catch_up` is about ticks missed in an outage: run the ``latest`` one, ``all`` (within bounds) or ``none``.
    """
    if (now - next_at).total_seconds() <= LATE_SECONDS:
        return _run_all(rhythm, next_at, now)
    if catch_up == "all":
        first = _oldest_caught_up(rhythm, next_at, now)
        run = _run_all(rhythm, first, now)
        return Due(run.ticks, run.next_at, (next_at, first) if first > next_at else None)
    last = latest(rhythm, now) or next_at
    wanted = catch_up == "latest" or (now - last).total_seconds() <= LATE_SECONDS
    given_up = next_at < last or not wanted
    return Due((last,) if wanted else (), following(rhythm, last), (next_at, last) if given_up else None)


@dataclass(frozen=True, slots=True)
class Admitted:
    """What becomes of ticks: start now, wait in the queue, or be skipped."""

    start: tuple[datetime, ...] = ()
    queue: tuple[datetime, ...] = ()
    skip: tuple[datetime, ...] = ()


def admit(overlap: str, ticks: Sequence[datetime], *, running: int, queued: int) -> Admitted:
    """What the overlap policy makes of ticks while `running` earlier runs go on and `queued` ticks wait."""
    if overlap == "allow" or not ticks:
        return Admitted(start=tuple(ticks))
    free = 0 if running or queued else 1
    start, rest = tuple(ticks[:free]), tuple(ticks[free:])
    if overlap == "skip":
        return Admitted(start=start, skip=rest)
    room = max(QUEUED_MAX - queued, 0)
    return Admitted(start=start, queue=rest[:room], skip=rest[room:])


def _run_all(rhythm: Rhythm, first: datetime, now: datetime) -> Due:
    ticks = [first]
    for tick in ticks_after(rhythm, first):
        if tick > now or len(ticks) == TICKS_PER_TURN_MAX:
            return Due(tuple(ticks), tick)
        ticks.append(tick)
    return Due(tuple(ticks), None)


def _oldest_caught_up(rhythm: Rhythm, next_at: datetime, now: datetime) -> datetime:
    oldest = next_at
    for tick in islice(_ticks_until(rhythm, now), CATCH_UP_TICKS_MAX):
        if tick <= next_at:
            return next_at
        oldest = tick
    return oldest


def ticks_after(rhythm: Rhythm, moment: datetime) -> Iterator[datetime]:
    """The ticks later than `moment`, in order."""
    if isinstance(rhythm, Cron):
        yield from cron.after(rhythm.expression, rhythm.zone, moment)
        return
    number = rhythm.number(moment) + 1
    while True:
        try:
            yield rhythm.at(number)
        except ValueError:
            return
        number += 1


def _ticks_until(rhythm: Rhythm, moment: datetime) -> Iterator[datetime]:
    """The ticks not later than `moment`, the latest first."""
    if isinstance(rhythm, Cron):
        yield from cron.before(rhythm.expression, rhythm.zone, moment + timedelta(microseconds=1))
        return
    number = rhythm.number(moment)
    while True:
        try:
            yield rhythm.at(number)
        except ValueError:
            return
        number -= 1
